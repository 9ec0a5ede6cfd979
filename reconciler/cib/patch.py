"""Versioned patches: the smallest set of operations that turns one configuration into another. Pure.

Format 2 of Pacemaker's patchsets (`lib/common/patchset.c`, `xml_apply_patchset_v2`): an operation names its element by
a path, deletions and modifications are applied before creations and moves, and those in the order of their positions. A
`modify` rewrites all attributes of its element.
"""

from bisect import bisect_left
from collections.abc import Mapping, Sequence
from xml.etree import ElementTree as ET

from reconciler.cib.document import Version, serialize
from reconciler.frozen import frozen


@frozen
class Operation:
    """One `<change>`: `path` is the element's, for a creation its parent's; creations and moves have a position."""

    operation: str
    path: str
    position: int | None = None
    before: ET.Element | None = None
    after: ET.Element | None = None


def diff(before: ET.Element, after: ET.Element, path: str) -> list[Operation]:
    """Return what turns `before`, found at `path`, into `after`. Elements that are the same object are not entered.

    Children are the same if tag and id are. Siblings of one tag without ids cannot be named in a path: where such a
    group differs, its parent is deleted and created anew in the same patch.

    Raises:
        AmbiguousChildrenError: that parent is `before` itself.
    """
    if before is after:
        return []
    operations = []
    if dict(before.items()) != dict(after.items()):
        operations.append(Operation("modify", path, before=before, after=after))
    return operations + _diff_children(list(before), list(after), path)


class AmbiguousChildrenError(ValueError):
    """Siblings of one tag without ids: a path cannot name one of them."""


Key = tuple[str, str | None]


def _diff_children(before: Sequence[ET.Element], after: Sequence[ET.Element], path: str) -> list[Operation]:
    if _same_all(before, after):
        return []
    old, new = _keyed(before), _keyed(after)
    operations = []
    fresh = {key for key in new if key not in old}
    for key, child in old.items():
        child_path = f"{path}/{step(child)}"
        try:
            operations += diff(child, new[key], child_path) if key in new else [_delete(child_path, child)]
        except AmbiguousChildrenError:
            operations.append(_delete(child_path, child))
            fresh.add(key)
    kept = new.keys() - fresh
    staying = [child for child in before if not isinstance(child.tag, str) or _key(child) in kept]
    return operations + _placements(old, staying, after, path)


def _delete(path: str, element: ET.Element) -> Operation:
    return Operation("delete", path, before=element)


def _placements(
    old: Mapping[Key, ET.Element], staying: list[ET.Element], after: Sequence[ET.Element], path: str
) -> list[Operation]:
    """Return the creations and moves that turn what stays into `after`.

    Pacemaker puts everything that moves aside, then places moved and created elements by rising position, counting the
    comments that stand there. So the list is acted out here as it will be there.
    """
    there = {_key(child): index for index, child in enumerate(staying) if isinstance(child.tag, str)}
    order = [there[_key(child)] for child in after if _key(child) in there]
    movers = frozenset(order) - _longest_rising(order)
    standing = [child for index, child in enumerate(staying) if index not in movers]
    operations = []
    place = 0
    for child in after:
        index = there.get(_key(child))
        if not isinstance(child.tag, str) or (index is not None and index not in movers):
            place = _behind(child if index is None else staying[index], standing, place)
            continue
        if index is None:
            operations.append(Operation("create", path, place, after=child))
        else:
            before = old[_key(child)]
            operations.append(Operation("move", f"{path}/{step(child)}", place, before=before, after=child))
        standing.insert(place, child)
        place += 1
    return operations


def _behind(child: ET.Element, standing: Sequence[ET.Element], place: int) -> int:
    """Return the place behind a child that stands at `place` or behind the comments there; else `place`."""
    index = place
    while index < len(standing) and standing[index] is not child and not isinstance(standing[index].tag, str):
        index += 1
    return index + 1 if index < len(standing) and standing[index] is child else place


