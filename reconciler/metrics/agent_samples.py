"""Samples of the agent's own: sources, passes, changes, watchers, and what it counted. Pure.

Every series that can be known is there from the start: a counter that is born at 1 is never seen to rise.
"""

from collections.abc import Iterator, Mapping
from itertools import product

from reconciler.expectation import Sort
from reconciler.kinds import CLUSTER_KINDS, KINDS
from reconciler.metrics.catalogue import (
    BLOCKING,
    DOMAINS,
    EFFECTS,
    ENDS,
    OTHER_KIND,
    REMEDIES,
    WATCHERS,
    Result,
    SourceFailure,
)
from reconciler.metrics.memory import Cause, Memory, Unit
from reconciler.metrics.samples import Sample, known, sample
from reconciler.metrics.snapshot import (
    DomainReport,
    LoopReport,
    MetricsSnapshot,
    SettleReport,
    SourceReport,
    WatcherReport,
)
from reconciler.plan import Verb
from reconciler.settling import Remedy
from reconciler.settling import Result as Ended

_CHANGES = tuple(
    (DOMAINS[kind.scope], kind.name, verb.value)
    for kind, verb in product(KINDS.values(), Verb)
    if kind.scope in DOMAINS
)


def samples(snapshot: MetricsSnapshot) -> Iterator[Sample]:
    """Yield what the agent tells of itself, however old the snapshot is."""
    yield sample("build_info", 1, version=snapshot.version)
    yield sample("snapshot_timestamp_seconds", snapshot.at)
    yield from _sources(snapshot.sources)
    yield from _loop(snapshot.loop)
    yield from _desired(snapshot)
    yield from _settles(snapshot.settles)
    for watcher in WATCHERS:
        report = snapshot.watchers.get(watcher, WatcherReport())
        for name in ("events", "found", "rebuilds", "errors"):
            yield sample(f"watcher_{name}_total", getattr(report, name), watcher=watcher)
    for kind, verb in product((*CLUSTER_KINDS, OTHER_KIND), Verb):
        count = snapshot.out_of_band.get((kind, verb.value), 0)
        yield sample("out_of_band_changes_total", count, kind=kind, action=verb.value)
    if snapshot.failovers is not None:
        yield from _failovers(snapshot.failovers)


def _sources(sources: Mapping[str, SourceReport]) -> Iterator[Sample]:
    for source, report in sources.items():
        yield from known("source_up", report.up, source=source)
        yield from known("source_duration_seconds", report.seconds, source=source)
        yield sample("source_last_success_timestamp_seconds", report.last_success, source=source)
        for reason in SourceFailure:
            yield sample("source_failures_total", report.failures.get(reason, 0), source=source, reason=reason.value)


def _loop(loop: LoopReport) -> Iterator[Sample]:
    for domain in DOMAINS.values():
        report = loop.domains.get(domain, DomainReport())
        for result in Result:
            yield sample("reconcile_total", report.results.get(result, 0), domain=domain, result=result.value)
        yield sample("reconcile_last_success_timestamp_seconds", report.last_success, domain=domain)
        yield sample("reconcile_consecutive_failures", report.consecutive_failures, domain=domain)
        yield sample("drift_since_timestamp_seconds", report.drift_since, domain=domain)
    for name, counts in (
        ("drift_objects", loop.drift),
        ("changes_total", loop.changes),
        ("change_failures_total", loop.change_failures),
    ):
        for domain, kind, action in _CHANGES:
            yield sample(name, counts.get((domain, kind, action), 0), domain=domain, kind=kind, action=action)


def _desired(snapshot: MetricsSnapshot) -> Iterator[Sample]:
    desired = snapshot.desired
    if desired.revision:
        yield sample("desired_info", 1, revision=desired.revision)
    yield sample("desired_valid", desired.valid)
    yield sample("desired_load_timestamp_seconds", desired.loaded)
    yield sample("desired_invalid_files", desired.invalid_files)
    yield sample("apply_allowed", bool(desired.revision) and not snapshot.apply_blocked)
    yield sample("left_alone_objects", snapshot.left_alone)
    frozen = snapshot.suspended
    yield sample("suspended", frozen is not None)
    yield sample("suspended_since_timestamp_seconds", frozen.since if frozen else 0)
    yield sample("suspended_until_timestamp_seconds", frozen.until if frozen else 0)
    for reason in BLOCKING:
        yield sample("apply_blocked", reason in snapshot.apply_blocked, reason=reason.value)


def _settles(settles: SettleReport) -> Iterator[Sample]:
    for effect in EFFECTS:
        yield sample("forecast_effects", settles.forecast.get(effect, 0), effect=effect)
        yield sample("observed_effects", settles.observed.get(effect, 0), effect=effect)
    yield sample("settling", settles.under_way)
    yield sample("settle_duration_seconds", settles.seconds)
    for sort in Sort:
        yield sample("surprises_total", settles.surprises.get(sort, 0), about=sort.value)
    for result in ENDS:
        yield sample("settled_total", settles.ends.get(Ended(result), 0), result=result)
    for remedy in REMEDIES:
        yield sample("harmful_changes_total", settles.remedies.get(Remedy(remedy), 0), remedy=remedy)


def _failovers(memory: Memory) -> Iterator[Sample]:
    yield sample("dc_elections_total", memory.dc_elections)
    for resource, unit in memory.units.items():
        yield from _unit(resource, unit, memory.local_node)


def _unit(resource: str, unit: Unit, local_node: str) -> Iterator[Sample]:
    tally = unit.tally
    for cause in Cause:
        yield sample("failovers_total", tally.failovers.get(cause, 0), resource=resource, cause=cause.value)
        at = tally.last_at.get(cause, 0.0)
        yield sample("failover_last_timestamp_seconds", at, resource=resource, cause=cause.value)
    yield sample("recoveries_total", tally.recoveries, resource=resource)
    if tally.last is not None:
        yield from known("failover_last_duration_seconds", tally.last.duration, resource=resource)
        yield sample("failover_last_info", 1, resource=resource, source=tally.last.source, target=local_node)
