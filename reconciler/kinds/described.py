"""What resources are described by: a remark, an agent, parameters, meta attributes, operations. Pure."""

from typing import Any, Protocol
from xml.etree import ElementTree as ET

from reconciler.cib import values
from reconciler.kinds.base import Around, Reader
from reconciler.kinds.nvset import META, VERBATIM, AttributeSet, read_sets
from reconciler.kinds.nvset_xml import write_sets
from reconciler.kinds.operation import Operation, keep_defaults, read_operations, write_operations
from reconciler.kinds.parameters import ParameterSet, read_parameters


class _Described(Protocol):
    @property
    def params(self) -> tuple[ParameterSet, ...]: ...
    @property
    def meta(self) -> tuple[AttributeSet, ...]: ...


class _Agent(_Described, Protocol):
    @property
    def agent(self) -> str | None: ...
    @property
    def description(self) -> str | None: ...
    @property
    def utilization(self) -> tuple[AttributeSet, ...]: ...
    @property
    def operations(self) -> tuple[Operation, ...]: ...
    @property
    def operations_id(self) -> str | None: ...
    @property
    def operations_id_ref(self) -> str | None: ...


def read_described(reader: Reader, named: frozenset[str]) -> dict[str, Any]:
    """Read the fields that all resources have; `named` are the ids that something refers to."""
    return {
        "description": reader.take("description"),
        "params": read_parameters(reader.elements("instance_attributes"), named),
        "meta": read_sets(reader.elements("meta_attributes"), named),
    }


def write_described(name: str, spec: _Described, live: ET.Element | None) -> list[ET.Element]:
    """Return the attribute sets that say what all resources are described by."""
    written = []
    for tag, sets, words in (("meta_attributes", spec.meta, META), ("instance_attributes", spec.params, VERBATIM)):
        written += write_sets(tag, name, sets, [] if live is None else live.findall(tag), words)
    return written


def read_agent(reader: Reader, named: frozenset[str]) -> dict[str, Any]:
    """Read the fields that a resource with an agent has, and a template for such."""
    parts = (reader.take("class"), reader.take("provider"), reader.take("type"))
    return {
        "agent": ":".join(part for part in parts if part) or None,
        "utilization": read_sets(reader.elements("utilization"), named),
        **read_described(reader, named),
        **read_operations(reader.elements("operations"), named),
    }


def agent_attributes(spec: _Agent) -> dict[str, str | None]:
    """Return the attributes that say the agent and the remark."""
    attributes = {"description": spec.description}
    if spec.agent is None:
        return attributes
    agent = values.split_agent(spec.agent)
    return {"class_": agent.standard, "provider": agent.provider, "type": agent.type, **attributes}


def write_agent(name: str, spec: _Agent, live: ET.Element | None) -> list[ET.Element]:
    """Return the attribute sets and the operations of a resource with an agent."""

    def old(tag: str) -> list[ET.Element]:
        return [] if live is None else live.findall(tag)

    return [
        *write_described(name, spec, live),
        *write_sets("utilization", name, spec.utilization, old("utilization")),
        *write_operations(name, spec, old("operations")),
    ]


def keep_operations(wanted: Any, live: _Agent | None, around: Around) -> Any:
    """Return the wanted spec with its operations in the live words where both mean the same."""
    if live is None or wanted.operations == live.operations:
        return wanted
    operations = keep_defaults(wanted.operations, live.operations, around.op_defaults)
    return wanted.model_copy(update={"operations": operations})
