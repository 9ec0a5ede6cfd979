"""`status` on small clusters, for what crm_mon 2.1.5 does not say or does not know."""

from datetime import datetime, timedelta, timezone
from xml.etree import ElementTree as ET

import pytest

from reconciler.cib.cluster import ClusterStatus
from reconciler.cib.history import Role
from reconciler.cib.inventory import INFINITY
from reconciler.cib.membership import NodeKind
from reconciler.cib.ping import PingRequirement
from reconciler.cib.status import status

KEY = "1:1:{}:11111111-2222-3333-4444-555555555555"
WRITTEN = {
    name.replace("-", "_"): name for name in ("cib-last-written", "update-origin", "update-client", "update-user")
}
WRITTEN |= {"dc_uuid": "dc-uuid"}


def op(task: str, *, rc: int = 0, expect: int | None = None, call: int = 5, interval: int = 0, **more: str) -> str:
    expect = (7 if task == "monitor" and not interval else 0) if expect is None else expect
    extra = "".join(f' {name.replace("_", "-")}="{value}"' for name, value in more.items())
    return (
        f'<lrm_rsc_op id="{task}{call}" operation="{task}" interval="{interval}" call-id="{call}" rc-code="{rc}"'
        f' op-status="0" last-rc-change="1700000000" exec-time="30" transition-key="{KEY.format(expect)}"{extra}/>'
    )


def node_state(
    name: str, histories: dict[str, str] | None = None, attributes: dict[str, str] | None = None, **state: str
) -> str:
    said = {"in_ccm": "true", "crmd": "online", "join": "member", "expected": "member"} | state
    shown = "".join(f' {key}="{value}"' for key, value in said.items())
    records = "".join(f'<lrm_resource id="{name}">{ops}</lrm_resource>' for name, ops in (histories or {}).items())
    pairs = "".join(
        f'<nvpair id="a{n}" name="{k}" value="{v}"/>' for n, (k, v) in enumerate((attributes or {}).items())
    )
    return (
        f'<node_state id="id-{name}" uname="{name}"{shown}><transient_attributes><instance_attributes>{pairs}'
        f"</instance_attributes></transient_attributes><lrm><lrm_resources>{records}</lrm_resources></lrm></node_state>"
    )


def cluster(
    states: str = "", resources: str = "", constraints: str = "", properties: str = "", tags: str = "", **cib: str
) -> ClusterStatus:
    said = {"crm_feature_set": "3.16.2", "have-quorum": "1"} | {WRITTEN.get(k, k): v for k, v in cib.items()}
    attributes = "".join(f' {key}="{value}"' for key, value in said.items())
    text = (
        f"<cib{attributes}><configuration><crm_config><cluster_property_set><nvpair name='stonith-enabled' value='0'/>"
        f"{properties}</cluster_property_set></crm_config><nodes><node id='id-a' uname='a'/><node id='id-b' uname='b'/>"
        f"</nodes><resources>{resources}</resources><constraints>{constraints}</constraints><tags>{tags}</tags>"
        f"</configuration><status>{states}</status></cib>"
    )
    return status(ET.fromstring(text), now=1_700_000_100)


def primitive(name: str, type_: str = "Dummy", meta: str = "", params: str = "") -> str:
    return (
        f'<primitive id="{name}" class="ocf" provider="pacemaker" type="{type_}"><meta_attributes>{meta}'
        f"</meta_attributes><instance_attributes>{params}</instance_attributes></primitive>"
    )


def pair(name: str, value: str) -> str:
    return f'<nvpair name="{name}" value="{value}"/>'


def test_newer_feature_sets_tell_membership_as_times() -> None:
    here = cluster(node_state("a", in_ccm="1699990000", crmd="1699990001") + node_state("b", in_ccm="0", crmd="0"))
    assert here.nodes["a"].online
    assert not here.nodes["b"].online


