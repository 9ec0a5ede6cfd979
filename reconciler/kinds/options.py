"""Sets of options that Pacemaker, people and agents share: cluster properties, defaults. Pure.

Such a set is a bag: its values are owned one by one. What the manifests named and no longer name is removed, everything
else that is there stays and is reported. A set that only refers to another has no id of its own, so it is called after
that one (`ref-<id>`), and nothing in it can be recorded as ours: it is made, and never taken away.
"""

from collections.abc import Callable
from typing import Any, Self, TypeVar
from xml.etree import ElementTree as ET

from pydantic import Field, ValidationInfo, model_validator

from reconciler.cib import crm
from reconciler.kinds.base import OBSERVED, Around, Bag, Kept, observed
from reconciler.kinds.nvset import AttributeSet, PairReferences, Values, Vocabulary, normal, pair_references, read_set
from reconciler.kinds.nvset_xml import write_set
from reconciler.kinds.rule import Condition, Score
from reconciler.state import Spec


class Options(Spec):
    """A set of options. What no manifest names is left as it is."""

    IDENTITY = ("ids",)
    REFERRING = ("id_ref",)

    values: Values = Field(default_factory=dict, description="Names and values.")
    rule: Condition | None = Field(default=None, description="The set applies only where this rule holds.")
    score: Score | None = Field(default=None, description="Sets with a higher score are looked at first.")
    id_ref: str | None = Field(
        default=None, description="Instead of all else: the set that has this id. `metadata.name` is then `ref-<id>`."
    )
    nvpairs: PairReferences = ()
    ids: dict[str, str] = Field(
        default_factory=dict, description="The ids of values, by their names, where something refers to them."
    )

    @model_validator(mode="after")
    def _one_form(self, info: ValidationInfo) -> Self:
        if not info.context:
            AttributeSet.model_validate(self._given())
            if not (self.values or self.nvpairs or self.id_ref):
                raise ValueError("says nothing: needs values")
        return self

    def as_set(self) -> AttributeSet:
        """Return the same as an attribute set of an object, even where it was observed and no manifest could say so."""
        return AttributeSet.model_validate(self._given(), context=OBSERVED)

    def _given(self) -> dict[str | None, Any]:
        given = {name: getattr(self, name) for name in _FIELDS}
        return {field.alias: given[name] for name, field in _FIELDS.items() if given[name]}


_FIELDS = {name: field for name, field in AttributeSet.model_fields.items() if name != "id"}

OptionsT = TypeVar("OptionsT", bound=Options)


def canonical(values: dict[str, str], words: Vocabulary, info: ValidationInfo) -> dict[str, str]:
    """Give values their canonical form; what was observed passes even where Pacemaker would not heed it."""
    item = AttributeSet.model_construct(values=values)
    return normal((item,), words, observed=bool(info.context))[0].values


def label(element: ET.Element) -> str:
    """Return the name of a live set: its id, or what it refers to."""
    return element.get("id") or _reference(element.get("id-ref", ""))


def name_problem(name: str, spec: Options) -> str:
    """Say why a set cannot be called so: one that only refers to another has its name from that."""
    expected = _reference(spec.id_ref) if spec.id_ref else name
    return "" if name == expected else f"a set that refers to {spec.id_ref} has no other name than {expected!r}"


def _reference(name: str) -> str:
    return f"ref-{name}"


def reader(model: type[OptionsT], words: Vocabulary) -> Callable[[ET.Element, frozenset[str]], OptionsT]:
    """Return what reads a live set."""

    def read(found: ET.Element, named: frozenset[str] = frozenset()) -> OptionsT:
        item = normal((read_set(found, named),), words, observed=True)[0]
        return observed(model, **{name: getattr(item, name) for name in _FIELDS})

    return read


def writer(tag: str, words: Vocabulary) -> Callable[[str, Options, ET.Element | None], ET.Element]:
    """Return what writes a set as an element of this tag."""
    return lambda name, spec, live: write_set(tag, name, spec.as_set(), live, words)


def say(word: str, name: str, spec: Options, values: dict[str, str]) -> str:
    """Return crm's line for a set; it has no words for scores and references."""
    item = spec.as_set()
    if item.score or not item.in_plain_words:
        raise crm.UnsayableError("a score, ids or references")
    rule = ["rule", *crm.rule(item.rule)] if item.rule else []
    return crm.line(word, f"{name}:", *rule, *crm.pairs(values)) if values else ""


def keep(desired: OptionsT, live: OptionsT | None, around: Around) -> Kept:
    """Keep what no manifest ever named."""
    if live is None or desired.id_ref or live.id_ref:
        return Kept(desired)
    kept = {
        name: value for name, value in live.values.items() if name not in desired.values and name not in around.recorded
    }
    pairs = pair_references(desired.nvpairs + live.nvpairs)
    spec = desired.model_copy(update={"values": {**desired.values, **kept}, "nvpairs": pairs})
    field = type(desired).model_fields["values"].alias
    return Kept(spec, tuple((f"{field}.{name}", value) for name, value in kept.items()))


def _without(spec: Options, names: frozenset[str]) -> Options | None:
    rest = {name: value for name, value in spec.values.items() if name not in names}
    ids = {name: own for name, own in spec.ids.items() if name in rest}
    return spec.model_copy(update={"values": rest, "ids": ids}) if rest or spec.nvpairs else None


def bag(words: Vocabulary, section: str) -> Bag:
    """Return how the values of a set of this section are owned."""

    def ids(live: ET.Element) -> dict[str, str]:
        found: dict[str, str] = {}
        for pair in live.iter("nvpair"):
            if pair.get("id") is not None and pair.get("value") is not None:
                found.setdefault(words.name(pair.get("name", "")), pair.get("id", ""))
        return found

    return Bag(
        ids,
        lambda spec: frozenset(spec.values),
        _without,
        lambda _, value: f"crm_attribute -t {section} -n {value} -D",
    )
