"""The CIB as read: its version, its nodes, and its elements by id. Pure; knows no kinds.

Sources: `cib` attributes and sections as in Pacemaker's schemas (`/usr/share/pacemaker/*.rng`), `cibadmin --query`.
"""

import re
from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from types import MappingProxyType
from xml.etree import ElementTree as ET

from reconciler.cib import pieces
from reconciler.cib.source import Source, in_chunks

RESOURCES = frozenset({"primitive", "group", "clone", "master", "bundle"})
"""Elements that are resources, wherever they stand."""

CONTAINERS = RESOURCES - {"primitive"}

NAMED_BY_ID = frozenset({"resource_ref", "obj_ref", "role", "role_ref"})
"""Elements whose id is that of another element."""

NAMED_APART = {"node": "node", "acl_target": "acl_target", "acl_user": "acl_target"}
"""Elements whose id is a name of its own sort, so that another element may have the same, and what tells them apart."""


LOST = re.compile("[\x00-\x1f\x7f\ufffe\uffff]")
"""In attribute values: control characters are no XML, and line breaks and tabs Pacemaker 2.1 writes as other text
(`crm_xml_escape` in `lib/common/xml.c`)."""


_MANY = 99
_NO_CONFIGURATION = "the CIB has no <configuration>"


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


def feature_set(attributes: Mapping[str, str]) -> tuple[int, ...]:
    """Return the `crm_feature_set` of a `<cib>`, comparable: (3, 16, 2); empty where it has none."""
    return tuple(int(part) for part in attributes.get("crm_feature_set", "").split(".") if part.isdigit())


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
    """A CIB document, read-only. Elements must not be changed: edits are made on copies (see `draft`).

    A tree of elements takes ten times the memory of its text; one is made when somebody asks for it.
    """

    def __init__(
        self,
        text: str | Source,
        root: ET.Element | None = None,
        attributes: Mapping[str, str] = MappingProxyType({}),
        twin: "Cib | None" = None,
    ) -> None:
        """Take a document as a tree, or one that `parse` has found to be a CIB as a text.

        Args:
            text: the document, as a text or its source; may be empty where there is a tree.
            root: its tree.
            attributes: those of its element, where there is no tree.
            twin: another CIB with the same configuration, to have the same elements for it.

        Raises:
            CibError: the tree has no configuration.
        """
        self._source = Source(text) if isinstance(text, str) else text
        self.attributes = attributes if root is None else root.attrib
        self._tree = root
        self._twin = twin
        if root is not None and root.find("configuration") is None:
            raise CibError(_NO_CONFIGURATION)

    @property
    def text(self) -> str:
        """The document as it was read; empty if it is only there as a tree."""
        return self._source.text

    def chunks(self) -> Iterator[str]:
        """Yield the document as it was read, piece by piece; nothing if it is only there as a tree."""
        if self._source:
            yield from self._source.chunks()

    @cached_property
    def root(self) -> ET.Element:
        """The element `<cib>`."""
        if self._tree is not None:
            return self._tree
        parser = ET.XMLParser(target=ET.TreeBuilder(insert_comments=True))
        root = ET.fromstring(pieces.dense(self.text), parser)
        if self._twin is None:
            return root
        shared = ET.Element(root.tag, root.attrib)
        shared.extend(self._twin.configuration if part.tag == "configuration" else part for part in root)
        return shared

    @cached_property
    def configuration(self) -> ET.Element:
        """The element `<configuration>`."""
        if self._twin is not None:
            return self._twin.configuration
        found = self.root.find("configuration")
        if found is None:
            raise CibError(_NO_CONFIGURATION)
        return found

    def sharing(self, other: "Cib") -> "Cib":
        """Return this CIB with the other's configuration elements, which must say the same."""
        # Not of the one that shares them too: else a quiet cluster would be a chain of all the CIBs there ever were.
        return Cib(self._source, attributes=self.attributes, twin=other._twin or other)  # noqa: SLF001

    @property
    def has_tree(self) -> bool:
        """Tell whether somebody has asked for the elements of the configuration."""
        return self._tree is not None or "root" in vars(self) or (self._twin is not None and self._twin.has_tree)

    def pieces(self, whole: Container[str] = (), listed: str = "") -> Iterator[tuple[str, ET.Element | None]]:
        """Yield what stands in the sections of the configuration, with the section's tag.

        When a section begins, None is yielded. One in `whole` is an object itself: of it nothing else is yielded but
        the section. Elements are only there until the next is asked for. Of the tag whose id is `listed` it may be
        that only the ids of what is in it are there, as the words of its text.
        """
        if not self.has_tree:
            yield from pieces.pieces(self._source.chunks(), whole, listed)
            return
        for section in children(self.configuration):
            yield str(section.tag), None
            for element in (section,) if section.tag in whole else children(section):
                yield str(section.tag), element

    def parts(self, *tags: str) -> Iterator[tuple[Sequence[str], ET.Element]]:
        """Yield every element with one of these tags, without what is in it, and the tags of what it is in."""
        yield from pieces.parts(self._source.chunks() if self._source else [serialize(self.root)], tags)

    def outline(self, section: str) -> "Cib":
        """Return the CIB with nothing in its configuration but this section, and everything in its place."""
        if self.has_tree:
            return self
        return Cib("", pieces.outline(self._source.chunks(), section))

    def mentions(self, word: str) -> int:
        """Return how often a word is in the text; more than once of a document of which there is none."""
        return self._source.count(word) if self._source else _MANY

    def may_say(self, pattern: re.Pattern[str]) -> bool:
        """Tell whether it is worth looking for a word; True of a document of which there is no text."""
        return not self._source or self._source.has(pattern)

    def peek(self, section: str) -> list[ET.Element]:
        """Return what is in a section, only to be read: the elements need not be those of the tree."""
        if self.has_tree:
            return list(self.objects(section))
        found = (element for tag, element in self.pieces({section}) if tag == section and element is not None)
        return list(children(next(found, None)))

    @cached_property
    def version(self) -> Version:
        """The counters; a missing or odd one counts as 0, as in Pacemaker."""
        return Version(*(_integer(self.attributes.get(name)) for name in ("admin_epoch", "epoch", "num_updates")))

    @cached_property
    def feature_set(self) -> tuple[int, ...]:
        """The `crm_feature_set`, comparable: (3, 16, 2)."""
        return feature_set(self.attributes)

    @property
    def have_quorum(self) -> bool | None:
        """What Pacemaker says of quorum; None where the document does not say (a CIB file)."""
        said = self.attributes.get("have-quorum")
        return None if said is None else said == "1"

    @cached_property
    def dc(self) -> str | None:
        """The DC's node name, or None while there is none."""
        uuid = self.attributes.get("dc-uuid")
        return self.unames.get(uuid, uuid) if uuid else None

    @cached_property
    def unames(self) -> Mapping[str, str]:
        """Node names by node id."""
        return {node.get("id", ""): node.get("uname", "") for node in self.peek("nodes")}

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
    return read(in_chunks(text))


