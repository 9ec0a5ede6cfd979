"""Attribute sets: ids that something refers to, references, rules, pairs that say nothing."""

import re
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from reconciler import manifests
from reconciler.cib.document import parse
from reconciler.cib.inventory import Configuration
from reconciler.kinds.observe import observe
from reconciler.planner import ClusterPlan, plan
from reconciler.pruning import Policy
from tests.kinds.words import both_ways, reads, refuses, rewritten
from tests.observations import cib
from tests.programs import need, run

HEAD = 'agent = "ocf:heartbeat:IPaddr2"\n'
OPEN = '<primitive id="vip" class="ocf" provider="heartbeat" type="IPaddr2">'


def test_a_set_that_others_use_has_its_id() -> None:
    both_ways(
        "Primitive",
        HEAD + 'params = [{ id = "common", values = { nic = "bond1" } }]',
        f'{OPEN}<instance_attributes id="common"><nvpair id="common-nic" name="nic" value="bond1"/>'
        "</instance_attributes></primitive>",
        "common",
    )


def test_an_id_that_nothing_refers_to_is_not_read() -> None:
    reads(
        "Primitive",
        f'{OPEN}<instance_attributes id="common"><nvpair id="x" name="nic" value="bond1"/></instance_attributes>'
        "</primitive>",
        HEAD + 'params = { nic = "bond1" }',
    )


def test_a_set_and_a_pair_of_another_object() -> None:
    both_ways(
        "Primitive",
        HEAD + 'params = [{ id-ref = "common" }, { values = { ip = "192.0.2.1" }, nvpairs = [{ id-ref = "the-nic" }, '
        '{ id-ref = "the-mask", name = "cidr_netmask" }] }]',
        f"""{OPEN}<instance_attributes id-ref="common"/><instance_attributes id="vip-instance_attributes">
        <nvpair id="vip-instance_attributes-ip" name="ip" value="192.0.2.1"/>
        <nvpair id-ref="the-mask" name="cidr_netmask"/><nvpair id-ref="the-nic"/></instance_attributes></primitive>""",
    )


def test_a_pair_that_others_use_has_its_id() -> None:
    both_ways(
        "Primitive",
        HEAD + 'params = [{ values = { nic = "bond1" }, ids = { nic = "the-nic" } }]',
        f'{OPEN}<instance_attributes id="vip-instance_attributes"><nvpair id="the-nic" name="nic" value="bond1"/>'
        "</instance_attributes></primitive>",
        "the-nic",
    )


def test_neighbours_of_which_one_is_in_use_stay_two() -> None:
    both_ways(
        "Primitive",
        HEAD + 'params = [{ id = "a", values = { nic = "x" } }, { id = "b", values = { ip = "y" } }]',
        f"""{OPEN}<instance_attributes id="a"><nvpair id="a-nic" name="nic" value="x"/></instance_attributes>
        <instance_attributes id="b"><nvpair id="b-ip" name="ip" value="y"/></instance_attributes></primitive>""",
        "a",
        "b",
    )


def test_a_live_set_gets_the_id_by_which_it_is_to_be_used() -> None:
    live = f"""{OPEN}<instance_attributes id="vip-instance_attributes">
    <nvpair id="vip-instance_attributes-nic" name="nic" value="x"/></instance_attributes></primitive>"""
    assert rewritten("Primitive", live, HEAD + 'params = [{ id = "a", values = { nic = "x" } }]') == (
        f'{OPEN}<instance_attributes id="a"><nvpair id="vip-instance_attributes-nic" name="nic" value="x" />'
        "</instance_attributes></primitive>"
    )


def test_of_a_rule_in_a_set_only_the_condition_counts() -> None:
    for score in ('score="INFINITY"', 'score="5" role="Promoted"', 'score-attribute="x"', ""):
        reads(
            "Primitive",
            f"""{OPEN}<instance_attributes id="s"><rule id="r" {score}>
            <expression id="e" attribute="#uname" operation="eq" value="n1"/></rule>
            <nvpair id="p" name="nic" value="x"/></instance_attributes></primitive>""",
            HEAD + 'params = [{ values = { nic = "x" }, rule = { expression = "#uname eq n1" } }]',
        )


