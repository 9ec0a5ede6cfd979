"""What the agent keeps on disk of what happened: events, since when overrides are there, which version was told of."""

import logging
import re
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path

from reconciler import __version__, chronicle, events, overrides, planner
from reconciler.chronicle import Held, Noted
from reconciler.events import Event, Ledger, Why
from reconciler.forensics import Edit, Expected, Suspects, Trail, VersionKey, key
from reconciler.host import archive, store
from reconciler.kinds.observe import Observed, observe
from reconciler.observation import Observation
from reconciler.overrides import Age, Mark
from reconciler.plan import Outcome
from reconciler.pruning import Policy
from reconciler.reconciliation import Reconciliation
from reconciler.state import Desired, Ref, Scope
from reconciler.status import ObjectStatus

log = logging.getLogger("reconciler")

EVENTS = "events.json"
OVERRIDES = "overrides.json"

Close = Callable[[Observed], Observed]

_TARGET = re.compile(r'<target admin_epoch="(\d+)" epoch="(\d+)"')
_NOT_MORE_OFTEN = 1.0
_RECENT = 10
_LINES = 5
_ANYTHING = Policy(prune=True)


def kept_events(state_dir: Path) -> Ledger:
    """Return the events that an agent kept; none where there are none that can be read."""
    document = store.load(state_dir / EVENTS)
    return events.load(document.get("events") if isinstance(document, dict) else None)


def kept_ages(state_dir: Path) -> dict[Mark, Age]:
    """Return since when an agent has known of overrides."""
    return overrides.load(store.load(state_dir / OVERRIDES))


