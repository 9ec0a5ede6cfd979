"""Ids inside objects: a manifest says one only where something refers to it, otherwise they mean nothing. Pure."""

from collections.abc import Iterator
from typing import TypeVar
from xml.etree import ElementTree as ET

from reconciler.cib.references import ids
from reconciler.kinds.nvset import AttributeSet, merged
from reconciler.state import Part

PartT = TypeVar("PartT", bound=Part)


def parts(part: Part) -> Iterator[Part]:
    """Yield an object and everything in it that has fields of its own."""
    yield part
    for name in type(part).model_fields:
        value = getattr(part, name)
        for inner in value if isinstance(value, tuple) else (value,):
            if isinstance(inner, Part):
                yield from parts(inner)


def said_ids(part: Part) -> Iterator[str]:
    """Yield the ids that a manifest gives to what is in an object."""
    for inner in parts(part):
        for name in inner.IDENTITY:
            value = getattr(inner, name)
            if value:
                yield from value.values() if isinstance(value, dict) else (value,)


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


def comparable(live: PartT, wanted: PartT, element: ET.Element) -> PartT:
    """Return the live object in words that compare with the wanted one; `element` is what it was read from.

    Ids count only where the wanted object says them.
    """
    if live == wanted:
        return live
    said = frozenset(said_ids(wanted))
    if not said:
        return anonymous(live)
    return wanted if said <= ids(element) and anonymous(live) == anonymous(wanted) else live
