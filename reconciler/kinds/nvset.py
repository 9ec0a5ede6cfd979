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

from pydantic import AfterValidator, BeforeValidator, Field, PlainSerializer

from reconciler.cib import values
from reconciler.cib.document import children
from reconciler.kinds.base import Reader, UnsupportedError, fresh_id, identifier, observed, text_of
from reconciler.kinds.rule import Rule, Score, read_rule, write_rule
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


Scalar = Annotated[str, BeforeValidator(text_of, json_schema_input_type=bool | int | float | str)]
Values = dict[str, Scalar]


class AttributeSet(Part):
    """One set of values, used where its rule holds; sets with a higher score come first."""

    values: Values = Field(default_factory=dict, description="Names and values.")
    rule: Rule | None = Field(default=None, description="The set applies only where this rule holds.")
    score: Score | None = Field(default=None, description="Sets with a higher score are looked at first.")

    @property
    def condition(self) -> tuple[Any, ...]:
        """What tells one set from another, apart from its values."""
        return self.rule, self.score


UNCONDITIONAL = (None, None)


def _as_sets(given: Any) -> Any:
    return ({"values": given},) if isinstance(given, Mapping) else given


def _merged(sets: tuple[AttributeSet, ...]) -> tuple[AttributeSet, ...]:
    """Leave out empty sets and make one of unconditional neighbours, of which the first value wins."""
    result: list[AttributeSet] = []
    for item in sets:
        if not item.values:
            continue
        if result and result[-1].condition == item.condition == UNCONDITIONAL:
            result[-1] = AttributeSet.model_construct(values={**item.values, **result[-1].values})
        else:
            result.append(item)
    return tuple(result)


def _shorthand(sets: tuple[AttributeSet, ...]) -> Any:
    if len(sets) == 1 and sets[0].condition == UNCONDITIONAL:
        return dict(sets[0].values)
    return [item.model_dump(by_alias=True, exclude_none=True) for item in sets]


AttributeSets = Annotated[
    tuple[AttributeSet, ...],
    BeforeValidator(_as_sets, json_schema_input_type=Values | tuple[AttributeSet, ...]),
    AfterValidator(_merged),
    PlainSerializer(_shorthand),
]


def normal(sets: tuple[AttributeSet, ...], words: Vocabulary, *, observed: bool) -> tuple[AttributeSet, ...]:
    """Give names and values their canonical form; what was observed passes even where Pacemaker would not heed it."""
    return tuple(_normal(item, words, observed) for item in sets)


def _normal(item: AttributeSet, words: Vocabulary, observed: bool) -> AttributeSet:
    canonical: dict[str, str] = {}
    for name, text in item.values.items():
        current = words.name(name)
        if current == name or current not in item.values:  # where both names are said, Pacemaker heeds the current one
            canonical[current] = means(words, name, text, observed)
    if list(canonical.items()) == list(item.values.items()):
        return item
    return item.model_copy(update={"values": canonical})


def means(words: Vocabulary, name: str, text: str, observed: bool) -> str:
    """Return the canonical text of a value; one that was observed passes even where Pacemaker would not heed it."""
    try:
        return words.value(name, text) if observed else words.written(name, text)
    except ValueError as error:
        if observed:
            return text
        raise ValueError(f"{name}: {error}") from error


def read_sets(elements: Sequence[ET.Element]) -> tuple[AttributeSet, ...]:
    """Read sets of one sort.

    Raises:
        UnsupportedError: one has what no manifest can say yet.
    """
    return _merged(tuple(read_set(element) for element in elements))


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
        name = pair.get("name")
        if name is None or not _PAIR.issuperset(pair.keys()) or next(children(pair), None) is not None:
            raise UnsupportedError(f"<{element.tag}> has an <nvpair> that is more than a name and a value")
        pairs.setdefault(name, pair.get("value", ""))
    rule, score = read_rule(rules[0]) if rules else None, reader.take("score")
    reader.done()
    if rule is None and score is None:
        return AttributeSet.model_construct(values=pairs)
    return observed(AttributeSet, values=pairs, rule=rule, score=score)


