"""Random clusters: configurations as people and tools leave them, and manifests that may or may not agree with them.

Both sides draw from the same few names, so that they meet: the same object on both sides, one side only, another kind
under the name, members that move between containers, constraints that name what goes.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from xml.etree import ElementTree as ET

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st

from reconciler.cib.document import parse, serialize
from reconciler.crossref import check
from reconciler.kinds import KINDS
from reconciler.kinds.observe import observe
from reconciler.planner import plan
from reconciler.pruning import Policy
from reconciler.state import Desired, Ref, Spec

PATIENT = settings(
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.function_scoped_fixture],
)
"""For a noisy machine, which must not fail a law for being slow."""

PRIMITIVES = ("p1", "p2", "p3", "p4", "p5")
GROUPS = ("g1", "g2")
CLONES = ("c1", "c2")
CONSTRAINTS = ("k1", "k2", "k3", "k4")
NODES = ("n1", "n2")
PROMOTABLE: tuple[dict[str, Any], ...] = ({}, {"promotable": True}, {"promotable": True, "master-max": 1})
AGENTS = ("ocf:heartbeat:IPaddr2", "ocf::pacemaker:Dummy", "systemd:a@b", "stonith:fence_x")

texts = st.sampled_from(["", "a\\b", "$x", "1", "a b", "ü€", "x'y\"z", "<&>", "10s", "true"])
scores = st.sampled_from(["INFINITY", "-INFINITY", "100", "0", "1000000"])
intervals = st.sampled_from(["10", "10s", "10000ms", "1min", "0"])
expressions = st.sampled_from(
    [
        "not_defined pingd or pingd lte 0",
        "#uname eq n1",
        "defined a and (b gt 3 or c ne x)",
        "date gt 2024-01-01",
        "date spec hours=9-17",
    ]
)


def some(strategy: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.none() | strategy


def table(**fields: Any) -> dict[str, Any]:
    """A manifest's table: what is not said is not there."""
    return {name.rstrip("_").replace("_", "-"): value for name, value in fields.items() if value not in (None, {}, [])}


@st.composite
def meta(draw: st.DrawFn) -> dict[str, Any]:
    return table(
        priority=draw(some(st.sampled_from([5, "5", 10]))),
        target_role=draw(some(st.sampled_from(["Started", "Stopped"]))),
        is_managed=draw(some(st.sampled_from([True, "false"]))),
    )


@st.composite
def sets(draw: st.DrawFn) -> Any:
    plain = draw(st.dictionaries(st.sampled_from(["ip", "nic", "a:b", "x y"]), texts, max_size=3))
    if draw(st.integers(0, 3)):
        return plain
    rule = {"expression": draw(expressions), "score": draw(scores)}
    extra = {"values": draw(st.dictionaries(st.sampled_from(["ip", "nic"]), texts, max_size=2)), "rule": rule}
    return draw(st.permutations([{"values": plain}, extra]))


@st.composite
def operations(draw: st.DrawFn) -> list[dict[str, Any]]:
    names = draw(st.lists(st.sampled_from(["start", "stop", "monitor"]), unique=True, max_size=3))
    return [
        table(
            name=name,
            interval=draw(intervals) if name == "monitor" else None,
            timeout=draw(some(st.sampled_from([20, "20s", "1min"]))),
            on_fail=draw(some(st.sampled_from(["restart", "ignore"]))),
            params=draw(some(st.just({"OCF_CHECK_LEVEL": "10"}))),
        )
        for name in names
    ]


@st.composite
def primitives(draw: st.DrawFn) -> dict[str, Any]:
    return table(
        agent=draw(
            st.sampled_from(["ocf:heartbeat:IPaddr2", "ocf::pacemaker:Dummy", "systemd:a@b", "stonith:fence_x"])
        ),
        description=draw(some(texts)),
        params=draw(sets()),
        meta=draw(meta()),
        utilization=draw(st.dictionaries(st.just("cpu"), st.just(2), max_size=1)),
        operations=draw(operations()),
    )


