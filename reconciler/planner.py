"""Desired and observed configuration -> what to change in the cluster, what to hold, what to leave alone. Pure.

Read `plan` from top to bottom: which objects differ, which of ours nobody wants any more (`pruning`), what has to wait
for something else (`waiting`), and what all that makes of the CIB.
"""

from collections.abc import Callable, Collection, Container, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, partial
from types import MappingProxyType
from xml.etree import ElementTree as ET

from reconciler.cautions import cautions
from reconciler.cib import crm, dialect, patch, references
from reconciler.cib.document import Cib
from reconciler.cib.draft import Edits, draft, recording, rename_taken
from reconciler.cib.ownership import RECORDS, TAG, TAGS, are_tagged
from reconciler.doubts import doubts
from reconciler.frozen import frozen
from reconciler.kinds import CLUSTER_KINDS, in_order, key
from reconciler.kinds.base import Around
from reconciler.kinds.identity import comparable, said_ids
from reconciler.kinds.observe import Observed
from reconciler.leftovers import Leftovers
from reconciler.plan import Change, Command, Hold, Override, Plan, Reason, Verb, undone
from reconciler.pruning import STOPPED_BY, Policy, prune
from reconciler.sealing import unavailable
from reconciler.secret import Secret
from reconciler.state import Desired, Ref, Scope, Spec, State
from reconciler.waiting import Scene, members, settle

CONFIGURATION = "/cib/configuration"
PATCH = ("cibadmin", "--patch", "--xml-pipe")
_ALL_FIELDS_SINCE = (3, 20)
"""The feature set of Pacemaker 3.0.0: from 3.0.2 on, a patch's version needs all three fields."""
_BY_HAND = "cli-"
"""How the ids of the constraints begin that `crm_resource --move` and `--ban` make, and with it crm and pcs."""


@dataclass(frozen=True)
class ClusterPlan:
    """A plan for the CIB, with the patch's operations.

    `doomed` are the objects that it deletes, or stops because they are to be deleted. `edited` makes the configuration
    that it leads to. One that `only_records` what is ours, in a tag that nobody names, changes nothing for Pacemaker.
    """

    plan: Plan
    edited: Callable[[], ET.Element]
    operations: tuple[patch.Operation, ...] = ()
    doomed: frozenset[Ref] = frozenset()
    only_records: bool = False

    @cached_property
    def configuration(self) -> ET.Element:
        """The configuration that it leads to."""
        return self.edited()

    @property
    def secrets(self) -> tuple[Secret, ...]:
        """The values in it that are never shown."""
        return tuple(secret for command in self.plan.commands for secret in command.secrets)


def plan(
    desired: Desired,
    observed: Observed,
    running: Container[str],
    policy: Policy,
    left_alone: Mapping[Ref, Hold] = MappingProxyType({}),
) -> ClusterPlan:
    """Decide everything about the CIB; `running` are the ids of the primitives that are active on some node.

    The patch holds only what changes, and is refused by the cluster if the configuration has moved since it was read.
    Objects that already are as wanted are recorded as ours and are no changes. `left_alone` are not to be changed now,
    and not to be recorded either.
    """
    if desired.rejected:
        message = f"the manifests have {len(desired.rejected)} faults; the first: {desired.rejected[0]}"
        return ClusterPlan(Plan(holds=(Hold(Reason.REJECTED, message),)), lambda: observed.cib.configuration)
    obstacle = _obstacle(observed)
    wanted = {ref: desired.state[ref] for ref in in_order(desired.state)}
    compared = _compare(wanted, observed)
    pruned = prune(wanted, observed, running, policy)
    changes = compared.changes | pruned.changes
    alone = (undone(left_alone[ref], change) for ref, change in changes.items() if ref in left_alone)
    holds = [*compared.holds, *pruned.holds, *alone]
    changes = {ref: change for ref, change in changes.items() if ref not in left_alone}
    written = _written(changes, observed)
    changes, waiting = settle(Scene(changes, written, {hold.ref: hold for hold in holds if hold.ref}, wanted, observed))
    adoptions = () if obstacle else tuple(ref for ref in compared.adoptions if ref not in left_alone)
    if obstacle and changes:
        return ClusterPlan(Plan(holds=(obstacle,)), lambda: observed.cib.configuration)
    owned = _owned(changes, written, adoptions, wanted, observed)
    edits = _edits(_placed(changes, desired.order), written, observed)
    drafted, operations = _drafted(observed.cib, edits, owned, changes, adoptions)
    by_hand = tuple(ref for ref in pruned.foreign if ref.name.startswith(_BY_HAND))
    warnings = cautions(changes, wanted, observed, drafted) if operations else _messages(obstacle)
    return ClusterPlan(
        Plan(
            changes=tuple(changes.values()),
            adoptions=adoptions,
            holds=(*holds, *waiting),
            overrides=(*compared.overrides, *_unnamed(wanted, observed), *_constraints(by_hand, observed)),
            foreign=tuple(ref for ref in pruned.foreign if key(ref) not in owned and ref not in by_hand),
            warnings=(*warnings, *map(str, doubts(wanted, observed))),
            commands=_commands(operations, observed, changes, adoptions, (*desired.secrets, *observed.secrets)),
        ),
        lambda: drafted if drafted is not None else draft(observed.cib, recording(observed.cib, owned, edits)),
        operations,
        pruned.doomed - left_alone.keys(),
        only_records=not changes and observed.cib.mentions(TAG) <= 1,
    )