def test_rules_that_others_use_and_rules_of_others() -> None:
    both_ways(
        "Primitive",
        HEAD + 'params = [{ values = { nic = "x" }, rule = { id = "here", expression = "#uname eq n1" } }, '
        '{ values = { nic = "y" }, rule = { id-ref = "there" } }]',
        f"""{OPEN}<instance_attributes id="vip-instance_attributes"><rule id="here" score="INFINITY">
        <expression id="here-expression" attribute="#uname" operation="eq" value="n1"/></rule>
        <nvpair id="vip-instance_attributes-nic" name="nic" value="x"/></instance_attributes>
        <instance_attributes id="vip-instance_attributes-1"><rule id-ref="there"/>
        <nvpair id="vip-instance_attributes-1-nic" name="nic" value="y"/></instance_attributes></primitive>""",
        "here",
    )


def test_a_rule_that_others_use_stays_where_its_set_has_no_values() -> None:
    both_ways(
        "Primitive",
        HEAD + 'params = [{ rule = { id = "here", expression = "#uname eq n1" } }]',
        f"""{OPEN}<instance_attributes id="vip-instance_attributes"><rule id="here" score="INFINITY">
        <expression id="here-expression" attribute="#uname" operation="eq" value="n1"/></rule></instance_attributes>
        </primitive>""",
        "here",
    )


def test_a_pair_that_others_use_is_called_as_its_value_is() -> None:
    live = f"""{OPEN}<meta_attributes id="s"><nvpair id="p" name="master-max" value="2"/>
    <nvpair id="q" name="priority" value="1"/></meta_attributes></primitive>"""
    for name in ("promoted-max", "master-max"):
        manifest = f'meta = [{{ values = {{ {name} = 2, priority = 1 }}, ids = {{ {name} = "p" }} }}]'
        reads("Primitive", live, HEAD + manifest, "p")
    live = '<meta_attributes id="s"><nvpair id="p" name="master-max" value="2"/></meta_attributes>'
    for name in ("promoted-max", "master-max"):
        reads("ResourceDefaults", live, f'values = {{ {name} = 2 }}\nids = {{ {name} = "p" }}', "p")


def test_of_sets_that_disagree_the_last_counts_and_is_edited() -> None:
    live = f"""{OPEN}<instance_attributes id="a"><nvpair id="a-ip" name="ip" value="x"/></instance_attributes>
    <instance_attributes id="b"><nvpair id="b-ip" name="ip" value="y"/><nvpair id="b-ip2" name="ip" value="no"/>
    </instance_attributes></primitive>"""
    reads("Primitive", live, HEAD + 'params = { ip = "y" }')
    edited = rewritten("Primitive", live, HEAD + 'params = { ip = "z" }')
    assert re.findall(r'id="(\S+)" name="ip" value="(\S+)"', edited) == [("a-ip", "x"), ("b-ip", "z"), ("b-ip2", "no")]
    assert "nvpair" not in rewritten("Primitive", live, HEAD)


@pytest.mark.parametrize("scores", [("", ""), ("0", ""), ("5", "5"), ("5", ""), ("", "5"), ("-5", "")])
def test_the_value_that_counts_is_the_one_that_pacemaker_takes(tmp_path: Path, scores: tuple[str, str]) -> None:
    need("crm_resource")
    sets = "".join(
        f"""<instance_attributes id="{own}"{f' score="{score}"' if score else ""}><nvpair id="{own}1" name="ip"
        value="{own}"/><nvpair id="{own}2" name="ip" value="no"/></instance_attributes>"""
        for own, score in zip("ab", scores, strict=True)
    )
    primitive = f"{OPEN}{sets}</primitive>"
    text = cib(primitive, validate_with="pacemaker-3.9")
    file = tmp_path / "cib.xml"
    file.write_text(text)
    taken = run(file, "crm_resource", "--resource", "vip", "--get-parameter", "ip").stdout.strip()
    assert taken in ("a", "b")
    seen = Configuration(ET.fromstring(text))
    assert seen.attributes(seen.cib.find(".//primitive"), "instance_attributes")["ip"] == taken
    if scores == ("", ""):
        reads("Primitive", primitive, f'{HEAD}params = {{ ip = "{taken}" }}')


def test_a_pair_that_others_use_stays_where_the_set_behind_it_counts() -> None:
    first = '<instance_attributes id="a"><nvpair id="p" name="ip" value="x"/><nvpair id="q" name="nic" value="z"/>'
    second = '</instance_attributes><instance_attributes id="b"><nvpair id="r" name="ip" value="y"/>'
    live = f"{OPEN}{first}{second}</instance_attributes></primitive>"
    said = 'params = [{ id = "a", values = { ip = "x", nic = "z" }, ids = { ip = "p" } }, { values = { ip = "y" } }]'
    reads("Primitive", live, HEAD + said, "p")
    reads("Primitive", live, HEAD + 'params = [{ values = { ip = "y", nic = "z" }, ids = { ip = "r" } }]', "r")


