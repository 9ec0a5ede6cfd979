"""A configuration -> the files of manifests that say it. Pure.

Two laws hold: planning what is imported against the same configuration is empty, and applying it to a cluster that has
only the same nodes gives a configuration of which Pacemaker makes the same.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain
from xml.etree import ElementTree as ET

from reconciler import reading
from reconciler.cib.document import Cib, children, key
from reconciler.frozen import frozen
from reconciler.importer import layout
from reconciler.importer.attention import Attention, Topic, explanations
from reconciler.importer.comments import comments
from reconciler.importer.packing import packed
from reconciler.importer.selection import Item, LeftOut, select
from reconciler.importer.services import CLUSTER, FILES, services
from reconciler.importer.toml import Branch
from reconciler.kinds import CLUSTER_KINDS, in_order
from reconciler.kinds.observe import each, observe
from reconciler.state import Ref


@frozen
class File:
    """A file of manifests: its name, its text in parts, and how many objects it holds."""

    name: str
    parts: tuple[str, ...]
    objects: int

    @property
    def text(self) -> str:
        """What is in it."""
        return "".join(self.parts)


@frozen
class Imported:
    """What an import gives.

    Attributes:
        files: the manifests by services; each is a valid document on its own.
        head: the beginning of a document of all of them.
        left_out: the objects that no manifest says, and why.
        attention: how many remarks there are in the manifests, by what they are about.
    """

    files: tuple[File, ...]
    head: str
    left_out: tuple[LeftOut, ...]
    attention: Counter[Topic]

    @property
    def objects(self) -> int:
        """How many objects are imported."""
        return sum(file.objects for file in self.files)

    def whole(self) -> Iterator[str]:
        """Yield all of them as one document, file by file."""
        yield self.head
        for file in self.files:
            if file.objects:
                yield "".join([layout.separator(file.name.removesuffix(".toml")), *file.parts[1:]])


def import_cib(
    cib: Cib, notes: Iterable[str] = (), remarks: Iterable[reading.Remark] = (), *, overrides: bool = True
) -> Imported:
    """Return the manifests of all that a CIB configures.

    Args:
        cib: the configuration; its status is looked at only for remarks.
        notes: what else a person should know of where it comes from; sentences.
        remarks: what else there is to say of its objects; of those that are not imported it goes to the notes.
        overrides: take over what people set by hand for a while; if not, it is left to them, and named.
    """
    observed = observe(cib)
    selection = select(observed, overrides=overrides)
    attention = Attention(observed, {item.ref for item in selection.left_out})
    whole = tuple(attention.of_the_whole())
    topics = Counter(remark.topic for remark in whole)
    places = services({item.ref: item.spec for item in selection.items})
    blocks: dict[str, list[tuple[str, str]]] = {}
    said = _by_object((*remarks, *comments(cib)), cib)
    for item in _in_reading_order(selection.items):
        found = list(attention.remarks(item))
        topics.update(remark.topic for remark in found)
        warnings = (f"Attention: {remark.text}" for remark in found)
        texts = (*said.pop(item.ref, ()), *warnings, *explanations(item, observed))
        blocks.setdefault(places[item.ref], []).append((layout.remarks(texts), item.text))
    notes = [
        *notes,
        *(f"Attention: {remark.text}" for remark in whole),
        *(f"{ref}: {text}" if ref else text for ref, texts in said.items() for text in texts),
        *(f"Not imported: {item.ref}: {_ended(item.why)}" for item in selection.left_out),
    ]
    order = _order(selection.items)
    if notes:
        blocks.setdefault(CLUSTER, [])
    if not any(blocks.values()):
        blocks[CLUSTER] = [_nothing("Nothing was imported" if selection.left_out else "The configuration is empty")]
    blocks = packed(blocks, frozenset(FILES))
    first, plain = layout.head(notes, order), layout.head((), ())
    holder = CLUSTER if CLUSTER in blocks else min(blocks)
    files = tuple(
        File(f"{name}.toml", (first if name == holder else plain, *chain.from_iterable(found)), len(found))
        for name, found in sorted(blocks.items(), key=lambda item: (item[0] != CLUSTER, item[0]))
    )
    return Imported(files, first, selection.left_out, topics)


def _ended(sentence: str) -> str:
    return sentence if sentence.endswith("?") else f"{sentence}."


def _nothing(why: str) -> tuple[str, str]:
    """Say in a manifest that there is nothing: a directory without any object is refused."""
    remark = f"{why}. This says nothing either, and makes the directory one that is read."
    return layout.remarks([remark]), layout.body(Ref("SyncPolicy", "policy"), Branch(), verbatim=False)


def _by_object(remarks: Sequence[reading.Remark], cib: Cib) -> dict[Ref | None, list[str]]:
    """Return what is said of each object; of none, what is said of the whole."""
    sections = {kind.section: Ref(name, kind.section) for name, kind in CLUSTER_KINDS.items() if not kind.tags}
    names = {remark.name for remark in remarks}
    # The elements of all objects at once would be many times the text.
    named = {key(part): ref for ref, part in _parts(cib) if key(part) in names} if names - {""} else {}
    found: dict[Ref | None, list[str]] = {}
    for remark in remarks:
        ref = named.get(remark.name) or sections.get(remark.name)
        found.setdefault(ref, []).append(remark.text)
    return found


def _parts(cib: Cib) -> Iterator[tuple[Ref, ET.Element]]:
    """Yield every object with its element, or with those in the section that it is."""
    for ref, element in each(cib):
        kind = CLUSTER_KINDS.get(ref.kind)
        yield from ((ref, part) for part in (children(element) if kind and not kind.tags else (element,)))


_ORDERED = ("crm_config", "rsc_defaults", "op_defaults", "resources")
"""The sections in which it counts what stands first."""


def _order(items: Sequence[Item]) -> tuple[Ref, ...]:
    """Return the objects whose place in the CIB counts, if they would be made in another order otherwise."""
    inside = {name for item in items for name in CLUSTER_KINDS[item.ref.kind].members(item.spec)}
    order: list[Ref] = []
    for section in _ORDERED:
        there = [item.ref for item in items if CLUSTER_KINDS[item.ref.kind].section == section]
        if section == "resources":
            there = [ref for ref in there if ref.name not in inside and ref.kind != "Template"]
        if there != in_order(there):
            order += there
    return tuple(order)


_SECTIONS = {"resources": 1, "constraints": 2}


def _in_reading_order(items: Iterable[Item]) -> Iterator[Item]:
    """Yield resources before constraints, and what is in a container before the container, else as in the CIB."""
    found = sorted(items, key=lambda item: _SECTIONS.get(CLUSTER_KINDS[item.ref.kind].section, 0))
    inside = {name for item in found for name in CLUSTER_KINDS[item.ref.kind].members(item.spec)}
    resources = {
        item.ref.name: item
        for item in found
        if item.ref.name in inside and CLUSTER_KINDS[item.ref.kind].section == "resources"
    }
    done: set[Ref] = set()

    def inside_first(item: Item) -> Iterator[Item]:
        if item.ref not in done:
            members = CLUSTER_KINDS[item.ref.kind].members(item.spec)
            done.update((item.ref,) if members or item.ref.name in inside else ())
            for name in members:
                yield from inside_first(resources[name]) if name in resources else ()
            yield item

    for item in found:
        if resources.get(item.ref.name) is not item:
            yield from inside_first(item)
