"""An object in the words of a manifest: the table that a person would have written for it. Pure."""

import re
from collections.abc import Mapping
from functools import cache
from typing import Any, get_args

from pydantic import BeforeValidator, PlainValidator
from pydantic.fields import FieldInfo

from reconciler.importer.toml import Branch
from reconciler.kinds.base import text_of
from reconciler.kinds.nvset import AttributeSet, plain_values
from reconciler.kinds.operation import Operation
from reconciler.kinds.parameters import parameter
from reconciler.state import Part

_WHOLE = re.compile(r"0|-?[1-9][0-9]{0,17}")


def table(part: Part) -> Branch:
    """Return what an object says, as TOML's types; what reads back as it is the same object."""
    said = Branch()
    for name, alias, default, scalars in _fields(type(part)):
        value = getattr(part, name)
        if value is not None and value not in ((), {}, default):
            said[alias] = _said(_in_order(value), scalars=scalars)
    return said


@cache
def _fields(model: type[Part]) -> tuple[tuple[str, str, Any, bool], ...]:
    """Return the fields: name, name in manifests, default, and whether it takes numbers and booleans for texts."""
    fields = model.model_fields.items()
    return tuple((name, str(field.alias), field.default, _converts(field)) for name, field in fields)


def _in_order(value: Any) -> Any:
    """Put operations on demand before those that recur, as people do; their order means nothing."""
    match value:
        case (Operation(), *_):
            return sorted(value, key=lambda operation: (operation.interval != "0s", _FIRST.get(operation.name, 9)))
        case _:
            return value


_FIRST = {"start": 0, "stop": 1, "monitor": 2}


def _said(value: Any, *, scalars: bool) -> Any:
    match value:
        case Part():
            return table(value)
        case str():
            return _typed(value) if scalars else value
        case Mapping():
            return {name: _said(inner, scalars=scalars) for name, inner in value.items()}
        case (AttributeSet(), *_) if (plain := plain_values(value)) is not None:
            return {name: _typed(inner) for name, inner in plain.items()}
        case _:
            return [_said(inner, scalars=scalars) for inner in value]


def _typed(text: str) -> str | int | bool:
    """Return what a person would write for a text: 24, true; only what reads back as the same text."""
    if text in ("true", "false"):
        return text == "true"
    return int(text) if _WHOLE.fullmatch(text) else text


def _converts(annotation: Any) -> bool:
    """Tell whether a field takes numbers and booleans for texts."""
    given = annotation.metadata if isinstance(annotation, FieldInfo) else getattr(annotation, "__metadata__", ())
    if any(isinstance(item, BeforeValidator | PlainValidator) and item.func in _SCALAR for item in given):
        return True
    inner = (annotation.annotation,) if isinstance(annotation, FieldInfo) else get_args(annotation)
    return any(_converts(part) for part in inner if not (isinstance(part, type) and issubclass(part, Part)))


_SCALAR = (text_of, parameter)
"""What takes numbers and booleans for texts."""
