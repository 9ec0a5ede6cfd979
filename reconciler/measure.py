"""A pass as figures: what the metrics show of it, and what has been counted so far. Pure."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import field

from reconciler import __version__, pauses
from reconciler.chronicle import Noted
from reconciler.cib.cluster import ClusterStatus
from reconciler.corosync.cmap import ParseFailure
from reconciler.corosync.quorumtool import Quorum, quorum
from reconciler.corosync.rings import RingStatus, rings
from reconciler.forensics import By
from reconciler.frozen import frozen
from reconciler.kinds import CLUSTER_KINDS, KINDS
from reconciler.kinds.observe import Observed
from reconciler.metrics import failovers
from reconciler.metrics.catalogue import BLOCKING, DOMAINS, OTHER_KIND, Result
from reconciler.metrics.failovers import Event
from reconciler.metrics.memory import Memory
from reconciler.metrics.snapshot import (
    ChangeKey,
    DesiredReport,
    LoopReport,
    MetricsSnapshot,
    SettleReport,
    SourceReport,
    WatcherReport,
)
from reconciler.observation import Observation, Source
from reconciler.overrides import Mark, passing, word
from reconciler.plan import Plan, Reason, Verb
from reconciler.reconciliation import Reconciliation
from reconciler.state import Ref, Scope
from reconciler.status import scope_of
from reconciler.suspension import in_force


@frozen
class Counts:
    """What has been counted up to a pass; `failovers` is to be kept over restarts."""

    sources: Mapping[str, SourceReport] = field(default_factory=dict)
    loop: LoopReport = field(default_factory=LoopReport)
    failovers: Memory | None = None
    configuration: Observed | None = None
    status: ClusterStatus | None = None
    settles: SettleReport = field(default_factory=SettleReport)
    out_of_band: Mapping[tuple[str, str], int] = field(default_factory=dict)


_NOTHING = Noted()


@frozen
class Measured:
    """One pass in figures, the counts after it, and the failovers and recoveries that were counted in it."""

    snapshot: MetricsSnapshot
    counts: Counts
    events: tuple[Event, ...]


def measure(
    done: Reconciliation, before: Counts, watchers: Mapping[str, WatcherReport], mode: str, noted: Noted = _NOTHING
) -> Measured:
    """Count one pass. Nothing that a source says can make it fail: what cannot be read is a failure of that source."""
    observation = done.observation
    at = observation.snapshot.at
    ring_status, votes, unread = _corosync(observation)
    sources = _sources(observation, before.sources, unread)
    remembered: Memory | None = before.failovers
    events: tuple[Event, ...] = ()
    if observation.status is not None and observation.status is not before.status:
        touched = affected(before.configuration, observation.cluster)
        remembered, events = failovers.observe(remembered, observation.status, observation.node, at, touched)
    loop = before.loop.after(
        {domain: _result(done, scope, mode) for scope, domain in DOMAINS.items()},
        _drift(done),
        [_key(change.ref, change.verb.value) for change in done.applied],
        _failed(done),
        (done.began + done.seconds, done.seconds),
    )
    settles = before.settles.after(done.settling, done.settled)
    snapshot = MetricsSnapshot(
        at=at,
        version=__version__,
        local_node=observation.node,
        status=observation.status,
        rings=ring_status,
        quorum=votes,
        failovers=remembered,
        sources=sources,
        loop=loop,
        desired=_desired(done),
        apply_blocked=_blocked(done.decision.plan, done.decision.blind),
        left_alone=len(pauses.in_force(observation.register.pauses, done.revision, at)),
        watchers=watchers,
        settles=settles,
        suspended=in_force(observation.register, observation.snapshot.suspended, at),
        out_of_band=_out_of_band(before.out_of_band, noted),
        overrides=_overrides(done, noted),
    )
    configuration = observation.cluster or before.configuration
    counts = Counts(sources, loop, remembered, configuration, observation.status, settles, snapshot.out_of_band)
    return Measured(snapshot, counts, events)


def _out_of_band(before: Mapping[tuple[str, str], int], noted: Noted) -> Mapping[tuple[str, str], int]:
    found = dict(before)
    for edit in noted.edits:
        for item in edit.differences if edit.by in (By.OTHER, By.UNKNOWN) else ():
            key = item.ref.kind if item.ref.kind in KINDS else OTHER_KIND, item.verb.value
            found[key] = found.get(key, 0) + 1
    return found


def _overrides(done: Reconciliation, noted: Noted) -> Mapping[tuple[str, str, str], float]:
    """Return since when there is what people set for a while; where a field has several values, the oldest."""
    found: dict[tuple[str, str, str], float] = {}
    for item in done.decision.plan.overrides:
        age = noted.ages.get(Mark.of(item))
        if age and not age.expired and passing(item):
            key = item.ref.kind if item.ref.kind in KINDS else OTHER_KIND, item.ref.name, word(item)
            found[key] = min(age.since, found.get(key, age.since))
    return found


def _corosync(observation: Observation) -> tuple[RingStatus | None, Quorum | None, dict[str, str]]:
    """Read corosync's texts; what cannot be read is named by its source."""
    unread: dict[str, str] = {}
    found: RingStatus | ParseFailure | None = None
    cmap = _text(observation, Source.CMAP)
    if cmap is not None:
        found = rings(cmap, _text(observation, Source.STATS), _text(observation, Source.CFGTOOL))
    votes: Quorum | ParseFailure | None = None
    said = _text(observation, Source.QUORUM)
    if said is not None:
        votes = quorum(said)
    for item, source in ((found, Source.CMAP), (votes, Source.QUORUM)):
        if isinstance(item, ParseFailure):
            unread[source.value] = item.message
    return (
        None if isinstance(found, ParseFailure) else found,
        None if isinstance(votes, ParseFailure) else votes,
        unread,
    )


