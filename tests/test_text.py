import json
import re

from reconciler.kinds import KINDS
from reconciler.plan import Change, Command, Hold, Override, Plan, Reason
from reconciler.state import Ref, Scope, Spec
from reconciler.text import plan_crm, plan_json, plan_text, plan_xml

VIP, WEB, X = Ref("Primitive", "vip"), Ref("Primitive", "web"), Ref("Location", "x")


def spec(kind: str, **fields: object) -> Spec:
    return KINDS[kind].spec.model_validate(
        {name.rstrip("_").replace("_", "-"): value for name, value in fields.items()}
    )


def primitive(**params: object) -> Spec:
    return spec("Primitive", agent="ocf:heartbeat:IPaddr2", params=params)


CREATE = Change(WEB, None, spec("Primitive", agent="systemd:nginx", meta={"priority": 5}))
UPDATE = Change(VIP, primitive(ip="192.0.2.1", nic="eth0"), primitive(ip="192.0.2.2", cidr_netmask=24), adopts=True)
DELETE = Change(X, spec("Location", resource="vip", node="n1", score=100), None)
PATCH = Command(("cibadmin", "--patch", "--xml-pipe"), "<diff/>\n", Scope.CLUSTER, (WEB, VIP, X))
NETWORK = Command(("ip", "-batch", "-"), "address add ...\n", Scope.NODE, (Ref("NodeNetwork", "n1"),))
EVERYTHING = Plan(
    changes=(CREATE, UPDATE, DELETE),
    adoptions=(Ref("Group", "g"),),
    holds=(
        Hold(Reason.NO_QUORUM, "this part of the cluster has no quorum"),
        Hold(Reason.DELETION_BUDGET, "too many", Ref("Primitive", "a")),
        Hold(Reason.DELETION_BUDGET, "too many", Ref("Primitive", "b")),
    ),
    overrides=(Override(VIP, "meta.target-role", "Stopped"),),
    foreign=(Ref("Primitive", "theirs"),),
    warnings=("stonith-enabled is false",),
    commands=(NETWORK, PATCH),
)
TEXT = """\
+ create Primitive/web
    agent: systemd:nginx
    meta.priority: 5

~ adopt and update Primitive/vip
    params.ip: 192.0.2.1 -> 192.0.2.2
    params.cidr_netmask: (absent) -> 24
    params.nic: eth0 -> (absent)

- delete Location/x
    resource: vip
    node: n1
    score: 100

Held back, not done now:
    everything of the cluster: NoQuorum: this part of the cluster has no quorum
    Primitive/a, Primitive/b: DeletionBudget: too many

Set by hand, respected:
    Primitive/vip: meta.target-role = Stopped

Not ours, left alone:
    Primitive/theirs

Warnings:
    stonith-enabled is false

Pacemaker would then:
    start web on n1

Plan: 1 to create, 1 to update, 1 to delete; 3 held. (2 objects become recorded as ours.)
"""


def test_the_age_of_what_people_set_is_said_where_it_is_known() -> None:
    override = Override(Ref("Node", "n1"), "attributes.standby", "true")
    plan = Plan(overrides=(override, Override(Ref("Node", "n2"), "attributes.standby", "true")))
    text = plan_text(plan, ages={override: "for 3d"})
    assert "    Node/n1: attributes.standby = true (for 3d)\n    Node/n2: attributes.standby = true\n" in text


def test_a_plan_in_full() -> None:
    assert plan_text(EVERYTHING, ["start web on n1"]) == TEXT


def test_colours_change_nothing_but_the_colour() -> None:
    painted = plan_text(EVERYTHING, ["start web on n1"], colour=True)
    assert re.sub("\x1b\\[[0-9]*m", "", painted) == TEXT
    assert "\x1b[32m+ create Primitive/web\x1b[0m" in painted
    assert "\x1b[33m~ adopt and update Primitive/vip\x1b[0m" in painted
    assert "\x1b[31m- delete Location/x\x1b[0m" in painted


def test_the_last_line_says_how_much_it_is() -> None:
    def last(plan: Plan) -> str:
        return plan_text(plan).splitlines()[-1]

    assert last(Plan()) == "In sync: nothing to change."
    assert last(Plan(adoptions=(VIP,))) == "In sync: nothing to change. (1 object becomes recorded as ours.)"
    assert last(Plan(holds=EVERYTHING.holds[:1])) == "Nothing to change now; 1 held."
    assert last(Plan(changes=(CREATE,))) == "Plan: 1 to create, 0 to update, 0 to delete."