def test_a_pair_without_a_value_says_nothing_and_stays() -> None:
    live = f"""{OPEN}<instance_attributes id="s"><nvpair id="a" name="nic"/><nvpair id="b" name="ip" value="x"/>
    </instance_attributes></primitive>"""
    reads("Primitive", live, HEAD + 'params = { ip = "x" }')
    assert '<nvpair id="a" name="nic" />' in rewritten("Primitive", live, HEAD + 'params = { ip = "y" }')


def test_operations_of_another_and_for_others() -> None:
    both_ways("Primitive", HEAD + 'operations-id-ref = "x"', f'{OPEN}<operations id-ref="x"/></primitive>')
    both_ways(
        "Primitive",
        HEAD + 'operations-id = "x"\noperations = [{ name = "monitor", interval = "10s" }]',
        f'{OPEN}<operations id="x"><op id="vip-monitor-10s" name="monitor" interval="10s"/></operations></primitive>',
        "x",
    )


def test_what_says_two_things_is_refused() -> None:
    refuses("Primitive", HEAD + 'params = [{ id-ref = "a", values = { b = 1 } }]', "has `id-ref`")
    refuses("Primitive", HEAD + 'params = [{ values = { b = 1 }, ids = { c = "d" } }]', "gives an id to c")
    refuses("Primitive", HEAD + "params = [{ values = { b = 1 }, rule = {} }]", "needs an `expression`")
    refuses("Primitive", HEAD + 'operations-id-ref = "a"\noperations = [{ name = "stop" }]', "has `operations-id-ref`")


def faults(*items: str) -> list[str]:
    text = 'apiVersion = "ha.reconciler.io/v1alpha1"\nkind = "List"\n' + "".join(items)
    return [str(fault) for fault in manifests.load({"a.toml": text}, "r").rejected]


def primitive(name: str, said: str = "") -> str:
    return f'[[items]]\nkind = "Primitive"\nmetadata.name = "{name}"\nspec.agent = "lsb:x"\n{said}\n'


COMMON = primitive("a", 'spec.params = [{ id = "common", values = { x = 1 }, ids = { x = "the-x" } }]')


def test_what_is_referred_to_must_be_there() -> None:
    assert faults(COMMON, primitive("b", 'spec.params = [{ id-ref = "common" }]')) == []
    assert faults(COMMON, primitive("b", 'spec.params = [{ nvpairs = [{ id-ref = "the-x" }] }]')) == []
    assert faults(COMMON, primitive("b", 'spec.params = [{ id-ref = "comon" }]')) == [
        "a.toml: Primitive/b: spec.params[0].id-ref: nothing has the id 'comon': give it to what is meant, by `id`"
    ]
    rule = "spec.params = [{ values = { y = 1 }, rule = { expression = 'defined a and $id-ref=gone' } }]"
    message = "nothing has the id 'gone': give it to what is meant, by `id`"
    assert faults(COMMON, primitive("b", rule)) == [f"a.toml: Primitive/b: spec.params[0].rule.expression: {message}"]
    assert faults(primitive("b", 'spec.operations-id-ref = "x"'))[0].startswith(
        "a.toml: Primitive/b: spec.operations-id-ref: nothing has the id 'x'"
    )


def test_an_id_is_given_once() -> None:
    twice = primitive("b", 'spec.params = [{ id = "common", values = { x = 1 } }]')
    assert faults(COMMON, twice) == ["a.toml: Primitive/b: spec.params[0].id: Primitive/a has the id 'common' already"]
    assert faults(COMMON, primitive("common")) == [
        "a.toml: Primitive/a: spec.params[0].id: Primitive/common has the id 'common' already"
    ]


CIB = """<cib crm_feature_set="3.16.1" validate-with="pacemaker-3.9" admin_epoch="0" epoch="1" num_updates="0">
<configuration><crm_config/><nodes/><resources>{}</resources><constraints/></configuration><status/></cib>"""


def planned(live: str, *items: str) -> ClusterPlan:
    text = 'apiVersion = "ha.reconciler.io/v1alpha1"\nkind = "List"\n' + "".join(items)
    desired = manifests.load({"a.toml": text}, "r")
    assert desired.rejected == ()
    return plan(desired, observe(parse(CIB.format(live))), frozenset(), Policy())


