"""Asks Pacemaker's own tools what a configuration would lead to, and what the cluster is at. Changes nothing.

crm_simulate keeps the CIB in a file while it thinks. If not told where (--save-output), it takes Pacemaker's own
directory, where the agent may not write and where it listens for changes. So the tools work in a private directory that
is gone afterwards.
"""

from dataclasses import replace
from pathlib import Path
from shutil import rmtree
from tempfile import TemporaryDirectory
from xml.etree import ElementTree as ET

from reconciler.cib import controller
from reconciler.cib.document import Cib, serialize
from reconciler.cib.simulation import SIMULATE, Simulation, SimulationError, candidate, parse, unused
from reconciler.cib.verdict import VERIFY, Verdict, VerifyError, verify
from reconciler.forecast import Forecast, NoForecast, forecast
from reconciler.guards import Inquiry
from reconciler.host.schema import explain
from reconciler.host.shell import Call, Completed, Failure, Shell
from reconciler.planner import ClusterPlan
from reconciler.secret import Secret, redacted

SCRATCH = "reconciler-forecast-"
"""How the private directories are called."""


def sweep(scratch: Path) -> None:
    """Remove the private directories that a killed process has left: there are CIBs in them."""
    for left in scratch.glob(f"{SCRATCH}*"):
        rmtree(left, ignore_errors=True)


class Simulator:
    """Forecasts. Every one is made anew from what it is given; failures are values.

    Only what the schema refuses is remembered as long as the same is planned: it takes many questions to find out, and
    a held plan is looked at again whenever the status changes.

    Both CIBs are simulated and checked at the same time, in four processes.
    """

    def __init__(self, shell: Shell, timeout: float = 30.0, scratch: Path | None = None) -> None:
        """Prepare.

        Args:
            shell: runs the tools.
            timeout: seconds after which the tools are killed.
            scratch: a directory in which private ones may be made, for as long as a forecast takes; the CIBs are in
                them, with all their parameters. By default the system's place for temporary files.
        """
        self._shell = shell
        self._timeout = timeout
        self._scratch = scratch
        self._explained: tuple[tuple[str, str, Verdict], Verdict] | None = None

    def forecast(self, live: Cib, configuration: ET.Element, secrets: tuple[Secret, ...] = ()) -> Forecast | NoForecast:
        """Say what the cluster would do if its configuration were this one. Never raises for what the tools do.

        The tools are told the secrets, and what is made of their words is not.
        """
        return self._ask(live, configuration, secrets, "").forecast

    def inquire(self, live: Cib, planned: ClusterPlan, dc: str = "") -> Inquiry:
        """Make a forecast, and ask the DC meanwhile, if it is named, what it is doing.

        Where the schema refuses the plan, its verdict says which objects, and what of them. Never raises for what the
        tools do. A DC answers after seconds where others change the configuration all the time.
        """
        inquiry = self._ask(live, planned.configuration, planned.secrets, dc)
        verdict = inquiry.forecast.verdict
        if not verdict.invalid:
            return inquiry
        question = live.attributes.get("validate-with", ""), serialize(planned.configuration), verdict
        if self._explained is None or self._explained[0] != question:
            found = explain(self._shell, live, planned, verdict, self._timeout)
            self._explained = (question, found) if found != verdict else None
            verdict = found
        else:
            verdict = self._explained[1]
        return replace(inquiry, forecast=replace(inquiry.forecast, verdict=verdict))

    def dc_state(self, live: Cib) -> str:
        """Ask the DC what it is doing (`S_IDLE`); empty if there is none, or it does not say."""
        if not live.dc:
            return ""
        return controller.state(self._shell.run(Call((*controller.STATUS, live.dc), timeout=self._timeout)).stdout)

    def _ask(self, live: Cib, configuration: ET.Element, secrets: tuple[Secret, ...], dc: str) -> Inquiry:
        texts = {
            "live.xml": live.text,
            "planned.xml": candidate(live, configuration),
            "live-unused.xml": unused(live, live.configuration),
            "planned-unused.xml": unused(live, configuration),
        }
        try:
            with TemporaryDirectory(prefix=SCRATCH, dir=self._scratch) as name:
                calls = self._calls(Path(name), texts, secrets)
                status = [Call((*controller.STATUS, dc), timeout=self._timeout)] if dc else []
                answers = self._shell.run_all([*calls, *status])
        except OSError as error:
            return Inquiry(NoForecast(f"the CIBs cannot be written for crm_simulate: {error}"))
        state = controller.state(answers.pop().stdout) if dc else ""
        unanswered = next((answer for answer in answers if answer.failure not in _ANSWERED), None)
        if unanswered:
            return Inquiry(NoForecast(unanswered.message), state)
        return Inquiry(_conclude(*answers, checked=texts["planned-unused.xml"]), state)

    def _calls(self, directory: Path, texts: dict[str, str], secrets: tuple[Secret, ...]) -> list[Call]:
        """Write the CIBs that the tools are to read, and return the calls: two simulations, two checks."""
        live_cib, planned, *checked = (directory / name for name in texts)
        for name, text in texts.items():
            (directory / name).write_text(text, encoding="utf-8")
        words = [
            *((*SIMULATE, "--xml-file", str(cib), "--save-output", f"{cib}.out") for cib in (live_cib, planned)),
            *((*VERIFY, "--xml-file", str(cib)) for cib in checked),
        ]
        return [Call(argv, timeout=self._timeout, secrets=secrets) for argv in words]


_ANSWERED = frozenset({None, Failure.EXIT, Failure.TIMEOUT})
"""Leaving with an error is an answer too, and so is to come to no end."""


def _conclude(
    before: Completed, after: Completed, checked_before: Completed, checked_after: Completed, *, checked: str
) -> Forecast | NoForecast:
    lasting = [_endless(before, checked_before), _endless(after, checked_after)]
    if any(lasting):
        # Pacemaker 2.1.5's scheduler hangs on some rules, and with it the cluster.
        which = "on the live configuration" if lasting[0] else "on the configuration as planned, as Pacemaker would"
        reason = f"{lasting[0] or lasting[1]}: it hangs {which}, or the machine is very busy"
        return NoForecast(reason, breaks=not lasting[0], mends=not lasting[1])
    try:
        verdict = _verdict(checked_after, checked).beyond(_verdict(checked_before))
    except VerifyError as error:
        return NoForecast(str(error))
    live, planned = _simulation(before), _simulation(after)
    if isinstance(live, Simulation) and isinstance(planned, Simulation):
        return forecast(live, planned, verdict)
    if isinstance(live, SimulationError):
        said = f"crm_simulate cannot simulate the live configuration: {live}"
        return NoForecast(said, verdict, mends=isinstance(planned, Simulation))
    return NoForecast(f"crm_simulate cannot simulate the configuration as planned: {planned}", verdict, breaks=True)


def _endless(*answers: Completed) -> str:
    return next((answer.message for answer in answers if answer.failure is Failure.TIMEOUT), "")


def _verdict(answer: Completed, checked: str = "") -> Verdict:
    hidden = answer.call.secrets
    return verify(redacted(answer.stdout, hidden), redacted(answer.stderr, hidden), answer.code, checked)


def _simulation(answer: Completed) -> Simulation | SimulationError:
    if not answer.stdout:
        return SimulationError(answer.message)
    try:
        return parse(answer.stdout)
    except SimulationError as error:
        return SimulationError(redacted(str(error), answer.call.secrets))
