"""Desired and observed configuration -> what to change in the cluster, what to hold, what to leave alone. Pure.

Read `plan` from top to bottom: which objects differ, which of ours nobody wants any more (`pruning`), what has to wait
for something else, and what all that makes of the CIB.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from xml.etree import ElementTree as ET

from reconciler.cib import patch
from reconciler.cib.draft import Edits, draft
from reconciler.cib.ownership import TAG, record
from reconciler.kinds import CLUSTER_KINDS
from reconciler.kinds.base import Around, ClusterKind
from reconciler.kinds.observe import Observed
from reconciler.plan import Change, Command, Hold, Override, Plan, Reason, Verb
from reconciler.pruning import Policy, prune
from reconciler.state import Desired, Ref, Scope, State

CONFIGURATION = "/cib/configuration"
PATCH = ("cibadmin", "--patch", "--xml-pipe")
_ALL_FIELDS_SINCE = (3, 20)
"""The feature set of Pacemaker 3.0.0: from 3.0.2 on, a patch's version needs all three fields."""


@dataclass(frozen=True, slots=True)
class ClusterPlan:
    """A plan for the CIB, with the configuration that it leads to and the patch's operations."""

    plan: Plan
    configuration: ET.Element
    operations: tuple[patch.Operation, ...]


def plan(
    desired: Desired,
    observed: Observed,
    running: frozenset[str],
    policy: Policy,
    left_alone: Mapping[Ref, Hold] = MappingProxyType({}),
) -> ClusterPlan:
    """Decide everything about the CIB; `running` are the ids of the primitives that are active on some node.

    The patch holds only what changes, and is refused by the cluster if the configuration has moved since it was read.
    Objects that already are as wanted are recorded as ours and are no changes.
    """
    wanted = {ref: desired.state[ref] for ref in _in_order(desired.state)}
    compared = _compare(wanted, observed)
    pruned = prune(wanted, observed, running, policy)
    changes = compared.changes | pruned.changes
    holds = [*compared.holds, *pruned.holds, *(left_alone[ref] for ref in changes if ref in left_alone)]
    changes = {ref: change for ref, change in changes.items() if ref not in left_alone}
    changes, waiting = _wait_for_references(changes, observed)
    holds += waiting
    edits, owned = _edits(changes, compared.adoptions, wanted, observed)
    configuration = draft(observed.cib, edits) if changes or compared.adoptions else observed.cib.configuration
    operations = tuple(patch.diff(observed.cib.configuration, configuration, CONFIGURATION))
    return ClusterPlan(
        Plan(
            changes=tuple(changes.values()),
            adoptions=compared.adoptions,
            holds=tuple(holds),
            overrides=compared.overrides,
            foreign=tuple(ref for ref in pruned.foreign if ref.name not in owned),
            commands=_commands(operations, observed, changes, compared.adoptions),
        ),
        configuration,
        operations,
    )


def _in_order(refs: Iterable[Ref]) -> list[Ref]:
    """Sort objects of the cluster in the order of their creation, whatever order they were said in."""
    rank = {name: index for index, name in enumerate(CLUSTER_KINDS)}
    return sorted((ref for ref in refs if ref.kind in rank), key=lambda ref: (rank[ref.kind], ref.name))


@dataclass(frozen=True, slots=True)
class _Compared:
    changes: dict[Ref, Change]
    adoptions: tuple[Ref, ...]
    holds: tuple[Hold, ...]
    overrides: tuple[Override, ...]


def _compare(wanted: State, observed: Observed) -> _Compared:
    changes: dict[Ref, Change] = {}
    adoptions: list[Ref] = []
    holds: list[Hold] = []
    overrides: list[Override] = []
    parents = observed.parents
    for ref, spec in wanted.items():
        hold = _held_as_it_is(ref, wanted, observed, parents)
        if hold:
            holds.append(hold)
            continue
        kind, live = CLUSTER_KINDS[ref.kind], observed.state.get(ref)
        recorded = observed.recorded_values(ref)
        kept = kind.keep(spec, live, Around(recorded, observed.op_defaults))
        overrides += [Override(ref, path, value) for path, value in kept.overrides]
        ours = ref.name in observed.owned if kind.bag is None else kind.bag.names(spec) <= recorded
        if live is None:
            changes[ref] = Change(ref, None, kept.spec)
        elif live != kept.spec:
            changes[ref] = Change(ref, live, kept.spec, adopts=not ours)
        elif not ours:
            adoptions.append(ref)
    return _Compared(changes, tuple(adoptions), tuple(holds), tuple(overrides))


