"""Who changed the configuration, and what: from one version of the CIB to the next. Pure.

Pacemaker writes into the CIB who changed it last (`update-user`, `update-client`, `update-origin`: `cib_perform_op` in
`lib/cib/cib_utils.c`), and only that. So a version that was seen has one known editor, and of several versions that
went by unseen only the last editor is known. crm and pcs work through cibadmin, and so does the agent: what tells them
apart is in `Trail.conclude`.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from enum import StrEnum
from functools import partial

from reconciler.cib import register
from reconciler.cib.document import Cib, Version, serialize
from reconciler.frozen import frozen
from reconciler.kinds import CLUSTER_KINDS
from reconciler.kinds.cluster_properties import PACEMAKERS
from reconciler.kinds.identity import comparable
from reconciler.kinds.observe import Observed
from reconciler.plan import Change, FieldChange, Verb, flatten
from reconciler.state import Ref, Spec, State

VersionKey = tuple[int, int]
"""admin_epoch and epoch: what only changes of the configuration move."""

Expected = Mapping[Ref, Spec | None]
"""What an agent would make of objects; None deletes one."""

PATIENCE = 1.5
"""Seconds: for so long it is waited for Pacemaker to write down the versions that were not seen."""

MOST_UNSEEN = 16
"""So many versions between two that were seen are looked for, and no more are kept until they are told of."""

_OUR_CLIENT, _OUR_USER = "cibadmin", "root"
_DAEMONS = frozenset({"crmd", "attrd", "stonith-ng", "stonithd", "pengine", "lrmd", "cib"})
"""The names that Pacemaker's own daemons have as clients of the CIB, beside `pacemaker-…`."""

_SET_BY_PEOPLE = ("attributes", "utilization", "description", "score")
"""Fields of a node that Pacemaker does not write (`populate_cib_nodes` in `daemons/controld/controld_membership.c`)."""


class By(StrEnum):
    """Who made an edit: an agent of ours, the cluster itself, somebody else, or somebody whom nothing names."""

    AGENT = "agent"
    PACEMAKER = "pacemaker"
    OTHER = "other"
    UNKNOWN = "unknown"


@frozen
class Editor:
    """Who wrote a version: user, program, node, and when by that node's clock (as written, local time)."""

    user: str
    client: str
    origin: str
    written: str


_NOBODY = Editor("", "", "", "")


@frozen
class Difference:
    """An object that is not as before; of one that no kind can express there are no fields."""

    ref: Ref
    verb: Verb
    fields: tuple[FieldChange, ...]


@frozen
class Edit:
    """What changed between two versions and is one hand's doing, as far as can be told.

    `unseen` counts the versions between them that nobody saw: others may have had their hand in it too. `editor` is
    that of the last version; what is `UNKNOWN` is not this editor's.
    """

    by: By
    editor: Editor
    before: Version
    after: Version
    unseen: int
    differences: tuple[Difference, ...]


@frozen
class Suspects:
    """What tells an agent's edit from a person's.

    `own` are the versions that this agent's own patches made. `agents` are the names of the nodes with an agent, None
    if corosync cannot be asked. `wanted` are what manifests wanted then and now. `expected(before)` is what an agent
    would have made of a configuration; finding that out takes as long as planning does.
    """

    own: frozenset[VersionKey]
    agents: frozenset[str] | None
    wanted: tuple[State, ...]
    expected: Callable[[Observed], Iterable[Expected]]