def test_a_node_that_joins_too_slowly_is_unclean_after_the_configured_time() -> None:
    late = pair("stonith-enabled", "true") + pair("node-pending-timeout", "60s")
    text = f"<cib><configuration><crm_config><cluster_property_set>{late}</cluster_property_set></crm_config><nodes>"
    text += "<node id='id-a' uname='a'/></nodes></configuration><status>"
    text += node_state("a", in_ccm="1700000000", crmd="0", join="down", expected="down") + "</status></cib>"
    cib = ET.fromstring(text)
    assert status(cib, now=1_700_000_059).nodes["a"].pending
    assert status(cib, now=1_700_000_060).nodes["a"].unclean


def test_an_empty_cib_is_a_cluster_without_anything() -> None:
    here = status(ET.fromstring("<cib/>"))
    assert (here.nodes, here.resources, here.pings, here.dc, here.quorate) == ({}, {}, (), "", False)
    assert here.fencing_enabled


def test_comments_are_passed_over() -> None:
    parser = ET.XMLParser(target=ET.TreeBuilder(insert_comments=True))
    text = "<cib><!-- x --><configuration><!-- x --><nodes><!-- x --><node id='1' uname='a'><!-- x --></node></nodes>"
    text += "<resources><!-- x --><group id='g'><!-- x --><primitive id='p' class='lsb' type='x'/></group></resources>"
    text += "</configuration><status><!-- x --></status></cib>"
    assert list(status(ET.fromstring(text, parser)).resources) == ["g", "p"]


def test_a_group_is_where_its_members_are() -> None:
    group = f'<group id="g">{primitive("one")}{primitive("two")}</group>'
    here = cluster(node_state("a", {"one": op("start"), "two": op("monitor", rc=7)}), group)
    assert here.resources["g"].active_on == ("a",)
    assert here.resources["one"].parent == "g"
    assert here.resources["two"].active_on == ()
    assert [unit.id for unit in here.units()] == ["g"]


def test_instances_of_a_promotable_clone_fold_into_its_primitive() -> None:
    clone = f'<clone id="ms"><meta_attributes>{pair("promotable", "true")}</meta_attributes>{primitive("db")}</clone>'
    states = node_state("a", {"db": op("start", call=5) + op("promote", call=6)}) + node_state(
        "b", {"db:1": op("start")}
    )
    here = cluster(states, clone)
    assert here.resources["db"].promoted_on == here.resources["ms"].promoted_on == ("a",)
    assert here.resources["ms"].active_on == ("a", "b")
    assert here.resources["db"].placements["b"].role is Role.UNPROMOTED


def test_a_bundle_is_where_its_containers_run_and_promoted_where_its_replica_is() -> None:
    bundle = (
        '<bundle id="w"><podman image="i" replicas="2" promoted-max="1"/><network ip-range-start="10.0.0.9"/>'
        f"{primitive('in')}</bundle>"
    )
    states = node_state("a", {"w-podman-0": op("start"), "w-0": op("start"), "w-ip-10.0.0.9": op("start")})
    states += node_state("w-0", {"in": op("start", call=1) + op("promote", call=2)})
    here = cluster(states, bundle)
    assert here.nodes["w-0"].kind is NodeKind.GUEST
    assert here.nodes["w-0"].online
    assert here.resources["in"].promoted_on == ("w-0",)
    assert here.resources["w"].active_on == ("a",)
    assert here.resources["w"].promoted_on == ("a",)
    assert here.resources["w-ip-10.0.0.10"].implicit
    assert here.resources["w-ip-10.0.0.9"].active_on == ("a",)


def test_what_is_only_in_the_history_is_an_orphan() -> None:
    here = cluster(node_state("a", {"gone": op("start")}), primitive("p"))
    assert here.resources["gone"].orphan
    assert here.resources["gone"].active_on == ("a",)
    assert not here.resources["p"].orphan


