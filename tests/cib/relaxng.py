"""Pacemaker's RELAX NG schemas, taken apart: every element and attribute they allow, in documents that hold it.

Covers what those schemas use: include with overrides, nested grammars, parentRef, externalRef, interleave, except.
"""

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from xml.etree import ElementTree as ET

_NAMESPACE = "{http://relaxng.org/ns/structure/1.0}"
_DEEPEST = 2
"""So often a definition may contain itself in a sample: a rule in a rule, and no further."""

Attributes = tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class Content:
    """What is inside an element of a sample: attributes and elements."""

    attributes: Attributes = ()
    elements: tuple["Node", ...] = ()

    def __add__(self, other: "Content") -> "Content":
        return Content(self.attributes + other.attributes, self.elements + other.elements)


@dataclass(frozen=True)
class Node:
    """An element of a sample."""

    tag: str
    content: Content

    def element(self, ids: Iterator[str]) -> ET.Element:
        """Make the element; what is to be an id gets one of `ids`."""
        made = ET.Element(
            self.tag, {name: next(ids) if value == ID else value for name, value in self.content.attributes}
        )
        made.extend(inner.element(ids) for inner in self.content.elements)
        return made


ID = "(a fresh id)"
REFERENCE = "p0"
"""What all references refer to; the schemas want no more than that it is there."""

_DATA = {"ID": ID, "IDREF": REFERENCE, "string": "1", "boolean": "true", "text": "x"}


@dataclass
class Grammar:
    """The definitions of one grammar, and that around it."""

    directory: Path
    definitions: dict[str, list[ET.Element]] = field(default_factory=dict)
    parent: "Grammar | None" = None
    inner: dict[ET.Element, "Grammar"] = field(default_factory=dict)

    def within(self, pattern: ET.Element) -> "Grammar":
        """Return the grammar that an externalRef or a grammar element is, read once."""
        if pattern not in self.inner:
            href = pattern.get("href")
            self.inner[pattern] = (
                load(self.directory / href, self) if href else Grammar(self.directory, parent=self).take(pattern)
            )
        return self.inner[pattern]

    def take(self, root: ET.Element) -> "Grammar":
        """Take the definitions of a grammar element; later ones take the place of those that it includes."""
        for child in root:
            match str(child.tag).removeprefix(_NAMESPACE):
                case "include":
                    inner = Grammar(self.directory).take(ET.parse(self.directory / child.get("href", "")).getroot())
                    if child.find(f"{_NAMESPACE}start") is not None:
                        del inner.definitions[""]
                    self.definitions |= inner.take(child).definitions
                case "define":
                    self.definitions[child.get("name", "")] = list(child)
                case "start" if child.get("combine") is None:
                    self.definitions[""] = list(child)
        return self


def load(path: Path, parent: Grammar | None = None) -> Grammar:
    """Read a schema."""
    return Grammar(path.parent, parent=parent).take(ET.parse(path).getroot())


def samples(grammar: Grammar) -> Iterator[Node]:
    """Yield documents, each as small as can be around one element, attribute or value that the schema allows."""
    for content in _variants(Pattern(grammar, grammar.definitions[""], ())):
        yield from content.elements


@dataclass(frozen=True)
class Pattern:
    """Patterns in a row, the grammar that their references mean, and the definitions that they are in."""

    grammar: Grammar
    row: Sequence[ET.Element]
    inside: tuple[tuple[int, str], ...]

    def parts(self) -> Iterator["Pattern"]:
        for pattern in self.row:
            if isinstance(pattern.tag, str) and pattern.tag.startswith(_NAMESPACE):
                yield Pattern(self.grammar, [pattern], self.inside)

    def resolved(self) -> "Pattern | None":
        """What a reference stands for; None if it would contain itself too often."""
        pattern = self.row[0]
        grammar, name = self.grammar, pattern.get("name", "")
        match kind_of(pattern):
            case "parentRef":
                assert grammar.parent is not None
                grammar = grammar.parent
            case "externalRef" | "grammar":
                grammar, name = grammar.within(pattern), ""
        key = (id(grammar.definitions.get(name)), name)
        if self.inside.count(key) >= _DEEPEST:
            return None
        return Pattern(grammar, grammar.definitions[name], (*self.inside, key))


_REFERENCES = {"ref", "parentRef", "externalRef", "grammar"}
_SEVERAL = {"group", "interleave", "optional", "zeroOrMore", "oneOrMore"}


