"""What a reader of another configuration language gives: a CIB, what it could not read, what to know. Pure."""

import re
from collections.abc import Mapping, Sequence
from xml.etree import ElementTree as ET

from reconciler.cib.document import Cib, parse, serialize
from reconciler.frozen import frozen
from reconciler.secret import looks_secret

SCHEMA = "pacemaker-3.9"
"""The schema of the CIBs that readers make; nothing that they write is newer."""

SECTIONS = (
    "crm_config", "nodes", "resources", "constraints", "rsc_defaults", "op_defaults",
    "acls", "fencing-topology", "tags", "alerts",
)  # fmt: skip
_ALWAYS = frozenset({"crm_config", "nodes", "resources", "constraints"})


class StatementError(ValueError):
    """A statement cannot be read; the message says why and what was expected."""


@frozen
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


@frozen
class Remark:
    """What a person should know of an object that was read, or what the text itself remarks.

    Attributes:
        name: the key of its element in the CIB (see `document.key`), or of one in the section that is the object; the
            section's name where that has no ids; empty for what concerns the whole.
        text: one or more sentences.
    """

    name: str
    text: str


@frozen
class Reading:
    """What was read: a CIB without status, every fault, and remarks in the order of the text."""

    cib: Cib
    faults: tuple[Fault, ...]
    remarks: tuple[Remark, ...]


_UNREADABLE = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")


def check_characters(text: str) -> None:
    """Insist that a statement has only characters that XML can hold.

    Raises:
        StatementError: it has another.
    """
    if match := _UNREADABLE.search(text):
        raise StatementError(f"has the character {match[0]!r}, which no CIB can hold")


_LONGEST = 60
_ASSIGNED = re.compile(r"([\w.-]+)=")
_VALUE = re.compile(r"""(?:"(?:\\[\s\S]|[^"\\])*(?:"|\\?\Z)|'[^']*(?:'|\Z)|[^\s"'])*""")
_XML_VALUE = "value"


def fault(line: int, statement: str, message: str) -> Fault:
    """Return the fault of a statement, with no value in it that may be a secret."""
    said = " ".join(concealed(statement[: 4 * _LONGEST]).split())
    return Fault(line, f"{said[:_LONGEST].rstrip()} …" if len(said) > _LONGEST else said, concealed(message))


def concealed(text: str) -> str:
    """Return the text without the values of what looks like a secret by its name, and of pairs in XML."""
    result, position = "", 0
    for match in _ASSIGNED.finditer(text):
        value = _VALUE.match(text, match.end())
        if match.start() >= position and value and (match[1] == _XML_VALUE or looks_secret(match[1])):
            result += f"{text[position : match.end()]}…"
            position = value.end()
    return result + text[position:]


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
