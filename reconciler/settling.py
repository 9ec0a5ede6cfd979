"""After a patch: waiting until the cluster has come to rest, then what became of it. Pure.

A value that passes hand on: each look at the cluster makes the next one of it, until it is over. Nothing waits for it,
and what was superseded by a later patch is not compared any more. `now` is a monotonic clock's, in seconds.
"""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from enum import StrEnum
from xml.etree import ElementTree as ET

from reconciler.aftermath import failures, happened
from reconciler.cib import controller
from reconciler.cib.cluster import ClusterStatus
from reconciler.cib.document import Cib
from reconciler.cib.simulation import Effect
from reconciler.expectation import Expectation, Sort, Surprise, compare
from reconciler.frozen import frozen
from reconciler.health import RESOURCE_KINDS, of_resource
from reconciler.secret import Secret
from reconciler.state import Ref
from reconciler.status import Health

CALM = 1.0
"""Seconds for which the cluster must be at rest: right after a patch the DC does not know of it yet."""


class Result(StrEnum):
    """How it stands, or how it ended."""

    SETTLING = "Settling"
    AS_FORECAST = "AsForecast"
    SURPRISED = "Surprised"
    TIMED_OUT = "TimedOut"
    SUPERSEDED = "Superseded"
    NOT_COMPARED = "NotCompared"


class Remedy(StrEnum):
    """What was done about resources that a patch broke; nothing where it broke none."""

    NONE = "none"
    REVERTED = "reverted"
    WITHHELD = "withheld"


@frozen
class Applied:
    """A patch that the cluster took.

    Attributes:
        revision: of the manifests that it is for.
        at: when, in Unix seconds.
        changed: the objects that it changed.
        status: what the cluster did before.
        before: the CIB before.
        made: the configuration that it led to.
        expectation: what was promised; None where there was no forecast.
        approved: a person has released it from quarantine.
        takes_back: it takes the revision back, and is not towards the manifests.
        corrects: the revision had run well before, so this corrects what somebody has changed since.
        secrets: the values in its configurations that are not to be shown.
    """

    revision: str
    at: float
    changed: tuple[Ref, ...]
    status: ClusterStatus
    before: Cib
    made: ET.Element
    expectation: Expectation | None = None
    approved: bool = False
    takes_back: bool = False
    corrects: bool = False
    secrets: tuple[Secret, ...] = ()


