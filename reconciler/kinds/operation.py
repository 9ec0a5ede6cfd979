"""An operation of a resource: a `monitor` every 10 seconds, the timeout of a `stop`. Pure."""

from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import Annotated, Any, Protocol, Self
from xml.etree import ElementTree as ET

from pydantic import AfterValidator, BeforeValidator, Field, ValidationInfo, model_validator

from reconciler.cib import values
from reconciler.kinds.base import (
    Reader,
    Remark,
    UnsupportedError,
    arrange,
    canonical,
    element,
    fresh_id,
    identifier,
    keep_spelling,
    observed,
    text_of,
)
from reconciler.kinds.nvset import OPERATION, VERBATIM, OperationOptions, read_sets
from reconciler.kinds.nvset_xml import write_sets
from reconciler.kinds.parameters import Parameters, read_parameters
from reconciler.kinds.rule import Role
from reconciler.kinds.written import Written
from reconciler.state import Part


def _on_fail(text: str) -> str:
    return values.operation_value("on-fail", text, written=True)


Duration = Annotated[
    str,
    BeforeValidator(text_of),
    AfterValidator(lambda text, info: canonical(text, values.duration, info)),
    Written("Duration"),
]
OnFail = Annotated[str, AfterValidator(lambda text, info: canonical(text, _on_fail, info)), Written("OnFail")]
Timeout = Annotated[
    str,
    BeforeValidator(text_of),
    AfterValidator(lambda text, info: canonical(text, values.timeout, info)),
    Written("Timeout"),
]
Boolean = Annotated[
    str,
    BeforeValidator(text_of),
    AfterValidator(lambda text, info: canonical(text, values.boolean, info)),
    Written("Boolean"),
]


class Operation(Part):
    """One `<op>`. Two operations of a resource differ in name, interval or role."""

    IDENTITY = ("id",)

    name: str = Field(description="What the agent is asked to do: start, stop, monitor, promote, demote, …")
    interval: Duration = Field(default="0s", description="How often; 0s for an operation that is done on demand.")
    timeout: Timeout | None = Field(default=None, description="How long it may take before it counts as failed.")
    role: Role | None = Field(default=None, description="A recurring monitor is run only for instances in this role.")
    on_fail: OnFail | None = Field(
        default=None, description="ignore, block, stop, restart, standby, fence, demote or restart-container."
    )
    enabled: Boolean | None = Field(default=None, description="false switches a recurring operation off.")
    start_delay: Timeout | None = Field(default=None, description="Wait so long before the first run.")
    interval_origin: str | None = Field(default=None, description="A date from which the intervals are counted.")
    record_pending: Boolean | None = Field(default=None, description="Record that the operation is under way.")
    requires: str | None = Field(default=None, description="nothing, quorum, fencing or unfencing (deprecated).")
    description: Remark = Field(default=None, description="A remark.")
    params: Parameters = Field(default=(), description="Parameters for this operation only, e.g. OCF_CHECK_LEVEL.")
    meta: OperationOptions = Field(default=(), description="Options of this operation that depend on rules.")
    id: str | None = Field(default=None, description="Its id, where something refers to it.")

    @model_validator(mode="after")
    def _one_start(self, info: ValidationInfo) -> Self:
        if self.start_delay and self.interval_origin and not info.context:
            raise ValueError("has both `start-delay` and `interval-origin`: use one")
        return self

    @property
    def key(self) -> tuple[str, str, str]:
        """What no two operations of a resource share."""
        return self.name, self.interval, self.role or ""


def duplicates(operations: Iterable[Operation]) -> tuple[tuple[Operation, Operation], ...]:
    """Return recurring operations with one that has their name and interval, and another role.

    crm_verify refuses such a configuration (`is_op_dup` in Pacemaker 2.1.5): it tells operations apart by name and
    interval only.
    """
    first: dict[tuple[str, str], Operation] = {}
    found = []
    for operation in operations:
        if operation.interval not in ("0s", "0") and operation.enabled != "false":
            other = first.setdefault((operation.name, operation.interval), operation)
            found += [(other, operation)] if other is not operation else []
    return tuple(found)


def why_duplicate(first: Operation, second: Operation) -> str:
    """Say what is the matter with such two."""
    roles = " and ".join(f"role {operation.role}" if operation.role else "no role" for operation in (first, second))
    return (
        f"two operations {first.name} of the same interval {first.interval}, with {roles}: Pacemaker calls the "
        "second a duplicate and crm_verify an error; give each an interval of its own, such as 10s and 11s"
    )


def _sorted(operations: tuple[Operation, ...]) -> tuple[Operation, ...]:
    return tuple(sorted(operations, key=lambda operation: operation.key))


Operations = Annotated[tuple[Operation, ...], AfterValidator(_sorted)]
OperationsId = Annotated[str | None, Field(description="The id of the operations as a whole, where others use them.")]
OperationsIdRef = Annotated[str | None, Field(description="Instead of operations: those that have this id.")]

_PLAIN = {
    "interval": values.duration,
    "timeout": values.timeout,
    "role": values.role,
    "on_fail": _on_fail,
    "enabled": values.boolean,
    "start_delay": values.timeout,
    "interval_origin": None,
    "record_pending": values.boolean,
    "requires": None,
    "description": None,
}
"""The attributes of an `<op>` apart from id and name, and what gives each its canonical form."""

_DEFAULTS = {"timeout": "20s", "enabled": "true", "start_delay": "0s"}
"""What Pacemaker takes where an operation says nothing (`PCMK_DEFAULT_ACTION_TIMEOUT_MS` in 2.1.5)."""


