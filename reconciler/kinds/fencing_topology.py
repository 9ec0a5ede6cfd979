"""FencingTopology: which devices fence a node, and which are tried when those fail. Pure.

There is one, the section `fencing-topology`, which has no id: it is the object `fencing-topology`. Its levels are
shared with people: those that no manifest ever named stay and are reported. Of one target and index there should be one
level; Pacemaker puts the devices of several together.
"""

from collections import Counter
from collections.abc import Iterator
from typing import Annotated, Any, Self
from xml.etree import ElementTree as ET

from pydantic import AfterValidator, BeforeValidator, Field, ValidationInfo, model_validator

from reconciler.cib import crm, values
from reconciler.kinds.base import (
    Around,
    Bag,
    ClusterKind,
    Kept,
    Reader,
    Reference,
    arrange,
    canonical,
    element,
    fresh_id,
    identifier,
    keep_spelling,
    matched,
    needs,
    observed,
    text_of,
)
from reconciler.kinds.written import Written
from reconciler.state import Part, Scope, Spec

SECTION = "fencing-topology"

_WATCHDOG = "watchdog"
"""The device that Pacemaker has itself (`fence_watchdog`)."""

Index = Annotated[
    str,
    BeforeValidator(text_of),
    AfterValidator(lambda text, info: canonical(text, values.integer, info)),
    Written("Positive"),
]


class Level(Part):
    """Devices that are used together; all must succeed."""

    model_config = needs(["target"], ["target-pattern"], ["target-attribute", "target-value"])

    IDENTITY = ("id",)

    target: str | None = Field(default=None, description="The name of the node that is fenced.")
    target_pattern: str | None = Field(default=None, description="Or a regular expression for the names of nodes.")
    target_attribute: str | None = Field(
        default=None, description="Or a node attribute: the level is for nodes where it is `target-value`."
    )
    target_value: str | None = Field(default=None, description="What the attribute is.")
    index: Index = Field(description="Levels are tried by rising index, from 1.")
    devices: Annotated[tuple[str, ...], Field(min_length=1)] = Field(
        description="The names of STONITH resources, in the order in which they are used."
    )
    id: str | None = Field(default=None, description="Its id, where something refers to it.")

    @model_validator(mode="after")
    def _one_target(self, info: ValidationInfo) -> Self:
        if info.context:
            return self
        if sum(text is not None for text in (self.target, self.target_pattern, self.target_attribute)) != 1:
            raise ValueError("needs one of `target`, `target-pattern` and `target-attribute`")
        if (self.target_attribute is None) != (self.target_value is None):
            raise ValueError("needs `target-attribute` and `target-value` together")
        if int(self.index) < 1:
            raise ValueError("`index` is 1 or more")
        return self

    @property
    def at(self) -> str:
        """For whom and when it is, in words: what no two levels should share."""
        if self.target_pattern is not None:
            target = f"pattern:{self.target_pattern}"
        elif self.target_attribute is not None:
            target = f"attr:{self.target_attribute}={self.target_value}"
        else:
            target = self.target or ""
        return f"{target} {self.index}"


def _sorted(levels: tuple[Level, ...]) -> tuple[Level, ...]:
    return tuple(sorted(levels, key=lambda level: (level.at.rpartition(" ")[0], len(level.index), level.index)))


class FencingTopology(Spec):
    """Which devices fence a node, and which are tried when those fail. Levels that no manifest names are left alone."""

    levels: Annotated[tuple[Level, ...], Field(min_length=1), AfterValidator(_sorted)] = Field(
        description="Levels: for whom, when, and with which devices."
    )


_FIELDS = {
    "target": "target",
    "target_pattern": "target-pattern",
    "target_attribute": "target-attribute",
    "target_value": "target-value",
}


def _read(section: ET.Element, named: frozenset[str] = frozenset()) -> FencingTopology:
    reader = Reader(section)
    levels = [(_read_level(level, named), level.get("id")) for level in reader.elements("fencing-level")]
    reader.done()
    # Of several for the same only the id tells whose one is.
    many = {at for at, count in Counter(level.at for level, _ in levels).items() if count > 1}
    told = (level.model_copy(update={"id": own}) if level.at in many else level for level, own in levels)
    return observed(FencingTopology, levels=tuple(told))


def _read_level(level: ET.Element, named: frozenset[str] = frozenset()) -> Level:
    reader = Reader(level)
    name = reader.take("id")
    fields: dict[str, Any] = {field: reader.take(attribute) for field, attribute in _FIELDS.items()}
    devices = tuple((reader.take("devices") or "").split(","))
    fields |= {"index": reader.take("index"), "devices": devices, "id": name if name in named else None}
    reader.done()
    return observed(Level, **fields)


