"""Sets of name-value pairs: parameters, meta attributes, utilization, properties. Pure.

The common case is one unconditional set, which a manifest writes as a plain table: `params = { ip = "192.0.2.1" }`. The
rare case is a list of sets, each with a `rule`, a `score` or an `id-ref`. Ids that nothing refers to and the order of
pairs mean nothing and are not compared.

Of two pairs of one name in a set the first counts; of two sets that of the higher score, else the last: Pacemaker puts
each set in front of those before it, sorts them by score, and overwrites no value (`pe_eval_nvpairs` in pacemaker
`lib/pengine/rules.c`, later `pcmk_unpack_nvpair_blocks` in `lib/common/nvpair.c`).
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from typing import Annotated, Any, Self, TypeVar
from xml.etree import ElementTree as ET

from pydantic import AfterValidator, BeforeValidator, Field, PlainSerializer, ValidationInfo, model_validator

from reconciler.cib import values
from reconciler.cib.document import children
from reconciler.frozen import frozen
from reconciler.kinds.base import Reader, UnsupportedError, observed, text_of
from reconciler.kinds.rule import Condition, Score, read_rule
from reconciler.kinds.written import Written
from reconciler.secret import Place
from reconciler.state import Part


@frozen
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

NODE = Vocabulary(str, values.node_value, values.node_value)


def is_secret(value: Any) -> bool:
    """Tell whether a manifest's value says where a secret lies, rightly or wrongly."""
    return isinstance(value, Mapping) and bool(value.keys() & set(Place))


def _no_secret(value: Any) -> Any:
    if is_secret(value):
        raise ValueError("a secret can stand among params only: Pacemaker itself reads this, and shows it to everybody")
    return value


Scalar = Annotated[
    str, BeforeValidator(text_of), BeforeValidator(_no_secret, json_schema_input_type=bool | int | float | str)
]
Values = dict[str, Scalar]


class PairReference(Part):
    """A value that another set says."""

    REFERRING = ("id_ref",)

    id_ref: str = Field(description="The id of the pair that says it.")
    name: str | None = Field(default=None, description="What it is called here, if not as there.")


def pair_references(pairs: Iterable[PairReference]) -> tuple[PairReference, ...]:
    """Return references in an order of their own, each once: like pairs they have none."""
    return tuple(sorted(set(pairs), key=lambda pair: (pair.id_ref, pair.name or "")))


PairReferences = Annotated[
    tuple[PairReference, ...],
    Field(description="Values that are taken over from other sets."),
    AfterValidator(pair_references),
]


class AttributeSet(Part):
    """One set of values, used where its rule holds; sets with a higher score come first."""

    IDENTITY = ("id", "ids")
    REFERRING = ("id_ref",)

    values: Values = Field(default_factory=dict, description="Names and values.")
    rule: Condition | None = Field(default=None, description="The set applies only where this rule holds.")
    score: Score | None = Field(default=None, description="Sets with a higher score are looked at first.")
    id_ref: str | None = Field(
        default=None, description="Instead of all else: the set that has this id, as it is there."
    )
    nvpairs: PairReferences = ()
    id: str | None = Field(default=None, description="Its id, where something refers to it by `id-ref`.")
    ids: dict[str, str] = Field(
        default_factory=dict, description="The ids of values, by their names, where something refers to them."
    )

    @model_validator(mode="after")
    def _one_form(self, info: ValidationInfo) -> Self:
        if info.context:
            return self
        if self.id_ref and (self.values or self.rule or self.score or self.nvpairs or self.id or self.ids):
            raise ValueError("has `id-ref`: the set that it refers to says all else")
        stray = next((name for name in self.ids if name not in self.values), None)
        if stray:
            raise ValueError(f"gives an id to {stray}, which is not in `values`")
        return self

    @property
    def condition(self) -> tuple[Any, ...]:
        """What tells one set from another, apart from its values and ids."""
        return self.rule and self.rule.anonymous, self.score, self.id_ref

    @property
    def in_plain_words(self) -> bool:
        """False where ids matter: it has some, or refers to some."""
        return not (self.id_ref or self.nvpairs or self.id or self.ids)

    @property
    def is_said(self) -> bool:
        """False for a set that neither says anything nor has, it or its rule, an id to be found by."""
        return bool(self.values or self.nvpairs or self.id_ref or self.id or (self.rule and self.rule.id))


