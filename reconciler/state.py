"""The nouns of state: what is wanted and what is, in the same words. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, ClassVar, NamedTuple

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


class Spec(Part):
    """The `spec` of one kind of object."""


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