def test_a_migration_that_arrived_leaves_the_source() -> None:
    ends = {"migrate_source": "a", "migrate_target": "b"}
    sent = op("migrate_to", call=6).replace("/>", ' migrate_source="a" migrate_target="b"/>')
    came = op("migrate_from", call=3).replace("/>", ' migrate_source="a" migrate_target="b"/>')
    here = cluster(node_state("a", {"vm": sent}) + node_state("b", {"vm": came}), primitive("vm"))
    assert here.resources["vm"].active_on == ("b",)
    assert here.resources["vm"].placements["b"].operations[-1].source == ends["migrate_source"]


def test_fail_counts_add_up_over_operations_and_ban_at_the_threshold() -> None:
    counts = {
        "fail-count-p#monitor_10000": "1",
        "fail-count-p#start_0": "1",
        "last-failure-p#start_0": "1700000090",
        "fail-count-q#start_0": "INFINITY",
    }
    three, never = pair("migration-threshold", "2"), pair("migration-threshold", "0")
    here = cluster(
        node_state("a", attributes=counts), primitive("p", meta=three) + primitive("q") + primitive("r", meta=never)
    )
    assert (here.resources["p"].failures["a"].count, here.resources["p"].failures["a"].banned) == (2, True)
    assert here.resources["p"].failures["a"].last_failure == 1_700_000_090
    assert (here.resources["q"].failures["a"].count, here.resources["q"].failures["a"].banned) == (INFINITY, True)
    assert (here.resources["q"].threshold, here.resources["r"].threshold) == (INFINITY, 0)


def test_a_failure_older_than_its_timeout_bans_no_more() -> None:
    counts = {"fail-count-p#start_0": "5", "last-failure-p#start_0": "1700000000"}
    meta = pair("migration-threshold", "3") + pair("failure-timeout", "60s")
    failed = {"p": op("monitor", rc=1, interval=10000, call=9) + op("start", call=8)}
    here = cluster(node_state("a", failed, counts), primitive("p", meta=meta))
    assert (here.resources["p"].failures["a"].count, here.resources["p"].failures["a"].banned) == (5, False)
    assert not here.resources["p"].failed


def ping(params: str = "") -> str:
    return f'<clone id="c">{primitive("gw", "ping", params=params)}</clone>'


def test_ping_scores_have_a_number_an_expectation_and_a_presence() -> None:
    params = pair("host_list", "192.0.2.1  192.0.2.2\t192.0.2.3") + pair("multiplier", "1000")
    here = cluster(node_state("a", attributes={"pingd": "2000"}) + node_state("b"), ping(params))
    (attribute,) = here.pings
    assert (attribute.name, attribute.resources, attribute.expected) == ("pingd", ("gw",), 3000)
    assert attribute.scores == {"a": 2000.0, "b": None}
    assert attribute.present == {"a"}


def test_a_score_that_is_no_number_is_present_without_a_value() -> None:
    here = cluster(node_state("a", attributes={"reach": "lots"}), ping(pair("name", "reach")))
    (attribute,) = here.pings
    assert (attribute.name, attribute.expected, attribute.scores["a"]) == ("reach", None, None)
    assert attribute.present == {"a"}


def expression(operation: str, value: str = "", attribute: str = "pingd") -> str:
    return f'<expression attribute="{attribute}" operation="{operation}" value="{value}"/>'


def rule(*parts: str, op: str = "or", score: str = "-INFINITY") -> str:
    return f'<rule score="{score}" boolean-op="{op}">{"".join(parts)}</rule>'


@pytest.mark.parametrize(
    ("parts", "minimum"),
    [
        (rule(expression("not_defined"), expression("lte", "0")), 1),
        (rule(expression("lt", "1000")), 1000),
        (rule(expression("not_defined")), 0),
        (rule(expression("defined"), expression("lt", "50"), op="and"), 50),
        (rule(expression("eq", "a", "#uname"), expression("lt", "70"), op="and"), 70),
        (rule(expression("eq", "0")), 1),
        (rule(expression("gt", "9")), 0),
        (rule(rule(expression("lt", "20"), op="and", score="0"), expression("not_defined")), 20),
        (rule(expression("lt", "10")) + rule(expression("lt", "30")), 30),
    ],
)
def test_the_smallest_score_that_location_rules_tolerate(parts: str, minimum: int) -> None:
    here = cluster(
        resources=ping() + primitive("vip"), constraints=f'<rsc_location id="l" rsc="vip">{parts}</rsc_location>'
    )
    assert here.pings[0].required == (PingRequirement("vip", minimum),)