def test_many_are_counted() -> None:
    many = [Ref("Primitive", f"p{number}") for number in range(9)] + [Ref("bundle", "b")]
    assert "    10 objects: 9 Primitive, 1 bundle\n" in plan_text(Plan(foreign=tuple(many)))
    holds = tuple(Hold(Reason.PRUNE_OFF, "off", ref) for ref in many)
    assert "Primitive/p7 and 2 more: PruneOff: off\n" in plan_text(Plan(holds=holds))


def test_a_password_is_not_shown() -> None:
    plan = Plan(changes=(Change(VIP, primitive(passwd="old"), primitive(passwd="new", empty="")),))
    assert "params.passwd: (hidden) -> (hidden)\n" in plan_text(plan)
    assert 'params.empty: (absent) -> ""\n' in plan_text(plan)
    assert "new" not in json.dumps(plan_json(plan))


def test_a_plan_for_programs() -> None:
    assert json.loads(json.dumps(plan_json(EVERYTHING))) == {
        "changes": [
            {
                "kind": "Primitive",
                "name": "web",
                "verb": "create",
                "adopts": False,
                "fields": [
                    {"path": "agent", "before": None, "after": "systemd:nginx"},
                    {"path": "meta.priority", "before": None, "after": "5"},
                ],
            },
            {
                "kind": "Primitive",
                "name": "vip",
                "verb": "update",
                "adopts": True,
                "fields": [
                    {"path": "params.ip", "before": "192.0.2.1", "after": "192.0.2.2"},
                    {"path": "params.cidr_netmask", "before": None, "after": "24"},
                    {"path": "params.nic", "before": "eth0", "after": None},
                ],
            },
            {
                "kind": "Location",
                "name": "x",
                "verb": "delete",
                "adopts": False,
                "fields": [
                    {"path": "resource", "before": "vip", "after": None},
                    {"path": "node", "before": "n1", "after": None},
                    {"path": "score", "before": "100", "after": None},
                ],
            },
        ],
        "adoptions": [{"kind": "Group", "name": "g"}],
        "holds": [
            {
                "reason": "NoQuorum",
                "message": "this part of the cluster has no quorum",
                "scope": "cluster",
                "kind": None,
                "name": None,
            },
            {"reason": "DeletionBudget", "message": "too many", "scope": "cluster", "kind": "Primitive", "name": "a"},
            {"reason": "DeletionBudget", "message": "too many", "scope": "cluster", "kind": "Primitive", "name": "b"},
        ],
        "overrides": [{"kind": "Primitive", "name": "vip", "field": "meta.target-role", "value": "Stopped"}],
        "foreign": [{"kind": "Primitive", "name": "theirs"}],
        "warnings": ["stonith-enabled is false"],
        "commands": [
            {"argv": ["ip", "-batch", "-"], "scope": "node", "objects": [{"kind": "NodeNetwork", "name": "n1"}]},
            {
                "argv": ["cibadmin", "--patch", "--xml-pipe"],
                "scope": "cluster",
                "objects": [
                    {"kind": "Primitive", "name": "web"},
                    {"kind": "Primitive", "name": "vip"},
                    {"kind": "Location", "name": "x"},
                ],
            },
        ],
    }


def test_a_plan_for_crm() -> None:
    assert plan_crm(EVERYTHING) == (
        "# crm configure:\n"
        "delete x\n"
        "# crm configure load update:\n"
        "primitive web systemd:nginx \\\n    meta priority=5\n"
        "primitive vip ocf:heartbeat:IPaddr2 \\\n    params ip=192.0.2.2 cidr_netmask=24\n"
    )
    assert plan_crm(Plan(adoptions=(VIP,))) == ""


def test_the_patch_is_what_cibadmin_gets() -> None:
    assert plan_xml(EVERYTHING) == "<diff/>\n"
    assert plan_xml(Plan(commands=(NETWORK,))) == ""


def test_an_operation_that_only_moved_in_the_list_has_not_changed() -> None:
    before = spec("Primitive", agent="lsb:x", operations=[{"name": "start"}, {"name": "monitor", "interval": 10}])
    after = spec(
        "Primitive",
        agent="lsb:x",
        operations=[{"name": "monitor", "interval": 10, "timeout": "5s"}, {"name": "start"}],
    )
    assert plan_text(Plan(changes=(Change(VIP, before, after),))).splitlines()[:2] == [
        "~ update Primitive/vip",
        "    operations[monitor 10s]: with defaults -> timeout=5s",
    ]
