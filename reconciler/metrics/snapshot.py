"""What the collector shows: one immutable picture, replaced as a whole after every pass. Pure.

The agent's own counts are values too: `after` returns what they are one event later.
"""

from bisect import bisect_left
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import field, replace
from typing import TypeVar

from reconciler.cib.cluster import ClusterStatus
from reconciler.cib.register import Suspension
from reconciler.corosync.quorumtool import Quorum
from reconciler.corosync.rings import RingStatus
from reconciler.expectation import Sort
from reconciler.frozen import frozen
from reconciler.metrics.catalogue import DURATION_BUCKETS, Result, SourceFailure
from reconciler.metrics.memory import Memory
from reconciler.plan import Reason
from reconciler.settling import Remedy, Settling
from reconciler.settling import Result as Ended

ChangeKey = tuple[str, str, str]
"""Domain (crm, net), kind, action (create, update, delete)."""


@frozen
class SourceReport:
    """How one source fared so far. `last_success` is Unix seconds, 0 for never; `failures` are counts by reason.

    `up` and `seconds` are those of the last pass, None if it was not asked then: some are only asked where others fail.
    """

    up: bool | None = None
    seconds: float | None = None
    last_success: float = 0.0
    failures: Mapping[str, int] = field(default_factory=dict)

    def after(self, failure: str, seconds: float, at: float) -> "SourceReport":
        """Return the report after the source was asked once more; `failure` is empty if it gave something usable.

        Raises:
            ValueError: `failure` is none of `SourceFailure`.
        """
        if not failure:
            return replace(self, up=True, seconds=seconds, last_success=at)
        reason = SourceFailure(failure).value
        failures = {**self.failures, reason: self.failures.get(reason, 0) + 1}
        return replace(self, up=False, seconds=seconds, failures=failures)

    def unasked(self) -> "SourceReport":
        """Return the report after a pass in which nobody asked the source: how it was before says nothing of now."""
        return replace(self, up=None, seconds=None)


@frozen
class Durations:
    """A histogram: how many passes took at most so long as each of DURATION_BUCKETS, and longer (not cumulative)."""

    counts: tuple[int, ...] = (0,) * (len(DURATION_BUCKETS) + 1)
    total: float = 0.0

    def after(self, seconds: float) -> "Durations":
        """Return the histogram after one more pass."""
        place = bisect_left(DURATION_BUCKETS, seconds)
        counts = tuple(count + (index == place) for index, count in enumerate(self.counts))
        return Durations(counts, self.total + seconds)


@frozen
class DomainReport:
    """How passes fared in one domain; a success is a pass without an error. Times are Unix seconds, 0 for never."""

    results: Mapping[Result, int] = field(default_factory=dict)
    last_success: float = 0.0
    consecutive_failures: int = 0
    drift_since: float = 0.0

    def after(self, result: Result, at: float, *, drifted: bool) -> "DomainReport":
        """Return the report after a pass that ended like this; `drifted` is that objects still are not as wanted.

        A pass that was held back has neither failed nor mended what failed before: between two attempts it waits.
        """
        failed = result is Result.ERROR
        failures = self.consecutive_failures
        return DomainReport(
            results={**self.results, result: self.results.get(result, 0) + 1},
            last_success=self.last_success if failed else at,
            consecutive_failures=failures + 1 if failed else failures if result is Result.BLOCKED else 0,
            drift_since=(self.drift_since or at) if drifted else 0.0,
        )


@frozen
class LoopReport:
    """The loop's own counts, by domain (crm, net) and by what was changed. `drift` is the last pass's, not a count."""

    domains: Mapping[str, DomainReport] = field(default_factory=dict)
    durations: Durations = Durations()
    drift: Mapping[ChangeKey, int] = field(default_factory=dict)
    changes: Mapping[ChangeKey, int] = field(default_factory=dict)
    change_failures: Mapping[ChangeKey, int] = field(default_factory=dict)

    def after(
        self,
        results: Mapping[str, Result],
        drift: Iterable[ChangeKey],
        changed: Iterable[ChangeKey],
        failed: Iterable[ChangeKey],
        timing: tuple[float, float],
    ) -> "LoopReport":
        """Return the report after one more pass.

        Args:
            results: how the pass ended, by domain.
            drift: what is still to be done after it, one entry per object; so for what was `changed` and what `failed`.
            changed: what was changed.
            failed: what was tried in vain.
            timing: when the pass ended (Unix seconds) and how many seconds it took.
        """
        at, seconds = timing
        left = _counted({}, drift)
        drifted = {domain for domain, _, _ in left}
        domains = {
            domain: self.domains.get(domain, DomainReport()).after(result, at, drifted=domain in drifted)
            for domain, result in results.items()
        }
        return LoopReport(
            domains={**self.domains, **domains},
            durations=self.durations.after(seconds),
            drift=left,
            changes=_counted(self.changes, changed),
            change_failures=_counted(self.change_failures, failed),
        )