@frozen
class Trail:
    """Versions that were seen, in their order, and not told of yet; the first is the last one told of.

    `since` is when the second was seen, Unix seconds.
    """

    versions: tuple[Observed, ...] = ()
    since: float = 0.0

    def seen(self, looks: Iterable[Observed], now: float) -> "Trail":
        """Return the trail after looking at the cluster again, perhaps several times."""
        versions = list(self.versions)
        for look in looks:
            if not versions or _differ(versions[-1], look):
                versions.append(look)
        del versions[1 : max(1, len(versions) - MOST_UNSEEN)]
        return Trail(tuple(versions), self.since if len(self.versions) > 1 else now)

    def unseen(self) -> frozenset[VersionKey]:
        """Return the newest versions that went by between those that were seen."""
        pairs = zip(self.versions, self.versions[1:], strict=False)
        return frozenset([place for pair in pairs for place in _between(*map(key, pair))][-MOST_UNSEEN:])

    def with_found(self, found: Iterable[Observed]) -> "Trail":
        """Put versions in that somebody else had kept."""
        wanted = self.unseen()
        missing = {key(version): version for version in found if key(version) in wanted}
        versions = list(self.versions[:1])
        for after in self.versions[1:]:
            before = key(versions[-1])
            versions += [missing[place] for place in sorted(missing) if before < place < key(after)]
            versions.append(after)
        return replace(self, versions=tuple(versions))

    def ripe(self, now: float) -> bool:
        """Tell whether it is time to tell: nothing is missing, or has not turned up for long enough."""
        return len(self.versions) > 1 and (not self.unseen() or not 0 <= now - self.since < PATIENCE)

    def conclude(self, suspects: Suspects) -> tuple[tuple[Edit, ...], "Trail"]:
        """Return what others edited than this agent, and the trail that goes on from the newest version.

        An edit is this agent's if its patch made the version. Another agent's is known by what it does: it is
        root's, by cibadmin, from a node with an agent, and every object became exactly what an agent would have made
        of it, or a revision came into quarantine. A person who types just that, there and then, is taken for the agent.
        Where versions went by unseen, single objects may be an agent's and the rest not.
        """
        edits = []
        for before, after in zip(self.versions, self.versions[1:], strict=False):
            edits += _edits(before, after, suspects)
        return tuple(edits), Trail(self.versions[-1:])


def key(observed: Observed) -> VersionKey:
    """Return the part of an observed CIB's version that only configuration changes move."""
    return observed.cib.version.configuration


def _between(before: VersionKey, after: VersionKey) -> list[VersionKey]:
    """Return the newest versions that may have been between two, the newest last.

    To erase the configuration counts `admin_epoch` up, and `epoch` goes on (`cib_process_erase` in
    `lib/cib/cib_ops.c`); in what replaces it with a higher `admin_epoch`, `epoch` may be anything.
    """
    (admin, first), (now, last) = before, after
    if admin == now or first < last:
        admins = dict.fromkeys((admin, now))
        return [(number, epoch) for epoch in range(max(first + 1, last - MOST_UNSEEN), last) for number in admins]
    return [(now, epoch) for epoch in range(max(0, last - MOST_UNSEEN), last)]


def _differ(before: Observed, after: Observed) -> bool:
    return key(before) != key(after) or (before.state is not after.state and bool(differences(before, after)))


def editor(cib: Cib) -> Editor:
    """Return who wrote a CIB, as it says itself."""
    names = ("update-user", "update-client", "update-origin", "cib-last-written")
    return Editor(*(cib.attributes.get(name, "") for name in names))


def differences(before: Observed, after: Observed) -> tuple[Difference, ...]:
    """Return the objects that are not the same, sorted; what is recorded as ours is no object."""
    if before.state is after.state:
        return ()
    return tuple(
        found for ref in sorted({*before.elements, *after.elements}) if (found := _difference(ref, before, after))
    )


def _difference(ref: Ref, before: Observed, after: Observed) -> Difference | None:
    old, new = before.state.get(ref), after.state.get(ref)
    there, here = ref in before.elements, ref in after.elements
    if there != here:
        change = Change(ref, old, new).fields() if old is not None or new is not None else ()
        return Difference(ref, Verb.CREATE if here else Verb.DELETE, change)
    if old is not None and new is not None:
        return Difference(ref, Verb.UPDATE, Change(ref, old, new).fields()) if old != new else None
    same = serialize(before.elements[ref]) == serialize(after.elements[ref])
    return None if same else Difference(ref, Verb.UPDATE, ())


def _edits(before: Observed, after: Observed, suspects: Suspects) -> list[Edit]:
    found = differences(before, after)
    if not found:
        return []
    by = editor(after.cib)
    unseen = _missed(key(before), key(after), by)
    whole = Edit(By.OTHER, by, before.cib.version, after.cib.version, unseen, found)
    ours = any(key(before) < version <= key(after) for version in suspects.own)
    if unseen:
        return _of_several(whole, before, after, suspects, ours=ours)
    return [] if ours else [replace(whole, by=_hand(whole, before, after, suspects))]


def _missed(before: VersionKey, after: VersionKey, by: Editor) -> int:
    """Return how many versions, at least, nobody saw between two."""
    steps = after[1] - before[1]
    if steps > 0:
        return steps - 1
    # The configuration was replaced, which Pacemaker does not do: what it wrote came after that.
    return 1 if _is_pacemaker(by) else 0


