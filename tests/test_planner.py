"""What is decided where it matters: stopping, owning, waiting, refusing."""

from typing import Any

import pytest

from reconciler.cib.document import parse, serialize
from reconciler.kinds.observe import observe
from reconciler.plan import Change, FieldChange, Hold, Override, Plan, Reason, Verb
from reconciler.planner import ClusterPlan, plan
from reconciler.pruning import Policy
from reconciler.state import Ref
from tests.configurations import desired

DUMMY = {"agent": "ocf:pacemaker:Dummy"}
PROPERTIES = ("ClusterProperties", "cib-bootstrap-options")


def primitive(name: str, inner: str = "") -> str:
    return f'<primitive id="{name}" class="ocf" provider="pacemaker" type="Dummy">{inner}</primitive>'


def role(name: str, value: str) -> str:
    pair = f'<nvpair id="{name}-role" name="target-role" value="{value}"/>'
    return f'<meta_attributes id="{name}-meta">{pair}</meta_attributes>'


def cib(resources: str = "", owned: str = "", constraints: str = "", options: str = "", schema: str = "3.9") -> str:
    refs = "".join(f'<obj_ref id="{name}"/>' for name in owned.split())
    tags = f'<tags><tag id="reconciler-owned">{refs}</tag></tags>' if refs else ""
    return (
        f'<cib validate-with="pacemaker-{schema}" admin_epoch="0" epoch="1" num_updates="1"><configuration><crm_config>'
        f'<cluster_property_set id="cib-bootstrap-options">{options}</cluster_property_set></crm_config><nodes/>'
        f"<resources>{resources}</resources><constraints>{constraints}</constraints>{tags}</configuration></cib>"
    )


def option(name: str, value: str) -> str:
    return f'<nvpair id="o-{name}" name="{name}" value="{value}"/>'


Said = dict[tuple[str, str], dict[str, Any]]


def planned(text: str, said: Said, running: str = "", policy: Policy | None = None) -> ClusterPlan:
    return plan(desired(said), observe(parse(text)), frozenset(running.split()), policy or Policy())


def after(text: str, said: Said, running: str = "") -> str:
    """The CIB that a plan leads to."""
    return f'<cib validate-with="pacemaker-3.9">{serialize(planned(text, said, running).configuration)}</cib>'


def verbs(found: Plan) -> dict[str, Verb]:
    return {str(change.ref): change.verb for change in found.changes}


def reasons(found: Plan) -> dict[str, Reason]:
    return {str(hold.ref): hold.reason for hold in found.holds}


A: Said = {("Primitive", "a"): DUMMY}
OTHER: Said = {("Primitive", "other"): DUMMY}
STOPPED = FieldChange("meta.target-role", None, "Stopped")


def test_a_resource_that_is_wanted_again_starts_again() -> None:
    live = cib(primitive("a") + primitive("other"), "a other")
    stopping = after(live, OTHER, "a")
    assert planned(stopping, OTHER, "a").plan.changes == ()
    (change,) = planned(stopping, A | OTHER, "a").plan.changes
    assert change.fields() == (FieldChange("meta.target-role", "Stopped", None),)
    assert planned(after(stopping, A | OTHER), A | OTHER).plan == Plan()


def test_a_persons_stop_outlasts_the_manifest() -> None:
    live = cib(primitive("a", role("a", "Stopped")) + primitive("other"), "a other")
    assert planned(live, OTHER, "a").plan.changes == ()
    back = planned(live, A | OTHER).plan
    assert back == Plan(overrides=(Override(Ref("Primitive", "a"), "meta.target-role", "Stopped"),))


def test_what_a_persons_start_leaves_behind_is_kept_and_not_reported() -> None:
    assert planned(cib(primitive("a", role("a", "Started")), "a"), A).plan == Plan()
    managed = '<meta_attributes id="m"><nvpair id="m1" name="is-managed" value="on"/></meta_attributes>'
    assert planned(cib(primitive("a", managed), "a"), A).plan == Plan()


