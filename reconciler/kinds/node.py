"""Node: attributes and capacities of a node, and whether it is on standby or in maintenance. Pure.

A node is called by its name (`uname`), as everywhere in Pacemaker's tools; its id in the CIB is corosync's and is found
by the name. Nodes come and go with corosync, so they are never deleted, and one that the cluster does not know yet is
made only where its id is known. The attributes are a bag that people and agents share: only what manifests named is
ever changed or taken away. So standby and maintenance stay people's until a manifest names them.
"""

from collections.abc import Iterator
from typing import Annotated, Any, Literal
from xml.etree import ElementTree as ET

from pydantic import BeforeValidator, Field

from reconciler.cib import crm, values
from reconciler.kinds.base import (
    Around,
    Bag,
    ClusterKind,
    Kept,
    Reader,
    Remark,
    arrange,
    element,
    keep_spelling,
    observed,
)
from reconciler.kinds.nvset import (
    NODE,
    UNCONDITIONAL,
    AttributeSet,
    AttributeSets,
    NodeAttributes,
    merged,
    pair_references,
    read_set,
    read_sets,
)
from reconciler.kinds.nvset_xml import write_sets
from reconciler.kinds.rule import Score
from reconciler.kinds.written import CLOSED
from reconciler.state import Scope, Spec

_FIELDS = {"attributes": ("instance_attributes", NODE), "utilization": ("utilization", None)}
_PEOPLES = ("standby", "maintenance")


_Types = Literal["member", "remote", "ping", "normal"]


def _type(text: Any) -> Any:
    return None if text in ("member", "normal") else text


class Node(Spec):
    """Attributes and capacities of a node. What no manifest names is left as it is."""

    attributes: NodeAttributes = Field(
        default=(), description="Attributes that rules look at; `standby` and `maintenance` are Pacemaker's."
    )
    utilization: AttributeSets = Field(default=(), description="The node's capacities, e.g. { cpu = 8 }.")
    description: Remark = Field(default=None, description="A remark.")
    type: Annotated[Literal["remote", "ping"] | None, BeforeValidator(_type, json_schema_input_type=_Types), CLOSED] = (
        Field(default=None, description="member (which is understood), remote or ping.")
    )
    score: Score | None = Field(default=None, description="What every resource's preference for the node begins with.")
    id: str | None = Field(
        default=None, description="Its id, only for a node that the cluster does not know yet: corosync's nodeid."
    )


def _read(node: ET.Element, named: frozenset[str] = frozenset()) -> Node:
    reader = Reader(node)
    reader.take("uname")
    fields = {name: reader.take(name) for name in ("id", "description", "type", "score")}
    sets = {field: read_sets(reader.elements(tag), named) for field, (tag, _) in _FIELDS.items()}
    reader.done()
    return observed(Node, **sets, **fields)


def _write(name: str, spec: Node, live: ET.Element | None) -> ET.Element:
    old = live.attrib if live is not None else {}
    number = old.get("id") or spec.id or name
    type_ = old.get("type") if spec.type == _type(old.get("type")) else spec.type
    score = keep_spelling(old.get("score"), spec.score, values.stored_score)
    written = element("node", live, id=number, uname=name, type=type_, description=spec.description, score=score)
    attributes, utilization = ([] if live is None else live.findall(tag) for tag, _ in _FIELDS.values())
    owner = f"nodes-{number}"
    written.extend(write_sets("instance_attributes", owner, spec.attributes, attributes, NODE, fresh=owner))
    written.extend(write_sets("utilization", owner, spec.utilization, utilization))
    return arrange(written, live)


def _crm(name: str, spec: Node) -> str:
    return crm.line(
        "node",
        *([f"{spec.id}:"] if spec.id else []),
        f"{name}:{spec.type}" if spec.type else name,
        *crm.description(spec.description),
        *crm.sets("attributes", spec.attributes),
        *crm.sets("utilization", spec.utilization),
    )


def _unset(name: str, label: str) -> str:
    field, _, attribute = label.rpartition(".")
    return f"crm_attribute -N {name} -n {attribute} -D" + (" -z" if field.startswith("utilization") else "")


def _label(field: str, item: AttributeSet) -> str:
    said = (item.rule and item.rule.expression, item.score and f"score {item.score}", item.id_ref)
    return field if item.condition == UNCONDITIONAL else f"{field}[{', '.join(text for text in said if text)}]"


def _labels(spec: Node) -> Iterator[tuple[str, str]]:
    for field in _FIELDS:
        for item in getattr(spec, field):
            yield from ((f"{_label(field, item)}.{name}", value) for name, value in item.values.items())


