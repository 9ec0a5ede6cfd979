"""Asks Pacemaker's own tools what a configuration would lead to. Changes nothing, and nothing of the cluster is asked.

crm_simulate keeps the CIB in a file while it thinks. If not told where (--save-output), it takes Pacemaker's own
directory, where the agent may not write and where it listens for changes. So the tools work in a private directory that
is gone afterwards.
"""

from pathlib import Path
from tempfile import TemporaryDirectory
from xml.etree import ElementTree as ET

from reconciler.cib.document import Cib
from reconciler.cib.simulation import SIMULATE, Simulation, SimulationError, candidate, parse, unused
from reconciler.cib.verdict import VERIFY, Verdict, VerifyError, verify
from reconciler.forecast import Forecast, NoForecast, forecast
from reconciler.host.shell import Call, Completed, Failure, Shell
from reconciler.secret import Secret, redacted


class Simulator:
    """Forecasts. Every one is made anew from what it is given; failures are values.

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

    def forecast(self, live: Cib, configuration: ET.Element, secrets: tuple[Secret, ...] = ()) -> Forecast | NoForecast:
        """Say what the cluster would do if its configuration were this one. Never raises for what the tools do.

        The tools are told the secrets, and what is made of their words is not.
        """
        try:
            with TemporaryDirectory(prefix="reconciler-forecast-", dir=self._scratch) as name:
                answers = self._shell.run_all(self._prepare(Path(name), live, configuration, secrets))
        except OSError as error:
            return NoForecast(f"the CIBs cannot be written for crm_simulate: {error}")
        unanswered = next((answer for answer in answers if answer.failure not in _ANSWERED), None)
        return NoForecast(unanswered.message) if unanswered else _conclude(*answers)

    def objection(self, live: Cib, configuration: ET.Element, secrets: tuple[Secret, ...] = ()) -> str:
        """Say why a configuration must not be applied: the scheduler, which copes with the live one, fails on it.

        An order of an action after itself, for one, ends Pacemaker's scheduler in every transition
        (`order_actions`, lib/pengine/utils.c). Empty if there is nothing to say, or nobody to ask.
        """
        try:
            with TemporaryDirectory(prefix="reconciler-forecast-", dir=self._scratch) as name:
                words = self._simulation_of(Path(name), "planned.xml", candidate(live, configuration), secrets)
                planned = self._shell.run(words)
                if planned.failure is not Failure.EXIT or _can_be_read(planned):
                    return ""
                if not _can_be_read(self._shell.run(self._simulation_of(Path(name), "live.xml", live.text, secrets))):
                    return ""
        except OSError:
            return ""
        return f"{_BREAKS}: {planned.message}"

    def _simulation_of(self, directory: Path, name: str, text: str, secrets: tuple[Secret, ...]) -> Call:
        cib = directory / name
        cib.write_text(text, encoding="utf-8")
        words = (*SIMULATE, "--xml-file", str(cib), "--save-output", f"{cib}.out")
        return Call(words, timeout=self._timeout, secrets=secrets)

    def _prepare(
        self, directory: Path, live: Cib, configuration: ET.Element, secrets: tuple[Secret, ...]
    ) -> list[Call]:
        """Write the CIBs that the tools are to read, and return the calls: two simulations, two checks."""
        texts = {
            "live.xml": live.text,
            "planned.xml": candidate(live, configuration),
            "live-unused.xml": unused(live, live.configuration),
            "planned-unused.xml": unused(live, configuration),
        }
        live_cib, planned, *checked = (directory / name for name in texts)
        for name, text in texts.items():
            (directory / name).write_text(text, encoding="utf-8")
        words = [
            *((*SIMULATE, "--xml-file", str(cib), "--save-output", f"{cib}.out") for cib in (live_cib, planned)),
            *((*VERIFY, "--xml-file", str(cib)) for cib in checked),
        ]
        return [Call(argv, timeout=self._timeout, secrets=secrets) for argv in words]


def _can_be_read(answer: Completed) -> bool:
    try:
        _simulation(answer)
    except SimulationError:
        return False
    return True


_BREAKS = "crm_simulate cannot simulate the configuration as planned"
_ANSWERED = frozenset({None, Failure.EXIT})
"""Leaving with an error is an answer too."""


def _conclude(
    before: Completed, after: Completed, checked_before: Completed, checked_after: Completed
) -> Forecast | NoForecast:
    try:
        verdict = _verdict(checked_after).beyond(_verdict(checked_before))
    except VerifyError as error:
        return NoForecast(str(error))
    try:
        baseline = _simulation(before)
    except SimulationError as error:
        return NoForecast(f"crm_simulate cannot simulate the live configuration: {error}", verdict)
    try:
        return forecast(baseline, _simulation(after), verdict)
    except SimulationError as error:
        return NoForecast(f"{_BREAKS}: {error}", verdict, breaks=True)


def _verdict(answer: Completed) -> Verdict:
    hidden = answer.call.secrets
    return verify(redacted(answer.stdout, hidden), redacted(answer.stderr, hidden), answer.code)


def _simulation(answer: Completed) -> Simulation:
    if not answer.stdout:
        raise SimulationError(answer.message)
    try:
        return parse(answer.stdout)
    except SimulationError as error:
        raise SimulationError(redacted(str(error), answer.call.secrets)) from None
