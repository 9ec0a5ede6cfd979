"""Sets of name-value pairs: parameters, meta attributes, utilization, properties. Pure.

The common case is one unconditional set, which a manifest writes as a plain table: `params = { ip = "192.0.2.1" }`. The
rare case is a list of sets, each with a `rule`, a `score` or an `id-ref`. Ids of sets and the order of pairs mean
nothing and are not compared; of two pairs of one name the first wins (pacemaker `lib/pengine/rules.c`: sets are sorted
by score, values are not overwritten).
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Annotated, Any
from xml.etree import ElementTree as ET

from pydantic import BeforeValidator, Field, PlainSerializer, WithJsonSchema

from reconciler.cib import values
from reconciler.cib.document import children
from reconciler.kinds.base import Reader, UnsupportedError, fresh_id, observed, text_of
from reconciler.kinds.rule import Rule, read_rule, write_rule
from reconciler.state import Part


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """How the names and values of one sort of set compare: `name` and `value(name, text)` give canonical texts.

    `value` raises ValueError where Pacemaker would not take the text for what it seems to be. `written` is the same for
    what a person wrote in a manifest, where `inf` is a score.
    """

    name: Callable[[str], str]
    value: Callable[[str, str], str]
    written: Callable[[str, str], str]


VERBATIM = Vocabulary(str, lambda _, text: text, lambda _, text: text)
"""Agents read their own parameters: their text is never changed."""

META = Vocabulary(values.meta_name, values.meta_value, partial(values.meta_value, written=True))
PROPERTY = Vocabulary(str, values.property_value, partial(values.property_value, written=True))
OPERATION = Vocabulary(str, values.operation_value, partial(values.operation_value, written=True))


def _texts(given: Any) -> Any:
    return {str(name): text_of(value) for name, value in given.items()} if isinstance(given, Mapping) else given


_SCALAR = {"anyOf": [{"type": "string"}, {"type": "integer"}, {"type": "number"}, {"type": "boolean"}]}
Values = Annotated[
    dict[str, str],
    BeforeValidator(_texts),
    WithJsonSchema({"type": "object", "additionalProperties": _SCALAR}),
]


class AttributeSet(Part):
    """One set of values, used where its rule holds; sets with a higher score come first."""

    values: Values = Field(default_factory=dict, description="Names and values.")
    rule: Rule | None = Field(default=None, description="The set applies only where this rule holds.")
    score: str | None = Field(default=None, description="Sets with a higher score are looked at first.")

    @property
    def condition(self) -> tuple[Any, ...]:
        """What tells one set from another, apart from its values."""
        return self.rule, self.score


def _as_sets(given: Any) -> Any:
    if isinstance(given, Mapping):
        return ({"values": given},) if given else ()
    return given


def _shorthand(sets: tuple[AttributeSet, ...]) -> Any:
    if len(sets) == 1 and sets[0].condition == (None, None):
        return dict(sets[0].values)
    return [item.model_dump(by_alias=True, exclude_none=True) for item in sets]


AttributeSets = Annotated[
    tuple[AttributeSet, ...],
    BeforeValidator(_as_sets),
    PlainSerializer(_shorthand),
    WithJsonSchema(
        {
            "anyOf": [
                {"type": "object", "additionalProperties": _SCALAR},
                {"type": "array", "items": {"type": "object"}},
            ]
        }
    ),
]


def normal(sets: tuple[AttributeSet, ...], words: Vocabulary, *, observed: bool) -> tuple[AttributeSet, ...]:
    """Give names and values their canonical form; what was observed passes even where Pacemaker would not heed it."""

    def canonical(given: Mapping[str, str]) -> dict[str, str]:
        return {words.name(name): means(words, name, text, observed) for name, text in given.items()}

    return tuple(item.model_copy(update={"values": canonical(item.values)}) for item in sets)


def means(words: Vocabulary, name: str, text: str, observed: bool) -> str:
    """Return the canonical text of a value; one that was observed passes even where Pacemaker would not heed it."""
    try:
        return words.value(name, text) if observed else words.written(name, text)
    except ValueError as error:
        if observed:
            return text
        raise ValueError(f"{name}: {error}") from error


def read_sets(elements: Sequence[ET.Element]) -> tuple[AttributeSet, ...]:
    """Read sets of one sort; empty ones vanish, unconditional neighbours are one (the first value wins)."""
    result: list[AttributeSet] = []
    for item in (read_set(element) for element in elements):
        if not item.values:
            continue
        if result and result[-1].condition == item.condition == (None, None):
            result[-1] = AttributeSet.model_construct(values={**item.values, **result[-1].values})
        else:
            result.append(item)
    return tuple(result)


def read_set(element: ET.Element) -> AttributeSet:
    """Read one set.

    Raises:
        UnsupportedError: it has what no manifest can say yet.
    """
    reader = Reader(element)
    reader.take("id")
    rules = reader.elements("rule")
    if len(rules) > 1:
        raise UnsupportedError(f"<{element.tag}> has several rules")
    pairs: dict[str, str] = {}
    for pair in reader.elements("nvpair"):
        inner = Reader(pair)
        inner.take("id")
        name, value = inner.take("name"), inner.take("value")
        inner.done()
        if name is None:
            raise UnsupportedError(f"<{element.tag}> has a pair without a name")
        pairs.setdefault(name, value or "")
    item = {"values": pairs, "rule": read_rule(rules[0]) if rules else None, "score": reader.take("score")}
    reader.done()
    return observed(AttributeSet, **item) if rules or item["score"] else AttributeSet.model_construct(values=pairs)


def write_sets(
    tag: str, owner: str, sets: tuple[AttributeSet, ...], live: Sequence[ET.Element], words: Vocabulary = VERBATIM
) -> list[ET.Element]:
    """Return the elements that say `sets`, keeping live elements, ids and spellings wherever they mean the same.

    New sets get the ids that crm and pcs give: `<owner>-<tag>`, their pairs `<owner>-<tag>-<name>`.
    """
    remaining = [element for element in live if next(children(element), None) is not None]
    written: list[ET.Element] = []
    used = {element.get("id") for element in live}
    for item in sets:
        matches = _matching(item, remaining)
        if not matches:
            name = fresh_id(f"{owner}-{tag}", used)
            written.append(_new_set(tag, name, item))
            continue
        remaining = [element for element in remaining if element not in matches]
        written += _edited(item, matches, words)
    return written + [element for element in live if next(children(element), None) is None]


def _matching(item: AttributeSet, live: Sequence[ET.Element]) -> list[ET.Element]:
    """Find the live sets of the same condition: all neighbours for an unconditional set, one for a conditional."""
    found: list[ET.Element] = []
    for element in live:
        same = read_set(element).condition == item.condition
        if same and item.condition != (None, None):
            return [element]
        if same:
            found.append(element)
        elif found:
            break
    return found


def _new_set(tag: str, name: str, item: AttributeSet) -> ET.Element:
    element = ET.Element(tag, {"id": name} | ({"score": item.score} if item.score else {}))
    if item.rule:
        element.append(write_rule(f"{name}-rule", item.rule, None))
    for key, value in item.values.items():
        ET.SubElement(element, "nvpair", {"id": f"{name}-{key}", "name": key, "value": value})
    return element


def _edited(item: AttributeSet, live: Sequence[ET.Element], words: Vocabulary) -> list[ET.Element]:
    """Edit live sets pair by pair; a set that needs no edit is returned as the same object."""
    have = {words.name(pair.get("name", "")) for element in live for pair in element.iter("nvpair")}
    missing = {name: value for name, value in item.values.items() if name not in have}
    result = []
    seen: set[str] = set()
    for element in live:
        copy = ET.Element(element.tag, element.attrib)
        for child in element:
            pair = _edited_pair(child, item.values, seen, words) if child.tag == "nvpair" else child
            if pair is not None:
                copy.append(pair)
        if element is live[0]:
            for name, value in missing.items():
                ET.SubElement(copy, "nvpair", {"id": f"{element.get('id')}-{name}", "name": name, "value": value})
        unchanged = len(copy) == len(element) and all(new is old for new, old in zip(copy, element, strict=True))
        if copy.find("nvpair") is not None:
            result.append(element if unchanged else copy)
    return result


def _edited_pair(pair: ET.Element, wanted: Mapping[str, str], seen: set[str], words: Vocabulary) -> ET.Element | None:
    name = words.name(pair.get("name", ""))
    if name not in wanted:
        return None
    if name in seen or means(words, name, pair.get("value", ""), observed=True) == wanted[name]:
        seen.add(name)
        return pair
    seen.add(name)
    return ET.Element("nvpair", dict(pair.items()) | {"value": wanted[name]})


def value_in(sets: tuple[AttributeSet, ...], name: str) -> str | None:
    """Return the value of a name in the unconditional set, or None."""
    for item in sets:
        if item.condition == (None, None) and name in item.values:
            return item.values[name]
    return None


def with_value(sets: tuple[AttributeSet, ...], name: str, value: str) -> tuple[AttributeSet, ...]:
    """Return the sets with one value set in the unconditional one, which is made if there is none."""
    for index, item in enumerate(sets):
        if item.condition == (None, None):
            changed = item.model_copy(update={"values": {**item.values, name: value}})
            return (*sets[:index], changed, *sets[index + 1 :])
    return (*sets, AttributeSet.model_construct(values={name: value}))
