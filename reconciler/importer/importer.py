"""A configuration -> the files of manifests that say it. Pure.

The law: planning what is imported against the same configuration is empty.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from reconciler.cib.document import Cib
from reconciler.importer import toml
from reconciler.importer.selection import Item, LeftOut, Selection, select
from reconciler.importer.services import CLUSTER, FILES, services
from reconciler.kinds import CLUSTER_KINDS
from reconciler.kinds.observe import observe
from reconciler.manifests import VERBATIM
from reconciler.state import API_VERSION, Ref


@dataclass(frozen=True, slots=True)
class File:
    """A file of manifests: its name, its text, and how many objects it holds."""

    name: str
    text: str
    objects: int


@dataclass(frozen=True, slots=True)
class Imported:
    """What an import gives.

    Attributes:
        files: the manifests by services; each is a valid document on its own.
        whole: all of them as one document.
        left_out: the objects that no manifest can say, and why.
    """

    files: tuple[File, ...]
    whole: str
    left_out: tuple[LeftOut, ...]

    @property
    def objects(self) -> int:
        """How many objects are imported."""
        return sum(file.objects for file in self.files)


def import_cib(cib: Cib) -> Imported:
    """Return the manifests of all that a CIB configures."""
    selection = select(observe(cib))
    places = services({item.ref: item.spec for item in selection.items})
    rank = {name: number for number, name in enumerate(FILES)}
    files: dict[str, list[Item]] = {}
    for item in _in_reading_order(selection):
        files.setdefault(places[item.ref], []).append(item)
    ordered = sorted(files, key=lambda name: (rank.get(name, len(rank)) if name == CLUSTER else 1, name))
    blocks = {name: list(_blocks(files[name])) for name in ordered}
    return Imported(
        tuple(File(f"{name}.toml", _document(lines), len(files[name])) for name, lines in blocks.items()),
        _document([line for name in ordered for line in ("", f"# {name}", *blocks[name])]),
        selection.left_out,
    )


def _in_reading_order(selection: Selection) -> Iterator[Item]:
    """Yield resources before constraints, and what is in a container before the container, else as in the CIB."""
    items = {item.ref: item for item in selection.items}
    names = {ref.name: ref for ref in items if not CLUSTER_KINDS[ref.kind].named_apart}
    done: set[Ref] = set()

    def inside_first(ref: Ref) -> Iterator[Item]:
        if ref not in done:
            done.add(ref)
            for name in CLUSTER_KINDS[ref.kind].members(items[ref].spec):
                yield from inside_first(names[name]) if name in names else ()
            yield items[ref]

    first = {"resources": 0, "constraints": 2}
    inside = {name for item in selection.items for name in CLUSTER_KINDS[item.ref.kind].members(item.spec)}
    for ref in sorted(items, key=lambda ref: first.get(CLUSTER_KINDS[ref.kind].section, 1)):
        if ref.name not in inside or CLUSTER_KINDS[ref.kind].section != "resources":
            yield from inside_first(ref)


def _document(lines: Iterable[str]) -> str:
    return "\n".join((f'apiVersion = "{API_VERSION}"', 'kind = "List"', *lines)) + "\n"


def _blocks(items: Iterable[Item]) -> Iterator[str]:
    for item in items:
        yield ""
        yield "[[items]]"
        yield f"kind = {toml.text(item.ref.kind)}"
        yield f"metadata.name = {toml.text(item.ref.name)}"
        if item.odd:
            yield f'metadata.annotations.{toml.key(VERBATIM)} = "true"'
        yield from _spec(item)


def _spec(item: Item) -> list[str]:
    constraint = CLUSTER_KINDS[item.ref.kind].section == "constraints"
    short = f"spec = {toml.inline(item.table)}"
    if not item.table or (constraint and len(item.table) > 1 and _is_flat(item.table) and len(short) <= toml.WIDTH):
        return [short]
    return [line for name, value in item.table.items() for line in toml.assign(f"spec.{toml.key(name)}", value)]


def _is_flat(table: Mapping[str, Any]) -> bool:
    return not any(isinstance(value, list | dict) for value in table.values())