def _drafted(
    cib: Cib, edits: Edits, owned: set[str], changes: Collection[Ref], adoptions: Collection[Ref]
) -> tuple[ET.Element | None, tuple[patch.Operation, ...]]:
    """Return the configuration that changes lead to, and the patch's operations.

    What only records needs no more of the configuration than the place where that is done.
    """
    if not changes and not adoptions:
        return None, ()
    base = cib.outline(TAGS) if not changes and are_tagged(cib, owned) else cib
    drafted = draft(base, recording(base, owned, edits, fleeting=not changes))
    return drafted if changes else None, tuple(patch.diff(base.configuration, drafted, CONFIGURATION))


def _messages(obstacle: Hold | None) -> tuple[str, ...]:
    return (obstacle.message,) if obstacle else ()


def _obstacle(observed: Observed) -> Hold | None:
    """Return what keeps anything from being changed; where nothing is to be changed it is only worth a warning."""
    for name in RECORDS if not observed.owned and observed.cib.mentions(TAG) else ():
        owner = observed.cib.by_id.get(name)
        if owner is not None and owner.tag != RECORDS[name]:
            message = f"the id {name!r}, where what is ours is recorded, belongs to a <{owner.tag}>"
            return Hold(Reason.NAME_TAKEN, message)
    twice = next((tag for tag in observed.sections if observed.sections.count(tag) > 1), None)
    return Hold(Reason.UNSUPPORTED, f"the configuration has two <{twice}>") if twice else None


@frozen
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
    for ref, spec in wanted.items():
        kind, live = CLUSTER_KINDS[ref.kind], observed.state.get(ref)
        recorded = observed.recorded_values(ref)
        shared = dialect.lasting(kind.shared.names(spec), observed.cib) if kind.shared else frozenset()
        ours = shared <= recorded and (kind.bag is not None or observed.owns(ref))
        if live == spec:
            adoptions += [] if ours else [ref]
            continue
        hold = _held_as_it_is(ref, spec, observed)
        if hold:
            holds.append(hold)
            continue
        if live is not None:
            live = comparable(live, spec, partial(observed.own_ids, ref))
        elif why := kind.awaits(ref.name, spec):
            holds.append(Hold(Reason.REFERENCE_MISSING, why, ref))
            continue
        kept = kind.keep(spec, live, Around(recorded, observed.op_defaults))
        overrides += [Override(ref, path, value) for path, value in kept.overrides]
        if live is not None:
            live = comparable(live, kept.spec, partial(observed.own_ids, ref))
        if live != kept.spec:
            changes[ref] = Change(ref, live, kept.spec, adopts=_adopts(ref, live, shared - recorded, observed))
        elif not ours:
            adoptions.append(ref)
    return _Compared(changes, tuple(adoptions), tuple(holds), tuple(_meant(overrides, wanted, observed)))


def _adopts(ref: Ref, live: Spec | None, unrecorded: frozenset[str], observed: Observed) -> bool:
    """True if a change makes ours what is live already: the object, or of a bag one of its values."""
    bag = CLUSTER_KINDS[ref.kind].bag
    if live is None or bag is None:
        return live is not None and not observed.owns(ref)
    return bool(unrecorded & bag.names(live))


def _held_as_it_is(ref: Ref, spec: Spec, observed: Observed) -> Hold | None:
    if why := unavailable(spec):
        return Hold(Reason.SECRET_UNAVAILABLE, why, ref)
    if ref in observed.unsupported:
        why = observed.unsupported[ref]
        return Hold(Reason.UNSUPPORTED, f"left alone: the live object says what no manifest can say yet: {why}", ref)
    if ref not in observed.state and key(ref) in observed.cib.by_id:
        other = observed.cib.by_id[key(ref)].tag
        return Hold(Reason.NAME_TAKEN, f"the id {ref.name!r} belongs to a live <{other}>", ref)
    own = references.ids(observed.elements[ref]) if ref in observed.elements else frozenset[str]()
    for name in said_ids(spec):
        if name in observed.cib.by_id and name not in own:
            other = observed.cib.by_id[name].tag
            return Hold(
                Reason.NAME_TAKEN, f"the id {name!r}, which it gives to a part, belongs to a live <{other}>", ref
            )
    return None


def _meant(overrides: Sequence[Override], wanted: State, observed: Observed) -> Iterator[Override]:
    leftovers = Leftovers(wanted, observed) if overrides else None
    yield from (override for override in overrides if leftovers is None or not leftovers.has(override))