@pytest.mark.parametrize(
    "around",
    [
        {("ResourceDefaults", "d"): {"values": {"target-role": "Stopped"}}},
        {("Group", "g"): {"resources": ["a"], "meta": {"target-role": "Stopped"}}},
    ],
)
def test_a_persons_start_against_what_a_resource_inherits_is_reported(around: Said) -> None:
    live = cib(f'<group id="g">{primitive("a", role("a", "Started"))}</group>', "a g")
    groups: Said = {("Group", "g"): {"resources": ["a"]}}
    override = Override(Ref("Primitive", "a"), "meta.target-role", "Started")
    assert planned(live, A | groups).plan.overrides == ()
    assert planned(live, A | groups | around).plan.overrides == (override,)


def test_a_persons_start_of_what_is_to_go_is_taken_back_and_forgotten() -> None:
    live = cib(primitive("a", role("a", "Started")) + primitive("other"), "a other")
    (change,) = planned(live, OTHER, "a").plan.changes
    assert change.fields() == (FieldChange("meta.target-role", "Started", "Stopped"),)
    assert planned(after(after(live, OTHER, "a"), A | OTHER), A | OTHER).plan == Plan()


def test_what_a_manifest_named_goes_when_it_names_it_no_longer() -> None:
    managed = {("Primitive", "a"): {**DUMMY, "meta": {"is-managed": False}}}
    ours = after(cib(primitive("a"), "a"), managed)
    (change,) = planned(ours, A).plan.changes
    assert change.fields() == (FieldChange("meta.is-managed", "false", None),)


def test_what_a_person_set_and_a_manifest_then_names_becomes_ours() -> None:
    live = cib(primitive("a", role("a", "Stopped")), "a")
    named = {("Primitive", "a"): {**DUMMY, "meta": {"target-role": "Stopped"}}}
    assert planned(live, named).plan.adoptions == (Ref("Primitive", "a"),)
    assert verbs(planned(after(live, named), A).plan) == {"Primitive/a": Verb.UPDATE}


def test_an_unmanaged_resource_is_never_waited_for_in_silence() -> None:
    inner = '<meta_attributes id="m"><nvpair id="m1" name="is-managed" value="false"/></meta_attributes>'
    holds = planned(cib(primitive("a", inner) + primitive("other"), "a other"), OTHER, "a").plan.holds
    assert holds == (
        Hold(
            Reason.STOPPING,
            "no manifest wants it, but it runs unmanaged: the cluster will not stop it",
            Ref("Primitive", "a"),
        ),
    )


def test_a_maintenance_that_is_over_is_no_override() -> None:
    live = cib(options=option("maintenance-mode", "false"))
    one: Said = {PROPERTIES: {"properties": {"batch-limit": 5}}}
    assert planned(after(live, one), one).plan == Plan()


def test_a_property_is_ours_from_the_manifest_that_names_it_to_the_one_that_does_not() -> None:
    live = cib(options=option("maintenance-mode", "true"))
    one: Said = {PROPERTIES: {"properties": {"batch-limit": 5}}}
    ours = after(live, one)
    assert planned(ours, one).plan == Plan(
        overrides=(Override(Ref(*PROPERTIES), "properties.maintenance-mode", "true"),)
    )
    (change,) = planned(ours, A).plan.changes[-1:]
    assert change.fields() == (FieldChange("properties.batch-limit", "5", None),)
    left = parse(after(ours, A))
    assert {pair.get("name") for pair in left.configuration.iter("nvpair")} == {"maintenance-mode"}
    assert not [ref for ref in left.configuration.iter("obj_ref") if ref.get("id") not in left.by_id]


def test_a_property_that_somebody_deleted_is_set_again() -> None:
    one: Said = {PROPERTIES: {"properties": {"batch-limit": 5}}}
    assert verbs(planned(cib(owned="cib-bootstrap-options-batch-limit"), one).plan) == {
        "ClusterProperties/cib-bootstrap-options": Verb.UPDATE
    }