@frozen
class Settling:
    """How a patch settles, or settled.

    Attributes:
        applied: the patch.
        baseline: the first of the patches of the revision that had not settled when the next was made: what is healthy
            is judged against it, and a revert leads back to it. Most often the patch itself.
        began: when, by the monotonic clock.
        limit: for how many seconds to wait.
        resting: since when the cluster is at rest, None while it is not.
        result: how it stands.
        seconds: how long it took, up to the last look.
        surprises: what is not as it was forecast or declared.
        broken: the resources that were running and healthy before, and are unhealthy.
        lost: the nodes that left meanwhile.
        effects: what really happened to resources.
        why: more about the result, in words.
        remedy: what was done about what is broken.
        done: in words, what was done about it, or why nothing was.
    """

    applied: Applied
    baseline: Applied
    began: float
    limit: float
    resting: float | None = None
    result: Result = Result.SETTLING
    seconds: float = 0.0
    surprises: tuple[Surprise, ...] = ()
    broken: tuple[str, ...] = ()
    lost: tuple[str, ...] = ()
    effects: tuple[Effect, ...] = ()
    why: str = ""
    remedy: Remedy = Remedy.NONE
    done: str = ""

    @property
    def over(self) -> bool:
        """True if nothing is waited for any more."""
        return self.result is not Result.SETTLING

    @property
    def revision(self) -> str:
        """The revision whose patch it is."""
        return self.applied.revision

    def correcting(self) -> "Settling":
        """Return it as of a patch that corrects what somebody has changed under a revision that had run well."""
        patch = replace(self.applied, corrects=True)
        return replace(self, applied=patch, baseline=patch if self.baseline is self.applied else self.baseline)

    @property
    def faults_a_correction(self) -> bool:
        """True if it was a correction that broke something, and no node that left may be the cause."""
        return self.applied.corrects and bool(self.broken) and not self.lost

    @property
    def went_well(self) -> bool:
        """True if the cluster has come to rest after a patch towards the manifests, which broke nothing."""
        ended = self.result in (Result.AS_FORECAST, Result.SURPRISED, Result.NOT_COMPARED)
        return ended and not self.broken and not self.applied.takes_back

    @property
    def touched(self) -> frozenset[Ref]:
        """What the patch changed, and the resources that it was to act on, with what contains them."""
        expectation = self.applied.expectation
        effects = expectation.effects if expectation else ()
        names = _with_containers({effect.resource for effect in effects}, self.applied.status)
        return frozenset({*self.applied.changed, *(Ref(kind, name) for name in names for kind in RESOURCE_KINDS)})

    @property
    def begun(self) -> frozenset[str]:
        """The resources, and what contains them, that somebody else had set in motion before the patch."""
        expected = (applied.expectation for applied in (self.baseline, self.applied))
        names = {name for found in expected if found is not None for name in found.begun}
        return _with_containers(names, self.applied.status)

    def after(self, status: ClusterStatus | None, dc_state: str | None, now: float) -> "Settling":
        """Return how it stands after one more look.

        Args:
            status: what the cluster does, None if it could not be seen.
            dc_state: what `crmadmin --status` said; None if nobody could be asked: then the history alone counts.
            now: the time.
        """
        if self.over:
            return self
        looked = replace(self, seconds=now - self.began)
        late = looked.seconds >= self.limit
        if status is None:
            return replace(looked, resting=None, result=Result.TIMED_OUT, why=_UNSEEN) if late else looked
        busy = unrest(status, dc_state)
        if busy:
            return _judged(looked, status, Result.TIMED_OUT, busy) if late else replace(looked, resting=None, why=busy)
        if self.resting is None:
            looked = replace(looked, resting=now)
        elif now - self.resting >= CALM:
            return _judged(looked, status, Result.AS_FORECAST)
        return _judged(looked, status, Result.TIMED_OUT, "it had only just come to rest") if late else looked

    def superseded(self, why: str) -> "Settling":
        """Return it ended by something newer; what is over stays as it is."""
        return self if self.over else replace(self, result=Result.SUPERSEDED, why=why)


def _with_containers(names: Iterable[str], status: ClusterStatus) -> frozenset[str]:
    found = set(names)
    for name in tuple(found):
        while name in status.resources and (name := status.resources[name].parent):
            found.add(name)
    return frozenset(found)


def _judged(settling: Settling, status: ClusterStatus, result: Result, why: str = "") -> Settling:
    applied = settling.applied
    surprises: tuple[Surprise, ...] = ()
    if applied.expectation is not None:
        surprises = compare(applied.expectation, status, {ref.name for ref in applied.changed})
    elif result is Result.AS_FORECAST:
        result, why = Result.NOT_COMPARED, "there was no forecast to compare with"
    if surprises and result is Result.AS_FORECAST:
        result = Result.SURPRISED
    before = settling.baseline.status
    harmed = broken(before, status, restless=result is Result.TIMED_OUT)
    return replace(
        settling,
        result=result,
        why=why,
        surprises=surprises,
        broken=tuple(name for name in harmed if name not in settling.begun),
        lost=tuple(name for name, node in before.nodes.items() if node.online and not _online(status, name)),
        effects=happened(applied.status, status, applied.expectation.effects if applied.expectation else ()),
    )


_UNSEEN = "the cluster could not be seen"


def begin(applied: Applied, previous: Settling | None, now: float, limit: float, *, untouched: bool) -> Settling:
    """Return the settling of a patch that was just made.

    Args:
        applied: the patch.
        previous: the settling of the patch before it.
        now: the time.
        limit: for how many seconds to wait.
        untouched: between both patches nobody else has changed the configuration.
    """
    chained = (
        previous is not None
        and not previous.over
        and untouched
        and previous.revision == applied.revision
        and not (previous.applied.takes_back or applied.takes_back)
    )
    return Settling(applied, previous.baseline if chained and previous else applied, now, limit)


def unrest(status: ClusterStatus, dc_state: str | None) -> str:
    """Say what the cluster is still doing; empty if it is at rest."""
    if dc_state not in (None, controller.IDLE):
        return f"the DC is in state {dc_state}"
    for node in status.nodes.values():
        if node.unclean or (node.pending and node.online):
            return f"{node.name} is {'unclean' if node.unclean else 'joining'}"
    for resource in status.resources.values():
        for there in resource.placements.values():
            if there.pending:
                return f"{there.pending} of {resource.id} is under way on {there.node}"
    return ""