@st.composite
def constraints(draw: st.DrawFn, resources: list[str]) -> tuple[str, dict[str, Any]]:
    one, other = (draw(st.sampled_from(resources)) for _ in range(2))
    roles = some(st.sampled_from(["Started", "Promoted", "Master", "Slave"]))
    match draw(st.integers(0, 3)):
        case 0:
            return "Location", table(
                resource=one, node=draw(st.sampled_from(NODES)), score=draw(scores), role=draw(roles)
            )
        case 1:
            rules = [{"expression": draw(expressions), "score": draw(scores)} for _ in range(draw(st.integers(1, 2)))]
            return "Location", table(resource=one, rules=rules)
        case 2:
            return "Colocation", table(resource=one, with_=other, score=draw(scores), role=draw(roles))
        case _:
            return "Order", table(
                first=one,
                then=other,
                kind=draw(some(st.sampled_from(["Mandatory", "Optional", "Serialize"]))),
                symmetrical=draw(some(st.booleans())),
            )


Objects = dict[tuple[str, str], dict[str, Any]]


@st.composite
def objects(draw: st.DrawFn) -> Objects:
    """A set of objects that fits together, as manifests say it."""
    names = draw(st.lists(st.sampled_from(PRIMITIVES), unique=True, max_size=5))
    found: Objects = {("Primitive", name): draw(primitives()) for name in names}
    free, tops = list(names), list(names)
    for group in draw(st.lists(st.sampled_from(GROUPS), unique=True)):
        inside = draw(st.lists(st.sampled_from(free), unique=True, max_size=3)) if free else []
        if inside:
            found["Group", group] = table(resources=inside, meta=draw(meta()), description=draw(some(texts)))
            free = [name for name in free if name not in inside]
            tops.append(group)
    cloneable = free + [group for group in GROUPS if ("Group", group) in found]
    for clone in draw(st.lists(st.sampled_from(CLONES), unique=True)):
        if cloneable:
            inner = draw(st.sampled_from(cloneable))
            cloneable.remove(inner)
            found["Clone", clone] = table(resource=inner, meta={**draw(meta()), **draw(st.sampled_from(PROMOTABLE))})
            tops.append(clone)
    if tops:
        for name in draw(st.lists(st.sampled_from(CONSTRAINTS), unique=True)):
            kind, spec = draw(constraints(tops))
            found[kind, name] = spec
    if draw(st.booleans()):
        properties = st.sampled_from([{"stonith-enabled": False}, {"no-quorum-policy": "ignore", "batch-limit": 5}])
        found["ClusterProperties", "cib-bootstrap-options"] = {"properties": draw(properties)}
    return found


def desired(found: Mapping[tuple[str, str], Mapping[str, Any]]) -> Desired:
    state: dict[Ref, Spec] = {Ref(*key): KINDS[key[0]].spec.model_validate(spec) for key, spec in found.items()}
    return Desired(state, "r")


@dataclass(frozen=True)
class Live:
    """A CIB, the manifests of the objects in it, and which of its resources run."""

    text: str
    said: Objects
    running: frozenset[str]


FOREIGN_RESOURCES = (
    '<primitive id="f1" class="ocf" provider="x" type="y"><!--why--><instance_attributes id="f1-a"/></primitive>',
    '<group id="f2"><primitive id="f3" class="lsb" type="z"/></group>',
    """<clone id="f4"><instance_attributes id-ref="p1-instance_attributes"/>
    <primitive id="f5" class="lsb" type="z"/></clone>""",
)
"""A plain primitive, a group, and a clone that uses another object's attribute set."""

FOREIGN_CONSTRAINTS = (
    '<rsc_location id="cli-ban-x" rsc="{}" node="n1" score="-INFINITY" role="Started"/>',
    '<rsc_ticket id="f6" rsc="{}" ticket="t"/>',
    '<rsc_order id="f7"><resource_set id="f7-s"><resource_ref id="{}"/></resource_set></rsc_order>',
)
EMPTY = (
    '<cib crm_feature_set="3.16.1" validate-with="{schema}" admin_epoch="0" epoch="7" num_updates="3">'
    '<configuration><crm_config><cluster_property_set id="cib-bootstrap-options">'
    '<nvpair id="cib-bootstrap-options-dc-version" name="dc-version" value="2.1.5"/>'
    '<nvpair id="cib-bootstrap-options-x" name="maintenance-mode" value="false"/>'
    '</cluster_property_set></crm_config><nodes><node id="1" uname="n1"/><node id="2" uname="n2"/></nodes>'
    "<resources/><constraints/>{tags}</configuration><status/></cib>"
)
_OTHER_SPELLINGS = {"10s": "10", "20s": "20000ms", "60s": "1min", "true": "yes", "Promoted": "Master"}