UNCONDITIONAL = (None, None, None)

SetT = TypeVar("SetT", bound=AttributeSet)


def as_sets(given: Any) -> Any:
    """Take a plain table for the one set that it stands for."""
    if isinstance(given, Mapping):
        return ({"values": given},)
    if not isinstance(given, list | tuple):
        # A ValueError is what pydantic makes a fault of.
        raise ValueError("expected a table of names and values, or an array of sets of them")  # noqa: TRY004
    return given


def merged(sets: tuple[SetT, ...]) -> tuple[SetT, ...]:
    """Leave out empty sets and make one of unconditional neighbours, of which the last value counts."""
    result: list[SetT] = []
    for item in sets:
        if result and _is_plain(item) and _is_plain(result[-1]):
            first = result[-1]
            result[-1] = type(first).model_construct(
                values={**first.values, **item.values},
                ids={name: own for name, own in first.ids.items() if name not in item.values} | item.ids,
                nvpairs=pair_references(first.nvpairs + item.nvpairs),
            )
        elif item.is_said:
            result.append(item)
    return tuple(result)


def _is_plain(item: AttributeSet) -> bool:
    return item.condition == UNCONDITIONAL and item.id is None


def plain_values(sets: tuple[AttributeSet, ...]) -> Mapping[str, str] | None:
    """Return the values of what a manifest writes as a plain table; None if it needs a list of sets."""
    if len(sets) == 1 and _is_plain(sets[0]) and not sets[0].ids and not sets[0].nvpairs:
        return sets[0].values
    return None


def _shorthand(sets: tuple[AttributeSet, ...]) -> Any:
    plain = plain_values(sets)
    return [item.model_dump(by_alias=True) for item in sets] if plain is None else dict(plain)


AttributeSets = Annotated[
    tuple[AttributeSet, ...],
    BeforeValidator(as_sets, json_schema_input_type=Values | tuple[AttributeSet, ...]),
    AfterValidator(merged),
    PlainSerializer(_shorthand),
]


def _described_by(words: Vocabulary) -> AfterValidator:
    return AfterValidator(lambda sets, info: normal(sets, words, observed=bool(info.context)))


def normal(sets: tuple[AttributeSet, ...], words: Vocabulary, *, observed: bool) -> tuple[AttributeSet, ...]:
    """Give names and values their canonical form; what was observed passes even where Pacemaker would not heed it."""
    return tuple(_normal(item, words, observed) for item in sets)


def _normal(item: AttributeSet, words: Vocabulary, observed: bool) -> AttributeSet:
    if all(_is_normal(words, name, text, observed) for name, text in item.values.items()):
        return item
    canonical: dict[str, str] = {}
    ids: dict[str, str] = {}
    wrong: list[str] = []
    for name, text in item.values.items():
        current = words.name(name)
        if current == name or current not in item.values:  # where both names are said, Pacemaker heeds the current one
            try:
                canonical[current] = means(words, name, text, observed)
            except ValueError as error:
                wrong.append(str(error))
            if name in item.ids:
                ids[current] = item.ids[name]
    if wrong:
        raise ValueError("; ".join(wrong))
    return item.model_copy(update={"values": canonical, "ids": ids})


def _is_normal(words: Vocabulary, name: str, text: str, observed: bool) -> bool:
    try:
        return words.name(name) == name and means(words, name, text, observed) == text
    except ValueError:
        return False


def means(words: Vocabulary, name: str, text: str, observed: bool) -> str:
    """Return the canonical text of a value; one that was observed passes even where Pacemaker would not heed it."""
    try:
        return words.value(name, text) if observed else words.written(name, text)
    except ValueError as error:
        if observed:
            return text
        raise ValueError(f"{name}: {error}") from error


def read_sets(elements: Sequence[ET.Element], named: frozenset[str]) -> tuple[AttributeSet, ...]:
    """Read sets of one sort; `named` are the ids by which something refers to them or what is in them.

    Raises:
        UnsupportedError: one has what no manifest can say.
    """
    return read_sets_as(AttributeSet, elements, named)


