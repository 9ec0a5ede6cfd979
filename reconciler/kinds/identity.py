"""Ids inside objects: a manifest says one only where something refers to it, otherwise they mean nothing. Pure."""

from collections.abc import Callable, Iterator
from functools import cache
from typing import Any, TypeVar, get_args

from reconciler.cib import rules
from reconciler.kinds.nvset import AttributeSet, merged
from reconciler.kinds.rule import Rule
from reconciler.state import Part

PartT = TypeVar("PartT", bound=Part)


def located(part: Part, sought: type[PartT]) -> list[tuple[str, PartT]]:
    """Return what is of this type, of an object and all that is in it, each with the path to it: `params[0].rule`."""
    found: list[tuple[str, PartT]] = []
    _locate(part, "", sought, found)
    return found


def _locate(part: Part, path: str, sought: type[PartT], found: list[tuple[str, PartT]]) -> None:
    if isinstance(part, sought):
        found.append((path, part))
    for name, alias in _ways(type(part), sought):
        value = getattr(part, name)
        if not value:
            continue
        where = f"{path}.{alias}" if path else alias
        if isinstance(value, Part):
            _locate(value, where, sought, found)
        else:
            for index, inner in enumerate(value):
                _locate(inner, f"{where}[{index}]", sought, found)


@cache
def _ways(model: type[Part], sought: type[Part]) -> tuple[tuple[str, str], ...]:
    """Return the fields, with their names in manifests, in which there may be something of a type, however deep."""
    fields = model.model_fields.items()
    return tuple((name, str(field.alias)) for name, field in fields if _leads_to(field.annotation, sought))


def _leads_to(annotation: Any, sought: type[Part]) -> bool:
    if isinstance(annotation, type) and issubclass(annotation, Part):
        return issubclass(annotation, sought) or issubclass(sought, annotation) or bool(_ways(annotation, sought))
    return any(_leads_to(inner, sought) for inner in get_args(annotation))


def said_ids(part: Part) -> Iterator[str]:
    """Yield the ids that a manifest gives to what is in an object."""
    yield from (name for _, name in given_ids(part))


def given_ids(part: Part) -> Iterator[tuple[str, str]]:
    """Yield the ids that a manifest gives to what is in an object, with the path to each."""
    for path, inner in located(part, Part):
        for name in inner.IDENTITY:
            value = getattr(inner, name)
            for given in value.values() if isinstance(value, dict) else (value,) if value else ():
                yield _field(path, inner, name), given


def referred_ids(part: Part) -> Iterator[tuple[str, str]]:
    """Yield the ids by which something in an object refers to what is anywhere in the CIB, with the path to each."""
    for path, inner in located(part, Part):
        for name in inner.REFERRING:
            if getattr(inner, name):
                yield _field(path, inner, name), getattr(inner, name)
        if isinstance(inner, Rule) and inner.expression is not None:
            for name in rules.references(rules.parse(inner.expression)):
                yield _field(path, inner, "expression"), name


def _field(path: str, part: Part, name: str) -> str:
    alias = str(type(part).model_fields[name].alias)
    return f"{path}.{alias}" if path else alias


def anonymous(part: PartT) -> PartT:
    """Return the object without the ids in it: itself if there are none."""
    changed = {}
    for name in type(part).model_fields:
        value = getattr(part, name)
        other = value
        if name in part.IDENTITY and value:
            other = {} if isinstance(value, dict) else None
        elif isinstance(value, Part):
            other = anonymous(value)
        elif isinstance(value, tuple):
            inner = tuple(anonymous(item) if isinstance(item, Part) else item for item in value)
            if any(new is not old for new, old in zip(inner, value, strict=True)):
                sets = tuple(item for item in inner if isinstance(item, AttributeSet))
                other = merged(sets) if sets else inner
        if other is not value:
            changed[name] = other
    return part.model_copy(update=changed) if changed else part


def comparable(live: PartT, wanted: PartT, ids: Callable[[], frozenset[str]]) -> PartT:
    """Return the live object in words that compare with the wanted one; `ids` gives all that there are in it.

    Ids count only where the wanted object says them.
    """
    if live == wanted:
        return live
    said = frozenset(said_ids(wanted))
    if not said:
        return anonymous(live)
    return wanted if said <= ids() and anonymous(live) == anonymous(wanted) else live
