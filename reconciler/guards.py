"""Whether the patch of a plan may be sent now. Pure.

A patch is sent as it is or held as a whole: its parts belong together. What a person may decide otherwise is released
by an approval of exactly that plan, from the reasons that were shown; what no approval can make right is not.
"""

import hashlib
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import replace

from reconciler.cib import controller
from reconciler.cib.cluster import ClusterStatus, Placement, ResourceStatus
from reconciler.cib.document import Cib
from reconciler.cib.register import Approval, Register, patched
from reconciler.cib.verdict import Invalid
from reconciler.decision import Decision
from reconciler.demand import Demand, demand, token
from reconciler.forecast import Forecast, NoForecast
from reconciler.frozen import frozen
from reconciler.kinds import CLUSTER_KINDS, key
from reconciler.kinds.cluster_properties import ClusterProperties
from reconciler.observation import Observation
from reconciler.pauses import without_old
from reconciler.plan import Change, Command, Hold, Reason
from reconciler.planner import PATCH, ClusterPlan
from reconciler.policy import Rules
from reconciler.state import Desired, Scope
from reconciler.windows import closed

_FEW = 5
MAINTENANCE = "maintenance-mode"
SUSPENSION_STAYS = 86400.0
"""Seconds for which a suspension that is over, and no longer counts, stays in the register."""

APPROVAL_LASTS = 86400.0
"""Seconds: what was not done within a day is to be looked at again."""


@frozen
class Inquiry:
    """What was asked about a patch before it is sent: what it would lead to, and what the DC is doing.

    `dc_state` is the state of the DC's controller (`S_IDLE`), empty if it did not say or was not asked. `outdated` is
    true of what was found out before somebody else changed the configuration.
    """

    forecast: Forecast | NoForecast
    dc_state: str = ""
    outdated: bool = False


@frozen
class Moment:
    """When the question is put: what is wanted and seen, what was found out about the patch, the time.

    `live` is False for a CIB in a file: nothing runs there that could be interrupted, and there is no time to wait for.
    """

    desired: Desired
    observation: Observation
    inquiry: Inquiry | None = None
    now: float = 0.0
    live: bool = True

    @property
    def forecast(self) -> Forecast | NoForecast | None:
        """What the patch would lead to; None where nobody was asked."""
        return self.inquiry.forecast if self.inquiry else None


def guarded(decision: Decision, moment: Moment, rules: Rules, register: Register) -> Decision:
    """Judge a decision's patch, and take it out of the plan's commands if it has to wait.

    Of a decision without a patch, or whose patch another agent sends, nothing is asked. Of a CIB in a file what would
    be held on a live cluster is a warning. To record what already is as wanted is no change, and not held.
    """
    if decision.cluster is None or not any(command.scope is Scope.CLUSTER for command in decision.plan.commands):
        return decision
    asked = demand(moment.desired.revision, decision.cluster, moment.forecast)
    if not decision.cluster.plan.changes:
        return replace(decision, forecast=moment.forecast, demand=asked)
    holds = [Hold(reason, message) for reason, message in _final(asked, moment)]
    warnings: list[str] = []
    waits = (*_releasable(asked, moment, rules, register), *_busy(decision.cluster, moment))
    asked = replace(asked, reasons=frozenset(name for wait in waits for name in wait.tokens))
    approvals = [approval for approval in register.approvals if _counts(approval, moment.now)]
    for wait in _unreleased(waits, asked, approvals):
        if moment.live or wait.reason is Reason.DELETION_BUDGET:
            way_out = f"to go ahead all the same: reconciler approve {asked.digest}"
            holds.append(Hold(wait.reason, f"{wait.message}; {way_out}"))
        else:
            warnings.append(f"on a live cluster this is held: {wait.reason}: {wait.message}")
    plan = replace(decision.plan, warnings=(*decision.plan.warnings, *warnings))
    outdated = moment.inquiry is not None and moment.inquiry.outdated
    return held(replace(decision, plan=plan, forecast=moment.forecast, demand=asked, outdated=outdated), holds)


@frozen
class _Wait:
    """What a person may decide otherwise; `tokens` are what an approval of it keeps."""

    reason: Reason
    message: str
    tokens: frozenset[str]


def _wait(reason: Reason, message: str, subjects: Iterable[str] = ("",)) -> _Wait:
    return _Wait(reason, message, frozenset(token(reason, subject) for subject in subjects))


def _unreleased(waits: Iterable[_Wait], asked: Demand, approvals: Collection[Approval]) -> Iterator[_Wait]:
    """Yield what no approval releases, each with why one of the same revision does not."""
    within = [approval for approval in approvals if asked.is_within(approval)]
    released = frozenset(name for approval in within for name in approval.reasons)
    others = [approval for approval in approvals if approval.revision == asked.revision]
    latest = max(within or others, key=lambda approval: approval.at, default=None)
    for wait in waits:
        if wait.tokens <= released:
            continue
        if latest is None or wait.reason in _PASSES:
            yield wait
            continue
        missing = "; ".join(asked.beyond(latest)) or str(wait.reason)
        why = f"the approval {latest.digest} by {latest.by} does not cover it, as that did not show: {missing}"
        yield replace(wait, message=f"{wait.message}; {why}")


