"""A CIB's text, read without a tree of the whole: its first element, its objects one after another. Pure.

A tree of elements takes ten times the memory of the text that it was made from, and whoever only reads objects needs
one of them at a time.
"""

import re
from collections.abc import Container, Iterable, Iterator, Sequence
from typing import Any
from xml.etree import ElementTree as ET
from xml.parsers import expat

_CHUNK = 1 << 12
_SECTION = 3
"""How deep `/cib/configuration/resources` is."""

_BETWEEN_TAGS = re.compile(r">\s+<")
"""In attribute values there is no `<`; comments and CDATA sections may hold both."""


_CUT_SHORT = "the configuration has no end"


class XmlError(ValueError):
    """The text is not well-formed XML."""


def head(text: Iterable[str]) -> tuple[str, dict[str, str], bool]:
    """Return the name and the attributes of the first element, and whether there is a `<configuration>` in it.

    Of what it lets pass ElementTree makes a tree: it minds namespaces likewise, and refuses text from elsewhere, which
    expat by itself leaves out without a word where a document names a DTD.

    Raises:
        XmlError: the text is not well-formed to its end.
    """
    parser = expat.ParserCreate(namespace_separator="}")
    parser.SkippedEntityHandler = _refused
    path: list[str] = []
    first: list[tuple[str, dict[str, str]]] = []
    configurations: list[str] = []

    def start(tag: str, attributes: dict[str, str]) -> None:
        path.append(tag)
        if len(path) == 1:
            first.append((_expanded(tag), {_expanded(name): value for name, value in attributes.items()}))
        if path[1:] == ["configuration"]:
            configurations.append(tag)
            # There is nothing else to know, and with nobody to tell the rest is read ten times as fast.
            parser.StartElementHandler = parser.EndElementHandler = None

    parser.StartElementHandler = start
    parser.EndElementHandler = lambda _: path.pop()
    try:
        for chunk in text:
            parser.Parse(chunk, False)
        parser.Parse("", True)
    except expat.ExpatError as error:
        raise XmlError(f"not well-formed XML: {error}") from error
    return *first[0], bool(configurations)


def _expanded(name: str) -> str:
    """Write a name as ElementTree does: with its namespace in braces."""
    return f"{{{name}" if "}" in name else name


def _refused(name: str, _is_parameter: bool) -> None:
    raise XmlError(f"not well-formed XML: undefined entity {name}")


def dense(text: str) -> str:
    """Return a document without the blanks between its tags, of which half of its tree would be made."""
    return text if "<!" in text else _BETWEEN_TAGS.sub("><", text)


def outline(text: Iterable[str], section: str) -> ET.Element:
    """Return a document without its status, and with nothing in its sections but in this one; comments stay.

    Args:
        text: a document in which `head` has found a configuration.
        section: the tag of a section.
    """
    parser = ET.XMLParser(target=ET.TreeBuilder(insert_comments=True))
    path: list[ET.Element] = []
    for event, element in _parsed(text, parser):
        if event == "start":
            path.append(element)
            continue
        path.pop()
        match path:
            case [_]:
                if element.tag == "configuration":
                    return path[0]
                element.clear()
            case [_, _] if element.tag != section:
                del element[:]
            case [_, _, inside, *_] if inside.tag != section:
                path[-1].remove(element)
    raise XmlError(_CUT_SHORT)


def pieces(
    text: Iterable[str], whole: Container[str] = (), listed: str = ""
) -> Iterator[tuple[str, ET.Element | None]]:
    """Yield what stands in the sections of the configuration, with the section's tag; no comments.

    When a section begins, None is yielded. One in `whole` is an object itself: of it nothing else is yielded but the
    section, when it ends. What is yielded is complete, and gone when the next is asked for.

    Args:
        text: a document in which `head` has found a configuration.
        whole: tags of sections.
        listed: the id of a tag of which only the ids of what is in it are needed: they are its text, as words.
    """
    path: list[ET.Element] = []
    names: list[str] = []
    for event, element in _parsed(text):
        if event == "start":
            path.append(element)
            if len(path) == _SECTION and path[1].tag == "configuration":
                yield element.tag, None
            continue
        path.pop()
        match path:
            case [_, _, _, outer] if listed and _is_listed(outer, listed):
                names.append(element.get("id", ""))
                outer.remove(element)
            case [_, configuration] if configuration.tag == "configuration":
                if element.tag in whole:
                    yield element.tag, element
                configuration.remove(element)
            case [_, configuration, section] if configuration.tag == "configuration":
                if section.tag not in whole:
                    if listed and _is_listed(element, listed):
                        element.text = " ".join(names)
                    yield section.tag, element
                    section.remove(element)
            case [_]:
                if element.tag == "configuration":
                    return
                element.clear()
    raise XmlError(_CUT_SHORT)  # never nothing for what has not been read


def _is_listed(element: ET.Element, listed: str) -> bool:
    return element.tag == "tag" and element.get("id") == listed


def parts(text: Iterable[str], tags: Container[str]) -> Iterator[tuple[Sequence[str], ET.Element]]:
    """Yield every element with one of these tags, without what is in it, and the tags of what it is in.

    Args:
        text: a document that is well-formed.
        tags: which elements.
    """
    path: list[ET.Element] = []
    for event, element in _parsed(text):
        if event == "start":
            path.append(element)
            continue
        path.pop()
        if element.tag in tags:
            yield [outer.tag for outer in path], element
        if path:
            path[-1].remove(element)


def _parsed(text: Iterable[str], parser: "ET.XMLParser[ET.Element] | None" = None) -> Iterator[tuple[str, ET.Element]]:
    """Yield when each element begins and ends, as the tree grows."""
    growing: Any = ET.XMLPullParser(("start", "end"), _parser=parser)
    for chunk in text:
        for begin in range(0, len(chunk), _CHUNK):
            growing.feed(dense(chunk[begin : begin + _CHUNK]))
            yield from growing.read_events()
    # From 2.6 on expat keeps what may be half of a long value back until it is told that this is all.
    growing.close()
    yield from growing.read_events()
