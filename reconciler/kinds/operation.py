"""An operation of a resource: a `monitor` every 10 seconds, the timeout of a `stop`. Pure."""

from collections.abc import Sequence
from typing import Annotated, Any, Self
from xml.etree import ElementTree as ET

from pydantic import AfterValidator, BeforeValidator, Field, ValidationInfo, field_validator, model_validator

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
from reconciler.kinds.nvset import OPERATION, VERBATIM, AttributeSets, normal, read_sets, write_sets
from reconciler.kinds.rule import Role
from reconciler.state import Part


def _on_fail(text: str) -> str:
    return values.operation_value("on-fail", text, written=True)


Duration = Annotated[
    str, BeforeValidator(text_of), AfterValidator(lambda text, info: canonical(text, values.duration, info))
]
OnFail = Annotated[str, AfterValidator(lambda text, info: canonical(text, _on_fail, info))]
Timeout = Annotated[
    str, BeforeValidator(text_of), AfterValidator(lambda text, info: canonical(text, values.timeout, info))
]
Boolean = Annotated[
    str, BeforeValidator(text_of), AfterValidator(lambda text, info: canonical(text, values.boolean, info))
]


class Operation(Part):
    """One `<op>`. Two operations of a resource differ in name, interval or role."""

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
    params: AttributeSets = Field(default=(), description="Parameters for this operation only, e.g. OCF_CHECK_LEVEL.")
    meta: AttributeSets = Field(default=(), description="Options of this operation that depend on rules.")

    @field_validator("meta")
    @classmethod
    def _canonical_meta(cls, sets: Any, info: ValidationInfo) -> Any:
        return normal(sets, OPERATION, observed=bool(info.context))

    @model_validator(mode="after")
    def _one_start(self, info: ValidationInfo) -> Self:
        if self.start_delay and self.interval_origin and not info.context:
            raise ValueError("has both `start-delay` and `interval-origin`: use one")
        return self

    @property
    def key(self) -> tuple[str, str, str]:
        """What no two operations of a resource share."""
        return self.name, self.interval, self.role or ""


def _sorted(operations: tuple[Operation, ...]) -> tuple[Operation, ...]:
    return tuple(sorted(operations, key=lambda operation: operation.key))


Operations = Annotated[tuple[Operation, ...], AfterValidator(_sorted)]

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

DEFAULT_TIMEOUT = "20s"
"""What Pacemaker allows an operation without a timeout (`PCMK_DEFAULT_ACTION_TIMEOUT_MS` in 2.1.5)."""


def keep_defaults(
    desired: tuple[Operation, ...], live: tuple[Operation, ...], op_defaults: frozenset[str]
) -> tuple[Operation, ...]:
    """Aim for the desired operations in the live words where both mean the same.

    pcs writes down every operation that an agent advertises; one that says no more than Pacemaker's defaults means the
    same as one that is not there.
    """
    if "timeout" in op_defaults:
        return desired
    wanted = {operation.key: operation for operation in desired}
    present = {operation.key: operation for operation in live}
    kept = {key: operation for key, operation in present.items() if key not in wanted and _says_nothing(operation)}
    for key, operation in wanted.items():
        other = present.get(key)
        if other is None and _says_nothing(operation):
            continue
        same = other is not None and _with_default(other) == _with_default(operation)
        kept[key] = other if other is not None and same else operation
    return tuple(sorted(kept.values(), key=lambda operation: operation.key))


def _with_default(operation: Operation) -> Operation:
    return operation if operation.timeout else operation.model_copy(update={"timeout": DEFAULT_TIMEOUT})


def _says_nothing(operation: Operation) -> bool:
    """True for an operation on demand that only repeats Pacemaker's defaults."""
    return _with_default(operation) == Operation.model_construct(name=operation.name, timeout=DEFAULT_TIMEOUT)


def read_operations(containers: Sequence[ET.Element]) -> tuple[Operation, ...]:
    """Read the `<operations>` of a resource, of which the schema allows one.

    Raises:
        UnsupportedError: it has what no manifest can say yet.
    """
    if len(containers) > 1:
        raise UnsupportedError("it has several <operations>")
    found: list[Operation] = []
    for container in containers:
        reader = Reader(container)
        reader.take("id")
        found += [_read(op) for op in reader.elements("op")]
        reader.done()
    return tuple(found)


def _read(op: ET.Element) -> Operation:
    reader = Reader(op)
    reader.take("id")
    fields = {name: reader.take(name.replace("_", "-")) for name in _PLAIN}
    params = read_sets(reader.elements("instance_attributes"))
    meta = read_sets(reader.elements("meta_attributes"))
    name = reader.take("name") or ""
    reader.done()
    return observed(Operation, name=name, params=params, meta=meta, **fields)


def write_operations(owner: str, operations: Sequence[Operation], live: Sequence[ET.Element]) -> list[ET.Element]:
    """Return the `<operations>` container (none if there is nothing to say), keeping live elements where they agree."""
    container = live[0] if live else ET.Element("operations")
    wanted = {operation.key: operation for operation in operations}
    used = {op.get("id") for op in container}
    have = set()
    inner = []
    for op in container:
        if op.tag != "op":
            inner.append(op)
        elif (key := _read(op).key) in wanted:
            inner.append(_write(owner, wanted[key], op, used))
            have.add(key)
    inner += [_write(owner, operation, None, used) for operation in operations if operation.key not in have]
    if live and len(inner) == len(container) and all(new is old for new, old in zip(inner, container, strict=True)):
        return [container]
    written = ET.Element("operations", container.attrib)
    written.extend(inner)
    return [written] if inner else []


def _write(owner: str, operation: Operation, live: ET.Element | None, used: set[str | None]) -> ET.Element:
    if live is not None and _read(live) == operation:
        return live
    old = live.attrib if live is not None else {}
    name = old.get("id") or fresh_id(identifier(owner, operation.name, operation.interval), used)
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