def keep_defaults(
    desired: tuple[Operation, ...], live: tuple[Operation, ...], op_defaults: frozenset[str]
) -> tuple[Operation, ...]:
    """Aim for the desired operations in the live words where both mean the same.

    pcs writes down every operation that an agent advertises; one that says no more than Pacemaker's defaults means the
    same as one that is not there. A default that `op_defaults` sets is not Pacemaker's any more.
    """
    defaults = {name: value for name, value in _DEFAULTS.items() if name.replace("_", "-") not in op_defaults}

    def full(operation: Operation) -> Operation:
        missing = {name: value for name, value in defaults.items() if getattr(operation, name) is None}
        return operation.model_copy(update=missing)

    def says_nothing(operation: Operation) -> bool:
        """True for an operation on demand that only repeats Pacemaker's defaults."""
        return full(operation) == Operation.model_construct(name=operation.name).model_copy(update=defaults)

    wanted = {operation.key: operation for operation in desired}
    present = {operation.key: operation for operation in live}
    kept = {key: operation for key, operation in present.items() if key not in wanted and says_nothing(operation)}
    for key, operation in wanted.items():
        other = present.get(key)
        if other is None and says_nothing(operation):
            continue
        same = other is not None and full(other) == full(operation)
        kept[key] = other if other is not None and same else operation
    return tuple(sorted(kept.values(), key=lambda operation: operation.key))


def read_operations(containers: Sequence[ET.Element], named: frozenset[str]) -> dict[str, Any]:
    """Read the `<operations>` of a resource, of which the schema allows one, as the fields of its kind.

    Raises:
        UnsupportedError: it has what no manifest can say.
    """
    if len(containers) > 1:
        raise UnsupportedError("it has several <operations>")
    if not containers:
        return {}
    reader = Reader(containers[0])
    name, reference = reader.take("id"), reader.take("id-ref")
    found = tuple(_read(op, named) for op in reader.elements("op"))
    reader.done()
    own = name if name in named else None
    return {"operations": found, "operations_id": own, "operations_id_ref": reference}


def _read(op: ET.Element, named: frozenset[str] = frozenset()) -> Operation:
    if len(op) or op.get("id") in named:
        return _read_whole(op, named)
    return _read_plain(frozenset((name, value) for name, value in op.items() if name != "id"))


@lru_cache(maxsize=1000)
def _read_plain(attributes: frozenset[tuple[str, str]]) -> Operation:
    """Read an operation of which its attributes say all: a large cluster has the same few thousands of times."""
    return _read_whole(ET.Element("op", dict(attributes)), frozenset())


def _read_whole(op: ET.Element, named: frozenset[str]) -> Operation:
    reader = Reader(op)
    own = reader.take("id")
    fields = {name: reader.take(name.replace("_", "-")) for name in _PLAIN}
    params = read_parameters(reader.elements("instance_attributes"), named)
    meta = read_sets(reader.elements("meta_attributes"), named)
    name = reader.take("name") or ""
    reader.done()
    return observed(Operation, name=name, params=params, meta=meta, id=own if own in named else None, **fields)


class _WithOperations(Protocol):
    """A spec with operations."""

    @property
    def operations(self) -> tuple[Operation, ...]: ...
    @property
    def operations_id(self) -> str | None: ...
    @property
    def operations_id_ref(self) -> str | None: ...


def check_operations(spec: _WithOperations) -> None:
    """Refuse what a manifest may not say of operations.

    Raises:
        ValueError: two of them are the same, or there are some beside a reference, which Pacemaker would not look at.
    """
    keys = [operation.key for operation in spec.operations]
    twice = next((key for key in keys if keys.count(key) > 1), None)
    if twice:
        raise ValueError(f"two operations {twice[0]} with interval {twice[1]}")
    if spec.operations_id_ref and (keys or spec.operations_id):
        raise ValueError("has `operations-id-ref`: the operations that it refers to say all else")


def write_operations(owner: str, spec: _WithOperations, live: Sequence[ET.Element]) -> list[ET.Element]:
    """Return the `<operations>` container (none if there is nothing to say), keeping live elements where they agree."""
    container = live[0] if live else ET.Element("operations")
    own = element(
        "operations", container, id=spec.operations_id or container.get("id"), id_ref=spec.operations_id_ref
    ).attrib
    wanted = {operation.key: operation for operation in spec.operations}
    used = {op.get("id") for op in container}
    have = set()
    inner = []
    for op in container:
        if op.tag != "op":
            inner.append(op)
        elif (key := _read(op).key) in wanted:
            inner.append(_write(owner, wanted[key], op, used))
            have.add(key)
    inner += [_write(owner, operation, None, used) for operation in spec.operations if operation.key not in have]
    same = own == container.attrib and len(inner) == len(container)
    if live and same and all(new is old for new, old in zip(inner, container, strict=True)):
        return [container]
    written = ET.Element("operations", own)
    written.extend(inner)
    return [written] if inner or spec.operations_id or spec.operations_id_ref else []


def _write(owner: str, operation: Operation, live: ET.Element | None, used: set[str | None]) -> ET.Element:
    if live is not None and _read(live) == operation:
        return live
    old = live.attrib if live is not None else {}
    name = operation.id or old.get("id") or fresh_id(identifier(owner, operation.name, operation.interval), used)
    fields = {
        field: keep_spelling(old.get(field.replace("_", "-")), getattr(operation, field), form)
        if form
        else getattr(operation, field)
        for field, form in _PLAIN.items()
    }
    written = element("op", live, id=name, name=operation.name, **fields)
    sets = list(live) if live is not None else []
    for tag, items, words in (
        ("meta_attributes", operation.meta, OPERATION),
        ("instance_attributes", operation.params, VERBATIM),
    ):
        written.extend(write_sets(tag, name, items, [item for item in sets if item.tag == tag], words))
    return arrange(written, live)
