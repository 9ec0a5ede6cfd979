"""The fencing topology: one object, whose levels are shared with people."""

from xml.etree import ElementTree as ET

import pytest

from reconciler import manifests
from reconciler.cib.document import parse
from reconciler.kinds.observe import observe
from reconciler.planner import ClusterPlan, plan
from reconciler.pruning import Policy
from reconciler.text import plan_text
from tests.kinds.words import both_ways, refuses

HEAD = 'apiVersion = "ha.reconciler.io/v1alpha1"\nkind = "List"\n'
DEVICES = "".join(
    f'[[items]]\nkind = "Primitive"\nmetadata.name = "{name}"\nspec.agent = "stonith:fence_dummy"\n'
    for name in ("d1", "d2")
)
CIB = """<cib crm_feature_set="3.16.1" validate-with="pacemaker-3.9" admin_epoch="0" epoch="1" num_updates="0">
<configuration><crm_config/><nodes/><resources><primitive id="d1" class="stonith" type="fence_dummy"/>
<primitive id="d2" class="stonith" type="fence_dummy"/></resources><constraints/>{}</configuration><status/></cib>"""
LEVELS = """<fencing-topology><!--by hand--><fencing-level id="x" target="n1" index="01" devices="d1"/>
<fencing-level id="y" target="n2" index="1" devices="d2"/></fencing-topology>
<tags><tag id="reconciler-owned"><obj_ref id="x"/><obj_ref id="d1"/><obj_ref id="d2"/></tag></tags>"""


def topology(*levels: str) -> str:
    head = '[[items]]\nkind = "FencingTopology"\nmetadata.name = "fencing-topology"\n'
    said = f"{head}spec.levels = [{', '.join(levels)}]\n"
    return said if levels else ""


def planned(live: str, *levels: str) -> ClusterPlan:
    desired = manifests.load({"a.toml": HEAD + DEVICES + topology(*levels)}, "r")
    assert desired.rejected == ()
    return plan(desired, observe(parse(CIB.format(live))), frozenset(), Policy())


def section(made: ClusterPlan) -> str:
    found = made.configuration.find("fencing-topology")
    return "" if found is None else ET.tostring(found, "unicode").replace("\n", "")


def test_levels_by_node_pattern_and_attribute() -> None:
    both_ways(
        "FencingTopology",
        """levels = [{ target-attribute = "rack", target-value = "a", index = 1, devices = ["d1"] },
        { target = "n1", index = 1, devices = ["d1", "d2"] }, { target = "n1", index = 10, devices = ["d2"] },
        { target-pattern = "^vm", index = 2, devices = ["d2"], id = "for-vms" }]""",
        """<fencing-topology>
        <fencing-level id="fl-attr_rack_a-1" target-attribute="rack" target-value="a" index="1" devices="d1"/>
        <fencing-level id="fl-n1-1" target="n1" index="1" devices="d1,d2"/>
        <fencing-level id="fl-n1-10" target="n1" index="10" devices="d2"/>
        <fencing-level id="for-vms" target-pattern="^vm" index="2" devices="d2"/></fencing-topology>""",
        "for-vms",
    )


def test_a_level_is_for_somebody() -> None:
    refuses("FencingTopology", "levels = []", "at least 1")
    refuses("FencingTopology", 'levels = [{ index = 1, devices = ["d"] }]', "needs one of")
    refuses("FencingTopology", 'levels = [{ target = "n", index = 0, devices = ["d"] }]', "1 or more")
    refuses("FencingTopology", 'levels = [{ target-attribute = "a", index = 1, devices = ["d"] }]', "together")


def test_there_is_one_topology() -> None:
    text = HEAD + topology('{ target = "n1", index = 1, devices = ["d1"] }').replace('"fencing-topology"', '"mine"')
    (fault,) = manifests.load({"a.toml": text}, "r").rejected
    assert "there is one fencing topology" in fault.message


def test_it_is_made_where_there_is_none_or_an_empty_one() -> None:
    for live in ("", "<fencing-topology/>"):
        made = planned(live, '{ target = "n1", index = 1, devices = ["d1"] }')
        assert section(made) == (
            '<fencing-topology><fencing-level id="fl-n1-1" target="n1" index="1" devices="d1" /></fencing-topology>'
        )


