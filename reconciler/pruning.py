"""What nobody wants any more: only ours is deleted, within the budget, and stopped first. Pure."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from reconciler.kinds import CLUSTER_KINDS
from reconciler.kinds.nvset import value_in, with_value
from reconciler.kinds.observe import Observed
from reconciler.plan import Change, Hold, Reason
from reconciler.state import Ref, State

_NAMING = frozenset({"rsc", "with-rsc", "first", "then"})
"""Attributes by which the schema's constraints name resources."""


@dataclass(frozen=True, slots=True)
class Policy:
    """What the settings allow: deleting at all, and how many objects one plan may delete."""

    prune: bool = True
    deletion_budget: int = 5


@dataclass(frozen=True, slots=True)
class Pruned:
    """Deletions (and the stops that come before them), what is held back, and what is not ours."""

    changes: dict[Ref, Change] = field(default_factory=dict)
    holds: tuple[Hold, ...] = ()
    foreign: tuple[Ref, ...] = ()


def prune(wanted: State, observed: Observed, running: frozenset[str], policy: Policy) -> Pruned:
    """Decide about every live object that no manifest wants."""
    unwanted = {ref for ref in observed.state if ref not in wanted and not CLUSTER_KINDS[ref.kind].bag}
    doomed = {ref for ref in unwanted if ref.name in observed.owned}
    holds = [
        Hold(Reason.UNSUPPORTED, f"no manifest wants it, but it was changed by hand: {why}", ref)
        for ref, why in observed.unsupported.items()
        if ref not in wanted and ref.name in observed.owned
    ]
    foreign = sorted((unwanted - doomed) | set(observed.unknown) | (set(observed.unsupported) - set(wanted)))
    values = _values(wanted, observed)
    held = _not_allowed(doomed | set(values), policy)
    if held:
        return Pruned({}, (*holds, *held), tuple(foreign))
    referenced = _referenced(doomed, wanted, observed)
    holds += referenced
    doomed -= {hold.ref for hold in referenced if hold.ref}
    stops, waiting = _stop_first(doomed, observed, running)
    holds += [
        Hold(Reason.STOPPING, "is stopped first and deleted when it no longer runs", ref) for ref in sorted(waiting)
    ]
    deletions = {ref: Change(ref, observed.state[ref], None) for ref in sorted(doomed - waiting)}
    return Pruned(values | stops | deletions, tuple(holds), tuple(foreign))


def _values(wanted: State, observed: Observed) -> dict[Ref, Change]:
    """Find shared bags that no manifest names any more: their recorded values go, the others stay."""
    changes = {}
    for ref, spec in observed.state.items():
        bag = CLUSTER_KINDS[ref.kind].bag
        if bag and ref not in wanted and (ours := observed.recorded_values(ref)):
            changes[ref] = Change(ref, spec, bag.without(spec, ours))
    return changes


def _not_allowed(doomed: Iterable[Ref], policy: Policy) -> list[Hold]:
    refs = sorted(doomed)
    if refs and not policy.prune:
        message = "no manifest wants it; deleting is switched off (prune = false)"
        return [Hold(Reason.PRUNE_OFF, message, ref) for ref in refs]
    if len(refs) > policy.deletion_budget:
        message = f"one of {len(refs)} deletions: more than the settings' deletion_budget of {policy.deletion_budget}"
        return [Hold(Reason.DELETION_BUDGET, message, ref) for ref in refs]
    return []


def _referenced(doomed: set[Ref], wanted: State, observed: Observed) -> list[Hold]:
    """Hold what an object that stays still names: the cluster would refuse, or the other would change its meaning."""
    names = {ref.name: ref for ref in doomed}
    holds: dict[Ref, Hold] = {}
    while True:
        more = {}
        for user in observed.all:
            if user in doomed and user not in holds:
                continue
            for name in _names_in(user, wanted, observed):
                ref = names.get(name)
                if ref and ref not in holds:
                    more[ref] = Hold(Reason.REFERENCED, f"no manifest wants it, but {user} names it", ref)
        if not more:
            return list(holds.values())
        holds |= more


def _names_in(user: Ref, wanted: State, observed: Observed) -> Iterable[str]:
    spec = wanted.get(user) or observed.state.get(user)
    if spec is not None and user in observed.state:
        return [reference.name for reference in CLUSTER_KINDS[user.kind].references(spec)]
    element = observed.elements[user]
    named = [part.get(name, "") for part in element.iter() for name in _NAMING]
    return named + [part.get("id", "") for part in element.iter() if part.tag in {"resource_ref", "primitive", "group"}]


def _stop_first(doomed: set[Ref], observed: Observed, running: frozenset[str]) -> tuple[dict[Ref, Change], set[Ref]]:
    """Return the stops of what still runs, and everything that has to wait for them.

    The outermost doomed container is stopped as a whole. Constraints that name what is being stopped stay until it is:
    without them it could move first.
    """
    parents = observed.parents
    stops: dict[Ref, Change] = {}
    waiting: set[Ref] = set()
    for ref in doomed:
        if ref.name not in running:
            continue
        top = ref
        waiting.add(top)
        while (parent := parents.get(top.name)) and parent in doomed:
            top = parent
            waiting.add(top)
        spec: Any = observed.state[top]
        if value_in(spec.meta, "target-role") != "Stopped":
            stopped = spec.model_copy(update={"meta": with_value(spec.meta, "target-role", "Stopped")})
            stops[top] = Change(top, spec, stopped)
    names = {ref.name for ref in waiting}
    waiting |= {ref for ref in doomed if names & set(_names_in(ref, {}, observed))}
    return stops, waiting | {ref for ref in doomed if _inside(ref, names, parents)}


def _inside(ref: Ref, names: set[str], parents: Mapping[str, Ref]) -> bool:
    parent = parents.get(ref.name)
    return parent is not None and (parent.name in names or _inside(parent, names, parents))
