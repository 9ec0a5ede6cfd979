"""Objects with remarks -> the text of a document of manifests. Pure."""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from textwrap import wrap
from typing import Any

from reconciler.importer import toml
from reconciler.importer.selection import Item
from reconciler.kinds import CLUSTER_KINDS
from reconciler.manifests import ORDER, VERBATIM
from reconciler.state import API_VERSION

_ORDER_REMARK = (
    "Of resources that are alike Pacemaker places the one first that stands first in the CIB. "
    "Where these do not exist yet, they are made in this order."
)
_WORD = re.compile(r'[^\s"\\\x00-\x1f\x7f]+')


def document(notes: Iterable[str], order: Sequence[str], blocks: Iterable[str]) -> str:
    """Return a List of objects.

    Args:
        notes: sentences that go to its beginning.
        order: the names of objects in the order in which they are to be made; empty if it does not matter.
        blocks: the lines of the objects.
    """
    head = [f'apiVersion = "{API_VERSION}"', 'kind = "List"', *_order(order)]
    noted = [line for note in notes for line in toml.comment(note)]
    return "\n".join([*head, *([""] if noted else []), *noted, *blocks]) + "\n"


def _order(names: Sequence[str]) -> list[str]:
    """Return the annotation that says the order; names that are no words cannot be said in it."""
    said = " ".join(name for name in names if _WORD.fullmatch(name))
    if " " not in said:
        return []
    path = f"metadata.annotations.{toml.key(ORDER)}"
    line = f"{path} = {toml.text(said)}"
    lines = wrap(said, toml.WIDTH, break_long_words=False, break_on_hyphens=False)
    return [*toml.comment(_ORDER_REMARK), *([line] if len(line) <= toml.WIDTH else [f'{path} = """', *lines, '"""'])]


def separator(name: str) -> list[str]:
    """Return the lines that begin the objects of one file where all are in one document."""
    return ["", f"# ---- {name} ".ljust(toml.WIDTH, "-")]


def block(item: Item, remarks: Iterable[str]) -> Iterator[str]:
    """Yield the lines of one object, with an empty one before it."""
    yield ""
    for remark in remarks:
        yield from toml.comment(remark)
    yield "[[items]]"
    yield f"kind = {toml.text(item.ref.kind)}"
    yield f"metadata.name = {toml.text(item.ref.name)}"
    if item.odd:
        yield f'metadata.annotations.{toml.key(VERBATIM)} = "true"'
    yield from _spec(item)


def _spec(item: Item) -> list[str]:
    short = f"spec = {toml.inline(item.table)}"
    if not item.table:
        return [short]
    constraint = CLUSTER_KINDS[item.ref.kind].section == "constraints"
    if constraint and len(item.table) > 1 and _is_flat(item.table) and len(short) <= toml.WIDTH:
        return [short]
    return [line for name, value in item.table.items() for line in toml.assign(f"spec.{toml.key(name)}", value)]


def _is_flat(table: Mapping[str, Any]) -> bool:
    return not any(isinstance(value, list | dict) for value in table.values())
