"""The verbs that run once: plan and apply, on this node or on a CIB file."""

import time
from collections.abc import Callable, Iterable
from dataclasses import replace
from itertools import chain
from pathlib import Path
from types import MappingProxyType
from xml.etree import ElementTree as ET

from reconciler import pauses, suspension
from reconciler.cib.document import Cib, CibError, serialize
from reconciler.decision import Decision, Remembered, decide
from reconciler.frozen import frozen
from reconciler.host import cibfile, store
from reconciler.host.directory import Limits, Texts, Unreadable, begin
from reconciler.host.lock import agent_runs
from reconciler.host.shell import Shell
from reconciler.host.store import INVENTORY, STATUS, inventory
from reconciler.host.vault import Vault
from reconciler.manifests import load, load_each
from reconciler.observation import Observation, Source, of_cib, understand
from reconciler.plan import Command, Hold, Override, Plan, Reason
from reconciler.policy import overlaid
from reconciler.pruning import Policy
from reconciler.settings import Settings
from reconciler.state import Desired, Rejected, Scope, State
from reconciler.writer import for_anybody, for_now

_SETTLE = 0.02
_STOP_LOOK = 0.5
_MOST_STEPS = 20


class OneshotError(Exception):
    """The verb cannot do its work; the message is for people."""


class RejectedError(OneshotError):
    """The manifests have faults, which are in `rejected`."""

    def __init__(self, directory: Path, rejected: tuple[Rejected, ...]) -> None:
        super().__init__(f"{directory}: {len(rejected)} fault{'s' * (len(rejected) > 1)}; nothing is planned")
        self.rejected = rejected


@frozen
class Planned:
    """A decision with what it was made from."""

    desired: Desired
    observation: Observation
    decision: Decision
    vault: Vault


def wanted(directory: Path, like: State = MappingProxyType({})) -> Desired:
    """Read the manifests of a directory, wherever it is and whoever may write there; see `load` for `like`.

    Raises:
        OneshotError: the directory cannot be read, or holds no object. Faults in manifests are in `rejected`.
    """
    seen, settled = begin(directory, Limits(strict=False), _SETTLE)
    # The texts are most likely to stay as they are: what they say is found out while they have time to change.
    early = None
    if isinstance(seen, Texts):
        # What has been read is let go, text by text.
        files, revision, rejected = list(seen.files.items()), seen.revision, seen.rejected
        files.reverse()
        del seen
        early = load_each((files.pop() for _ in range(len(files))), revision, rejected, like)
    found = settled()
    if isinstance(found, Unreadable):
        raise OneshotError(found.message)
    same = early is not None and early.revision == found.revision
    desired = early if early and same else load(found.files, found.revision, found.rejected, like)
    if not desired.state and not desired.rejected:
        raise OneshotError(f"{directory}: the manifests hold no object")
    return desired


def plan(settings: Settings, directory: Path, file: Path | None, node: str) -> Planned:
    """Plan as a person who asks: who may write plays no part, but a suspension holds for everybody.

    Raises:
        OneshotError: the manifests or the cluster cannot be read.
        RejectedError: the manifests have faults.
    """
    # Reading the larger one first, and of the other only what differs, takes half the memory.
    seen = look_at_file(file, node) if file else None
    desired = wanted(directory, seen.cluster.state if seen and seen.cluster else MappingProxyType({}))
    if desired.rejected:
        raise RejectedError(directory, desired.rejected)
    shell, vault = Shell(), Vault(settings.state_dir)
    desired = vault.fill(desired)
    observation = vault.conceal(seen or look_here(settings, node, shell))
    rules = overlaid(settings.rules, desired.state)
    live = observation.cluster.state if observation.cluster else {}
    paused = pauses.holds(observation.register.pauses, desired.revision, time.time())
    left_alone = {**({} if file else paused), **rules.left_alone(chain(desired.state, live))}
    added = frozenset() if file else inventory(settings.state_dir)
    decision = decide(desired, observation, Policy(rules.prune), Remembered(added, left_alone=left_alone))
    if observation.cib is not None and decision.cluster is not None and decision.cluster.operations:
        # Where nothing changes nobody is asked, which is most often.
        from reconciler.guards import Moment, guarded, under_way  # noqa: PLC0415
        from reconciler.host.simulator import Simulator  # noqa: PLC0415

        simulator = Simulator(shell, settings.command_timeout)
        inquiry = None
        if not decision.cluster.only_records:
            busy = file is None and under_way(decision.cluster, observation.status)
            inquiry = simulator.inquire(observation.cib, decision.cluster, observation.cib.dc or "" if busy else "")
        moment = Moment(desired, observation, inquiry, time.time(), live=file is None)
        decision = replace(guarded(decision, moment, rules, observation.register), forecast=moment.forecast)
    decision = _doubted(decision, paused.values() if file else ())
    if file is None:
        suspended = suspension.holds(observation.register, observation.snapshot.suspended, time.time())
        everywhere = (*for_anybody(observation, rules), *suspended, *for_now(observation, rules))
        decision = _waiting(decision, (*everywhere, *_skew(settings)))
    return Planned(desired, observation, decision, vault)


