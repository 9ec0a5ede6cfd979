"""What an import asks a person to look at."""

import re
from collections.abc import Iterable

from reconciler.cib.document import parse
from reconciler.importer.attention import Topic
from reconciler.importer.importer import Imported, import_cib
from tests.observations import cib


def imported(*, properties: str = "", resources: str = "", more: str = "", feature_set: str = "3.16.2") -> Imported:
    """Import a cluster of one node."""
    return import_cib(
        parse(
            f'<cib crm_feature_set="{feature_set}" validate-with="pacemaker-3.9" epoch="1" num_updates="0" '
            'admin_epoch="0"><configuration><crm_config><cluster_property_set id="cib-bootstrap-options">'
            f"{properties}</cluster_property_set></crm_config>"
            f'<nodes><node id="1" uname="n1"/></nodes><resources>{resources}</resources><constraints/>{more}'
            "</configuration><status/></cib>"
        )
    )


def pairs(**values: str) -> str:
    """Write name-value pairs; a name is written with underscores."""
    return "".join(
        f'<nvpair id="p-{name}" name="{name.replace("_", "-")}" value="{value}"/>' for name, value in values.items()
    )


def comments(imports: Imported) -> str:
    """The comments of all files as one line each, without line breaks of the layout."""
    lines: Iterable[str] = "".join(imports.whole()).splitlines()
    return " ".join(line.removeprefix("# ") for line in lines if line.startswith("# "))


def test_what_cibsecret_keeps_is_no_secret_in_plain_text() -> None:
    found = imported(
        resources='<primitive id="fence" class="stonith" type="fence_x"><instance_attributes id="a">'
        '<nvpair id="a-1" name="password" value="lrm://"/></instance_attributes>'
        '<operations><op id="o" name="monitor" interval="10s"/></operations></primitive>'
    )
    assert found.attention[Topic.SECRET] == 0
    text = comments(found)
    assert "password: the value is kept by cibsecret, in a file that every node must have" in text
    assert "/var/lib/pacemaker/lrm/secrets/fence/password" in text


PLAIN = '<primitive id="{0}" class="systemd" type="{0}"/>'
SITE = """<rsc_location id="l" rsc-pattern="(.)"><rule id="r" score="5"><expression id="e" attribute="site-%1"
operation="defined"/></rule></rsc_location>"""


def test_a_secret_that_a_clone_hands_on_is_kept_under_the_names_of_what_runs() -> None:
    pair = '<instance_attributes id="{0}-a"><nvpair id="{0}-1" name="password" value="lrm://"/></instance_attributes>'
    found = imported(
        resources=f'<clone id="c">{pair.format("c")}<group id="g">{PLAIN.format("x")}{PLAIN.format("y")}</group>'
        "</clone>"
        f'<template id="t" class="systemd" type="z">{pair.format("t")}</template><primitive id="u" template="t"/>'
    )
    text = comments(found)
    assert "/secrets/x/password, /var/lib/pacemaker/lrm/secrets/y/password:" in text
    assert "/secrets/u/password:" in text
    assert "/secrets/c/" not in text
    assert "/secrets/t/" not in text


def test_what_stands_for_a_part_of_a_name_is_no_attribute_that_nothing_sets() -> None:
    text = SETS.format(resources=PLAIN.format("y")).replace("<constraints/>", f"<constraints>{SITE}</constraints>")
    assert import_cib(parse(text)).attention[Topic.ATTRIBUTE] == 0
    assert import_cib(parse(text.replace("%1", "%"))).attention[Topic.ATTRIBUTE] == 1


def test_properties_that_schemas_allow_no_longer_are_pointed_at() -> None:
    names = "expected-quorum-votes", "default_resource_stickiness", "batch-limit"
    found = imported(properties="".join(f'<nvpair id="o-{name}" name="{name}" value="1"/>' for name in names))
    assert found.attention[Topic.LEGACY] == 2
    text = comments(found)
    assert "expected-quorum-votes: schemas since pacemaker-3.0 do not allow it: take it out" in text
    assert (
        "default_resource_stickiness: schemas since pacemaker-3.0 do not allow it: write resource-stickiness into"
        in text
    )


SETS = (
    '<cib crm_feature_set="3.16.2" validate-with="pacemaker-3.9" epoch="1" num_updates="0" admin_epoch="0">'
    '<configuration><crm_config><cluster_property_set id="z"><nvpair id="z-1" name="batch-limit" value="3"/>'
    '</cluster_property_set><cluster_property_set id="a"><nvpair id="a-1" name="batch-limit" value="4"/>'
    "</cluster_property_set></crm_config><nodes/><resources>{resources}</resources><constraints/></configuration>"
    "<status/></cib>"
)
DEVICE = '<primitive id="f" class="stonith" type="fence_x"/>'


