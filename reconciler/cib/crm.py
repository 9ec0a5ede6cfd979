"""What one would type into `crm configure` for an object. Pure. Syntax: crmsh's manual, section `configure`."""

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Protocol
from xml.etree import ElementTree as ET

from reconciler.cib.document import serialize


class UnsayableError(ValueError):
    """crm's language has no words for it; crm takes such an object as XML, see `xml`."""


class _Set(Protocol):
    @property
    def values(self) -> Mapping[str, str]: ...
    @property
    def rule(self) -> "_Rule | None": ...
    @property
    def score(self) -> str | None: ...
    @property
    def in_plain_words(self) -> bool: ...


class _Rule(Protocol):
    @property
    def score(self) -> str | None: ...
    @property
    def score_attribute(self) -> str | None: ...
    @property
    def role(self) -> str | None: ...
    @property
    def expression(self) -> str | None: ...
    @property
    def id(self) -> str | None: ...


class _Operation(Protocol):
    @property
    def name(self) -> str: ...
    @property
    def params(self) -> Sequence[_Set]: ...
    @property
    def meta(self) -> Sequence[_Set]: ...
    def model_dump(self, *, exclude: set[str]) -> dict[str, object]: ...


_BARE = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-.:/@%+,*")


def quote(value: str) -> str:
    """Quote a value where crm would otherwise split it; crm garbles what is not ASCII on some ways."""
    if not value.isascii():
        raise UnsayableError(f"the value {value!r}")
    if value and set(value) <= _BARE:
        return value
    return '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'


def line(*words: str) -> str:
    """Return one command, continued over indented lines before each of its sections as crm itself shows it."""
    text = ""
    for word in words:
        if not text:
            text = word
        else:
            text += (" \\\n    " if word in _SECTIONS else " ") + word
    return text


_SECTIONS = frozenset({"params", "meta", "utilization", "op"})


def description(text: str | None) -> Iterable[str]:
    """Return the words that set a description."""
    return (f"description={quote(text)}",) if text else ()


_NAME = re.compile(r"[A-Za-z_#][A-Za-z0-9_.#-]*")


def pairs(values: Mapping[str, str]) -> list[str]:
    """Return name=value words."""
    for name in values:
        if not _NAME.fullmatch(name):
            raise UnsayableError(f"the name {name!r}")
    return [f"{name}={quote(value)}" for name, value in values.items()]


def sets(word: str, items: Sequence[_Set]) -> list[str]:
    """Return the words that say attribute sets: `params ip=192.0.2.1`."""
    words: list[str] = []
    for item in items:
        if not item.in_plain_words:
            raise UnsayableError("ids and references")
        words.append(word)
        if item.score:
            words.append(f"{item.score}:")
        if item.rule:
            words += ["rule", *rule(item.rule)]
        words += pairs(item.values)
    return words


_QUOTED = re.compile(r'"[^"]*"')
_NOT_IN_CRM = re.compile(r"(?:^| and | or )(?:rsc|op)(?: |$)|\$id-ref=|\{")


def rule(item: _Rule) -> list[str]:
    """Return the words behind `rule`.

    crm knows no parentheses, of `and` and `or` only one in a rule, no `rsc` and `op`, and a reference only to a whole
    rule.
    """
    if item.expression is None or item.id:
        raise UnsayableError("ids and references")
    plain = _QUOTED.sub("x", item.expression)
    mixed = " and " in plain and " or " in plain
    if "(" in plain or mixed or "\\" in item.expression or _NOT_IN_CRM.search(plain):
        raise UnsayableError(f"the rule {item.expression!r}")
    words = [f"$role={item.role}"] if item.role else []
    score = item.score_attribute or item.score
    return [*words, *([f"{short_score(score)}:"] if score else []), item.expression]


def short_score(score: str) -> str:
    """Return a score as crm writes it: `inf`, `-inf`, `100`."""
    return score.replace("INFINITY", "inf")


def operation(item: _Operation) -> list[str]:
    """Return the words that say an operation."""
    said = item.model_dump(exclude={"name", "params", "meta"})
    if "id" in said:
        raise UnsayableError("ids")
    fields = {name.replace("_", "-"): str(value) for name, value in said.items() if value is not None}
    if fields.get("interval") == "0s":
        del fields["interval"]
    words = ["op", item.name, *pairs(fields)]
    for word, items in (("op_params", item.params), ("op_meta", item.meta)):
        if any(found.rule or found.score for found in items):
            raise UnsayableError(f"{word} with a rule or a score")
        words += [part for found in items for part in (word, *pairs(found.values))]
    return words


_DEFAULTS = frozenset({"rsc_defaults", "op_defaults"})


def xml(element: ET.Element, members: Iterable[str], section: str = "") -> str:
    """Return a line that gives crm an object as XML; `members` are the ids of the resources inside it.

    A set of defaults has no word of its own in crm: there the section around it is the object.
    """
    whole = ET.Element(element.tag, element.attrib)
    whole.extend(element)
    whole.extend(ET.Element("crmsh-ref", {"id": name}) for name in members)
    if section in _DEFAULTS:
        around = ET.Element(section)
        around.append(whole)
        whole = around
    line = " ".join(line.strip() for line in serialize(whole).splitlines())
    return "xml " + line.replace("\\", "&#92;")  # crm takes the line apart as a shell would