def _same(before: ET.Element, after: ET.Element) -> bool:
    return before is after or (
        before.tag == after.tag and dict(before.items()) == dict(after.items()) and _same_all(list(before), list(after))
    )


def _same_all(before: Sequence[ET.Element], after: Sequence[ET.Element]) -> bool:
    return len(before) == len(after) and all(map(_same, before, after))


def _key(element: ET.Element) -> Key:
    return element.tag, _name(element)


def _name(element: ET.Element) -> str | None:
    """Return the id if a path can say it."""
    name = element.get("id")
    return name if name and not _UNSAYABLE & set(name) else None


_UNSAYABLE = frozenset("'/[] \t\n\r\f\v")
"""Pacemaker takes paths apart at these, quoted or not (`search_v2_xpath`), and then silently finds nothing; only ids
that are no XML ids can have them."""


def _keyed(elements: Sequence[ET.Element]) -> dict[Key, ET.Element]:
    keyed: dict[Key, ET.Element] = {}
    for element in elements:
        if isinstance(element.tag, str):
            if _key(element) in keyed:
                raise AmbiguousChildrenError(f"two <{element.tag}> cannot be told apart")
            keyed[_key(element)] = element
    tags = [tag for tag, _ in keyed]
    for tag, name in keyed:
        if name is None and tags.count(tag) > 1:
            raise AmbiguousChildrenError(f"a <{tag}> without id stands beside others")
    return keyed


def step(element: ET.Element) -> str:
    """Return the element's step in a path: `primitive[@id='vip']`, or its tag alone where it has no id."""
    name = _name(element)
    return f"{element.tag}[@id='{name}']" if name else str(element.tag)


def _longest_rising(numbers: Sequence[int]) -> frozenset[int]:
    """Return the members of a longest rising subsequence: those that can stay where they are."""
    tails: list[int] = []
    last: list[int] = []
    previous: list[int] = []
    for index, number in enumerate(numbers):
        slot = bisect_left(tails, number)
        previous.append(last[slot - 1] if slot else -1)
        if slot == len(tails):
            tails.append(number)
            last.append(index)
        else:
            tails[slot] = number
            last[slot] = index
    chain = set()
    index = last[-1] if last else -1
    while index >= 0:
        chain.add(numbers[index])
        index = previous[index]
    return frozenset(chain)


def render(operations: Sequence[Operation], source: Version, *, all_fields: bool = False) -> str:
    """Return the patch as text for `cibadmin --patch`: refused with exit code 103 if the configuration has moved.

    Without `num_updates`, churn of the status section does not disturb the patch; Pacemaker 3.0.2 and later wants all
    three fields (`all_fields`).
    """
    root = ET.Element("diff", {"format": "2"})
    version = ET.SubElement(root, "version")
    bumped = Version(source.admin_epoch, source.epoch + 1, 0)
    for tag, value in (("source", source), ("target", bumped)):
        fields = {"admin_epoch": str(value.admin_epoch), "epoch": str(value.epoch)}
        if all_fields:
            fields["num_updates"] = str(value.num_updates)
        ET.SubElement(version, tag, fields)
    for operation in operations:
        root.append(_change(operation))
    return serialize(root)


def _change(operation: Operation) -> ET.Element:
    change = ET.Element("change", {"operation": operation.operation, "path": operation.path})
    if operation.position is not None:
        change.set("position", str(operation.position))
    if operation.operation == "create" and operation.after is not None:
        change.append(operation.after)
    if operation.operation == "modify" and operation.before is not None and operation.after is not None:
        edits = ET.SubElement(change, "change-list")
        before, after = dict(operation.before.items()), dict(operation.after.items())
        for name, value in after.items():
            if before.get(name) != value:
                ET.SubElement(edits, "change-attr", {"name": name, "operation": "set", "value": value})
        for name in before:
            if name not in after:
                ET.SubElement(edits, "change-attr", {"name": name, "operation": "unset"})
        result = ET.SubElement(change, "change-result")
        result.append(ET.Element(operation.after.tag, after))
    return change