def _write(name: str, spec: FencingTopology, live: ET.Element | None) -> ET.Element:  # noqa: ARG001
    written = ET.Element(SECTION)
    before = [] if live is None else live.findall("fencing-level")
    used = {level.get("id") for level in before}
    places = {id(level): place for place, level in enumerate(before)}
    matches = matched(spec.levels, before, _says, alike=lambda level, item: _read_level(level).at == item.at)
    matches.sort(key=lambda match: len(before) if match.live is None else places[id(match.live)])
    written.extend(_write_level(match.item, match.live, used) for match in matches)
    return arrange(written, live)


def _says(live: ET.Element, item: Level) -> bool:
    return item.id in (None, live.get("id")) and _read_level(live) == item.model_copy(update={"id": None})


def _write_level(level: Level, live: ET.Element | None, used: set[str | None]) -> ET.Element:
    old = live.attrib if live is not None else {}
    if live is not None and _says(live, level):
        return live
    name = level.id or old.get("id") or fresh_id(identifier("fl", *level.at.split()), used)
    fields = {attribute: getattr(level, field) for field, attribute in _FIELDS.items()}
    index = keep_spelling(old.get("index"), level.index, values.integer)
    return element("fencing-level", live, id=name, **fields, index=index, devices=",".join(level.devices))


def _labelled(levels: list[tuple[Level, Any]]) -> Iterator[tuple[str, Any]]:
    """Yield something of each level by what the level is for; a second one for the same gets a number."""
    seen: dict[str, int] = {}
    for level, thing in levels:
        seen[level.at] = seen.get(level.at, 0) + 1
        yield (level.at if seen[level.at] == 1 else f"{level.at} #{seen[level.at]}"), thing


def _by_label(spec: FencingTopology) -> dict[str, Level]:
    return dict(_labelled([(level, level) for level in spec.levels]))


def _crm(name: str, spec: FencingTopology) -> str:  # noqa: ARG001
    words: list[str] = []
    at = ""
    counts: dict[str, int] = {}
    for level in spec.levels:
        target, _, index = level.at.rpartition(" ")
        counted = level.target_attribute or target  # crm counts on where only the attribute's value is another
        counts[counted] = counts.get(counted, 0) + 1
        if index != str(counts[counted]):
            raise crm.UnsayableError("levels that are not counted from 1")
        if target != at:
            words.append(target if level.target is None else f"{target}:")
            at = target
        words.append(",".join(level.devices))
    return crm.line("fencing_topology", *words)


def _references(spec: FencingTopology) -> tuple[Reference, ...]:
    names = {name for level in spec.levels for name in level.devices} - {_WATCHDOG}
    kinds = frozenset({"Primitive", "Clone"})
    return tuple(Reference("levels", name, kinds, loose=True) for name in sorted(names))


def _keep(desired: FencingTopology, live: FencingTopology | None, around: Around) -> Kept:
    """Keep the levels that no manifest ever named."""
    if live is None:
        return Kept(desired)
    ours = _by_label(desired)
    kept = {at: level for at, level in _by_label(live).items() if at not in ours and at not in around.recorded}
    overrides = tuple((f"levels.{at}", ",".join(level.devices)) for at, level in kept.items())
    return Kept(desired.model_copy(update={"levels": _sorted((*desired.levels, *kept.values()))}), overrides)


def _ids(section: ET.Element) -> dict[str, str]:
    levels = [(_read_level(level), level.get("id", "")) for level in section.findall("fencing-level")]
    return dict(_labelled(levels))


def _without(spec: FencingTopology, names: frozenset[str]) -> FencingTopology | None:
    rest = tuple(level for at, level in _by_label(spec).items() if at not in names)
    return spec.model_copy(update={"levels": rest}) if rest else None


def _name_problem(name: str, spec: Any) -> str:  # noqa: ARG001
    return "" if name == SECTION else f"there is one fencing topology in a cluster: it is called {SECTION!r}"


KIND = ClusterKind(
    name="FencingTopology",
    scope=Scope.CLUSTER,
    spec=FencingTopology,
    summary="Which devices fence a node, and which are tried when those fail.",
    section=SECTION,
    tags=frozenset(),
    read=_read,
    write=_write,
    crm=_crm,
    references=_references,
    keep=_keep,
    shared=Bag(_ids, lambda spec: frozenset(_by_label(spec)), _without, lambda _, __: ""),
    label=lambda _: SECTION,
    name_problem=_name_problem,
)
