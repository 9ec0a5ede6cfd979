"""What cannot be done without something else that is not done now: it waits, and is held with the reason. Pure.

The cluster would refuse such a patch as a whole, or the patch would tear something apart that nobody asked to change.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from xml.etree import ElementTree as ET

from reconciler import kinds
from reconciler.cib import dialect, references
from reconciler.cib.document import key
from reconciler.kinds import CLUSTER_KINDS
from reconciler.kinds.observe import Observed
from reconciler.kinds.tag import Tag
from reconciler.plan import Change, Hold, Reason, Verb
from reconciler.state import Ref, Spec, State


@dataclass(frozen=True)
class Scene:
    """Everything that a change may depend on: the other changes, their elements, what is held, wanted and there."""

    changes: Mapping[Ref, Change]
    written: Mapping[Ref, ET.Element]
    held: Mapping[Ref, Hold]
    wanted: State
    observed: Observed

    @cached_property
    def made(self) -> frozenset[str]:
        """The ids in all that the changes write."""
        written = (self.written[ref] for ref in self.changes if ref in self.written)
        return frozenset(name for element in written for name in references.ids(element))

    @cached_property
    def replaced(self) -> frozenset[str]:
        """The ids in all that the changes take the place of."""
        live = (self.observed.elements[ref] for ref, change in self.changes.items() if change.before is not None)
        return frozenset(name for element in live for name in references.ids(element))

    def will_have(self, name: str) -> bool:
        """Tell whether there will be an object, or a part of one, with this id."""
        return name in self.made or (name in self.observed.cib.by_id and name not in self.replaced)


def settle(scene: Scene) -> tuple[dict[Ref, Change], list[Hold]]:
    """Return the changes that fit together, and why the others wait; what depends on those waits in its turn."""
    changes, held = dict(scene.changes), dict(scene.held)
    holds: list[Hold] = []
    while changes:
        now = Scene(changes, scene.written, held, scene.wanted, scene.observed)
        found = dict(_misfits(now))
        if not found:
            return changes, holds
        changes = {ref: change for ref, change in changes.items() if ref not in found}
        held |= found
        holds += found.values()
    return changes, holds


def _misfits(scene: Scene) -> Iterable[tuple[Ref, Hold]]:
    there = {kinds.key(ref): ref.kind for ref in scene.observed.all if not _deletes(scene.changes.get(ref))}
    there |= {kinds.key(ref): ref.kind for ref, change in scene.changes.items() if change.verb is Verb.CREATE}
    for ref, change in scene.changes.items():
        hold = (
            _names_nothing(ref, change, there, scene)
            or _refers_to_nothing(ref, scene)
            or _takes_what_another_keeps(ref, change, scene)
            or _leaves_behind(ref, change, scene)
            or _takes_away_what_is_named(ref, change, scene)
        )
        if hold:
            yield ref, hold


def _deletes(change: Change | None) -> bool:
    return change is not None and change.verb is Verb.DELETE


def members(ref: Ref, spec: Spec | None) -> tuple[str, ...]:
    """Return the ids of the resources inside an object; none if it is not there."""
    return CLUSTER_KINDS[ref.kind].members(spec) if spec is not None else ()


def _names_nothing(ref: Ref, change: Change, there: Mapping[str, str], scene: Scene) -> Hold | None:
    if change.after is None:
        return None
    # Old schemas want what a tag names to be there; no schema ever asked for the devices of fencing levels.
    may_be_loose = not isinstance(change.after, Tag) or dialect.has_loose_tags(dialect.schema(scene.observed.cib))
    for reference in CLUSTER_KINDS[ref.kind].references(change.after):
        if reference.loose and (may_be_loose or scene.will_have(reference.name)):
            continue
        if not reference.fits(there.get(reference.name)):
            return Hold(Reason.REFERENCE_MISSING, f"{reference.field} names {_missing(reference.name, scene)}", ref)
    return None


def _refers_to_nothing(ref: Ref, scene: Scene) -> Hold | None:
    """Hold what refers to a part of an object that is not there: the cluster would refuse the whole patch."""
    element = scene.written.get(ref)
    for name in sorted(references.referring(element)) if element is not None else ():
        if not scene.will_have(name):
            return Hold(Reason.REFERENCE_MISSING, f"it refers to {_missing(name, scene)}", ref)
    return None


def _missing(name: str, scene: Scene) -> str:
    """Say what is not there, and whether it only waits for something itself."""
    waiting = next((hold for ref, hold in scene.held.items() if ref.name == name and ref in scene.wanted), None)
    return f"{waiting.ref}, which is held itself: {waiting.reason}" if waiting else f"{name}, which does not exist"


def _takes_what_another_keeps(ref: Ref, change: Change, scene: Scene) -> Hold | None:
    for name in members(ref, change.after):
        parent = scene.observed.parents.get(name)
        if parent is None or parent == ref:
            continue
        release = scene.changes.get(parent)
        if release is None or name in members(parent, release.after):
            return Hold(Reason.NAME_TAKEN, f"{name} is inside {parent}, which keeps it", ref)
    return None


def _leaves_behind(ref: Ref, change: Change, scene: Scene) -> Hold | None:
    """Hold a container whose member cannot go where it belongs: outside it would run without the container's bonds."""
    for name in left(ref, change):
        member = scene.observed.by_name[name]
        hold = scene.held.get(member)
        if hold and hold.reason is not Reason.STOPPING and not _deletes(scene.changes.get(member)):
            return Hold(hold.reason, f"{member} would be left outside; it is held: {hold.message}", ref)
        home = next((other for other, spec in scene.wanted.items() if name in members(other, spec)), None)
        if home and home not in scene.changes:
            why = f": {scene.held[home].message}" if home in scene.held else ""
            return Hold(Reason.REFERENCE_MISSING, f"{member} cannot go to {home}, which is held{why}", ref)
    return None


def left(ref: Ref, change: Change) -> tuple[str, ...]:
    """Return the ids of the resources that a change takes out of a container."""
    stay = members(ref, change.after)
    return tuple(name for name in members(ref, change.before) if name not in stay)


def _takes_away_what_is_named(ref: Ref, change: Change, scene: Scene) -> Hold | None:
    if change.before is None:
        return None
    gone = references.ids(scene.observed.elements[ref])
    if change.after is not None:
        gone -= references.ids(scene.written[ref])
    for name in sorted(gone):
        named_by = scene.observed.users.get(name, ())
        users = [user for user in named_by if key(user) != kinds.key(ref) and _still_names(user, name, scene)]
        if users:
            what = "no manifest wants it" if change.after is None else f"the change would take {name} away"
            return Hold(Reason.REFERENCED, f"{what}, but {scene.observed.namers(users)} it", ref)
    return None


def _still_names(user: ET.Element, name: str, scene: Scene) -> bool:
    ref = scene.observed.by_name.get(key(user))
    change = scene.changes.get(ref) if ref else None
    if ref is None or change is None:
        return True
    if change.after is None:
        return False
    return name in references.named(scene.written[ref]) or name in members(ref, change.after)
