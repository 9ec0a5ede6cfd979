"""What all resources are described by: a remark, parameters, meta attributes. Pure."""

from typing import Any, Protocol
from xml.etree import ElementTree as ET

from reconciler.kinds.base import Reader
from reconciler.kinds.nvset import META, VERBATIM, AttributeSet, read_sets
from reconciler.kinds.nvset_xml import write_sets


class _Described(Protocol):
    """A spec with parameters and meta attributes."""

    @property
    def params(self) -> tuple[AttributeSet, ...]: ...
    @property
    def meta(self) -> tuple[AttributeSet, ...]: ...


def read_described(reader: Reader, named: frozenset[str]) -> dict[str, Any]:
    """Read the fields that all resources have; `named` are the ids that something refers to."""
    return {
        "description": reader.take("description"),
        "params": read_sets(reader.elements("instance_attributes"), named),
        "meta": read_sets(reader.elements("meta_attributes"), named),
    }


def write_described(name: str, spec: _Described, live: ET.Element | None) -> list[ET.Element]:
    """Return the attribute sets that say what all resources are described by."""
    written = []
    for tag, sets, words in (("meta_attributes", spec.meta, META), ("instance_attributes", spec.params, VERBATIM)):
        written += write_sets(tag, name, sets, [] if live is None else live.findall(tag), words)
    return written