def read(chunks: Iterable[str]) -> Cib:
    """Read a CIB from a text that comes piece by piece, as `parse` does from the whole.

    Raises:
        CibError: see `parse`.
    """
    source = Source()
    try:
        tag, attributes, has_configuration = pieces.head(source.taking(chunks))
    except pieces.XmlError as error:
        raise CibError(str(error)) from error
    if tag != "cib":
        raise CibError(f"the document is a <{tag}>, not a <cib>")
    if not has_configuration:
        raise CibError(_NO_CONFIGURATION)
    return Cib(source, attributes=attributes)


def serialize(root: ET.Element) -> str:
    """Return the document as indented text, as `cibadmin --query` prints it. The element itself is left as it is."""
    lines: list[str] = []
    _write(root, 0, lines)
    return "\n".join(lines) + "\n"


_ESCAPES = str.maketrans(
    {"&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "\n": "&#10;", "\r": "&#13;", "\t": "&#9;"}
)


_LINES = 2000

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
            if len(lines) > _LINES:
                lines[:] = ["\n".join(lines)]  # one text takes half as much as its lines
        lines.append(f"{indent}</{element.tag}>")
    elif text:
        lines.append(f"{indent}<{element.tag}{attributes}>{text.translate(_ESCAPES)}</{element.tag}>")
    else:
        lines.append(f"{indent}<{element.tag}{attributes}/>")