def _text(observation: Observation, source: Source) -> str | None:
    answer = observation.snapshot.answers.get(source)
    return None if answer is None or source in observation.problems else answer.text


def _sources(
    observation: Observation, before: Mapping[str, SourceReport], unread: Mapping[str, str]
) -> Mapping[str, SourceReport]:
    found = {source: report.unasked() for source, report in before.items()}
    for source, answer in observation.snapshot.answers.items():
        problem = observation.problems.get(source)
        failure = problem.failure if problem else "parse" if source.value in unread else ""
        report = found.get(source.value, SourceReport())
        found[source.value] = report.after(failure, answer.seconds, observation.snapshot.at)
    return found


def affected(before: Observed | None, now: Observed | None) -> frozenset[str]:
    """Return the ids of the resources that a change of the configuration since the last pass may have moved.

    Those that changed, what they name, and what names them or is named with them: users of a template, what starts
    after another.
    """
    if before is None or now is None or before.state is now.state:
        return frozenset()
    changed = {ref for ref in {*before.state, *now.state} if before.state.get(ref) != now.state.get(ref)}
    names = frozenset(name for ref in changed for name in _named(ref, before, now))
    objects = {ref.name for ref in changed}
    near = (named for ref in now.state if not objects.isdisjoint(named := frozenset(_named(ref, now))))
    return names.union(*near)


def _named(ref: Ref, *configurations: Observed) -> Iterator[str]:
    yield ref.name
    for configuration in configurations:
        spec = configuration.state.get(ref)
        if spec is not None:
            yield from (reference.name for reference in CLUSTER_KINDS[ref.kind].references(spec))


def _key(ref: Ref, action: str) -> ChangeKey:
    return DOMAINS[scope_of(ref)], ref.kind, action


def _drift(done: Reconciliation) -> list[ChangeKey]:
    """List what is not as wanted: what is to be changed, and what is held back, a deletion for one."""
    plan = done.decision.plan
    wanted = done.wanted.desired.state if done.wanted.desired else {}
    there = done.observation.cluster.state if done.observation.cluster else {}
    actions = {change.ref: change.verb for change in plan.changes}
    for ref in (hold.ref for hold in plan.holds if hold.ref):
        held = Verb.DELETE if ref not in wanted else Verb.UPDATE if ref in there else Verb.CREATE
        actions.setdefault(ref, held)
    return [_key(ref, verb.value) for ref, verb in actions.items() if ref.kind in KINDS]


def _failed(done: Reconciliation) -> Iterable[ChangeKey]:
    left = {change.ref: change for change in done.decision.plan.changes}
    failed = {ref for outcome in done.outcomes if not outcome.ok for ref in outcome.command.refs}
    return [_key(ref, left[ref].verb.value) for ref in sorted(failed) if ref in left]


def _result(done: Reconciliation, scope: Scope, mode: str) -> Result:
    outcomes = [outcome for outcome in done.outcomes if outcome.command.scope is scope]
    if scope in done.decision.blind or any(not outcome.ok for outcome in outcomes):
        return Result.ERROR
    if outcomes:
        return Result.CHANGED
    plan = done.decision.plan
    waiting = [*(change.ref for change in plan.changes), *(hold.ref for hold in plan.holds if hold.ref)]
    if any(scope_of(ref) is scope for ref in waiting):
        observes = any(hold.reason is Reason.OBSERVE_ONLY and hold.ref is None for hold in plan.holds)
        return Result.DRY_RUN if mode == "observe" or observes else Result.BLOCKED
    return Result.UNCHANGED


def _desired(done: Reconciliation) -> DesiredReport:
    wanted = done.wanted
    return DesiredReport(
        revision=done.revision,
        valid=wanted.desired is not None and not wanted.problem,
        loaded=wanted.loaded,
        invalid_files=len({item.file for item in wanted.rejected}),
    )


def _blocked(plan: Plan, blind: Mapping[Scope, str]) -> frozenset[Reason]:
    reasons = {hold.reason for hold in plan.holds if hold.ref is None and hold.scope is Scope.CLUSTER}
    if Scope.CLUSTER in blind:
        reasons.add(Reason.UNOBSERVABLE)
    return frozenset(reasons & set(BLOCKING))