def _doubted(decision: Decision, paused: Iterable[Hold]) -> Decision:
    """Say of what a live cluster would be held for, in a file, where nothing has time to wait for."""
    changed = {change.ref for change in decision.plan.changes}
    held = (hold for hold in paused if hold.ref in changed)
    warnings = (f"on a live cluster this is held: {hold.ref}: {hold.reason}: {hold.message}" for hold in held)
    return replace(decision, plan=replace(decision.plan, warnings=(*decision.plan.warnings, *warnings)))


def _waiting(decision: Decision, waits: tuple[Hold, ...]) -> Decision:
    """Hold what there is to do for reasons that are not the plan's; where nothing is to be done they do not matter."""
    scopes = {command.scope for command in decision.plan.commands}
    if decision.cluster and decision.cluster.operations:
        scopes.add(Scope.CLUSTER)
    waits = tuple(hold for hold in waits if hold.scope in scopes)
    held = {hold.scope for hold in waits}
    commands = tuple(command for command in decision.plan.commands if command.scope not in held)
    return replace(decision, plan=replace(decision.plan, holds=(*waits, *decision.plan.holds), commands=commands))


def _skew(settings: Settings) -> tuple[Hold, ...]:
    """Return what this node's agent, if one runs, says of the others: only agents know what agents have read."""
    document = store.load(settings.runtime_dir / STATUS) if agent_runs(settings.runtime_dir) else None
    said = document["plan"]["holds"] if document else []
    skewed = (hold["message"] for hold in said if hold["reason"] == Reason.REVISION_SKEW)
    return tuple(Hold(Reason.REVISION_SKEW, message) for message in skewed)


def look_at_file(file: Path, node: str) -> Observation:
    """Observe a CIB file; of the node nothing is seen.

    Raises:
        OneshotError: the file cannot be read, or is not a CIB.
    """
    try:
        cib = cibfile.read(file)
    except cibfile.UnreadableError as error:
        raise OneshotError(str(error)) from error
    except CibError as error:
        raise OneshotError(f"{file}: cib: {error}") from error
    return of_cib(cib, node or "-", time.time())


def look_here(settings: Settings, node: str, shell: Shell) -> Observation:
    """Observe this node and its cluster.

    Raises:
        OneshotError: the cluster cannot be seen.
    """
    from reconciler.host.observer import Observer  # noqa: PLC0415  what a file does not need

    observation = understand(
        Observer(shell, None, settings.command_timeout, settings.state_dir).look(), node or settings.node, None
    )
    if observation.cib is None:
        hint = "is this a node of the cluster, and does Pacemaker run here (systemctl status pacemaker)?"
        raise OneshotError(f"{observation.why(Source.CIB)}; {hint}")
    return observation


