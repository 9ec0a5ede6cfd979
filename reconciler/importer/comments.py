"""What people have written into a CIB as XML comments, of which crm makes its own: object by object. Pure."""

from collections.abc import Iterator
from xml.etree import ElementTree as ET
from xml.parsers import expat

from reconciler.cib.document import RESOURCES, Cib, key
from reconciler.kinds import CLUSTER_KINDS
from reconciler.reading import Remark

_BEGIN = "<!--"
_SECTION = 3
"""How deep an element such as `<resources>` is, which objects are in."""

_OBJECTS = frozenset(kind.section for kind in CLUSTER_KINDS.values() if not kind.tags)
"""Sections that are an object themselves."""


def comments(cib: Cib) -> Iterator[Remark]:
    """Yield the comments of the configuration with the object that they are about.

    One inside an object is about that, one between objects about the next, any other about the whole. Of a document
    without a text there are none.
    """
    if cib.mentions(_BEGIN) and cib.text:
        reader = _Reader()
        reader.read(cib.text)
        yield from reader.found


class _Reader:
    """Follows a document from tag to tag; no tree of it is made."""

    def __init__(self) -> None:
        self.found: list[Remark] = []
        self._path: list[ET.Element] = []
        self._waiting: list[str] = []

    def read(self, text: str) -> None:
        parser = expat.ParserCreate()
        parser.StartElementHandler = self._start
        parser.EndElementHandler = self._end
        parser.CommentHandler = self._comment
        parser.Parse(text, True)

    def _start(self, tag: str, attributes: dict[str, str]) -> None:
        self._path.append(ET.Element(tag, attributes))
        if len(self._path) == _SECTION + 1:
            self._tell(_about(self._path))

    def _end(self, _tag: str) -> None:
        if len(self._path) == _SECTION:
            self._tell("")
        self._path.pop()

    def _comment(self, said: str) -> None:
        text = _plain(said)
        if not text or [element.tag for element in self._path[1:2]] != ["configuration"]:
            return
        self._waiting.append(text)
        if len(self._path) != _SECTION:
            self._tell(_about(self._path))

    def _tell(self, name: str) -> None:
        self.found += [Remark(name, text) for text in self._waiting]
        self._waiting.clear()


def _about(path: list[ET.Element]) -> str:
    """Name the object that elements inside each other lead to, as a remark does; empty if they lead to none."""
    if len(path) <= _SECTION:
        return ""
    section, outermost, *inside = path[_SECTION - 1 :]
    if section.tag in _OBJECTS:
        return str(section.tag)
    resources = [element for element in inside if element.tag in RESOURCES]
    return key(resources[-1] if resources else outermost)


def _plain(said: str) -> str:
    """Return a comment as one line, without the mark that crm keeps in it."""
    printable = "".join(letter if letter.isprintable() else " " for letter in said)
    return " ".join(printable.split()).lstrip("#").strip()