def _hand(whole: Edit, before: Observed, after: Observed, suspects: Suspects) -> By:
    """Return whose edit it is that made the very next version."""
    by, found = whole.editor, whole.differences
    if _is_pacemaker(by):
        return By.PACEMAKER
    if not _may_be_agents(by, suspects.agents):
        return By.OTHER
    if _reverts(before, after):
        return By.AGENT
    if not all(_is_wanted(item, before, suspects) for item in found):
        return By.OTHER
    return By.AGENT if len(_made_by_agents(found, before, after, suspects)) == len(found) else By.OTHER


def _of_several(whole: Edit, before: Observed, after: Observed, suspects: Suspects, *, ours: bool) -> list[Edit]:
    """Return what of several edits at once is whose; of the rest only the last editor is known.

    If that was Pacemaker, what it never writes is somebody's whom nothing names: it fills an erased configuration
    before anybody has seen that. `ours` says that this agent's patch, which is told elsewhere, is among them.
    """
    last = _is_pacemaker(whole.editor)
    clusters = tuple(item for item in whole.differences if last and _is_pacemakers(item))
    left = [item for item in whole.differences if item not in clusters]
    made = _made_by_agents([item for item in left if _is_wanted(item, before, suspects)], before, after, suspects)
    agents = () if ours else tuple(item for item in left if item.ref in made)
    rest = tuple(item for item in left if item.ref not in made)
    parts = (
        replace(whole, by=By.PACEMAKER, differences=clusters),
        replace(whole, by=By.AGENT, editor=_NOBODY if last else whole.editor, differences=agents),
        replace(whole, by=By.UNKNOWN if last else By.OTHER, differences=rest),
    )
    return [part for part in parts if part.differences]


def _is_pacemaker(by: Editor) -> bool:
    return by.client in _DAEMONS or by.client.startswith("pacemaker-")


def _is_pacemakers(item: Difference) -> bool:
    """Tell whether Pacemaker writes that by itself: which nodes there are, and its own cluster properties."""
    if item.ref.kind == "Node":
        return item.verb is not Verb.UPDATE and not any(part.path.startswith(_SET_BY_PEOPLE) for part in item.fields)
    if item.ref.kind != "ClusterProperties" or not item.fields:
        return False
    return all(part.path.removeprefix("properties.") in PACEMAKERS for part in item.fields)


def _is_wanted(item: Difference, before: Observed, suspects: Suspects) -> bool:
    return any(_conceivable(item, before, state) for state in suspects.wanted)


def _conceivable(item: Difference, before: Observed, wanted: State) -> bool:
    """Tell at a glance whether an agent may have done it: nothing has become other than the manifests say."""
    if item.ref not in wanted:
        kind = CLUSTER_KINDS.get(item.ref.kind)
        return kind is not None and item.verb is not Verb.CREATE and bool(kind.bag or before.owns(item.ref))
    said = dict(flatten(wanted[item.ref]))
    return item.verb is not Verb.DELETE and all(said.get(part.path, part.after) == part.after for part in item.fields)


def _made_by_agents(
    found: Iterable[Difference], before: Observed, after: Observed, suspects: Suspects
) -> frozenset[Ref]:
    """Return the objects that became exactly what an agent would have made of them."""
    left = {item.ref for item in found}
    made: set[Ref] = set()
    plans = iter(suspects.expected(before) if left else ())
    while left and (plan := next(plans, None)) is not None:
        made |= {ref for ref in left if _as_expected(ref, after, plan)}
        left -= made
    return frozenset(made)


def _may_be_agents(by: Editor, agents: frozenset[str] | None) -> bool:
    somewhere = agents is None or by.origin in agents
    return by.client == _OUR_CLIENT and by.user in ("", _OUR_USER) and somewhere


def _reverts(before: Observed, after: Observed) -> bool:
    """Tell whether a version put a revision in quarantine: what agents do, in the patch that takes its change back."""
    return bool({*register.read(after.cib).quarantines} - {*register.read(before.cib).quarantines})


def _as_expected(ref: Ref, after: Observed, expected: Expected) -> bool:
    """Tell whether an object has become what an agent would have made of it."""
    if ref not in expected:
        return False
    wanted, live = expected[ref], after.state.get(ref)
    if wanted is None or live is None:
        return wanted is None and ref not in after.elements
    return comparable(live, wanted, partial(after.own_ids, ref)) == wanted
