"""Objects with remarks -> the text of a document of manifests. Pure."""

import re
from collections.abc import Iterable, Mapping, Sequence
from textwrap import wrap
from typing import Any

from reconciler.importer import toml
from reconciler.importer.toml import Branch
from reconciler.kinds import CLUSTER_KINDS
from reconciler.manifests import ORDER, VERBATIM
from reconciler.state import API_VERSION, Ref

_RESOURCES = "Of resources that are alike Pacemaker places the one first that stands first in the CIB."
_SETS = (
    "Where several sets of equal score say the same option, their order in the CIB decides which one Pacemaker heeds."
)
_MADE = "Where these do not exist yet, they are made in this order."
_WORD = re.compile(r'[^\s"\\\x00-\x1f\x7f]+')


def head(notes: Iterable[str], order: Sequence[Ref]) -> str:
    """Return the beginning of a List of objects.

    Args:
        notes: sentences that go to its beginning.
        order: the objects in the order in which they are to be made; empty if it does not matter.
    """
    lines = [f'apiVersion = "{API_VERSION}"', 'kind = "List"', *_order(order)]
    noted = [line for note in notes for line in toml.comment(note)]
    return "\n".join([*lines, *([""] if noted else []), *noted, ""])


def _order(refs: Sequence[Ref]) -> list[str]:
    """Return the annotation that says the order; names that are no words cannot be said in it."""
    named = [ref for ref in refs if _WORD.fullmatch(ref.name)]
    said = " ".join(ref.name for ref in named)
    if " " not in said:
        return []
    path = f"metadata.annotations.{toml.key(ORDER)}"
    line = f"{path} = {toml.text(said)}"
    lines = wrap(said, toml.WIDTH, break_long_words=False, break_on_hyphens=False)
    resources = {CLUSTER_KINDS[ref.kind].section == "resources" for ref in named}
    remark = " ".join([*([_RESOURCES] if True in resources else []), *([_SETS] if False in resources else []), _MADE])
    return [*toml.comment(remark), *([line] if len(line) <= toml.WIDTH else [f'{path} = """', *lines, '"""'])]


def separator(name: str) -> str:
    """Return what begins the objects of one file where all are in one document."""
    return "\n" + f"# ---- {name} ".ljust(toml.WIDTH, "-") + "\n"


def remarks(sentences: Iterable[str]) -> str:
    """Return what stands before an object: an empty line, and what there is to say of it."""
    lines = [line for sentence in sentences for line in toml.comment(sentence)]
    return "\n".join(["", *lines, ""]) if lines else "\n"


def body(ref: Ref, table: Branch, *, verbatim: bool) -> str:
    """Return the lines that say an object."""
    lines = ["[[items]]", f"kind = {toml.text(ref.kind)}", f"metadata.name = {toml.text(ref.name)}"]
    if verbatim:
        lines.append(f'metadata.annotations.{toml.key(VERBATIM)} = "true"')
    return "\n".join([*lines, *_spec(ref, table), ""])


def _spec(ref: Ref, table: Branch) -> list[str]:
    if not table:
        return ["spec = {}"]
    if CLUSTER_KINDS[ref.kind].section == "constraints" and len(table) > 1 and _is_flat(table):
        short = f"spec = {toml.inline(table)}"
        if len(short) <= toml.WIDTH:
            return [short]
    return [line for name, value in table.items() for line in toml.assign(f"spec.{toml.key(name)}", value)]


def _is_flat(table: Mapping[str, Any]) -> bool:
    return not any(isinstance(value, list | dict) for value in table.values())