def _unnamed(wanted: State, observed: Observed) -> Iterator[Override]:
    """Report what people do to objects that no manifest names, and may forget."""
    for ref, spec in observed.state.items():
        if ref not in wanted:
            yield from (Override(ref, path, value) for path, value in CLUSTER_KINDS[ref.kind].noteworthy(spec))


def _constraints(refs: Iterable[Ref], observed: Observed) -> Iterator[Override]:
    for ref in refs:
        spec = observed.state.get(ref)
        said = _in_crm(ref, spec, observed) if spec else "a constraint that no manifest can say yet"
        yield Override(ref, "constraint", said)


def _in_crm(ref: Ref, spec: Spec, observed: Observed) -> str:
    """Say a live constraint as one would type it into crm, as XML where crm has no words for it."""
    kind = CLUSTER_KINDS[ref.kind]
    try:
        return kind.crm(ref.name, spec)
    except crm.UnsayableError:
        return crm.xml(observed.elements[ref], kind.members(spec))


def _written(changes: Mapping[Ref, Change], observed: Observed) -> dict[Ref, ET.Element]:
    """Make the elements of what is created or updated, in words that the schema knows and with ids that are free."""
    version = dialect.schema(observed.cib)
    new = {ref: change.after for ref, change in changes.items() if change.after is not None}
    taken = {*observed.cib.by_id, *(ref.name for ref in changes)} if new else set[str]()
    written = {}
    for ref, spec in new.items():
        live = observed.elements.get(ref)
        element = CLUSTER_KINDS[ref.kind].write(ref.name, spec, live)
        dialect.speak(element, version, live)
        written[ref] = rename_taken(element, live, taken, frozenset(said_ids(spec)))
    return written


def _placed(changes: Mapping[Ref, Change], order: Sequence[str]) -> dict[Ref, Change]:
    """Sort changes so that what is created comes in the order that the manifests ask for."""
    places = {name: place for place, name in reversed([*enumerate(order)])}
    return dict(sorted(changes.items(), key=lambda item: places.get(item[0].name, len(order))))


def _edits(changes: Mapping[Ref, Change], written: Mapping[Ref, ET.Element], observed: Observed) -> Edits:
    live = observed.elements if changes else {}
    return Edits(
        {live[ref]: written[ref] for ref, change in changes.items() if change.verb is Verb.UPDATE},
        frozenset(live[ref] for ref, change in changes.items() if change.after is None),
        [(CLUSTER_KINDS[ref.kind].home, written[ref]) for ref, change in changes.items() if change.verb is Verb.CREATE],
        {ref.name: members(ref, change.after) for ref, change in changes.items() if change.after is not None},
    )


def _owned(
    changes: Mapping[Ref, Change],
    written: Mapping[Ref, ET.Element],
    adoptions: Iterable[Ref],
    wanted: State,
    observed: Observed,
) -> set[str]:
    """Return all ids that are to be recorded as ours."""
    owned = set(observed.owned) - {key(ref) for ref, change in changes.items() if change.after is None}
    for ref in (*changes, *adoptions):
        live, shared = observed.shared_ids.get(ref, {}), CLUSTER_KINDS[ref.kind].shared
        owned.difference_update(live.values())
        if ref not in changes:
            owned |= _recorded(ref, live, wanted, observed)
        elif ref in written:
            if changes[ref].verb is Verb.UPDATE:
                owned -= references.ids(observed.elements[ref]) - references.ids(written[ref])
            owned |= _recorded(ref, shared.ids(written[ref]) if shared else {}, wanted, observed)
    return owned


def _recorded(ref: Ref, values: Mapping[str, str], wanted: State, observed: Observed) -> set[str]:
    """Return the ids by which an object is recorded as ours: its own, and those of the shared values that are ours."""
    kind = CLUSTER_KINDS[ref.kind]
    if kind.shared is None:
        return {key(ref)}
    if ref in wanted:
        names = dialect.lasting(kind.shared.names(wanted[ref]), observed.cib)
    else:
        names = frozenset() if kind.bag else observed.recorded_values(ref) | {STOPPED_BY}
    ours = {pair for name, pair in values.items() if name in names}
    return ours if kind.bag else ours | {key(ref)}


def _commands(
    operations: tuple[patch.Operation, ...],
    observed: Observed,
    changes: Iterable[Ref],
    adoptions: Iterable[Ref],
    secrets: tuple[Secret, ...],
) -> tuple[Command, ...]:
    return (command(operations, observed.cib, (*changes, *adoptions), secrets),) if operations else ()


def command(
    operations: Sequence[patch.Operation], live: Cib, refs: Iterable[Ref], secrets: tuple[Secret, ...] = ()
) -> Command:
    """Return what sends a patch, for the cluster's configuration as it is now; `refs` are what it is about."""
    text = patch.render(operations, live.version, all_fields=live.feature_set >= _ALL_FIELDS_SINCE)
    return Command(PATCH, text, Scope.CLUSTER, tuple(refs), secrets)
