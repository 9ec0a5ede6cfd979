"""What nobody wants any more: only ours is deleted, and stopped first. Pure.

How much may be deleted at once is another question: the guards ask it of the plan as a whole.
"""

from collections.abc import Container, Iterator
from dataclasses import field
from typing import Any
from xml.etree import ElementTree as ET

from reconciler.cib import references
from reconciler.cib.document import key
from reconciler.frozen import frozen
from reconciler.kinds import CLUSTER_KINDS
from reconciler.kinds.nvset import value_in, with_value
from reconciler.kinds.observe import Observed
from reconciler.plan import Change, Hold, Reason
from reconciler.state import Ref, State

STOPPED_BY = "target-role"
"""The meta attribute that stops what is to be deleted."""

_RUNNING = frozenset({"Primitive", "Group", "Clone", "Bundle"})


@frozen
class Policy:
    """What the settings allow: deleting at all."""

    prune: bool = True


@frozen
class Pruned:
    """Deletions (and the stops that come before them), what is held back, and what is not ours.

    `doomed` are all objects that are to go, those included that have to stop first.
    """

    changes: dict[Ref, Change] = field(default_factory=dict)
    holds: tuple[Hold, ...] = ()
    foreign: tuple[Ref, ...] = ()
    doomed: frozenset[Ref] = frozenset()


def prune(wanted: State, observed: Observed, running: Container[str], policy: Policy) -> Pruned:
    """Decide about every live object that no manifest wants."""
    unwanted = {ref for ref in observed.state if ref not in wanted and not CLUSTER_KINDS[ref.kind].bag}
    doomed = {ref for ref in unwanted if observed.owns(ref)}
    holds = [
        Hold(Reason.UNSUPPORTED, f"no manifest wants it, but it was changed by hand: {why}", ref)
        for ref, why in observed.unsupported.items()
        if ref not in wanted and observed.owns(ref)
    ]
    ours = doomed | {hold.ref for hold in holds if hold.ref}
    unsupported = set(observed.unsupported) - set(wanted)
    foreign = tuple(sorted((unwanted | unsupported | set(observed.unknown)) - ours))
    values = _values(wanted, observed)
    if not policy.prune:
        holds += [Hold(Reason.PRUNE_OFF, _PRUNE_OFF, ref) for ref in sorted(doomed | set(values))]
        return Pruned({}, tuple(holds), foreign)
    referenced = _referenced(doomed, wanted, observed)
    holds += referenced
    doomed -= {hold.ref for hold in referenced if hold.ref}
    stops, waiting = _stop_first(doomed, observed, running)
    holds += [Hold(Reason.STOPPING, _stopping(ref, observed), ref) for ref in sorted(waiting)]
    deletions = {ref: Change(ref, observed.state[ref], None) for ref in sorted(doomed - waiting)}
    return Pruned(values | stops | deletions, tuple(holds), foreign, frozenset({*values, *doomed}))


_PRUNE_OFF = "no manifest wants it; deleting is switched off (prune = false)"


def _values(wanted: State, observed: Observed) -> dict[Ref, Change]:
    """Find shared bags that no manifest names any more: their recorded values go, the others stay."""
    changes = {}
    for ref, spec in observed.state.items():
        bag = CLUSTER_KINDS[ref.kind].bag
        if bag and ref not in wanted and (ours := observed.recorded_values(ref)):
            changes[ref] = Change(ref, spec, bag.without(spec, ours))
    return changes


def _referenced(doomed: set[Ref], wanted: State, observed: Observed) -> list[Hold]:
    """Hold what an object that stays still names: the cluster would refuse, or the other would change its meaning."""
    holds: dict[Ref, Hold] = {}
    while True:
        going = doomed - set(holds)
        more = {}
        for ref in going:
            users = list(_users_that_stay(ref, going, wanted, observed))
            if users:
                message = f"no manifest wants it, but {observed.namers(users)} it"
                more[ref] = Hold(Reason.REFERENCED, message, ref)
        if not more:
            return [holds[ref] for ref in sorted(holds)]
        holds |= more


def _users_that_stay(ref: Ref, going: set[Ref], wanted: State, observed: Observed) -> Iterator[ET.Element]:
    for name in sorted(references.ids(observed.elements[ref])):
        for element in observed.users.get(name, ()):
            user = observed.by_name.get(key(element))
            if user == ref or user in going:
                continue
            if user is not None and user in wanted and user in observed.state:
                said = CLUSTER_KINDS[user.kind].references(wanted[user])
                if name not in {reference.name for reference in said}:
                    continue
            yield element


def _stopping(ref: Ref, observed: Observed) -> str:
    spec: Any = observed.state[ref]
    if CLUSTER_KINDS[ref.kind].section == "constraints":
        return "no manifest wants it, but it stays until what it names has stopped"
    if ref.kind not in _RUNNING:
        return "no manifest wants it, but it stays until what names it has stopped"
    sets = getattr(spec, "meta", ())
    if value_in(sets, "is-managed") == "false" or value_in(sets, "maintenance") == "true":
        return "no manifest wants it, but it runs unmanaged: the cluster will not stop it"
    return "no manifest wants it; it is stopped first, and deleted when it no longer runs"


def _stop_first(doomed: set[Ref], observed: Observed, running: Container[str]) -> tuple[dict[Ref, Change], set[Ref]]:
    """Return the stops of what still runs, and everything that has to wait for them.

    A container of which nothing stays is stopped as a whole; a member of one that stays leaves it and stops alone, so
    that what is behind it in a group runs on. Constraints that name what is being stopped stay until it is: without
    them it could move first.
    """
    stops: dict[Ref, Change] = {}
    waiting: set[Ref] = set()
    for ref in sorted(doomed):
        if ref.kind != "Primitive" or ref.name not in running:
            continue
        top = ref
        while (parent := observed.parents.get(top.name)) and _goes_whole(parent, doomed, observed):
            top = parent
        waiting |= {top, *_inside(top, observed)}
        spec: Any = observed.state[top]
        if value_in(spec.meta, STOPPED_BY) != "Stopped":
            stopped = spec.model_copy(update={"meta": with_value(spec.meta, STOPPED_BY, "Stopped")})
            stops[top] = Change(top, spec, stopped)
    names = {ref.name for ref in waiting}
    constraints = {ref for ref in doomed if CLUSTER_KINDS[ref.kind].section == "constraints"}
    waiting |= {ref for ref in constraints if names & references.named(observed.elements[ref])}
    return stops, waiting | _named_by(waiting, doomed, observed)


def _named_by(waiting: set[Ref], doomed: set[Ref], observed: Observed) -> set[Ref]:
    """Return what has to stay as long as what waits names it: a template, a set that is referred to."""
    found: set[Ref] = set()
    more = waiting
    while more:
        names = frozenset[str]().union(*(references.named(observed.elements[ref]) for ref in more))
        rest = doomed - waiting - found
        more = {ref for ref in rest if names & references.ids(observed.elements[ref])}
        found |= more
    return found


def _goes_whole(container: Ref, doomed: set[Ref], observed: Observed) -> bool:
    return container in doomed and all(inner in doomed for inner in _inside(container, observed))


def _inside(container: Ref, observed: Observed) -> Iterator[Ref]:
    for name in CLUSTER_KINDS[container.kind].members(observed.state[container]):
        yield observed.by_name[name]
        yield from _inside(observed.by_name[name], observed)