_PAIR = frozenset({"id", "name", "value"})


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
        if matches:
            remaining = [element for element in remaining if element not in matches]
            written += _edited(item, matches, words)
        else:
            written.append(_new_set(tag, fresh_id(identifier(owner, tag), used), item))
    return written + [element for element in live if next(children(element), None) is None]


def write_set(tag: str, name: str, item: AttributeSet, live: ET.Element | None, words: Vocabulary) -> ET.Element:
    """Return the one set of this id that says `item`."""
    if live is None:
        return _new_set(tag, name, item)
    edited = _edited(item, [live], words)
    return edited[0] if edited else live


def _matching(item: AttributeSet, live: Sequence[ET.Element]) -> list[ET.Element]:
    """Find the live sets of the same condition: all neighbours for an unconditional set, one for a conditional."""
    found: list[ET.Element] = []
    for element in live:
        same = read_set(element).condition == item.condition
        if same and item.condition != UNCONDITIONAL:
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
    element.extend(_pair(element, key, value) for key, value in item.values.items())
    return element


def _pair(container: ET.Element, name: str, value: str) -> ET.Element:
    return ET.Element("nvpair", {"id": identifier(container.get("id", ""), name), "name": name, "value": value})


def _edited(item: AttributeSet, live: Sequence[ET.Element], words: Vocabulary) -> list[ET.Element]:
    """Edit live sets pair by pair; a set that needs no edit is returned as the same object, an emptied one is not.

    Of several pairs of one name only one counts for Pacemaker; the others stay as they are.
    """
    counts = _counting([pair for element in live for pair in element.iter("nvpair")], words)
    missing = [(name, value) for name, value in item.values.items() if name not in counts]
    result: list[ET.Element] = []
    for element in live:
        copy = ET.Element(element.tag, element.attrib)
        for child in element:
            if child.tag != "nvpair":
                copy.append(child)
            elif (name := words.name(child.get("name", ""))) in item.values:
                copy.append(_edited_pair(child, item.values[name], words) if child is counts[name] else child)
        if not result and (copy.find("nvpair") is not None or element is live[-1]):
            copy.extend(_pair(element, name, value) for name, value in missing)
        unchanged = len(copy) == len(element) and all(new is old for new, old in zip(copy, element, strict=True))
        if copy.find("nvpair") is not None:
            result.append(element if unchanged else copy)
    return result


def _counting(pairs: Sequence[ET.Element], words: Vocabulary) -> Mapping[str, ET.Element]:
    """Find the pair that counts for each name: the first of the current name, else of the old one."""
    first: dict[str, ET.Element] = {}
    for pair in pairs:
        first.setdefault(pair.get("name", ""), pair)
    return {words.name(name): first.get(words.name(name), pair) for name, pair in first.items()}


def _edited_pair(pair: ET.Element, wanted: str, words: Vocabulary) -> ET.Element:
    if means(words, words.name(pair.get("name", "")), pair.get("value", ""), observed=True) == wanted:
        return pair
    return ET.Element("nvpair", dict(pair.items()) | {"value": wanted})


def value_in(sets: tuple[AttributeSet, ...], name: str) -> str | None:
    """Return the value of a name in the unconditional set, or None."""
    for item in sets:
        if item.condition == UNCONDITIONAL and name in item.values:
            return item.values[name]
    return None


def with_value(sets: tuple[AttributeSet, ...], name: str, value: str) -> tuple[AttributeSet, ...]:
    """Return the sets with one value set in the unconditional one, which is made if there is none."""
    for index, item in enumerate(sets):
        if item.condition == UNCONDITIONAL:
            changed = item.model_copy(update={"values": {**item.values, name: value}})
            return (*sets[:index], changed, *sets[index + 1 :])
    return (*sets, AttributeSet.model_construct(values={name: value}))