def read_sets_as(model: type[SetT], elements: Sequence[ET.Element], named: frozenset[str]) -> tuple[SetT, ...]:
    """Read sets as `read_sets` does, as a model of their own."""
    sets = [_read_as(model, element, named) for element in elements]
    for index, element in enumerate(elements):
        hidden = sets[index].ids.keys() & {name for item in sets[index + 1 :] for name in item.values}
        if hidden:
            # A value behind it counts, but others refer to this one: it stays a set of its own.
            sets[index] = _read_as(model, element, named | {element.get("id", "")})
    return merged(tuple(sets))


def read_set(element: ET.Element, named: frozenset[str] = frozenset()) -> AttributeSet:
    """Read one set; a pair without a value says nothing to Pacemaker.

    Raises:
        UnsupportedError: it has what no manifest can say.
    """
    return _read_as(AttributeSet, element, named)


def _read_as(model: type[SetT], element: ET.Element, named: frozenset[str]) -> SetT:
    reader = Reader(element)
    name, reference, score = reader.take("id"), reader.take("id-ref"), reader.take("score")
    rules = reader.elements("rule")
    if len(rules) > 1:
        raise UnsupportedError(f"<{element.tag}> has several rules")
    pairs, ids, references = _read_pairs(reader.elements("nvpair"), named)
    rule = read_rule(rules[0], named) if rules else None
    reader.done()
    own = name if name in named else None
    if rule is None and score is None and reference is None and own is None and not references:
        return model.model_construct(values=pairs, ids=ids)
    return observed(model, values=pairs, rule=rule, score=score, id_ref=reference, nvpairs=references, id=own, ids=ids)


def _read_pairs(
    elements: Sequence[ET.Element], named: frozenset[str]
) -> tuple[dict[str, str], dict[str, str], tuple[PairReference, ...]]:
    pairs: dict[str, str] = {}
    ids: dict[str, str] = {}
    references: list[PairReference] = []
    for pair in elements:
        name, value, reference = pair.get("name"), pair.get("value"), pair.get("id-ref")
        if next(children(pair), None) is not None or not set(pair.keys()) <= (
            _PAIR if reference is None else _REFERENCE
        ):
            raise UnsupportedError("an <nvpair> is more than a name and a value, or a reference")
        if reference is not None:
            references.append(observed(PairReference, id_ref=reference, name=name))
        elif name is None:
            raise UnsupportedError("an <nvpair> has no name")
        elif value is not None and name not in pairs:
            pairs[name] = value
            if pair.get("id") in named:
                ids[name] = pair.get("id", "")
    return pairs, ids, tuple(references)


_PAIR = {"id", "name", "value"}
_REFERENCE = {"id-ref", "name"}


def value_in(sets: tuple[AttributeSet, ...], name: str) -> str | None:
    """Return the value of a name in the unconditional sets, or None."""
    for item in reversed(sets):
        if item.condition == UNCONDITIONAL and name in item.values:
            return item.values[name]
    return None


def with_value(sets: tuple[AttributeSet, ...], name: str, value: str) -> tuple[AttributeSet, ...]:
    """Return the sets with one value set where it counts in the unconditional ones, of which one is made if need be."""
    plain = [index for index, item in enumerate(sets) if item.condition == UNCONDITIONAL]
    for index in [*(index for index in reversed(plain) if name in sets[index].values), *plain][:1]:
        changed = sets[index].model_copy(update={"values": {**sets[index].values, name: value}})
        return (*sets[:index], changed, *sets[index + 1 :])
    return (*sets, AttributeSet.model_construct(values={name: value}))


MetaAttributes = Annotated[AttributeSets, _described_by(META), Written("MetaAttributes")]
"""Attribute sets that Pacemaker itself reads for a resource or an alert: their values are in canonical form."""

OperationOptions = Annotated[AttributeSets, _described_by(OPERATION), Written("OperationAttributes")]
"""The same for an operation."""

NodeAttributes = Annotated[AttributeSets, _described_by(NODE), Written("NodeAttributes")]
"""The same for a node, of whose attributes Pacemaker reads only a few."""
