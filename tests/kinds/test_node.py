"""Nodes: called by their names, found by their ids, their attributes shared with people and agents."""

from xml.etree import ElementTree as ET

from reconciler import manifests
from reconciler.cib.document import parse
from reconciler.kinds import CLUSTER_KINDS
from reconciler.kinds.base import Around
from reconciler.kinds.observe import observe
from reconciler.planner import ClusterPlan, plan
from reconciler.pruning import Policy
from reconciler.state import Ref
from reconciler.text import plan_crm, plan_text
from tests.kinds.words import both_ways, element, reads, spec

HEAD = 'apiVersion = "ha.reconciler.io/v1alpha1"\nkind = "List"\n'
CIB = """<cib crm_feature_set="3.16.1" validate-with="pacemaker-3.9" admin_epoch="0" epoch="1" num_updates="0">
<configuration><crm_config/><nodes><node id="1" uname="n1"><instance_attributes id="nodes-1">
<nvpair id="nodes-1-standby" name="standby" value="on"/><nvpair id="ours" name="site" value="a"/>
</instance_attributes></node><node id="n2" uname="n2" type="remote"/></nodes>
<resources><primitive id="n2" class="ocf" provider="pacemaker" type="remote"/></resources><constraints/>
<tags><tag id="reconciler-owned"><obj_ref id="ours"/><obj_ref id="n2"/></tag></tags></configuration><status/></cib>"""


def node(name: str, said: str = "spec = {}") -> str:
    return f'[[items]]\nkind = "Node"\nmetadata.name = "{name}"\n{said}\n'


def primitive(name: str) -> str:
    return f'[[items]]\nkind = "Primitive"\nmetadata.name = "{name}"\nspec.agent = "ocf:pacemaker:remote"\n'


REMOTE = primitive("n2")


def planned(*texts: str) -> ClusterPlan:
    desired = manifests.load({"a.toml": HEAD + "".join(texts)}, "r")
    assert desired.rejected == ()
    return plan(desired, observe(parse(CIB)), frozenset(), Policy())


def live(made: ClusterPlan, name: str) -> str:
    found = made.configuration.find(f"nodes/node[@uname='{name}']")
    assert found is not None
    return ET.tostring(found, "unicode")


def test_a_node_in_both_languages() -> None:
    both_ways(
        "Node",
        'id = "1"\nattributes = { site = "a" }\nutilization = { cpu = 8 }\ndescription = "rack 1"\nscore = 5',
        """<node id="1" uname="n1" description="rack 1" score="5"><instance_attributes id="nodes-1">
        <nvpair id="nodes-1-site" name="site" value="a"/></instance_attributes>
        <utilization id="nodes-1-utilization"><nvpair id="nodes-1-utilization-cpu" name="cpu" value="8"/></utilization>
        </node>""",
    )
    both_ways("Node", 'id = "x"\ntype = "remote"', '<node id="x" uname="x" type="remote"/>')
    reads("Node", '<node id="1" uname="n1" type="member"/>', 'id = "1"')


def test_on_and_yes_are_one_standby() -> None:
    text = """<node id="1" uname="n1"><instance_attributes id="nodes-1"><nvpair id="p" name="standby" value="on"/>
    </instance_attributes></node>"""
    reads("Node", text, 'id = "1"\nattributes = { standby = true }')


def test_what_is_there_is_in_sync_by_name_alone() -> None:
    made = planned(node("n1", 'spec.attributes = { site = "a" }'), node("n2"), REMOTE)
    assert made.plan.changes == ()
    assert made.operations == ()


def test_standby_is_people_s_until_a_manifest_names_it() -> None:
    made = planned(node("n1", 'spec.attributes = { site = "b" }'), REMOTE)
    assert 'name="standby" value="on"' in live(made, "n1")
    assert 'id="ours" name="site" value="b"' in live(made, "n1")
    assert "Node/n1: attributes.standby = true" in plan_text(made.plan)
    named = planned(node("n1", "spec.attributes = { standby = false }"), REMOTE)
    assert 'id="nodes-1-standby" name="standby" value="false"' in live(named, "n1")


def test_standby_of_a_node_that_no_manifest_names_is_reported() -> None:
    made = planned(REMOTE)
    assert [str(item.ref) for item in made.plan.overrides] == ["Node/n1"]


def test_only_our_attributes_go_and_never_the_node() -> None:
    made = planned(REMOTE)
    assert 'name="site"' not in live(made, "n1")
    assert 'name="standby" value="on"' in live(made, "n1")
    assert plan_crm(made.plan).splitlines()[1] == "# crm_attribute -N n1 -n site -D"


def test_a_node_may_be_called_as_a_resource_is() -> None:
    seen = observe(parse(CIB))
    assert {Ref("Node", "n2"), Ref("Primitive", "n2")} <= set(seen.state)
    made = planned(node("n2", "spec.attributes = { site = 1 }"), REMOTE)
    assert {str(change.ref) for change in made.plan.changes} == {"Node/n1", "Node/n2"}


def test_a_node_that_is_not_there_is_awaited() -> None:
    made = planned(node("n3", 'spec.attributes = { site = "a" }'), REMOTE)
    assert [(str(hold.ref), str(hold.reason)) for hold in made.plan.holds] == [("Node/n3", "ReferenceMissing")]
    assert "n3" not in ET.tostring(made.configuration, "unicode")