_PASSES = frozenset({Reason.TRANSITION_RUNNING, Reason.OUTSIDE_WINDOW})
"""What is approved but for these simply waits on."""


def held(decision: Decision, holds: Sequence[Hold]) -> Decision:
    """Take the patch out of a decision's commands, if there is a reason to."""
    if not holds:
        return decision
    plan = decision.plan
    commands = tuple(command for command in plan.commands if command.scope is not Scope.CLUSTER)
    return replace(decision, plan=replace(plan, holds=(*plan.holds, *holds), commands=commands))


def tidied(decision: Decision, cib: Cib, kept: Register, revision: str, now: float) -> Decision:
    """Let the agent that writes take out of the register what no longer counts, where there is nothing else to send."""
    plan = decision.plan
    holds = [hold for hold in plan.holds if hold.scope is Scope.CLUSTER]
    if any(hold.ref is None for hold in holds):
        return decision
    done = not holds and not (decision.cluster and decision.cluster.plan.changes)
    needed = still_needed(kept, revision, now, done=done)
    text = patched(cib, without_old(needed, now)) if needed != kept else None
    if text is None:
        return decision
    return replace(decision, plan=replace(plan, commands=(*plan.commands, Command(PATCH, text, Scope.CLUSTER, ()))))


def still_needed(kept: Register, revision: str, now: float, *, done: bool) -> Register:
    """Leave out a suspension that has long been over, approvals used up or too old, a quarantine that was released.

    `done` says that this revision has nothing left to do. One that did harm stays in quarantine when another one
    follows: it might come back.
    """
    approvals = [approval for approval in kept.approvals if _counts(approval, now)]
    suspended = kept.suspended
    shown = token(Reason.QUARANTINED)
    released = done and any(approval.revision == revision and shown in approval.reasons for approval in approvals)
    return replace(
        kept,
        approvals=tuple(approval for approval in approvals if not (done and approval.revision == revision)),
        # For long enough that a node whose clock is ahead does not end for all what only it takes for over.
        suspended=suspended if suspended and suspended.until + SUSPENSION_STAYS > now else None,
        quarantines=tuple(bad for bad in kept.quarantines if not (released and bad.revision == revision)),
    )


def _counts(approval: Approval, now: float) -> bool:
    return approval.at + APPROVAL_LASTS > now


_Held = Iterator[tuple[Reason, str]]


def _final(asked: Demand, moment: Moment) -> _Held:
    """Yield what no approval changes."""
    forecast, status = moment.forecast, moment.observation.status
    if forecast and forecast.verdict.invalid:
        places = dict.fromkeys(_place(item, asked) for item in forecast.verdict.invalid)
        remedy = f"; {forecast.verdict.remedy}" if forecast.verdict.remedy else ""
        yield Reason.INVALID, f"the cluster's schema does not allow it: {_some(places)}{remedy}"
    elif isinstance(forecast, NoForecast) and forecast.breaks:
        yield Reason.BREAKS_SCHEDULER, forecast.reason
    if not moment.live or status is None:
        return
    if status.maintenance_mode and not _names_maintenance(moment.desired):
        yield (
            Reason.MAINTENANCE_MODE,
            f"{MAINTENANCE} is on, so somebody works on the cluster by hand: waits until it is off",
        )


def _releasable(asked: Demand, moment: Moment, rules: Rules, register: Register) -> Iterator[_Wait]:
    """Yield what a person may decide otherwise."""
    quarantine = register.quarantine_of(asked.revision)
    if quarantine:
        yield _wait(Reason.QUARANTINED, f"this revision is not applied again: {quarantine.reason}")
    if asked.deletions and not any(ref.kind in CLUSTER_KINDS for ref in moment.desired.state):
        gone = _some(sorted(asked.deletions))
        yield _wait(Reason.DELETION_BUDGET, f"it deletes {gone}: the manifests want nothing of the cluster any more")
    elif len(asked.deletions) > rules.deletion_budget:
        count = f"{_count(asked.deletions, 'object')}, more than the deletion budget of {rules.deletion_budget}"
        yield _wait(Reason.DELETION_BUDGET, f"it deletes {count}: {_some(sorted(asked.deletions))}")
    if asked.fenced:
        yield _wait(Reason.FENCING, f"{_some(sorted(asked.fenced))} would be fenced")
    if len(asked.disrupted) > rules.disruption_budget:
        count = f"{_count(asked.disrupted, 'resource')}, more than the disruption budget of {rules.disruption_budget}"
        yield _wait(Reason.DISRUPTION_BUDGET, f"it interrupts {count}: {_some(sorted(asked.disrupted))}")
    yield from _doubts(moment.forecast)
    unclean = _to_be_fenced(moment.observation)
    if moment.live and unclean:
        yield _wait(Reason.FENCING_PENDING, f"waits until the cluster has fenced {_some(unclean)}", unclean)
    why = closed(rules.windows, moment.now) if moment.live else None
    if why:
        yield _wait(Reason.OUTSIDE_WINDOW, why)