def test_a_set_of_which_nothing_is_left_goes_as_a_whole() -> None:
    live = cib(options=option("batch-limit", "5"), owned="o-batch-limit a", resources=primitive("a"))
    found = planned(live, A)
    assert verbs(found.plan) == {"ClusterProperties/cib-bootstrap-options": Verb.DELETE}
    assert [ref.get("id") for ref in found.configuration.iter("obj_ref")] == ["a"]


def test_taking_values_out_of_a_shared_set_counts_as_a_deletion() -> None:
    live = cib(options=option("batch-limit", "5"), owned="o-batch-limit a", resources=primitive("a"))
    assert planned(live, A).doomed == {Ref("ClusterProperties", "cib-bootstrap-options")}


def test_switched_off_pruning_deletes_and_stops_nothing() -> None:
    live = cib(primitive("a") + primitive("other"), "a other")
    held = planned(live, OTHER, "a", Policy(prune=False)).plan
    assert (held.changes, held.commands, reasons(held)) == ((), (), {"Primitive/a": Reason.PRUNE_OFF})


GROUP = f'<group id="g">{primitive("a")}{primitive("b")}</group>'
B: Said = {("Primitive", "b"): DUMMY}
BOTH: Said = A | B


def in_group(*names: str) -> Said:
    return {("Group", "g"): {"resources": list(names)}}


def test_a_group_is_not_opened_while_the_deletion_of_its_member_is_held() -> None:
    held = planned(cib(GROUP, "g a b"), A | in_group("a"), policy=Policy(prune=False)).plan
    assert (held.changes, reasons(held)) == ((), {"Primitive/b": Reason.PRUNE_OFF, "Group/g": Reason.PRUNE_OFF})


def test_a_member_does_not_leave_before_its_new_group_can_take_it() -> None:
    wish: Said = BOTH | in_group("a") | {("Group", "h"): {"resources": ["b"]}}
    taken = cib(GROUP, "g a b", '<rsc_ticket id="h" rsc="a" ticket="t"/>')
    assert reasons(planned(taken, wish).plan) == {"Group/h": Reason.NAME_TAKEN, "Group/g": Reason.REFERENCE_MISSING}
    assert planned(taken, wish).plan.changes == ()


def test_two_groups_swap_their_members_in_one_plan() -> None:
    other = GROUP.replace('"g"', '"h"').replace('"a"', '"c"').replace('"b"', '"d"')
    four = {("Primitive", name): DUMMY for name in "abcd"}
    wish: Said = four | in_group("a", "d") | {("Group", "h"): {"resources": ["c", "b"]}}
    found = planned(cib(GROUP + other, "a b c d g h"), wish)
    assert verbs(found.plan) == {"Group/g": Verb.UPDATE, "Group/h": Verb.UPDATE}
    groups = {group.get("id"): [inner.get("id") for inner in group] for group in found.configuration.iter("group")}
    assert groups == {"g": ["a", "d"], "h": ["c", "b"]}


def test_a_member_is_not_taken_from_a_group_that_is_not_ours() -> None:
    wish: Said = A | {("Clone", "c"): {"resource": "a"}}
    assert reasons(planned(cib(GROUP, "a"), wish).plan) == {"Clone/c": Reason.NAME_TAKEN}


def test_a_stranger_that_leaves_our_group_is_pointed_out() -> None:
    found = planned(cib(GROUP, "a g"), A | in_group("a")).plan
    assert verbs(found) == {"Group/g": Verb.UPDATE}
    assert "Primitive/b, which is not ours, leaves Group/g and stands on its own" in found.warnings


def test_a_part_of_a_group_stops_alone_and_the_group_goes_from_around_it() -> None:
    found = planned(cib(GROUP, "a b g"), B, "a b g")
    assert verbs(found.plan) == {"Primitive/a": Verb.UPDATE, "Group/g": Verb.DELETE}
    assert [inner.get("id") for inner in found.configuration.find("resources") or ()] == ["a", "b"]