def test_a_node_is_made_where_its_id_is_known() -> None:
    made = planned(node("n3", 'spec.id = "3"'), node("far", 'spec.type = "remote"'), REMOTE)
    assert live(made, "n3").startswith('<node id="3" uname="n3"')
    assert live(made, "far").startswith('<node id="far" uname="far" type="remote"')


def test_the_id_is_corosync_s() -> None:
    made = planned(node("n1", 'spec.id = "7"\nspec.attributes = { site = "b" }'), REMOTE)
    assert live(made, "n1").startswith('<node id="1"')
    assert "Node/n1: id = 1" in plan_text(made.plan)


def test_names_that_are_no_ids() -> None:
    for name in ("3par", "10.0.0.1"):
        assert manifests.load({"a.toml": HEAD + node(name)}, "r").rejected == ()
    (fault,) = manifests.load({"a.toml": HEAD + node("a b")}, "r").rejected
    assert fault.field == "metadata.name"


def test_sets_for_certain_times_are_shared_too() -> None:
    kind = CLUSTER_KINDS["Node"]
    text = """<node id="1" uname="n1"><instance_attributes id="s"><rule id="r" score="0">
    <date_expression id="d" operation="gt" start="2030-01-01"/></rule><nvpair id="a" name="x" value="1"/>
    <nvpair id="b" name="y" value="2"/></instance_attributes></node>"""
    assert kind.shared is not None
    labels = kind.shared.ids(element(text))
    assert labels == {"attributes[date gt 2030-01-01].x": "a", "attributes[date gt 2030-01-01].y": "b"}
    wanted = spec(
        "Node",
        'attributes = [{ values = { x = 3 }, rule = { expression = "date gt 2030-01-01" } }]\nutilization.cpu = 1',
    )
    kept = kind.keep(wanted, kind.read(element(text), frozenset()), Around())
    assert kept.overrides == (("attributes[date gt 2030-01-01].y", "2"),)


def test_an_id_that_a_manifest_gives_to_a_set_is_taken_from_the_live_one_which_keeps_its_values() -> None:
    said = (
        'spec.attributes = [{ id = "nodes-1", rule = { expression = "date gt 2024-01-01" }, values = { site = "b" } }]'
    )
    desired = manifests.load({"a.toml": HEAD + node("n1", said)}, "r")
    reference = '<node id="n2" uname="n2" type="remote"><instance_attributes id-ref="nodes-1"/></node>'
    text = CIB.replace('<node id="n2" uname="n2" type="remote"/>', reference)
    made = plan(desired, observe(parse(text)), frozenset(), Policy())
    sets = made.configuration.findall("nodes/node[@uname='n1']/instance_attributes")
    found = {item.get("id"): [pair.get("name") for pair in item.findall("nvpair")] for item in sets}
    assert found == {"nodes-1-1": ["standby"], "nodes-1": ["site"]}
    assert [item.find("rule") is not None for item in sets] == [False, True]


def test_a_reference_in_the_second_of_two_sets_of_one_condition_is_not_taken_for_a_new_one() -> None:
    kind = CLUSTER_KINDS["Node"]
    text = """<node id="1" uname="n1"><instance_attributes id="s"><nvpair id="a" name="x" value="1"/>
    </instance_attributes>
    <instance_attributes id="t" score="5"><nvpair id="b" name="x" value="2"/></instance_attributes>
    <instance_attributes id="u"><nvpair id="c" name="y" value="3"/><nvpair id-ref="z"/></instance_attributes></node>"""
    there = kind.read(element(text), frozenset())
    assert kind.keep(there.model_copy(update={"id": None}), there, Around()).spec == there


def test_of_the_values_that_others_gave_to_an_attribute_the_same_still_counts() -> None:
    """Pacemaker takes the last value of a name: what others set keeps its place, whatever a manifest adds."""
    plain = '<instance_attributes id="{0}"><nvpair id="{0}-{1}" name="{1}" value="{2}"/></instance_attributes>'
    rule = '<rule id="{0}-r"><date_expression id="{0}-d" operation="lt" end="2030-01-01"/></rule>'
    timed = plain.replace('<nvpair id="{0}-', rule + '<nvpair id="{0}-')
    sets = (plain.format("x", "site", "a"), timed.format("y", "site", "b"), plain.format("z", "site", "c"))
    kind = CLUSTER_KINDS["Node"]
    there = kind.read(element(f'<node id="1" uname="n">{"".join(sets)}</node>'), frozenset())
    for wanted, found in (
        ("", ["a", "b", "c"]),
        ("attributes = { rack = 1 }", ["a", "b", "c"]),
        ('attributes = { site = "d" }', ["b", "d"]),
        ('attributes = [{ values = { rack = 1 }, rule = { expression = "date lt 2030-01-01" } }]', ["a", "b", "c"]),
        ('attributes = [{ values = { rack = 1 }, rule = { expression = "date gt 2030-01-01" } }]', ["a", "b", "c"]),
    ):
        kept = kind.keep(spec("Node", wanted), there, Around()).spec.model_dump()["attributes"]
        assert [item["values"]["site"] for item in kept if "site" in item["values"]] == found, wanted