def kind_of(pattern: ET.Element) -> str:
    """Return what sort of pattern it is: `element`, `optional`."""
    return str(pattern.tag).removeprefix(_NAMESPACE)


def name_of(pattern: ET.Element) -> str:
    """Return the name of what a pattern is about."""
    return pattern.get("name", "").strip()


def inner_of(pattern: Pattern) -> Pattern:
    """Return the patterns inside one."""
    return Pattern(pattern.grammar, list(pattern.row[0]), pattern.inside)


def _smallest(pattern: Pattern) -> Content | None:
    """What must be there at least; None if it cannot be."""
    whole = Content()
    for part in pattern.parts():
        content = _smallest_of_one(part)
        if content is None:
            return None
        whole += content
    return whole


def _smallest_of_one(part: Pattern) -> Content | None:
    kind = kind_of(part.row[0])
    if kind == "zeroOrMore" and any(inner.get("name") == "nvpair" for inner in part.row[0]):
        return _smallest(inner_of(part))
    if kind in {"optional", "zeroOrMore", "empty", "text"}:
        return Content()
    if kind == "notAllowed":
        return None
    if kind == "oneOrMore" and any((inner.get("name") or "").startswith("expression") for inner in part.row[0].iter()):
        once = _smallest(inner_of(part))
        return None if once is None else once + once
    if kind in {"group", "interleave", "oneOrMore"}:
        return _smallest(inner_of(part))
    if kind == "choice":
        found = (_smallest_of_one(choice) for choice in inner_of(part).parts())
        return next((content for content in found if content is not None), None)
    if kind == "attribute":
        return Content(((name_of(part.row[0]), next(values_of(inner_of(part)))),))
    if kind == "element":
        content = _smallest(inner_of(part))
        return None if content is None else Content(elements=(Node(name_of(part.row[0]), content),))
    resolved = part.resolved()
    return None if resolved is None else _smallest(resolved)


def _variants(pattern: Pattern) -> Iterator[Content]:
    """Yield the smallest contents that hold each thing that is allowed; all else is as small as can be."""
    parts = list(pattern.parts())
    for index, part in enumerate(parts):
        others = [_smallest_of_one(other) for place, other in enumerate(parts) if place != index]
        if any(other is None for other in others):
            continue
        rest = sum((other for other in others if other is not None), Content())
        for content in _variants_of_one(part):
            yield content + rest


def _variants_of_one(part: Pattern) -> Iterator[Content]:
    kind = kind_of(part.row[0])
    if kind in _SEVERAL:
        yield from _variants(inner_of(part))
    elif kind == "choice":
        for choice in inner_of(part).parts():
            yield from _variants_of_one(choice)
    elif kind == "attribute":
        for value in values_of(inner_of(part)):
            yield Content(((name_of(part.row[0]), value),))
    elif kind == "element":
        inner = inner_of(part)
        smallest = _smallest(inner)
        contents = itertools.chain([] if smallest is None else [smallest], _variants(inner))
        yield from (Content(elements=(Node(name_of(part.row[0]), content),)) for content in contents)
    elif kind in _REFERENCES:
        resolved = part.resolved()
        if resolved is not None:
            yield from _variants(resolved)


def values_of(pattern: Pattern) -> Iterator[str]:
    """Yield the texts that an attribute may have: every one of an enumeration, an example of a type."""
    parts = list(pattern.parts())
    if not parts:
        yield _DATA["text"]
    for part in parts:
        match kind_of(part.row[0]):
            case "value":
                yield part.row[0].text or ""
            case "data":
                type_ = part.row[0].get("type", "")
                yield from ("true", "false") if type_ == "boolean" else (_DATA.get(type_, "1"),)
            case "text":
                yield _DATA["text"]
            case "ref" | "externalRef" | "parentRef" | "grammar":
                resolved = part.resolved()
                yield from values_of(resolved) if resolved is not None else ()
            case _:
                yield from values_of(inner_of(part))


def places(element: ET.Element, path: str = "") -> Iterator[str]:
    """Yield what is in a document: `configuration/nodes/node`, `configuration/nodes/node@id`."""
    here = f"{path}/{element.tag}" if path else str(element.tag)
    yield here
    yield from (f"{here}@{name}" for name in element.attrib)
    for child in element:
        if isinstance(child.tag, str):
            yield from places(child, here)
