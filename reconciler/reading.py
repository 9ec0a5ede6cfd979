"""What a reader of another configuration language gives: a CIB, what it could not read, what to know. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from xml.etree import ElementTree as ET

from reconciler.cib.document import Cib, parse, serialize

SCHEMA = "pacemaker-3.9"
"""The schema of the CIBs that readers make; nothing that they write is newer."""

SECTIONS = (
    "crm_config", "nodes", "resources", "constraints", "rsc_defaults", "op_defaults",
    "acls", "fencing-topology", "tags", "alerts",
)  # fmt: skip
_ALWAYS = frozenset({"crm_config", "nodes", "resources", "constraints"})


class StatementError(ValueError):
    """A statement cannot be read; the message says why and what was expected."""


@dataclass(frozen=True, slots=True)
class Fault:
    """A statement that could not be read, or not wholly.

    Attributes:
        line: the number of the line that it begins on, counted from 1.
        statement: its beginning.
        message: what is wrong with it, and what was made of it.
    """

    line: int
    statement: str
    message: str

    def __str__(self) -> str:
        return f"line {self.line}: {self.statement}: {self.message}"


@dataclass(frozen=True, slots=True)
class Remark:
    """What a person should know of an object that was read, or what the text itself remarks.

    Attributes:
        name: the object's id in the CIB; empty for what concerns the whole.
        text: one or more sentences.
    """

    name: str
    text: str


@dataclass(frozen=True, slots=True)
class Reading:
    """What was read: a CIB without status, every fault, and remarks in the order of the text."""

    cib: Cib
    faults: tuple[Fault, ...]
    remarks: tuple[Remark, ...]


_LONGEST = 60


def excerpt(statement: str) -> str:
    """Return the beginning of a statement on one line, as faults show it."""
    text = " ".join(statement[: 4 * _LONGEST].split())
    return f"{text[:_LONGEST].rstrip()} …" if len(text) > _LONGEST else text


def configuration(sections: Mapping[str, Sequence[ET.Element]]) -> ET.Element:
    """Return a `<configuration>` with these elements in its sections."""
    whole = ET.Element("configuration")
    for name in SECTIONS:
        if name in _ALWAYS or sections.get(name):
            ET.SubElement(whole, name).extend(sections.get(name, ()))
    return whole


def document(whole: ET.Element) -> Cib:
    """Return the CIB with this `<configuration>`, without status.

    Raises:
        CibError: it holds what no XML can.
    """
    root = ET.Element("cib", {"validate-with": SCHEMA, "admin_epoch": "0", "epoch": "1", "num_updates": "0"})
    root.append(whole)
    ET.SubElement(root, "status")
    return parse(serialize(root))