def apply(settings: Settings, directory: Path, file: Path | None, node: str, show: Callable[[Planned], None]) -> Plan:
    """Plan and apply until nothing more can be done at once, and return what is left. `show` sees each step first.

    Where something is left, `show` sees that too. What waits for a resource to stop is waited for, within the
    settings' `command_timeout` for each look.

    Raises:
        OneshotError: something cannot be read, a command failed, or what was done does not last.
        RejectedError: the manifests have faults.
    """
    if not file and settings.mode == "observe":
        raise OneshotError("mode = observe in the settings: changes are reported and not made")
    if file and cibfile.is_packed(file):
        raise OneshotError(f"{file}: what is compressed is only read: unpack it (bunzip2) to apply anything to it")
    from reconciler.pace import stuck  # noqa: PLC0415  what only `apply` needs, `plan` need not wait for

    deadline = time.monotonic() + settings.command_timeout
    done: list[Command] = []
    steps = 0
    while True:
        planned = plan(settings, directory, file, node)
        rules = overlaid(settings.rules, planned.desired.state)
        if not file and rules.mode == "observe":
            raise OneshotError(f"{rules.observed_by}: changes are reported and not made")
        left = planned.decision.plan
        if left.commands:
            if stuck(done, left.commands, moved=False):
                raise OneshotError(
                    f"{_named(left)}: applied in vain: it had no effect, or somebody else changes it back"
                )
            if steps == _MOST_STEPS:
                raise OneshotError(
                    f"{_named(left)}: still not as wanted after {steps} attempts: somebody else is faster"
                )
            steps += 1
            show(planned)
            done = _carry_out(settings, planned, file)
            deadline = time.monotonic() + settings.command_timeout
        elif file or time.monotonic() > deadline or not any(hold.reason is Reason.STOPPING for hold in left.holds):
            if left.holds or left.changes:
                show(planned)
            return left
        else:
            time.sleep(_STOP_LOOK)


def override_ages(settings: Settings, planned: Planned) -> dict[Override, str]:
    """Say for how long people's settings have been in the live cluster: as an agent knows, or as old CIBs show."""
    observed, now = planned.observation, planned.observation.snapshot.at
    known = planned.decision.plan.overrides
    if observed.cluster is None or not known:
        return {}
    # It brings along all that an agent remembers, which a plan of a file would wait for in vain.
    from reconciler import overrides  # noqa: PLC0415
    from reconciler.host import archive  # noqa: PLC0415
    from reconciler.overrides import Mark  # noqa: PLC0415
    from reconciler.records import kept_ages  # noqa: PLC0415

    kept = kept_ages(settings.state_dir)
    new = [item for item in known if Mark.of(item) not in kept]
    aged = kept | overrides.look_back(new, observed.cluster, archive.versions(settings.cib_dir), now)
    aged = overrides.with_expiry(aged, known, observed.status, now)
    return {item: overrides.words(age, now) for item in known if (age := aged.get(Mark.of(item)))}


def _named(left: Plan) -> str:
    return ", ".join(sorted({str(ref) for command in left.commands for ref in command.refs}))


def _carry_out(settings: Settings, planned: Planned, file: Path | None) -> list[Command]:
    """Return the commands that were carried out; the cluster may have refused some because it has moved."""
    cluster, cib, commands = planned.decision.cluster, planned.observation.cib, planned.decision.plan.commands
    if file and cluster and cib:
        trouble = store.write(file, rewritten(cib, cluster.configuration))
        if trouble:
            raise OneshotError(trouble)
        return list(commands)
    from reconciler.host import applier  # noqa: PLC0415  what a file does not need
    from reconciler.pace import MOVED  # noqa: PLC0415
    from reconciler.unheard import took_effect  # noqa: PLC0415

    outcomes = applier.apply(Shell(), commands, settings.command_timeout)
    failed = [outcome for outcome in outcomes if not outcome.ok and outcome.code != MOVED]
    if failed and cluster and cib and all(outcome.command.scope is Scope.CLUSTER for outcome in failed):
        seen = look_here(settings, planned.observation.node, Shell()).cib
        failed = [] if took_effect(cib, cluster.configuration, seen) else failed
    trouble = store.save(settings.state_dir / INVENTORY, sorted(planned.decision.inventory)) or planned.vault.keep()
    if failed or trouble:
        raise OneshotError(failed[0].stderr if failed else trouble)
    return [outcome.command for outcome in outcomes if outcome.ok]


def rewritten(cib: Cib, configuration: ET.Element) -> str:
    """Return a CIB file's text with another configuration and the next epoch, as Pacemaker would count it."""
    root = ET.Element(cib.root.tag, cib.root.attrib)
    root.set("epoch", str(cib.version.epoch + 1))
    root.set("num_updates", "0")
    root.extend(configuration if part is cib.configuration else part for part in cib.root)
    return serialize(root)