def test_why_an_order_counts_is_said_of_what_is_in_it() -> None:
    sets = comments(import_cib(parse(SETS.format(resources=""))))
    assert "sets of equal score" in sets
    assert "Of resources that are alike" not in sets
    resources = comments(imported(resources=PLAIN.format("y") + PLAIN.format("b")))
    assert "Of resources that are alike" in resources
    assert "sets of equal score" not in resources
    both = comments(import_cib(parse(SETS.format(resources=PLAIN.format("y") + PLAIN.format("b")))))
    assert "Of resources that are alike" in both
    assert "sets of equal score" in both


def test_an_order_alone_makes_no_file() -> None:
    text = SETS.format(resources=PLAIN.format("y") + PLAIN.format("b") + DEVICE)
    start, end = text.index("<cluster_property_set"), text.index("</crm_config>")
    found = import_cib(parse(text[:start] + text[end:]))
    assert [file.name for file in found.files] == ["b.toml", "fencing.toml", "y.toml"]
    assert ["reconciler.io/order" in file.text for file in found.files] == [True, False, False]
    assert all(file.objects for file in found.files)


def test_fencing_is_off_only_by_the_name_that_pacemaker_heeds() -> None:
    old = imported(properties=pairs(fencing_enabled="false"))
    assert old.attention[Topic.FENCING] == 0
    assert "fencing-enabled has no effect: before 3.0.2 Pacemaker heeds stonith-enabled only" in comments(old)
    new = imported(properties=pairs(fencing_enabled="false", stonith_enabled="true"), feature_set="3.20.5")
    assert new.attention[Topic.FENCING] == 1
    assert "fencing is off (fencing-enabled)" in comments(new)


def test_what_stops_everything_is_pointed_at() -> None:
    defaults = (
        '<rsc_defaults><meta_attributes id="d"><nvpair id="d-1" name="target-role" value="stopped"/>'
        '<nvpair id="d-2" name="is-managed" value="no"/></meta_attributes></rsc_defaults>'
    )
    options = pairs(stop_all_resources="yes", maintenance_mode="true", is_managed_default="false")
    found = imported(properties=options, more=defaults)
    assert found.attention[Topic.STANDSTILL] == 5
    text = comments(found)
    for said in (
        "stop-all-resources = true: Pacemaker stops everything",
        "maintenance-mode = true: Pacemaker starts, stops and monitors nothing",
        "is-managed-default = false: Pacemaker neither starts nor stops",
        "target-role = Stopped: every resource",
        "is-managed = false: Pacemaker neither starts nor stops",
    ):
        assert said in text


def test_what_stops_nothing_is_not() -> None:
    options = pairs(stop_all_resources="false", maintenance_mode="false", is_managed_default="true")
    assert imported(properties=options).attention[Topic.STANDSTILL] == 0


def test_fencing_without_a_device_is_pointed_at() -> None:
    alone, fenced = imported(resources=PLAIN.format("a")), imported(resources=PLAIN.format("a") + DEVICE)
    off = imported(resources=PLAIN.format("a"), properties=pairs(stonith_enabled="false"))
    assert [found.attention[Topic.NO_DEVICE] for found in (alone, fenced, off, imported())] == [1, 0, 0, 0]
    assert "nothing here fences: Pacemaker starts nothing; add a Primitive with agent stonith:..." in comments(alone)


def test_operations_that_pacemaker_takes_for_duplicates_are_pointed_at() -> None:
    def found(second: str) -> Imported:
        return imported(
            resources='<primitive id="a" class="ocf" provider="heartbeat" type="Dummy"><operations>'
            f'<op id="o1" name="monitor" interval="10s" role="Started"/>{second}</operations></primitive>'
        )

    twice = found('<op id="o2" name="monitor" interval="10000ms" role="Stopped"/>')
    assert twice.attention[Topic.DUPLICATE] == 1
    assert "of the same interval 10s, with role Started and role Stopped" in comments(twice)
    assert found('<op id="o2" name="monitor" interval="11s" role="Stopped"/>').attention[Topic.DUPLICATE] == 0


def test_what_goes_only_with_something_else_says_so() -> None:
    found = imported(
        resources='<group id="rsc1"><primitive id="child_rsc1" klass="ocf" provider="heartbeat" type="Dummy"/></group>'
        '<primitive id="child_rsc2" class="ocf" provider="heartbeat" type="Dummy"/><clone id="c">'
        '<group id="rsc2"><primitive id="child_rsc3" class="ocf" type="Dummy" what="1"/></group></clone>'
    )
    why = {str(item.ref): item.why for item in found.left_out}
    assert why["Primitive/child_rsc1"] == "<primitive> has the unknown attribute 'klass'; did you mean 'class'?"
    assert why["Group/rsc1"] == "spec.resources: Primitive/child_rsc1 was not imported"
    assert "'klass'; did you mean 'class'? Not imported: " in comments(found)
    assert why["Primitive/child_rsc3"] == "<primitive> has the unknown attribute 'what'"
    assert why["Clone/c"] == "spec.resource: Group/rsc2 was not imported"
    assert len(why) == 5