def _counted(counts: Mapping[ChangeKey, int], more: Iterable[ChangeKey]) -> Mapping[ChangeKey, int]:
    found = dict(counts)
    for key in more:
        found[key] = found.get(key, 0) + 1
    return found


@frozen
class SettleReport:
    """The last patch of this agent, and what has been counted of all of them.

    `forecast` and `observed` are numbers of effects (`EFFECTS`) of the last one, what really happened only once it has
    settled; `seconds` is how long that took so far.
    """

    forecast: Mapping[str, int] = field(default_factory=dict)
    observed: Mapping[str, int] = field(default_factory=dict)
    under_way: bool = False
    seconds: float = 0.0
    surprises: Mapping[Sort, int] = field(default_factory=dict)
    ends: Mapping[Ended, int] = field(default_factory=dict)
    remedies: Mapping[Remedy, int] = field(default_factory=dict)

    def after(self, settling: Settling | None, ended: Iterable[Settling]) -> "SettleReport":
        """Return the report after a pass: how the last patch stands, and what ended in the pass."""
        over = tuple(ended)
        report = replace(
            self,
            surprises=_more(self.surprises, (item.sort for one in over for item in one.surprises)),
            ends=_more(self.ends, (one.result for one in over)),
            remedies=_more(self.remedies, (one.remedy for one in over if one.remedy is not Remedy.NONE)),
        )
        if settling is None:
            return report
        expectation = settling.applied.expectation
        effects = [effect for effect in expectation.effects if not effect.blocked] if expectation else []
        fenced = len(expectation.fenced) if expectation else 0
        return replace(
            report,
            forecast=Counter({**Counter(effect.verb.value for effect in effects), "fence": fenced}),
            observed=Counter(
                {**Counter(effect.verb.value for effect in settling.effects), "fence": len(settling.lost)}
            ),
            under_way=not settling.over,
            seconds=settling.seconds,
        )


_KeyT = TypeVar("_KeyT")


def _more(counts: Mapping[_KeyT, int], found: Iterable[_KeyT]) -> Mapping[_KeyT, int]:
    return Counter(counts) + Counter(found)


@frozen
class DesiredReport:
    """The manifests: which are in force, whether those are the newest, when loaded (0 never), files with faults."""

    revision: str = ""
    valid: bool = False
    loaded: float = 0.0
    invalid_files: int = 0


@frozen
class WatcherReport:
    """Counts of one watcher of hints."""

    events: int = 0
    found: int = 0
    rebuilds: int = 0
    errors: int = 0


@frozen
class MetricsSnapshot:
    """Everything to be shown. What could not be seen in the pass is None; then nothing is said about it.

    `at` is when the cluster was seen, Unix seconds. `apply_blocked` are the reasons why this agent may not change the
    cluster; with none it may. `left_alone` counts the objects that are not corrected now as that did harm. `suspended`
    is the suspension in force. `out_of_band` counts changes that no agent made, by kind and action. `overrides` says
    since when (Unix seconds) there is what of a person's, by kind, name and what.
    """

    at: float
    version: str
    local_node: str
    status: ClusterStatus | None = None
    rings: RingStatus | None = None
    quorum: Quorum | None = None
    failovers: Memory | None = None
    sources: Mapping[str, SourceReport] = field(default_factory=dict)
    loop: LoopReport = LoopReport()
    desired: DesiredReport = DesiredReport()
    apply_blocked: frozenset[Reason] = frozenset()
    left_alone: int = 0
    suspended: Suspension | None = None
    watchers: Mapping[str, WatcherReport] = field(default_factory=dict)
    settles: SettleReport = SettleReport()
    out_of_band: Mapping[tuple[str, str], int] = field(default_factory=dict)
    overrides: Mapping[tuple[str, str, str], float] = field(default_factory=dict)