def test_a_set_that_another_resource_uses_is_not_taken_away() -> None:
    inner = '<instance_attributes id="a-p"><nvpair id="a-p-x" name="x" value="1"/></instance_attributes>'
    user = primitive("u", '<instance_attributes id-ref="a-p"/>')
    live = cib(primitive("a", inner) + user, "a other")
    assert reasons(planned(live, A).plan) == {"Primitive/a": Reason.REFERENCED}
    assert reasons(planned(live, OTHER).plan) == {"Primitive/a": Reason.REFERENCED}


@pytest.mark.parametrize(
    ("extra", "held"),
    [
        ('<acls><acl_role id="r"><acl_permission id="r-1" kind="read" reference="a"/></acl_role></acls>', True),
        ('<fencing-topology><fencing-level id="f" index="1" target="n" devices="z,a"/></fencing-topology>', True),
        ('<tags><tag id="t"><obj_ref id="a"/></tag></tags>', False),
    ],
)
def test_what_other_sections_name_stays(extra: str, held: bool) -> None:
    live = cib(primitive("a") + primitive("other"), "a other")
    live = (
        live.replace("<tags>", extra + "<tags>")
        if "tags" not in extra
        else live.replace("<tags>", extra.removesuffix("</tags>"))
    )
    assert (reasons(planned(live, OTHER).plan) == {"Primitive/a": Reason.REFERENCED}) == held


@pytest.mark.parametrize(
    ("count", "names"),
    [
        (2, "Ticket/k1 and Ticket/k2 name"),
        (5, "Ticket/k1, Ticket/k2, Ticket/k3, Ticket/k4 and 1 more name"),
    ],
)
def test_all_that_name_an_object_are_said(count: int, names: str) -> None:
    tickets = "".join(f'<rsc_ticket id="k{n}" rsc="a" ticket="t"/>' for n in range(1, count + 1))
    holds = planned(cib(primitive("a"), "a", tickets), OTHER).plan.holds
    assert [hold.message for hold in holds] == [f"no manifest wants it, but {names} it"]


def test_a_tag_keeps_an_object_where_the_schema_wants_every_reference_to_exist() -> None:
    live = cib(primitive("a") + primitive("other"), "a other", schema="3.2")
    live = live.replace("<tags>", '<tags><tag id="t"><obj_ref id="a"/></tag>')
    assert reasons(planned(live, OTHER).plan) == {"Primitive/a": Reason.REFERENCED}


def test_what_names_an_object_that_is_held_says_so() -> None:
    live = cib(primitive("other"), "other", '<rsc_location id="b" rsc="other" node="n" score="1"/>')
    wish: Said = OTHER | {("Primitive", "b"): DUMMY, ("Location", "l"): {"resource": "b", "node": "n", "score": 1}}
    found = {str(hold.ref): hold.message for hold in planned(live, wish).plan.holds}
    assert found["Location/l"] == "resource names Primitive/b, which is held itself: NameTaken"


def test_an_object_waits_for_the_one_that_has_its_name() -> None:
    live = cib(primitive("other"), "x other", '<rsc_location id="x" rsc="other" node="n" score="1"/>')
    order: Said = OTHER | {("Colocation", "x"): {"resource": "other", "with": "other", "score": 1}}
    first = planned(live, order).plan
    assert (verbs(first), reasons(first)) == ({"Location/x": Verb.DELETE}, {"Colocation/x": Reason.NAME_TAKEN})
    assert verbs(planned(after(live, order), order).plan) == {"Colocation/x": Verb.CREATE}