def _busy(planned: ClusterPlan, moment: Moment) -> Iterator[_Wait]:
    """Yield that the cluster is at something that this patch is not about.

    What mends a resource is not to wait until its start has failed. And a DC that is busy without any operation only
    thinks about an edit: who waited for that would starve where edits never end.
    """
    state = moment.inquiry.dc_state if moment.inquiry else ""
    if state in {"", controller.IDLE}:
        return
    others = under_way(planned, moment.observation.status)
    if others:
        yield _wait(Reason.TRANSITION_RUNNING, f"waits until the cluster has done what it is at: {_some(others)}")


def under_way(planned: ClusterPlan, status: ClusterStatus | None) -> tuple[str, ...]:
    """Return what operations are under way of resources that a plan is not about, in words.

    Of an operation whose end was never recorded the same is seen: only the DC knows whether it is at it, and only then
    it has to be asked.
    """
    if status is None:
        return ()
    concerned = frozenset(name for change in planned.plan.changes for name in _names(change))
    return tuple(
        f"{resource.id} {task} on {node}"
        for resource in status.resources.values()
        if not resource.members and concerned.isdisjoint(_lineage(resource, status))
        for node, there in resource.placements.items()
        for task in _tasks(there)
    )


def _tasks(there: Placement) -> Iterator[str]:
    """Return what is under way there, in words: operations without a result, probes as well."""
    for operation in there.operations:
        if operation.call_id < 0:
            yield "probe" if operation.probe else operation.task


def _names(change: Change) -> Iterator[str]:
    """Return the ids of the resources that a change is about: the object, what is in it, what it refers to."""
    kind = CLUSTER_KINDS[change.ref.kind]
    yield change.ref.name
    for spec in (change.before, change.after):
        if spec is not None:
            yield from kind.members(spec)
            yield from (reference.name for reference in kind.references(spec))


def _lineage(resource: ResourceStatus, status: ClusterStatus) -> Iterator[str]:
    """Return the id of a resource, and of all that it is in."""
    yield resource.id
    if resource.parent in status.resources:
        yield from _lineage(status.resources[resource.parent], status)


def _doubts(forecast: Forecast | NoForecast | None) -> Iterator[_Wait]:
    if forecast is None or forecast.verdict.invalid:
        return
    if forecast.verdict.errors:
        digests = (hashlib.sha256(error.encode()).hexdigest()[:12] for error in forecast.verdict.errors)
        yield _wait(Reason.VERIFY_ERRORS, f"Pacemaker calls it wrong: {_some(forecast.verdict.errors)}", digests)
    if isinstance(forecast, NoForecast) and not forecast.breaks and not forecast.mends:
        yield _wait(Reason.NO_FORECAST, f"nobody knows what it would do: {forecast.reason}")


def _to_be_fenced(observation: Observation) -> list[str]:
    """Return the nodes that the cluster is about to fence; none where it has nothing to do it with."""
    status, cib = observation.status, observation.cib
    if status is None or cib is None or not status.fencing_enabled:
        return []
    devices = any(item.get("class") == "stonith" for item in cib.configuration.iterfind("resources//primitive"))
    return [node.name for node in status.nodes.values() if node.unclean] if devices else []


def _names_maintenance(desired: Desired) -> bool:
    """Tell whether the manifests say themselves whether there is maintenance."""
    return any(isinstance(spec, ClusterProperties) and MAINTENANCE in spec.values for spec in desired.state.values())


def _place(item: Invalid, asked: Demand) -> str:
    """Name the object that is wrong, and the place in it."""
    known = {key(ref): ref for ref in asked.changes}
    for index, (_, name) in reversed(list(enumerate(item.path))):
        if name in known:
            inner = "/".join(" ".join(filter(None, part)) for part in item.path[index + 1 :])
            return ": ".join(filter(None, (str(known[name]), inner, item.text)))
    return item.text


def _count(things: Collection[object], name: str) -> str:
    return f"{len(things)} {name}{'s' * (len(things) != 1)}"


def _some(names: Iterable[object]) -> str:
    said = list(dict.fromkeys(map(str, names)))
    more = f" and {len(said) - _FEW} more" if len(said) > _FEW else ""
    return ", ".join(said[:_FEW]) + more