def _held_as_it_is(ref: Ref, wanted: State, observed: Observed, parents: Mapping[str, Ref]) -> Hold | None:
    if ref in observed.unsupported:
        why = observed.unsupported[ref]
        return Hold(Reason.UNSUPPORTED, f"left alone: the live object says what no manifest can say yet: {why}", ref)
    if ref not in observed.state and ref.name in observed.cib.by_id:
        other = observed.cib.by_id[ref.name].tag
        return Hold(Reason.NAME_TAKEN, f"the id {ref.name!r} belongs to a live <{other}>", ref)
    for name in CLUSTER_KINDS[ref.kind].members(wanted[ref]):
        parent = parents.get(name)
        if parent and parent != ref and parent not in wanted and parent.name not in observed.owned:
            return Hold(Reason.NAME_TAKEN, f"{name} is inside {parent}, which is not ours", ref)
    return None


def _wait_for_references(changes: dict[Ref, Change], observed: Observed) -> tuple[dict[Ref, Change], list[Hold]]:
    """Hold what names an object that will not exist, and whatever then names the held in its turn."""
    holds: list[Hold] = []
    while True:
        there = {ref.name: ref.kind for ref in observed.all if not _deletes(changes.get(ref))}
        there |= {ref.name: ref.kind for ref, change in changes.items() if change.verb is Verb.CREATE}
        missing = [
            Hold(Reason.REFERENCE_MISSING, f"{reference.field} names {reference.name}, which does not exist", ref)
            for ref, change in changes.items()
            if change.after is not None
            for reference in CLUSTER_KINDS[ref.kind].references(change.after)
            if there.get(reference.name) not in reference.kinds
        ]
        if not missing:
            return changes, holds
        held = {hold.ref for hold in missing}
        changes = {ref: change for ref, change in changes.items() if ref not in held}
        holds += missing


def _deletes(change: Change | None) -> bool:
    return change is not None and change.verb is Verb.DELETE


def _edits(
    changes: Mapping[Ref, Change], adoptions: Iterable[Ref], wanted: State, observed: Observed
) -> tuple[Edits, frozenset[str]]:
    written: dict[str, ET.Element] = {}
    members: dict[str, tuple[str, ...]] = {}
    sections: dict[str, str] = {}
    dropped: set[str] = set()
    owned = set(observed.owned)
    for ref, change in changes.items():
        kind = CLUSTER_KINDS[ref.kind]
        if change.after is None:
            dropped.add(ref.name)
            continue
        written[ref.name] = kind.write(ref.name, change.after, observed.elements.get(ref))
        if kind.members(change.after):
            members[ref.name] = kind.members(change.after)
        if change.verb is Verb.CREATE:
            sections[ref.name] = kind.section
        owned |= _ids(ref, kind, wanted, written[ref.name])
    for ref in adoptions:
        owned |= _ids(ref, CLUSTER_KINDS[ref.kind], wanted, observed.elements[ref])
    owned -= dropped
    _record(observed, frozenset(owned), written, sections, dropped)
    return Edits(written, members, frozenset(dropped), sections), frozenset(owned)


def _ids(ref: Ref, kind: ClusterKind, wanted: State, element: ET.Element) -> frozenset[str]:
    """Return the ids by which an object is recorded as ours: of a bag, those of the values that a manifest names."""
    if kind.bag is None:
        return frozenset({ref.name})
    named = kind.bag.names(wanted[ref]) if ref in wanted else frozenset()
    return frozenset(pair for name, pair in kind.bag.ids(element).items() if name in named)


def _record(
    observed: Observed,
    owned: frozenset[str],
    written: dict[str, ET.Element],
    sections: dict[str, str],
    dropped: set[str],
) -> None:
    tag = record(observed.cib, owned)
    if tag is None:
        dropped.add(TAG)
    else:
        written[TAG] = tag
        if TAG not in observed.cib.by_id:
            sections[TAG] = "tags"


def _commands(
    operations: tuple[patch.Operation, ...], observed: Observed, changes: Iterable[Ref], adoptions: Iterable[Ref]
) -> tuple[Command, ...]:
    if not operations:
        return ()
    all_fields = observed.cib.feature_set >= _ALL_FIELDS_SINCE
    text = patch.render(operations, observed.cib.version, all_fields=all_fields)
    return (Command(PATCH, text, Scope.CLUSTER, (*changes, *adoptions)),)
