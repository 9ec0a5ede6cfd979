"""The CIB as read: its version, its nodes, and its elements by id. Pure; knows no kinds.

Sources: `cib` attributes and sections as in Pacemaker's schemas (`/usr/share/pacemaker/*.rng`), `cibadmin --query`.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from xml.etree import ElementTree as ET

RESOURCES = frozenset({"primitive", "group", "clone", "master", "bundle"})
"""Elements that are resources, wherever they stand."""

CONTAINERS = RESOURCES - {"primitive"}

NAMED_BY_ID = frozenset({"resource_ref", "obj_ref", "role"})
"""Elements whose id is that of another element."""

NAMED_APART = {"node": "node", "acl_target": "acl_target", "acl_user": "acl_target"}
"""Elements whose id is a name of its own sort, so that another element may have the same, and what tells them apart."""


LOST = re.compile("[\x00-\x1f\x7f\ufffe\uffff]")
"""In attribute values: control characters are no XML, and line breaks and tabs Pacemaker 2.1 writes as other text
(`crm_xml_escape` in `lib/common/xml.c`)."""


class CibError(ValueError):
    """The text is not a CIB: cut off, not XML, or another document."""


@dataclass(frozen=True, slots=True, order=True)
class Version:
    """Pacemaker's three counters, ordered as Pacemaker compares them. Status updates move only the last."""

    admin_epoch: int
    epoch: int
    num_updates: int

    def __str__(self) -> str:
        return f"{self.admin_epoch}.{self.epoch}.{self.num_updates}"

    @property
    def configuration(self) -> tuple[int, int]:
        """The part that only configuration changes move."""
        return self.admin_epoch, self.epoch


def children(element: ET.Element | None) -> Iterator[ET.Element]:
    """Yield the child elements, without comments and processing instructions."""
    if element is not None:
        for child in element:
            if isinstance(child.tag, str):
                yield child


def key(element: ET.Element) -> str:
    """Return an element's id; of those that are named apart with their tag before it, which no XML id can be."""
    name = element.get("id", "")
    apart = NAMED_APART.get(str(element.tag))
    return f"{apart}:{name}" if apart else name


class Cib:
    """A CIB document, read-only. Elements must not be changed: edits are made on copies (see `draft`)."""

    def __init__(self, text: str, root: ET.Element) -> None:
        self.text = text
        self.root = root
        configuration = root.find("configuration")
        if configuration is None:
            raise CibError("the CIB has no <configuration>")
        self.configuration = configuration

    def sharing(self, other: "Cib") -> "Cib":
        """Return this CIB with the other's configuration elements, which must say the same."""
        shared = ET.Element(self.root.tag, self.root.attrib)
        shared.extend(other.configuration if part is self.configuration else part for part in self.root)
        return Cib(self.text, shared)

    @cached_property
    def version(self) -> Version:
        """The counters; a missing or odd one counts as 0, as in Pacemaker."""
        return Version(*(_integer(self.root.get(name)) for name in ("admin_epoch", "epoch", "num_updates")))

    @cached_property
    def feature_set(self) -> tuple[int, ...]:
        """The `crm_feature_set`, comparable: (3, 16, 2)."""
        return tuple(int(part) for part in self.root.get("crm_feature_set", "").split(".") if part.isdigit())

    @property
    def have_quorum(self) -> bool | None:
        """What Pacemaker says of quorum; None where the document does not say (a CIB file)."""
        said = self.root.get("have-quorum")
        return None if said is None else said == "1"

    @cached_property
    def dc(self) -> str | None:
        """The DC's node name, or None while there is none."""
        uuid = self.root.get("dc-uuid")
        return self.unames.get(uuid, uuid) if uuid else None

    @cached_property
    def unames(self) -> Mapping[str, str]:
        """Node names by node id."""
        return {node.get("id", ""): node.get("uname", "") for node in self.objects("nodes")}

    def objects(self, section: str) -> Iterator[ET.Element]:
        """Yield the elements directly inside a section of the configuration (`resources`, `constraints`, …)."""
        yield from children(self.configuration.find(section))

    @cached_property
    def by_id(self) -> Mapping[str, ET.Element]:
        """Every element of the configuration that has an id of its own, by its key (see `key`)."""
        elements = (element for element in self.configuration.iter() if element.tag not in NAMED_BY_ID)
        return {key(element): element for element in elements if element.get("id")}


def _integer(text: str | None) -> int:
    try:
        return int(text or 0)
    except ValueError:
        return 0


def parse(text: str) -> Cib:
    """Read a CIB from the text that `cibadmin --query` prints, or that a CIB file holds; comments are kept.

    Raises:
        CibError: the text is not XML, not a `<cib>`, or has no configuration.
    """
    parser = ET.XMLParser(target=ET.TreeBuilder(insert_comments=True))
    try:
        root = ET.fromstring(text, parser)
    except ET.ParseError as error:
        raise CibError(f"not well-formed XML: {error}") from error
    if root.tag != "cib":
        raise CibError(f"the document is a <{root.tag}>, not a <cib>")
    return Cib(text, root)


def serialize(root: ET.Element) -> str:
    """Return the document as indented text, as `cibadmin --query` prints it. The element itself is left as it is."""
    lines: list[str] = []
    _write(root, 0, lines)
    return "\n".join(lines) + "\n"


_ESCAPES = str.maketrans(
    {"&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "\n": "&#10;", "\r": "&#13;", "\t": "&#9;"}
)


_ESCAPED = re.compile('[&<>"\\n\\r\\t]').search


def _write(element: ET.Element, depth: int, lines: list[str]) -> None:
    indent = "  " * depth
    if not isinstance(element.tag, str):
        lines.append(f"{indent}<!--{element.text or ''}-->")
        return
    # Few values have anything to escape, and a search is faster than a translation.
    escaped = [(name, value.translate(_ESCAPES) if _ESCAPED(value) else value) for name, value in element.items()]
    attributes = "".join([f' {name}="{value}"' for name, value in escaped])
    text = (element.text or "").strip()
    if len(element):
        lines.append(f"{indent}<{element.tag}{attributes}>")
        if text:
            lines.append(f"{indent}  {text.translate(_ESCAPES)}")
        for child in element:
            _write(child, depth + 1, lines)
        lines.append(f"{indent}</{element.tag}>")
    elif text:
        lines.append(f"{indent}<{element.tag}{attributes}>{text.translate(_ESCAPES)}</{element.tag}>")
    else:
        lines.append(f"{indent}<{element.tag}{attributes}/>")
