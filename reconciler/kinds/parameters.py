"""Parameters of agents and alerts: attribute sets of which a value may be a secret. Pure.

A manifest says where a secret lies, `passwd = { file = "/etc/reconciler/secrets/ipmi" }`, and never what it is. Only
agents' own parameters can be secret: what Pacemaker itself reads it also logs and shows.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Annotated, Any
from xml.etree import ElementTree as ET

from pydantic import AfterValidator, BeforeValidator, Field, PlainSerializer, PlainValidator

from reconciler.kinds.base import text_of, toml_type
from reconciler.kinds.identity import located
from reconciler.kinds.nvset import AttributeSet, as_sets, is_secret, merged, plain_values, read_sets_as
from reconciler.secret import HIDDEN, Place, Secret, Source, looks_secret, unread
from reconciler.state import Part


class FromFile(Part):
    """The content of a file, without the line break at its end."""

    file: str = Field(pattern="^/", description="A file that only root can read, on every node that may write.")


class FromCredential(Part):
    """A systemd credential of the agent's service."""

    credential: str = Field(pattern="^[^/]+$", description="Its name, as in the unit's LoadCredential=.")


_FORMS = {
    Place.FILE: re.compile(r"/[^\x00-\x1f\x7f]+"),
    Place.CREDENTIAL: re.compile(r"[^/\x00-\x1f\x7f]{1,255}"),
}


def source(given: Mapping[str, Any]) -> Source:
    """Read what a manifest says of a secret.

    Raises:
        ValueError: it says something else.
    """
    if len(given) != 1 or not is_secret(given):
        raise ValueError('expected a text, a number, a boolean, { file = "/…" } or { credential = "…" }, not a table')
    ((key, name),) = given.items()
    match Place(key), name:
        case _, str() if _FORMS[Place(key)].fullmatch(name) and name not in {".", ".."}:
            return Source(Place(key), name)
        case Place.FILE, str():
            raise ValueError(f"file: {name!r} is not an absolute path")
        case Place.CREDENTIAL, str():
            raise ValueError(f"credential: {name!r} cannot be the name of one: it is a file name, without a /")
    raise ValueError(f"{key}: expected a text, not {toml_type(name)}")


def parameter(value: Any) -> str:
    """Return a parameter's value as Pacemaker's text, or as the secret that it is.

    Raises:
        ValueError: it is neither.
    """
    if isinstance(value, Secret):
        return value
    return unread(source(value)) if isinstance(value, Mapping) else text_of(value)


def _said(value: str) -> Any:
    """Say a value as a manifest would: a secret that is not known by its source, a known one by its digest."""
    unknown = isinstance(value, Secret) and not value.known and value.source
    return {str(unknown.place): unknown.name} if unknown else str(value)


Parameter = Annotated[
    str,
    PlainValidator(parameter, json_schema_input_type=bool | int | float | str | FromFile | FromCredential),
    PlainSerializer(_said),
]
_Values = dict[str, Parameter]


class ParameterSet(AttributeSet):
    """One set of values, used where its rule holds; sets with a higher score come first."""

    values: _Values = Field(default_factory=dict, description="Names and values.")

    def __repr_args__(self) -> Iterator[tuple[str | None, Any]]:
        """Give what `repr` shows, without what has the name of a secret."""
        for name, value in super().__repr_args__():
            if name == "values":
                yield name, {key: HIDDEN if looks_secret(key) else text for key, text in value.items()}
            else:
                yield name, value


def _shorthand(sets: tuple[ParameterSet, ...]) -> Any:
    plain = plain_values(sets)
    if plain is None:
        return [item.model_dump(by_alias=True) for item in sets]
    return {name: _said(value) for name, value in plain.items()}


Parameters = Annotated[
    tuple[ParameterSet, ...],
    BeforeValidator(as_sets, json_schema_input_type=_Values | tuple[ParameterSet, ...]),
    AfterValidator(merged),
    PlainSerializer(_shorthand),
]
"""Attribute sets that agents read: their text is never changed, and may be secret."""


def read_parameters(elements: list[ET.Element], named: frozenset[str]) -> tuple[ParameterSet, ...]:
    """Read the parameters of a live object; `named` as for `read_sets`.

    Raises:
        UnsupportedError: one has what no manifest can say.
    """
    return read_sets_as(ParameterSet, elements, named)


def parameters(part: Part) -> Iterator[tuple[str, str, str]]:
    """Yield every parameter in an object: its path (`params.ip`, `operations[0].params.x`), its name, its value."""
    for path, item in located(part, ParameterSet):
        yield from ((f"{_short(path)}.{name}", name, value) for name, value in item.values.items())


def _short(path: str) -> str:
    """Leave out the number of a first set: nearly always it is the only one, which a manifest writes as a table."""
    return path.removesuffix("[0]")


def with_parameters(part: Any, change: Callable[[str, str], str]) -> Any:
    """Return an object with what `change(name, value)` makes of its parameters: itself if it makes nothing of them."""
    changed: dict[str, Any] = {}
    for name in type(part).model_fields:
        value = getattr(part, name)
        if isinstance(value, Part):
            inner: Any = with_parameters(value, change)
        elif isinstance(value, tuple):
            items = tuple(with_parameters(item, change) if isinstance(item, Part) else item for item in value)
            inner = items if any(new is not old for new, old in zip(items, value, strict=True)) else value
        elif name == "values" and isinstance(part, ParameterSet):
            texts = {key: change(key, text) for key, text in value.items()}
            inner = texts if any(texts[key] is not text for key, text in value.items()) else value
        else:
            inner = value
        if inner is not value:
            changed[name] = inner
    return part.model_copy(update=changed) if changed else part