def broken(before: ClusterStatus, now: ClusterStatus, *, restless: bool = False) -> tuple[str, ...]:
    """Return the resources that were running and healthy before and are unhealthy now, outermost only.

    What nobody wants to run any more, because it is to be stopped or is gone from the configuration, is not unhealthy.
    In a cluster that does not come to rest (`restless`), what fails again and again is, even if it happens to run.
    """
    found = []
    for name, then in before.resources.items():
        current = now.resources.get(name)
        if (
            current is None
            or current.orphan
            or then.implicit
            or not then.wanted
            or of_resource(then).reason != "Running"
        ):
            continue
        if of_resource(current).healthy is False or (restless and failures(before, current)):
            found.append(name)
    return tuple(name for name in found if before.resources[name].parent not in found)


def still_broken(settling: Settling, status: ClusterStatus | None) -> tuple[str, ...]:
    """Return what a patch broke and still is unhealthy; nothing if that cannot be seen."""
    resources = status.resources if status else {}
    return tuple(
        name for name in settling.broken if name in resources and of_resource(resources[name]).healthy is False
    )


def _online(status: ClusterStatus, name: str) -> bool:
    node = status.nodes.get(name)
    return node is not None and node.online


def withheld(settling: Settling, *, revert: bool) -> str:
    """Say why what is broken is not to be reverted; empty if it is to be, or if nothing is broken."""
    applied = settling.applied
    if not settling.broken:
        return ""
    if applied.takes_back:
        return "this was itself a revert"
    if settling.faults_a_correction:
        names = ", ".join(map(str, applied.changed))
        return (
            f"revision {settling.revision[:12]} had run well before, so it is not to blame; the correction of {names} "
            "is not repeated for an hour: look at what was changed out of band, and why"
        )
    if not revert:
        return "revert = false"
    if applied.approved:
        return "a person has released the revision from quarantine"
    if settling.lost:
        return f"{' and '.join(settling.lost)} left the cluster meanwhile, which may be the cause"
    return ""


def told(health: Mapping[Ref, Health], settling: Settling | None, refs: Iterable[Ref]) -> Mapping[Ref, Health]:
    """Return the health of objects as it may be told while, and after, a patch settles.

    Whether what a patch touched is healthy is unknown until it has settled; what it broke says so.
    """
    if settling is None:
        return health
    touched = settling.touched
    if not settling.over:
        message = f"revision {settling.revision[:12]} was applied, the cluster is not at rest yet"
        return {**health, **{ref: Health(None, "Settling", message) for ref in refs if ref in touched}}
    said = {
        ref: replace(known, message=f"{known.message}; it was healthy before {_patch(settling)}".removeprefix("; "))
        for ref, known in health.items()
        if ref.name in settling.broken and known.healthy is False
    }
    return {**health, **said}


def _patch(settling: Settling) -> str:
    applied = settling.applied
    what = "the revert of " if applied.takes_back else "a correction for " if applied.corrects else ""
    return f"{what}revision {applied.revision[:12]}"


def _promised(settling: Settling) -> str:
    sorts = {item.sort for item in settling.surprises}
    return "declared" if sorts == {Sort.DECLARED} and not settling.broken else "forecast"


def lines(settling: Settling) -> tuple[str, ...]:
    """Say how a patch settles, or settled: first in one line, then what is not as it should be."""
    patch, took = _patch(settling), f"{settling.seconds:.1f} s"
    because = f": {settling.why}" if settling.why else ""
    said = {
        Result.SETTLING: f"{patch} has not settled yet, after {took}{because}",
        Result.AS_FORECAST: f"{patch} has settled as forecast, in {took}",
        Result.SURPRISED: f"{patch} has settled in {took}, not as {_promised(settling)}",
        Result.TIMED_OUT: f"{patch} has not settled within {took}{because}",
        Result.SUPERSEDED: f"{patch} was not compared with its forecast{because}",
        Result.NOT_COMPARED: f"{patch} was not compared with a forecast{because}",
    }
    harm = [f"{name} was running and healthy before {patch} and is not any more" for name in settling.broken]
    done = [settling.done] if settling.done else []
    return said[settling.result], *(item.message for item in settling.surprises), *harm, *done