def test_a_schema_that_is_newer_than_what_is_known_is_named() -> None:
    def found(name: str) -> Imported:
        return import_cib(parse(cib(PLAIN.format("a"), validate_with=name)))

    assert "the schema is pacemaker-4.0. What came after pacemaker-3.9 is not known here" in comments(
        found("pacemaker-4.0")
    )
    for known in ("pacemaker-3.9", "pacemaker-1.2", "none", "pacemaker-next"):
        assert found(known).attention[Topic.SCHEMA] == 0


def test_what_is_left_without_its_container_is_pointed_at() -> None:
    group = '<group id="g" {0}>' + PLAIN.format("a") + PLAIN.format("b") + "</group>"
    found = imported(resources=group.format('bogus="1"'))
    assert found.attention[Topic.ALONE] == 2
    assert "it was in Group/g, which is not imported" in comments(found)
    clone = '<clone id="c" {0}>' + group.format("") + "</clone>"
    outer = imported(resources=clone.format('bogus="1"'))
    assert (outer.attention[Topic.ALONE], outer.objects) == (1, 3)
    assert imported(resources=clone.format("")).attention[Topic.ALONE] == 0


def test_what_agents_note_as_they_run_is_pointed_at() -> None:
    found = import_cib(
        parse(
            '<cib validate-with="pacemaker-3.9" epoch="1" num_updates="0" admin_epoch="0"><configuration><crm_config>'
            '<cluster_property_set id="redis_replication"><nvpair id="p" name="redis_REPL_INFO" value="n1"/>'
            '</cluster_property_set></crm_config><nodes><node id="1" uname="n1"><instance_attributes id="a">'
            '<nvpair id="a-1" name="pg-data-status" value="LATEST"/><nvpair id="a-2" name="rack" value="4"/>'
            '<nvpair id="a-3" name="hana_abc_site" value="X"/></instance_attributes></node><node id="2" uname="n2">'
            '<instance_attributes id="b"><nvpair id="b-1" name="master-data-status-of" value="4"/>'
            '<nvpair id="b-2" name="hana_role" value="X"/></instance_attributes></node></nodes><resources/>'
            "<constraints/></configuration><status/></cib>"
        )
    )
    assert found.attention[Topic.NOTED] == 3
    text = comments(found)
    assert "Attention: redis_REPL_INFO: resource agents write this as they run; " in text
    assert "Attention: pg-data-status, hana_abc_site: resource agents" in text
    assert "Attention: master-data-status-of: resource agents" in text


def test_what_pacemaker_makes_of_a_word_that_is_no_boolean_is_said_as_it_does_it() -> None:
    resources = "".join(PLAIN.format(name) for name in "ab")
    refs = '<resource_ref id="a"/><resource_ref id="b"/>'
    found = import_cib(
        parse(
            '<cib validate-with="none" epoch="1" num_updates="0" admin_epoch="0"><configuration><crm_config/><nodes/>'
            f'<resources>{resources}<primitive id="c" class="systemd" type="c"><meta_attributes id="m">'
            '<nvpair id="m-1" name="critical" value="maybe"/></meta_attributes></primitive></resources><constraints>'
            '<rsc_colocation id="c1" rsc="a" with-rsc="b" score="5" influence="invalid"/>'
            f'<rsc_colocation id="c2" score="5"><resource_set id="s2" sequential="odd">{refs}</resource_set>'
            "</rsc_colocation>"
            '<rsc_order id="o1" first="a" then="b" kind="Optional" symmetrical="odd"/>'
            f'<rsc_order id="o2" kind="Optional"><resource_set id="s1" sequential="odd" require-all="odd">{refs}'
            "</resource_set></rsc_order></constraints></configuration><status/></cib>"
        )
    )
    text = comments(found)
    oddly = "is not a boolean: expected true or false; Pacemaker"
    assert f"meta: critical: 'maybe' {oddly} takes it for false." in text
    assert f"influence: 'invalid' {oddly} then uses its default." in text
    assert f"symmetrical: 'odd' {oddly} then uses its default." in text
    assert text.count(f"sequential: 'odd' {oddly} takes it for false") == 1
    assert text.count(f"sequential: 'odd' {oddly} then uses its default") == 1
    assert f"require-all: 'odd' {oddly} then uses its default" in text


def test_only_what_holds_nothing_is_called_empty() -> None:
    def remark(resources: str) -> str:
        return comments(import_cib(parse(re.sub("<node .*?/>", "", cib(resources)))))

    assert "The configuration is empty. " in remark("")
    assert "Nothing was imported. " in remark('<primitive id="p" class="lsb" type="x" new="1"/>')
