"""Random clusters: configurations as people and tools leave them, and manifests that may or may not agree with them.

Both sides draw from the same few names, so that they meet: the same object on both sides, one side only, another kind
under the name, members that move between containers, constraints that name what goes.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from xml.etree import ElementTree as ET

from hypothesis import strategies as st

from reconciler.cib.document import NAMED_BY_ID, key, parse, serialize
from reconciler.cib.draft import Edits, draft, recording
from reconciler.cib.ownership import is_record
from reconciler.crossref import check
from reconciler.kinds import CLUSTER_KINDS, KINDS
from reconciler.kinds.observe import observe
from reconciler.planner import plan
from reconciler.pruning import Policy
from reconciler.state import Desired, Ref, Spec
from tests.strategies.cluster import others, tag
from tests.strategies.constraints import constraint
from tests.strategies.pen import Pen
from tests.strategies.resources import Objects, resources

TAGS = ("t1", "t2")
CONSTRAINTS = ("k1", "k2", "k3", "k4")


@st.composite
def objects(draw: st.DrawFn, *, rare: bool = True, modern: bool = True) -> Objects:
    """A set of objects of all kinds that fits together, as manifests say it.

    Args:
        draw: hypothesis.
        rare: with what people write seldom, and crm has no words for.
        modern: with what only schemas after 3.0 know.
    """
    pen = Pen(draw, rare=rare, modern=modern)
    found = resources(pen)
    held = {name for spec in found.values() for name in (*spec.get("resources", ()), spec.get("resource"))}
    tops = [name for kind, name in found if kind != "Template" and name not in held]
    nameable = [name for kind, name in found if kind != "Bundle" or name not in held] if rare else tops
    if rare and nameable:
        for name in pen.several(TAGS):
            found["Tag", name] = tag(pen, nameable)
            nameable.append(name)
    if nameable:
        for name in pen.several(CONSTRAINTS, most=4):
            kind, spec = constraint(pen, nameable)
            found[kind, name] = spec
    if rare:
        found |= others(pen, nameable)
    elif pen.pick(True, False):
        properties = pen.pick({"stonith-enabled": False}, {"no-quorum-policy": "ignore", "batch-limit": 5})
        found["ClusterProperties", "cib-bootstrap-options"] = {"properties": properties}
    said = {key: pen.wired(spec) or {} for key, spec in found.items()}
    return fitting(said) if rare else said


def desired(found: Mapping[tuple[str, str], Mapping[str, Any]]) -> Desired:
    state: dict[Ref, Spec] = {Ref(*key): KINDS[key[0]].spec.model_validate(spec) for key, spec in found.items()}
    return Desired(state, "r")


@dataclass(frozen=True)
class Live:
    """A CIB, the manifests of the objects in it, and which of its resources run."""

    text: str
    said: Objects
    running: frozenset[str]
    modern: bool


FOREIGN = {
    "resources": (
        '<primitive id="f1" class="ocf" provider="x" type="y"><!--why--><instance_attributes id="f1-a"/></primitive>',
        '<group id="f2"><primitive id="f3" class="lsb" type="z"/></group>',
        """<clone id="f4"><instance_attributes id-ref="p1-instance_attributes"/>
        <primitive id="f5" class="lsb" type="z"/></clone>""",
        '<template id="f8" class="lsb" type="z"/>',
        '<bundle id="f9"><docker image="x"/></bundle>',
    ),
    "constraints": (
        '<rsc_location id="cli-ban-x" rsc="p1" node="n1" score="-INFINITY" role="Started"/>',
        '<rsc_location id="cli-ban-y" rsc-pattern="^f" node="n1" score="-INFINITY"/>',
        '<rsc_ticket id="f6" rsc="p2" ticket="t"/>',
        '<rsc_order id="f7"><resource_set id="f7-s"><resource_ref id="g1"/></resource_set></rsc_order>',
    ),
    "rsc_defaults": ('<meta_attributes id="f10"><nvpair id="f10-x" name="priority" value="1"/></meta_attributes>',),
    "acls": (
        """<acl_role id="f11"><acl_permission id="f11-x" kind="deny" reference="p3"/></acl_role>""",
        '<acl_group id="f12"><role id="a1"/></acl_group>',
    ),
    "tags": ('<tag id="f13"><obj_ref id="p1"/></tag>',),
    "alerts": ('<alert id="f14" path="/y"/>',),
    "fencing-topology": ('<fencing-level id="f15" target="n1" index="3" devices="p1"/>',),
}
"""What others made, by section; some of it names what may be ours. Some is there only if what it names is."""

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
    schema = draw(st.sampled_from(["pacemaker-3.9", "pacemaker-3.9", "pacemaker-3.0"]))
    modern = schema != "pacemaker-3.0"
    said = draw(objects(modern=modern))
    configuration = written(said, schema)
    _respell(draw, configuration)
    _add_foreign(draw, configuration)
    mine = [
        CLUSTER_KINDS[kind].key(name) for kind, name in said if not CLUSTER_KINDS[kind].bag and draw(st.integers(0, 3))
    ]
    there = _keys(configuration)
    mine = [name for name in mine if name in there]
    mine += [name for name in _shared(configuration) if draw(st.booleans())]
    root = ET.fromstring(EMPTY.format(schema=configuration.get("schema"), tags=""))
    del configuration.attrib["schema"]
    root[0] = configuration
    cib = parse(serialize(root))
    root[0] = draft(cib, recording(cib, frozenset(mine), Edits()))
    running = frozenset(name for kind, name in said if kind == "Primitive" and draw(st.booleans()))
    return Live(serialize(root), said, running, modern)


def _keys(configuration: ET.Element) -> set[str]:
    return {key(element) for element in configuration.iter() if element.tag not in NAMED_BY_ID}


def _shared(configuration: ET.Element) -> list[str]:
    """The ids of values that manifests and people share."""
    paths = ("crm_config//nvpair", "rsc_defaults//nvpair", "op_defaults//nvpair", "nodes//nvpair", "*/fencing-level")
    return [name for path in paths for found in configuration.iterfind(path) if (name := found.get("id"))]


def _add_foreign(draw: st.DrawFn, configuration: ET.Element) -> None:
    there = _keys(configuration)
    for place, texts in FOREIGN.items():
        for text in draw(st.lists(st.sampled_from(texts), unique=True)):
            element = ET.fromstring(text, _parser())
            named = {part.get(name) for part in element.iter() for name in ("rsc", "id-ref", "reference")}
            named |= {part.get("id") for part in element.iter() if part.tag in NAMED_BY_ID}
            if not named - {None} <= there:
                continue
            section = configuration.find(place)
            section = ET.SubElement(configuration, place) if section is None else section
            section.insert(draw(st.integers(0, len(section))), element)


def written(said: Objects, schema: str) -> ET.Element:
    """Return the configuration of a new cluster with these objects, as the first plan for it would make it."""
    cib = parse(EMPTY.format(schema=schema, tags=""))
    configuration = plan(desired(said), observe(cib), frozenset(), Policy()).configuration
    copy = ET.fromstring(ET.tostring(configuration), _parser())
    unrecord(copy)
    copy.set("schema", schema)
    return copy


def unrecord(configuration: ET.Element) -> None:
    """Take out the record of what is ours."""
    for section in configuration:
        section[:] = [part for part in section if not is_record(str(section.tag), part)]


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
def wishes(draw: st.DrawFn, live: Live) -> Objects:
    """Manifests for a cluster with these objects: some stay as they are, some go, others are different or new."""
    fresh = draw(objects(modern=live.modern))
    kept = {key: spec for key, spec in live.said.items() if draw(st.integers(0, 2))}
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
