"""What people have written into a CIB as XML comments, of which crm makes its own: object by object. Pure."""

from collections.abc import Iterable, Iterator
from xml.etree import ElementTree as ET
from xml.parsers import expat

from reconciler.cib.document import RESOURCES, Cib, key
from reconciler.kinds import CLUSTER_KINDS
from reconciler.reading import Remark, concealed

_BEGIN = "<!--"
_SECTION = 3
"""How deep an element such as `<resources>` is, which objects are in."""

_OBJECTS = frozenset(kind.section for kind in CLUSTER_KINDS.values() if not kind.tags)
"""Sections that are an object themselves."""


def comments(cib: Cib) -> Iterator[Remark]:
    """Yield the comments of a CIB, but for those of its status, with the object that they are about.

    One before an object is about that, else one inside an object about that, any other about the whole, as are those
    around the configuration. What looks like a secret in them is left out. Of a document without a text there are none.
    """
    if cib.mentions(_BEGIN):
        reader = _Reader()
        reader.read(cib.chunks())
        yield from reader.found


class _Reader:
    """Follows a document from tag to tag; no tree of it is made."""

    def __init__(self) -> None:
        self.found: list[Remark] = []
        self._path: list[ET.Element] = []
        self._waiting: list[str] = []

    def read(self, chunks: Iterable[str]) -> None:
        parser = expat.ParserCreate()
        parser.StartElementHandler = self._start
        parser.EndElementHandler = self._end
        parser.CommentHandler = self._comment
        for chunk in chunks:
            parser.Parse(chunk, False)
        parser.Parse("", True)
        self._tell()

    def _start(self, tag: str, attributes: dict[str, str]) -> None:
        self._path.append(ET.Element(tag, attributes))
        self._tell()

    def _end(self, _tag: str) -> None:
        self._tell()
        self._path.pop()

    def _comment(self, said: str) -> None:
        text = _plain(said)
        if text and [element.tag for element in self._path[1:2]] != ["status"]:
            self._waiting.append(text)

    def _tell(self) -> None:
        """Say of the comments so far that they are about what begins or ends after them."""
        if self._waiting:
            name = _about(self._path)
            self.found += [Remark(name, text) for text in self._waiting]
            self._waiting.clear()


def _about(path: list[ET.Element]) -> str:
    """Name the object that elements inside each other lead to, as a remark does; empty if they lead to none."""
    section = path[_SECTION - 1].tag if len(path) >= _SECTION else ""
    if section in _OBJECTS:
        return str(section)
    outermost = path[_SECTION : _SECTION + 1]
    resources = [element for element in path[_SECTION:] if element.tag in RESOURCES]
    return key((resources or outermost)[-1]) if outermost else ""


def _plain(said: str) -> str:
    """Return a comment as one line, without the mark that crm keeps in it."""
    printable = "".join(letter if letter.isprintable() else " " for letter in said)
    return concealed(" ".join(printable.split())).strip("# ")