def _ids(live: ET.Element) -> dict[str, str]:
    found: dict[str, str] = {}
    for field, (tag, _) in _FIELDS.items():
        for container in reversed(live.findall(tag)):
            label = _label(field, read_set(container))
            for pair in container.findall("nvpair"):
                if pair.get("id") is not None and pair.get("value") is not None:
                    found.setdefault(f"{label}.{pair.get('name', '')}", pair.get("id", ""))
    return found


def _without(spec: Node, names: frozenset[str]) -> Node:
    return spec.model_copy(update={field: tuple(_rest(field, getattr(spec, field), names)) for field in _FIELDS})


def _rest(field: str, sets: tuple[AttributeSet, ...], names: frozenset[str]) -> Iterator[AttributeSet]:
    for item in sets:
        label = _label(field, item)
        rest = {name: value for name, value in item.values.items() if f"{label}.{name}" not in names}
        left = item.model_copy(update={"values": rest, "ids": {n: i for n, i in item.ids.items() if n in rest}})
        if left.is_said:
            yield left


def _keep(desired: Node, live: Node | None, around: Around) -> Kept:
    """Keep what no manifest ever named; the id is corosync's, whatever the manifest says."""
    if live is None:
        return Kept(desired)
    known = frozenset(label for label, _ in _labels(desired)) | around.recorded
    plain = {name: getattr(live, name) for name in ("description", "type", "score") if getattr(desired, name) is None}
    sets = {field: _joined(getattr(desired, field), field, getattr(live, field), known) for field in _FIELDS}
    overrides = list(_labels(_without(live, known)))
    if live.id and desired.id not in (None, live.id):
        overrides.append(("id", live.id))
    return Kept(desired.model_copy(update={**plain, **sets, "id": live.id}), tuple(overrides))


def _joined(
    ours: tuple[AttributeSet, ...], field: str, live: tuple[AttributeSet, ...], known: frozenset[str]
) -> tuple[AttributeSet, ...]:
    """Put the others' values around ours, in the live order where the manifest has no other.

    Of two values of a name the last counts, so their sets stay where they are among each other: only with those of one
    of them are ours put together, the last of its condition.
    """
    places = {item.condition: place for place, item in enumerate(live)}
    joined = [(places.get(item.condition, len(live)), item) for item in ours]
    for place, item in enumerate(live):
        for rest in _rest(field, (item,), known):
            _join(joined, place, rest, len(ours))
    order = [place for place, _ in joined[: len(ours)] if place < len(live)]
    if order == sorted(order):
        joined.sort(key=lambda placed: placed[0])
    return merged(tuple(item for _, item in joined))


def _join(joined: list[tuple[int, AttributeSet]], place: int, item: AttributeSet, ours: int) -> None:
    """Put what is left of one of the others' sets into that of the first `ours` that has its place, else behind."""
    alike = [index for index, (_, other) in enumerate(joined[:ours]) if other.condition == item.condition]
    # In which of the sets of one condition a reference stands is the manifest's choice.
    said = {pair for which in alike for pair in joined[which][1].nvpairs}
    missing = tuple(pair for pair in item.nvpairs if pair not in said)
    own = [index for index in alike if joined[index][1].id == item.id]
    here = [index for index in own or alike if joined[index][0] == place]
    if not here:
        taken = item.id is not None and any(item.id == other.id for _, other in joined[:ours])
        joined.append((place, item.model_copy(update={"nvpairs": missing} | ({"id": None} if taken else {}))))
        return
    there, other = joined[here[0]]
    values = {
        "values": {**item.values, **other.values},
        "nvpairs": pair_references(other.nvpairs + missing),
        "id": other.id or item.id,
    }
    joined[here[0]] = (there, other.model_copy(update=values))


def _noteworthy(spec: Node) -> tuple[tuple[str, str], ...]:
    """Return what people do to a node and may forget."""
    state = ((name, item.values.get(name)) for item in spec.attributes for name in _PEOPLES)
    return tuple((f"attributes.{name}", value) for name, value in state if value not in (None, "false"))


def _awaits(name: str, spec: Node) -> str:
    known = spec.id or spec.type == "remote"
    return "" if known else f"the cluster does not know a node {name} yet: it comes to know it when it joins"


KIND = ClusterKind(
    name="Node",
    scope=Scope.CLUSTER,
    spec=Node,
    summary="Attributes and capacities of a node.",
    section="nodes",
    tags=frozenset({"node"}),
    read=_read,
    write=_write,
    crm=_crm,
    keep=_keep,
    shared=Bag(_ids, lambda spec: frozenset(label for label, _ in _labels(spec)), _without, _unset),
    label=lambda found: found.get("uname", ""),
    named_apart="node",
    awaits=_awaits,
    noteworthy=_noteworthy,
)