def test_levels_of_people_stay_and_are_reported() -> None:
    made = planned(LEVELS, '{ target = "n1", index = 1, devices = ["d1", "d2"] }')
    assert section(made) == (
        '<fencing-topology><!--by hand--><fencing-level id="x" target="n1" index="01" devices="d1,d2" />'
        '<fencing-level id="y" target="n2" index="1" devices="d2" /></fencing-topology>'
    )
    assert "FencingTopology/fencing-topology: levels.n2 1 = d2" in plan_text(made.plan)


def test_only_levels_that_are_ours_go() -> None:
    assert 'id="x"' not in section(planned(LEVELS))
    assert 'id="y"' in section(planned(LEVELS))
    alone = planned(LEVELS.replace('<fencing-level id="y" target="n2" index="1" devices="d2"/>', ""))
    assert section(alone) == ""


def test_a_device_that_a_level_names_is_not_deleted() -> None:
    only = DEVICES.partition('metadata.name = "d2"')[0].rpartition("[[items]]")[0]
    desired = manifests.load({"a.toml": HEAD + only}, "r")
    made = plan(desired, observe(parse(CIB.format(LEVELS))), frozenset(), Policy())
    assert [(str(hold.ref), hold.message) for hold in made.plan.holds] == [
        ("Primitive/d2", "no manifest wants it, but FencingTopology/fencing-topology names it")
    ]


def test_a_device_that_is_not_there_is_warned_of() -> None:
    made = planned("", '{ target = "n1", index = 1, devices = ["d1", "gone", "watchdog"] }')
    assert "FencingTopology/fencing-topology: levels names gone, which does not exist" in made.plan.warnings
    assert not any("watchdog" in warning for warning in made.plan.warnings)


@pytest.mark.parametrize("schema", ["1.3", "2.10", "3.4"])
def test_no_schema_ever_asked_whether_a_device_is_there(schema: str) -> None:
    desired = manifests.load(
        {"a.toml": HEAD + DEVICES + topology('{ target = "n1", index = 1, devices = ["gone"] }')}, "r"
    )
    live = CIB.format("").replace("pacemaker-3.9", f"pacemaker-{schema}")
    made = plan(desired, observe(parse(live)), frozenset(), Policy())
    assert made.plan.holds == ()
    assert 'devices="gone"' in section(made)


def test_a_device_that_was_never_there_is_warned_of_when_its_level_is_taken_over() -> None:
    live = LEVELS.replace('devices="d1"', 'devices="d1,gone,watchdog"').replace('<obj_ref id="x"/>', "")
    made = planned(live, '{ target = "n1", index = 1, devices = ["d1", "gone", "watchdog"] }')
    assert made.plan.changes == ()
    assert [text for text in made.plan.warnings if "levels" in text] == [
        "FencingTopology/fencing-topology: levels names gone, which does not exist"
    ]


def test_a_level_for_a_node_that_the_cluster_does_not_have_is_warned_of() -> None:
    live = CIB.format("").replace("<nodes/>", '<nodes><node id="1" uname="n1"/></nodes>')
    levels = [f'{{ target = "{node}", index = 1, devices = ["d1"] }}' for node in ("n1", "n2", "d2")]
    desired = manifests.load({"a.toml": HEAD + DEVICES + topology(*levels)}, "r")
    made = plan(desired, observe(parse(live)), frozenset(), Policy())
    assert [text for text in made.plan.warnings if "no node" in text] == [
        "FencingTopology/fencing-topology: the cluster has no node n2; its nodes: n1"
    ]


TWICE = """<fencing-topology><fencing-level id="x" target="n1" index="1" devices="d1"/>
<fencing-level id="y" target="n1" index="1" devices="{}"/></fencing-topology>
<tags><tag id="reconciler-owned"><obj_ref id="x"/></tag></tags>"""


@pytest.mark.parametrize("devices", ["d1", "d2"])
def test_of_two_levels_for_the_same_the_one_that_is_not_ours_stays_as_it_is(devices: str) -> None:
    made = planned(TWICE.format(devices))
    assert section(made) == (
        f'<fencing-topology><fencing-level id="y" target="n1" index="1" devices="{devices}" /></fencing-topology>'
    )
    assert made.plan.changes[0].fields()


def test_two_levels_for_the_same_are_in_sync_without_ids() -> None:
    both = [f'{{ target = "n1", index = 1, devices = ["{device}"] }}' for device in ("d1", "d2")]
    assert planned(TWICE.format("d2"), *both).plan.changes == ()
