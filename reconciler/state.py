"""The nouns of state: what is wanted and what is, in the same words. Pure."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cache, lru_cache
from operator import attrgetter
from typing import Any, ClassVar, NamedTuple, Self, TypeVar

from pydantic import BaseModel, ConfigDict, SerializerFunctionWrapHandler, model_serializer

from reconciler.frozen import frozen
from reconciler.secret import Secret

API_VERSION = "ha.reconciler.io/v1alpha1"


class Scope(StrEnum):
    """Where an object lives: in the CIB that all nodes share, on one node, or in the manifests alone.

    The last are what the agents themselves go by: nothing has to be changed for them, and nothing of them is observed.
    """

    CLUSTER = "cluster"
    NODE = "node"
    AGENT = "agent"


CHANGEABLE = (Scope.CLUSTER, Scope.NODE)
"""The scopes in which there is something to change."""


class Ref(NamedTuple):
    """The identity of an object: its kind and its `metadata.name`; prints as `Primitive/vip`.

    A NamedTuple, not a dataclass, because a plan compares and hashes it tens of times for each object.
    """

    kind: str
    name: str

    def __str__(self) -> str:
        return f"{self.kind}/{self.name}"


def dashed(name: str) -> str:
    """Return the manifest's spelling of a model's field: Pacemaker writes `on-fail`, Python `on_fail`."""
    return name.rstrip("_").replace("_", "-")


class Part(BaseModel):
    """A piece of a manifest: immutable, unknown keys are errors, values are canonical after validation.

    Desired and observed objects are the same models, so comparing, showing and verifying are one thing.
    Validation with the context `{"observed": True}` lets through text that Pacemaker holds but a manifest
    may not say, unchanged.
    """

    model_config = ConfigDict(
        frozen=True,
        extra="forbid",
        alias_generator=dashed,
        populate_by_name=False,
        validate_default=False,
        defer_build=True,
        hide_input_in_errors=True,  # an error that nobody catches would print what it was about, passwords too
    )
    IDENTITY: ClassVar[tuple[str, ...]] = ()
    """The fields that give it, or what is in it, an id in the CIB: they say nothing of what it means."""
    REFERRING: ClassVar[tuple[str, ...]] = ()
    """The fields that name whatever has an id in the CIB, an object or what is in one."""

    @model_serializer(mode="wrap")
    def _short(self, whole: SerializerFunctionWrapHandler) -> dict[str, Any]:
        """Leave out what a person would not write either: what is not said and what is empty."""
        return {key: value for key, value in whole(self).items() if value is not None and value not in ((), [], {})}

    @classmethod
    def model_construct(cls, _fields_set: set[str] | None = None, **values: Any) -> Self:
        """Make one of values that are known to be right, by their Python names; what is not said has its default."""
        return _made(cls, _defaults(cls) | values)

    def model_copy(self, *, update: Mapping[str, Any] | None = None, deep: bool = False) -> Self:
        """Return it with other values, by their Python names; itself being immutable, the rest is shared.

        Raises:
            ValueError: a deep copy is asked for, which there is no reason to have.
        """
        if deep:
            raise ValueError("what is immutable needs no deep copy")
        return _made(type(self), {name: getattr(self, name) for name in type(self).model_fields} | dict(update or {}))

    def __eq__(self, other: object) -> bool:
        """Compare by what is said."""
        if type(self) is not type(other):
            return NotImplemented
        said = _said(type(self))
        return bool(said(self) == said(other))

    def __hash__(self) -> int:
        """Hash what is said; of what has tables in it there is no hash."""
        return hash((type(self), _said(type(self))(self)))


class Spec(Part):
    """The `spec` of one kind of object."""


PartT = TypeVar("PartT", bound=Part)

_NOTHING: dict[str, str] = {}
"""The one empty table of all that have one: nobody may change a part of what is immutable."""
_UNSAID: Any = frozenset[str]()


def lean(part: PartT) -> PartT:
    """Return the same in a third of the memory, for thousands of objects are held at a time.

    What pydantic makes has a table of its own for its fields and a set of those that were said. A few texts and parts
    are said again and again (an agent, the name of a node, the same operations); each of them is held once. What was
    said and what is a default cannot be told apart any more (`exclude_unset`).
    """
    return part if _is_lean(part) else _made(type(part), part.__dict__)


def _is_lean(part: Part) -> bool:
    return part.model_fields_set is _UNSAID


def _made(model: type[PartT], values: Mapping[str, Any]) -> PartT:
    part = model.__new__(model)
    put = object.__setattr__
    # One after the other and in one order, so that Python holds the names once for all that are of a class.
    for name, value in values.items():
        put(part, name, _held(value))
    put(part, "__pydantic_fields_set__", _UNSAID)
    put(part, "__pydantic_extra__", None)
    put(part, "__pydantic_private__", None)
    return part


def _held(value: Any) -> Any:
    sort = type(value)
    if sort is str:
        return _same(value)
    if sort is dict:
        return value or _NOTHING
    if sort is tuple and value:
        if any(isinstance(inner, Part) and not _is_lean(inner) for inner in value):
            value = tuple(lean(inner) for inner in value)
        try:
            return _same(value)
        except TypeError:
            return value  # with tables in it, it has no hash, and is hardly said twice
    return lean(value) if isinstance(value, Part) else value


@lru_cache(maxsize=200)
def _same(value: Any) -> Any:
    """Return what is equal to this and was there before, if it was not long ago."""
    return value


@cache
def _defaults(model: type[Part]) -> dict[str, Any]:
    return {name: field.get_default(call_default_factory=True) for name, field in model.model_fields.items()}


@cache
def _said(model: type[Part]) -> Callable[[object], Any]:
    return attrgetter(*model.model_fields) if model.model_fields else type


State = Mapping[Ref, Spec]


@dataclass(frozen=True, slots=True, order=True)
class Rejected:
    """Bad input as a value: which file, which object in it, which field, and what is wrong with it.

    `object` and `field` are empty where the fault is the whole file's or the whole object's.
    """

    file: str
    object: str
    field: str
    message: str

    def __str__(self) -> str:
        return ": ".join(part for part in (self.file, self.object, self.field, self.message) if part)


@dataclass(frozen=True, slots=True, order=True)
class Doubt:
    """What is allowed and hardly meant: which object, which field (`spec.meta.target-rol`), and what is the matter."""

    ref: Ref
    field: str
    message: str

    def __str__(self) -> str:
        return f"{self.ref}: {self.field}: {self.message}"


@frozen
class Desired:
    """What the manifests say: a set of objects, where each was said, and the revision of the texts.

    With `rejected` not empty the set is incomplete and nothing may be applied or deleted because of it. `secrets` are
    the values in it that are never shown, once they have been read. `order` are the names of objects in the order in
    which new ones are to stand in the CIB; others come after those.
    """

    state: State
    revision: str
    files: Mapping[Ref, str] = field(default_factory=dict)
    rejected: tuple[Rejected, ...] = ()
    secrets: tuple[Secret, ...] = ()
    order: tuple[str, ...] = ()