def test_what_is_to_be_left_alone_is_held_with_what_depends_on_it() -> None:
    hold = Hold(Reason.OSCILLATING, "somebody else changes it", Ref("Primitive", "a"))
    wish = desired(A | {("Clone", "c"): {"resource": "a"}})
    found = plan(wish, observe(parse(cib())), frozenset(), Policy(), {Ref("Primitive", "a"): hold}).plan
    assert reasons(found) == {"Primitive/a": Reason.OSCILLATING, "Clone/c": Reason.REFERENCE_MISSING}
    assert found.commands == ()


def test_roles_are_written_in_the_words_of_the_schema() -> None:
    wish: Said = A | {("Location", "l"): {"resource": "a", "node": "n", "score": 1, "role": "Promoted"}}
    written = [planned(cib(schema=schema), wish).configuration.find(".//rsc_location") for schema in ("3.6", "3.7")]
    assert [element.get("role") for element in written if element is not None] == ["Master", "Promoted"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (cib(primitive("reconciler-owned")), "the id 'reconciler-owned', where what is ours is recorded, belongs to a"),
        (cib(primitive("reconciler-owned-untagged")), "the id 'reconciler-owned-untagged', where what is ours is"),
        (cib().replace("<nodes/>", "<nodes/><nodes/>"), "the configuration has two <nodes>"),
    ],
)
def test_a_configuration_that_is_out_of_joint_is_left_alone(text: str, message: str) -> None:
    found = planned(text, A)
    assert [hold.message[: len(message)] for hold in found.plan.holds] == [message]
    assert (found.plan.changes, found.operations) == ((), ())


def test_ids_inside_new_objects_make_way() -> None:
    taken = cib(constraints='<rsc_ticket id="a-instance_attributes" ticket="t" rsc="z"/>')
    wish: Said = {("Primitive", "a"): {**DUMMY, "params": {"x": 1}}, ("Primitive", "a-instance_attributes-x"): DUMMY}
    configuration = planned(taken, wish).configuration
    ids = [element.get("id") for element in configuration.iter() if element.get("id") and element.tag != "obj_ref"]
    assert len(ids) == len(set(ids))


def test_an_edit_keeps_what_stands_beside_it() -> None:
    pairs = '<nvpair id="n1" name="x" value="1"/><nvpair id="n2" name="y" value="2"/>'
    inner = f'<!--why--><instance_attributes id="odd">{pairs}</instance_attributes><operations/>'
    live = cib(primitive("a", inner), "a")
    found = planned(live, {("Primitive", "a"): {**DUMMY, "params": {"x": 1, "y": 3, "z": 4}}})
    assert [(operation.operation, operation.path.rpartition("/")[2]) for operation in found.operations] == [
        ("modify", "nvpair[@id='n2']"),
        ("create", "instance_attributes[@id='odd']"),
    ]


@pytest.mark.parametrize(
    ("options", "resources", "said"),
    [
        ("no", "a", ["stonith-enabled is false: what runs on a node that hangs may be started on another one too"]),
        (
            "",
            "a",
            [
                (
                    "stonith-enabled is true and there is no STONITH resource: Pacemaker starts nothing; "
                    "add a Primitive with agent stonith:..., or set stonith-enabled = false at your risk"
                ),
            ],
        ),
        ("true", "f", []),
    ],
)
def test_fencing_is_asked_after(options: str, resources: str, said: list[str]) -> None:
    live = cib(options=option("stonith-enabled", options) if options else "")
    agent = {"agent": "stonith:fence_ipmilan"} if resources == "f" else DUMMY
    assert list(planned(live, {("Primitive", resources): agent}).plan.warnings) == said


def test_fencing_by_a_name_that_pacemaker_does_not_heed_yet_is_pointed_out() -> None:
    warnings = planned(cib(options=option("fencing-enabled", "false")), A).plan.warnings
    unheeded = "fencing-enabled has no effect: before 3.0.2 Pacemaker heeds stonith-enabled only, which is true"
    assert warnings[0] == unheeded
    assert warnings[1].startswith("stonith-enabled is true and there is no STONITH resource")