def test_requirements_reach_resources_through_sets_patterns_and_tags() -> None:
    bad = rule(expression("lt", "5"))
    constraints = (
        f'<rsc_location id="l1" rsc-pattern="^v"><rule id="r" score="100">{expression("lt", "9")}</rule></rsc_location>'
        f'<rsc_location id="l2" rsc-pattern="^v">{bad}</rsc_location>'
        f'<rsc_location id="l3"><resource_set id="s"><resource_ref id="x"/></resource_set>{bad}</rsc_location>'
        f'<rsc_location id="l4" rsc="both">{bad}</rsc_location>'
    )
    tags = '<tag id="both"><obj_ref id="y"/><obj_ref id="z"/></tag>'
    resources = ping() + "".join(primitive(name) for name in ("v1", "v2", "x", "y", "z", "w"))
    here = cluster(resources=resources, constraints=constraints, tags=tags)
    assert [(item.resource, item.minimum) for item in here.pings[0].required] == [
        (name, 5) for name in ("v1", "v2", "x", "y", "z")
    ]


def test_leftovers_of_manual_moves() -> None:
    constraints = (
        '<rsc_location id="cli-ban-p-on-a" rsc="p" role="Started" node="a" score="-INFINITY"/>'
        '<rsc_location id="cli-prefer-p" rsc="p"><rule id="r" score="INFINITY" boolean-op="and">'
        f"{expression('eq', 'b', '#uname')}"
        '<date_expression id="e" operation="lt" end="2026-01-02 03:04:05Z"/></rule></rsc_location>'
        '<rsc_location id="mine" rsc="p" node="a" score="1"/>'
    )
    ban, prefer = cluster(resources=primitive("p"), constraints=constraints).cli_constraints
    assert (ban.resource, ban.node, ban.kind, ban.until) == ("p", "a", "ban", "")
    assert (prefer.resource, prefer.node, prefer.kind, prefer.until) == ("p", "b", "prefer", "2026-01-02 03:04:05Z")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Thu Jun  2 07:00:31 2023", datetime(2023, 6, 2, 7, 0, 31)),  # noqa: DTZ001 - as in the CIB
        ("2023-06-02 07:00:31 +02:00", datetime(2023, 6, 2, 7, 0, 31, tzinfo=timezone(timedelta(hours=2)))),
        ("", None),
        ("Thu Jun 99 07:00:31 2023", None),
    ],
)
def test_when_the_configuration_was_written(text: str, expected: datetime | None) -> None:
    here = cluster(cib_last_written=text, update_origin="a", update_client="cibadmin", update_user="root")
    assert here.updated.at == expected
    assert (here.updated.origin, here.updated.client, here.updated.user) == ("a", "cibadmin", "root")


def test_versions_dc_and_flags() -> None:
    properties = pair("maintenance-mode", "yes") + pair("fencing-enabled", "on") + pair("cluster-name", "web")
    here = cluster(properties=properties, admin_epoch="1", epoch="22", num_updates="333", dc_uuid="id-b")
    assert (here.admin_epoch, here.epoch, here.num_updates) == (1, 22, 333)
    assert (here.dc, here.nodes["b"].is_dc, here.quorate, here.maintenance_mode) == ("b", True, True, True)
    assert not here.fencing_enabled, "of this release stonith-enabled counts"
    assert cluster(properties=properties, crm_feature_set="3.21.0").fencing_enabled
    assert here.cluster_name == "web"