class Records:
    """Follows an agent's passes, one after the other."""

    def __init__(self, state_dir: Path, cib_dir: Path) -> None:
        self._state_dir = state_dir
        self._cib_dir = cib_dir
        self._ledger = kept_events(state_dir)
        self._ages = kept_ages(state_dir)
        self._told = _version(store.load(state_dir / EVENTS))
        self._trail = Trail()
        self._own: frozenset[VersionKey] = frozenset()
        self._held: Held = {}
        self._earlier: Observation | None = None
        self._desired: Desired | None = None
        self._planned: Expected = {}
        self._saved = 0.0
        self._unsaved = False
        self._began = False

    def follow(
        self, done: Reconciliation, looks: Sequence[Observation], objects: Mapping[Ref, ObjectStatus], close: Close
    ) -> Noted:
        """Take note of a pass.

        Args:
            done: the pass.
            looks: everything that was observed in it, in order.
            objects: the conditions before it.
            close: closes the secrets in a configuration, an older one too.
        """
        at, node = done.began + done.seconds, done.observation.node
        edits = self._edits(done, looks, at, close)
        news = [] if self._began else [chronicle.started(node, __version__, done.began)]
        found = chronicle.of_edits(edits, node, at)
        news += [*found, *chronicle.events(done, objects, self._held)]
        _say(found)
        self.tell(news)
        self._age(done, at)
        self._began = True
        self._held = chronicle.held(done)
        self._earlier, self._desired = done.observation, done.wanted.desired
        self._planned = {change.ref: change.after for change in done.decision.plan.changes}
        self.save(at=time.monotonic())
        return Noted(edits, dict(self._ages), self._recent())

    def tell(self, news: Iterable[Event]) -> None:
        """Take note of more events."""
        before = self._ledger
        self._ledger = before.after(news)
        self._unsaved |= self._ledger is not before

    def save(self, at: float | None = None) -> None:
        """Write down what is new; `at` (monotonic) is not to do so more often than is good for the disk."""
        if not self._unsaved or (at is not None and at - self._saved < _NOT_MORE_OFTEN):
            return
        told = list(self._told) if self._told else None
        self._keep(EVENTS, {"version": told, "events": events.dump(self._ledger.events)})
        self._saved, self._unsaved = at or 0.0, False

    def _keep(self, name: str, content: object) -> None:
        trouble = store.save(self._state_dir / name, content)
        if trouble:
            log.error("%s", trouble)

    def _recent(self) -> tuple[Event, ...]:
        return tuple(item for item in self._ledger.events if item.reason == Why.OUT_OF_BAND)[-_RECENT:]

    def _edits(self, done: Reconciliation, looks: Sequence[Observation], at: float, close: Close) -> tuple[Edit, ...]:
        seen = [look.cluster for look in looks if look.cluster is not None]
        if not self._trail.versions and seen and self._told and self._told != key(seen[0]):
            old = next(archive.versions(self._cib_dir, {self._told}), None)
            self._trail = Trail((observe(old),) if old else ())
        self._own |= set(_targets(done.outcomes))
        self._trail = self._trail.seen(seen, at)
        unseen = self._trail.unseen()
        if unseen:
            self._trail = self._trail.with_found(map(observe, archive.versions(self._cib_dir, unseen)))
        edits: tuple[Edit, ...] = ()
        if self._trail.ripe(at):
            wanted = self._wanted(done)
            suspects = Suspects(
                self._own,
                self._agents(done.observation),
                tuple(desired.state for desired in wanted),
                lambda before: self._expected(before, wanted, done.observation.running),
            )
            # Versions that were seen, or kept by Pacemaker, may be older than the word that something is a secret.
            closed = Trail(tuple(close(version) for version in self._trail.versions))
            edits, self._trail = closed.conclude(suspects)
            self._own = frozenset()
        if len(self._trail.versions) == 1 and self._told != key(self._trail.versions[0]):
            self._told, self._unsaved = key(self._trail.versions[0]), True
        return edits

    def _agents(self, now: Observation) -> frozenset[str] | None:
        """Return the nodes with an agent, now or in the pass before: one that has just ended may have made a change."""
        looks = [look for look in (self._earlier, now) if look is not None]
        if any(look.snapshot.agents is None for look in looks):
            return None
        return frozenset({now.node, *(name for look in looks for name in _named(look))})

    def _wanted(self, done: Reconciliation) -> tuple[Desired, ...]:
        """Return what was wanted in the pass before, and what is wanted in this one if that is another thing."""
        found = (self._desired, done.wanted.desired)
        return tuple({id(one): one for one in found if one is not None}.values())

    def _expected(self, before: Observed, wanted: Iterable[Desired], running: frozenset[str]) -> Iterator[Expected]:
        """Yield what an agent would make of a configuration: by its plan of the pass before, and by the manifests."""
        yield self._planned
        for desired in wanted:
            for active in dict.fromkeys((running, frozenset[str]())):
                made = planner.plan(desired, before, active, _ANYTHING).plan
                yield {change.ref: change.after for change in made.changes}

    def _age(self, done: Reconciliation, at: float) -> None:
        """Bring the ages up to date; where nothing could be planned they stay as they are."""
        cluster, seen = done.decision.cluster, done.observation.cluster
        if cluster is None or seen is None or any(hold.ref is None for hold in cluster.plan.holds):
            return
        known = done.decision.plan.overrides
        new = [item for item in known if Mark.of(item) not in self._ages]
        watched = self._earlier is not None and self._earlier.cluster is not None
        found = overrides.look_back(new, seen, archive.versions(self._cib_dir), at) if new and not watched else {}
        aged = overrides.ages(self._ages, known, at, found, watched=watched)
        before, self._ages = self._ages, overrides.with_expiry(aged, known, done.observation.status, at)
        if overrides.dump(before) != overrides.dump(self._ages):
            self._keep(OVERRIDES, overrides.dump(self._ages))


def _version(document: object) -> VersionKey | None:
    match document:
        case {"version": [int(admin_epoch), int(epoch)]}:
            return admin_epoch, epoch
    return None


def _targets(outcomes: Iterable[Outcome]) -> Iterator[VersionKey]:
    """Yield the versions that patches have made, as they said themselves."""
    for outcome in outcomes:
        found = _TARGET.search(outcome.command.stdin) if outcome.command.scope is Scope.CLUSTER else None
        if found and outcome.ok:
            yield int(found[1]), int(found[2])


def _named(look: Observation) -> Iterator[str]:
    names = look.cib.unames if look.cib else {}
    yield from (names[str(nodeid)] for nodeid in look.snapshot.agents or () if str(nodeid) in names)


def _say(found: Sequence[Event]) -> None:
    """Log what was changed out of band; of very much the first."""
    strange = [item for item in found if item.reason in (Why.OUT_OF_BAND, Why.MANY)]
    for item in strange[:_LINES]:
        log.warning("out of band: %s: %s", item.ref, item.message)
    if len(strange) > _LINES:
        log.warning("out of band: and %d more objects: `reconciler status` has the last", len(strange) - _LINES)
