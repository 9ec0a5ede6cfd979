"""ResourceDefaults and OperationDefaults, and the rare forms of ClusterProperties."""

from xml.etree import ElementTree as ET

from reconciler.cib.document import parse
from reconciler.kinds import CLUSTER_KINDS
from reconciler.kinds.observe import observe
from reconciler.planner import plan
from reconciler.pruning import Policy
from reconciler.state import Desired, Ref
from reconciler.text import plan_text
from tests.kinds.words import both_ways, refuses, spec


def test_the_common_case_is_short() -> None:
    both_ways(
        "ResourceDefaults",
        "values = { resource-stickiness = 100 }",
        '<meta_attributes id="rsc-options">'
        '<nvpair id="rsc-options-resource-stickiness" name="resource-stickiness" value="100"/></meta_attributes>',
    )
    both_ways(
        "OperationDefaults",
        'values = { timeout = "60s" }',
        '<meta_attributes id="op-options">'
        '<nvpair id="op-options-timeout" name="timeout" value="60s"/></meta_attributes>',
    )


def test_rules_about_agents_and_operations() -> None:
    both_ways(
        "OperationDefaults",
        'values = { timeout = "60s" }\nscore = 10\n'
        'rule.expression = "rsc class=ocf provider=heartbeat type=IPaddr2 and op name=monitor interval=10s"',
        """<meta_attributes id="o" score="10"><rule id="o-rule" score="INFINITY">
        <rsc_expression id="o-rule-expression" class="ocf" provider="heartbeat" type="IPaddr2"/>
        <op_expression id="o-rule-expression-0" name="monitor" interval="10s"/></rule>
        <nvpair id="o-timeout" name="timeout" value="60s"/></meta_attributes>""",
    )


def test_properties_at_certain_times() -> None:
    both_ways(
        "ClusterProperties",
        'properties = { maintenance-mode = true }\nrule.expression = "date spec hours=1-2 weekdays=7"',
        """<cluster_property_set id="night"><rule id="night-rule" score="INFINITY">
        <date_expression id="night-rule-expression" operation="date_spec">
        <date_spec id="night-rule-expression-date_spec" weekdays="7" hours="1-2"/></date_expression></rule>
        <nvpair id="night-maintenance-mode" name="maintenance-mode" value="true"/></cluster_property_set>""",
    )


def test_a_set_of_another_object_is_called_after_it() -> None:
    both_ways("ResourceDefaults", 'id-ref = "vip-meta"', '<meta_attributes id-ref="vip-meta"/>')
    kind = CLUSTER_KINDS["ResourceDefaults"]
    assert "'ref-vip-meta'" in kind.name_problem("mine", spec("ResourceDefaults", 'id-ref = "vip-meta"'))


def test_a_set_that_says_nothing_is_refused() -> None:
    refuses("ResourceDefaults", "", "needs values")
    refuses("ClusterProperties", 'properties = { dc-version = "1" }', "written by Pacemaker itself")


CIB = """<cib crm_feature_set="3.16.1" validate-with="pacemaker-3.9" admin_epoch="0" epoch="1" num_updates="0">
<configuration><crm_config/><nodes/><resources/><constraints/><rsc_defaults><meta_attributes id="rsc-options">
<nvpair id="mine" name="resource-stickiness" value="100"/><nvpair id="theirs" name="migration-threshold" value="3"/>
</meta_attributes></rsc_defaults>{}</configuration><status/></cib>"""
TAG = '<tags><tag id="reconciler-owned"><obj_ref id="mine"/></tag></tags>'


def changed(text: str, **values: object) -> tuple[str, str]:
    state = {}
    if values:
        said = {name.replace("_", "-"): value for name, value in values.items()}
        kind = CLUSTER_KINDS["ResourceDefaults"]
        state[Ref("ResourceDefaults", "rsc-options")] = kind.spec.model_validate({"values": said})
    state[Ref("Primitive", "p")] = CLUSTER_KINDS["Primitive"].spec.model_validate({"agent": "ocf:pacemaker:Dummy"})
    planned = plan(Desired(state, "r"), observe(parse(text)), frozenset(), Policy())
    section = planned.configuration.find("rsc_defaults")
    return ET.tostring(section, "unicode") if section is not None else "", plan_text(planned.plan)


def test_what_people_set_beside_ours_stays_and_is_reported() -> None:
    after, text = changed(CIB.format(TAG), resource_stickiness=200)
    assert 'id="mine" name="resource-stickiness" value="200"' in after
    assert 'name="migration-threshold" value="3"' in after
    assert "ResourceDefaults/rsc-options: values.migration-threshold = 3" in text


def test_only_what_is_ours_goes() -> None:
    after, _ = changed(CIB.format(TAG))
    assert "resource-stickiness" not in after
    assert "migration-threshold" in after
    untouched, _ = changed(CIB.format(""))
    assert "resource-stickiness" in untouched


def test_a_set_with_a_rule_and_nothing_else_stays_as_it_is() -> None:
    live = parse(
        '<cib><configuration><crm_config><cluster_property_set id="night"><rule id="r">'
        '<date_expression id="e" operation="date_spec"><date_spec id="s" hours="1-2"/></date_expression></rule>'
        "</cluster_property_set></crm_config></configuration></cib>"
    )
    seen = observe(live)
    ref = Ref("ClusterProperties", "night")
    element = seen.elements[ref]
    assert CLUSTER_KINDS[ref.kind].write(ref.name, seen.state[ref], element) is element


def test_what_no_manifest_may_say_is_no_obstacle_where_it_was_observed() -> None:
    """No schema allows it; an import writes all that it found to see what comes of it."""
    kind = CLUSTER_KINDS["ResourceDefaults"]
    live = ET.fromstring('<meta_attributes id-ref="vip-meta" score="INFINITY"/>')
    assert kind.write("ref-vip-meta", kind.read(live, frozenset()), None).get("id-ref") == "vip-meta"
    refuses("ResourceDefaults", 'id-ref = "vip-meta"\nscore = 1', "says all else")