USER = primitive("b", 'spec.params = [{ id-ref = "common" }]')


def test_a_set_and_who_uses_it_are_made_together() -> None:
    made = planned("", COMMON, USER)
    again = "".join(ET.tostring(found, "unicode") for found in made.configuration.findall("resources/primitive"))
    assert 'instance_attributes id-ref="common"' in again
    assert planned(again, COMMON, USER).plan.changes == ()


def test_a_live_set_that_is_to_be_used_changes_its_id_only() -> None:
    live = """<primitive id="a" class="lsb" type="x"><instance_attributes id="a-1">
    <nvpair id="the-x" name="x" value="1"/></instance_attributes></primitive>"""
    made = planned(live, COMMON, USER)
    assert [(str(change.ref), [field.path for field in change.fields()]) for change in made.plan.changes] == [
        ("Primitive/a", ["params[0].values.x", "params[0].id", "params[0].ids.x", "params.x"]),
        ("Primitive/b", ["agent", "params[0].id-ref"]),
    ]
    said = primitive("a", 'spec.params = [{ id = "a-1", values = { x = 1 } }]')
    assert planned(live, said).plan.changes == ()


@pytest.mark.parametrize("order", [1, -1])
def test_an_id_may_go_from_one_pair_to_another(order: int) -> None:
    pairs = ['<nvpair id="used" name="x" value="5"/>', '<nvpair id="q" name="y" value="2"/>'][::order]
    live = f"""<primitive id="a" class="lsb" type="x"><instance_attributes id="i">{"".join(pairs)}</instance_attributes>
    </primitive><primitive id="b" class="lsb" type="x"><instance_attributes id="j"><nvpair id-ref="used"/>
    </instance_attributes></primitive>"""
    wanted = (
        primitive("a", 'spec.params = [{ values = { x = 1, y = 2 }, ids = { y = "used" } }]'),
        primitive("b", 'spec.params = [{ nvpairs = [{ id-ref = "used" }] }]'),
    )
    made = planned(live, *wanted)
    pair = {found.attrib["id"]: found.attrib["name"] for found in made.configuration.findall("resources//nvpair[@id]")}
    assert sorted(pair.values()) == ["x", "y"]
    assert pair["used"] == "y"
    steps = [(step.operation, step.path.rpartition("/")[2]) for step in made.operations]
    assert ("modify", "nvpair[@id='used']") in steps
    again = "".join(ET.tostring(found, "unicode") for found in made.configuration.findall("resources/primitive"))
    assert planned(again, *wanted).plan.changes == ()


def test_an_id_that_somebody_else_has_is_not_taken() -> None:
    live = """<primitive id="z" class="lsb" type="x"><instance_attributes id="common">
    <nvpair id="p" name="x" value="1"/></instance_attributes></primitive>"""
    made = planned(live, COMMON)
    (hold,) = made.plan.holds
    assert (str(hold.ref), str(hold.reason)) == ("Primitive/a", "NameTaken")


def test_who_uses_what_is_held_waits_with_it() -> None:
    live = '<clone id="a"><primitive id="z" class="lsb" type="x"/></clone>'
    made = planned(live, COMMON, USER)
    assert {str(hold.ref): str(hold.reason) for hold in made.plan.holds} == {
        "Primitive/a": "NameTaken",
        "Primitive/b": "ReferenceMissing",
    }


def test_what_stays_of_a_live_object_keeps_its_words() -> None:
    """Schemas before 3.7 know no role Promoted, but take any text for that of a rule."""
    live = """<primitive id="b" class="lsb" type="x"><meta_attributes id="s"><rule id="r" score="1" role="Promoted">
    <expression id="e" attribute="a" operation="defined"/></rule><nvpair id="p" name="priority" value="1"/>
    </meta_attributes></primitive>"""
    cib = parse(CIB.replace("3.9", "2.8").format(live))
    text = '[[items]]\nkind = "Primitive"\nmetadata.name = "b"\nspec.agent = "lsb:x"\nspec.description = "new"\n'
    said = 'spec.meta = [{ values = { priority = 1 }, rule = { expression = "defined a" } }]'
    desired = manifests.load({"a.toml": f'apiVersion = "ha.reconciler.io/v1alpha1"\nkind = "List"\n{text}{said}'}, "r")
    made = plan(desired, observe(cib), frozenset(), Policy()).configuration
    assert [part.get("role") for part in (*cib.configuration.iter("rule"), *made.iter("rule"))] == ["Promoted"] * 2