@st.composite
def lives(draw: st.DrawFn) -> Live:
    """A cluster in which somebody, perhaps we, made these objects; foreign ones and a person's spelling among them."""
    said = draw(objects())
    configuration = written(said, draw(st.sampled_from(["pacemaker-3.9", "pacemaker-3.9", "pacemaker-3.0"])))
    resources, crm_config = configuration.find("resources"), configuration.find("crm_config")
    constraints_ = configuration.find("constraints")
    assert resources is not None
    assert constraints_ is not None
    assert crm_config is not None
    _respell(draw, configuration)
    names = [name for kind, name in said if kind in {"Primitive", "Group", "Clone"}]
    for text in draw(st.lists(st.sampled_from(FOREIGN_RESOURCES), unique=True)):
        if "id-ref" not in text or configuration.find(".//*[@id='p1-instance_attributes']") is not None:
            resources.insert(draw(st.integers(0, len(resources))), ET.fromstring(text, _parser()))
    for text in draw(st.lists(st.sampled_from(FOREIGN_CONSTRAINTS), unique=True)):
        if names:
            constraints_.append(ET.fromstring(text.format(draw(st.sampled_from(names)))))
    mine = [name for _, name in said if draw(st.integers(0, 3))]
    mine += [pair.get("id", "") for pair in crm_config.iter("nvpair") if draw(st.booleans())]
    if mine:
        tag = ET.SubElement(ET.SubElement(configuration, "tags"), "tag", {"id": "reconciler-owned"})
        tag.extend(ET.Element("obj_ref", {"id": name}) for name in mine)
    root = ET.fromstring(EMPTY.format(schema=configuration.get("schema"), tags=""))
    del configuration.attrib["schema"]
    root[0] = configuration
    running = frozenset(name for kind, name in said if kind == "Primitive" and draw(st.booleans()))
    return Live(serialize(root), said, running)


def written(said: Objects, schema: str) -> ET.Element:
    """Return the configuration of a new cluster with these objects, as the first plan for it would make it."""
    cib = parse(EMPTY.format(schema=schema, tags=""))
    configuration = plan(desired(said), observe(cib), frozenset(), Policy()).configuration
    copy = ET.fromstring(ET.tostring(configuration), _parser())
    tags = copy.find("tags")
    if tags is not None:
        copy.remove(tags)
    copy.set("schema", schema)
    return copy


def _respell(draw: st.DrawFn, configuration: ET.Element) -> None:
    old = configuration.get("schema") != "pacemaker-3.9"
    for element in list(configuration.iter()):
        if element.find("nvpair") is not None or element.tag == "operations":
            element[:] = draw(st.permutations(list(element)))
        for name, value in element.items():
            other = _OTHER_SPELLINGS.get(value)
            free = name in {"interval", "timeout", "rsc-role", "role"}
            if other and free and not (old and other == "Master") and draw(st.booleans()):
                element.set(name, other)
        if element.tag == "clone" and draw(st.booleans()) and "promotable" in ET.tostring(element, encoding="unicode"):
            element.tag = "master"
        if element.tag in {"primitive", "group", "resources", "operations"} and not draw(st.integers(0, 3)):
            element.insert(draw(st.integers(0, len(element))), ET.Comment("why"))


def _parser() -> ET.XMLParser:
    return ET.XMLParser(target=ET.TreeBuilder(insert_comments=True))


@st.composite
def wishes(draw: st.DrawFn, said: Objects) -> Objects:
    """Manifests for a cluster with these objects: some stay as they are, some go, others are different or new."""
    fresh = draw(objects())
    kept = {key: spec for key, spec in said.items() if draw(st.integers(0, 2))}
    mixed = {**fresh, **kept}
    names = [name for _, name in mixed]
    once = {key: spec for key, spec in mixed.items() if names.count(key[1]) == 1 or key in kept}
    return fitting(once)


def fitting(said: Objects) -> Objects:
    """Leave out what no valid set of manifests would say: references to nothing, members of two containers."""
    while True:
        state = desired(said).state
        faults = check(state, dict.fromkeys(state, "m.toml"))
        if not faults:
            return said
        bad = {fault.object for fault in faults}
        said = {key: spec for key, spec in said.items() if f"{key[0]}/{key[1]}" not in bad}