def test_slips_that_pacemaker_takes_are_pointed_out() -> None:
    live = cib(options=option("stonith-enabled", "false")).replace(
        "<nodes/>", '<nodes><node id="1" uname="n1"/></nodes>'
    )
    rules = [{"score": 1, "expression": "date gt tomorrow"}]
    wish: Said = A | {
        ("Location", "l"): {"resource": "a", "node": "n2", "score": 1},
        ("Location", "m"): {"resource": "a", "rules": rules},
        ("ClusterProperties", "second"): {"properties": {"stonith-enabled": True}},
    }
    warnings = planned(live, wish).plan.warnings
    assert "Location/l: the cluster has no node n2; its nodes: n1" in warnings
    assert any(warning.startswith("Location/m: date gt tomorrow: ") for warning in warnings)
    assert any(
        warning.startswith("ClusterProperties/second: stonith-enabled = true has no effect") for warning in warnings
    )


def test_the_insides_of_containers_are_nodes() -> None:
    live = cib(options=option("stonith-enabled", "false")).replace(
        "<nodes/>", '<nodes><node id="1" uname="n1"/></nodes>'
    )
    podman = {"image": "i", "replicas": 2}
    bundle: Said = {("Bundle", "b-1"): {"podman": podman, "network": {"control-port": 9}, "resource": "a"}}
    for node, strange in (("b-1-0", False), ("b-1", True), ("b-1-x", True), ("c-0", True)):
        wish: Said = A | bundle | {("Location", "l"): {"resource": "b-1", "node": node, "score": 1}}
        said = f"Location/l: the cluster has no node {node}; its nodes: n1"
        assert (said in planned(live, wish).plan.warnings) is strange


def test_nothing_is_warned_of_in_a_cluster_in_sync() -> None:
    live = after(cib(), A)
    assert planned(live, A).plan == Plan()


def test_what_crm_resource_ban_left_is_an_override_and_not_foreign() -> None:
    ban = '<rsc_location id="cli-ban-a-on-n" rsc="a" role="Started" node="n" score="-INFINITY"/>'
    found = planned(cib(primitive("a"), "a", ban), A).plan
    assert found.foreign == ()
    assert found.overrides == (
        Override(Ref("Location", "cli-ban-a-on-n"), "constraint", "location cli-ban-a-on-n a -inf: n"),
    )


def test_of_a_constraint_by_hand_that_crm_has_no_words_for_the_xml_is_shown() -> None:
    rule = '<rule id="r" score="0"><date_expression id="e" operation="lt" end="2020-01-01"/></rule>'
    prefer = (
        f'<rsc_location id="cli-prefer-a" rsc="a" node="n" score="INFINITY"><lifetime>{rule}</lifetime></rsc_location>'
    )
    (override,) = planned(cib(primitive("a"), "a", prefer), A).plan.overrides
    assert override.value.startswith(
        'xml <rsc_location id="cli-prefer-a" rsc="a" node="n" score="INFINITY"> <lifetime>'
    )


def test_a_change_needs_a_before_or_an_after() -> None:
    with pytest.raises(ValueError, match="Primitive/a: a change needs a before or an after"):
        Change(Ref("Primitive", "a"), None, None)


def test_a_newer_pacemaker_wants_all_three_fields_of_the_version() -> None:
    text = cib().replace("<cib ", '<cib crm_feature_set="3.20.0" ')
    assert 'num_updates="1"' in planned(text, A).plan.commands[0].stdin
    assert "num_updates" not in planned(cib(), A).plan.commands[0].stdin


def test_objects_of_a_node_are_none_of_the_clusters_business() -> None:
    node = {("NodeNetwork", "n1"): {"node": "n1", "links": [{"name": "lo", "addresses": ["127.0.0.2/8"]}]}}
    wish = desired(A | node)
    assert [str(change.ref) for change in plan(wish, observe(parse(cib())), frozenset(), Policy()).plan.changes] == [
        "Primitive/a"
    ]
