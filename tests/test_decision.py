"""One decision about cluster and node: what holds one does not hold the other."""

from reconciler.decision import Remembered, blind, decide, for_node, own_network
from reconciler.observation import Answer, Observation, Source
from reconciler.plan import Hold, Plan, Reason
from reconciler.policy import Rules, overlaid
from reconciler.pruning import Policy
from reconciler.state import Desired, Ref, Scope
from tests.observations import ADDRESSES, DUMMY, NETWORK, WANTED, cib, desired, observation

NETWORK_TOO = desired(
    Primitive__r=WANTED["Primitive__r"], NodeNetwork__a=NETWORK, NodeNetwork__b=NETWORK.replace('"a"', '"b"')
)
OTHER_ADDRESS = {Source.ADDRESSES: Answer(ADDRESSES.replace("10.0.0.1", "10.9.9.9"))}


def plan(seen: Observation, *holds: Hold, wanted: Desired = NETWORK_TOO, remembered: Remembered | None = None) -> Plan:
    return decide(wanted, seen, Policy(), remembered or Remembered(), holds).plan


def refs(decided: Plan) -> list[str]:
    return [str(change.ref) for change in decided.changes]


def test_the_network_comes_before_the_cluster() -> None:
    decided = plan(observation(cib(), answers=OTHER_ADDRESS))
    assert refs(decided) == ["NodeNetwork/a", "Primitive/r"]
    assert [command.argv[0] for command in decided.commands] == ["ip", "cibadmin"]


def test_what_is_as_wanted_needs_no_command() -> None:
    decided = plan(observation(cib(DUMMY, owned=["r"])))
    assert (decided.changes, decided.commands, decided.holds) == ((), (), ())


def test_a_hold_shows_the_changes_of_its_scope_and_leaves_out_their_commands() -> None:
    seen = observation(cib(), answers=OTHER_ADDRESS)
    for scope, left in ((Scope.CLUSTER, "ip"), (Scope.NODE, "cibadmin")):
        hold = Hold(Reason.NOT_WRITER, "", scope=scope)
        decided = plan(seen, hold)
        assert refs(decided) == ["NodeNetwork/a", "Primitive/r"]
        assert [command.argv[0] for command in decided.commands] == [left]
        assert hold in decided.holds


def test_what_cannot_be_seen_is_not_planned_and_the_other_is() -> None:
    no_cib = observation(None, answers=OTHER_ADDRESS)
    assert refs(plan(no_cib)) == ["NodeNetwork/a"]
    assert blind(no_cib) == {Scope.CLUSTER: "cibadmin failed with exit code 102: not connected"}
    no_network = observation(cib(), answers={Source.ADDRESSES: Answer("", "missing", "ip is not installed")})
    assert refs(plan(no_network)) == ["Primitive/r"]
    assert blind(no_network) == {Scope.NODE: "ip is not installed"}


def test_each_node_has_its_own_network() -> None:
    found = own_network(NETWORK_TOO.state, "b")
    assert found
    assert found[0] == Ref("NodeNetwork", "b")
    assert own_network(NETWORK_TOO.state, "c") is None
    assert set(for_node(NETWORK_TOO, "a").state) == {Ref("NodeNetwork", "a"), Ref("Primitive", "r")}
    assert refs(plan(observation(cib(DUMMY, owned=["r"]), node="c", answers=OTHER_ADDRESS))) == []


def test_what_the_cluster_owned_when_it_was_last_seen_is_its_own_still() -> None:
    address = '<primitive id="ip" class="ocf" provider="heartbeat" type="IPaddr2"><instance_attributes id="i">'
    address += '<nvpair id="n" name="ip" value="10.0.0.1"/></instance_attributes></primitive>'
    earlier = observation(cib(address)).cib
    remembered = Remembered(last_cib=earlier)
    [hold] = plan(observation(None), remembered=remembered).holds
    assert hold.reason is Reason.CLUSTER_OWNED
    assert "10.0.0.1/24" in hold.message


def test_without_the_cib_nothing_is_taken_from_the_network() -> None:
    ours = Remembered(inventory=frozenset({("eth0", "10.9.9.9/24")}))
    [hold] = plan(observation(None, answers=OTHER_ADDRESS), remembered=ours).holds
    assert hold.reason is Reason.UNOBSERVABLE
    decided = decide(NETWORK_TOO, observation(cib(DUMMY, owned=["r"]), answers=OTHER_ADDRESS), Policy(), ours)
    assert "10.9.9.9/24" in decided.plan.commands[0].stdin


def test_what_the_agent_added_is_remembered_unless_it_may_not_act() -> None:
    seen = observation(cib(DUMMY, owned=["r"]), answers=OTHER_ADDRESS)
    assert decide(NETWORK_TOO, seen, Policy(), Remembered()).inventory == {("eth0", "10.0.0.1/24")}
    hold = Hold(Reason.OBSERVE_ONLY, "", scope=Scope.NODE)
    assert decide(NETWORK_TOO, seen, Policy(), Remembered(), [hold]).inventory == frozenset()


def test_what_holds_for_now_is_said_only_where_there_is_something_to_do() -> None:
    waits = (Hold(Reason.OUTSIDE_WINDOW, "", scope=Scope.NODE), Hold(Reason.REVISION_SKEW, ""))
    remembered = Remembered(for_now=waits)
    seen = observation(cib(DUMMY, owned=["r"]))
    assert decide(NETWORK_TOO, seen, Policy(), remembered).plan.holds == ()
    other = observation(cib(DUMMY, owned=["r"]), answers=OTHER_ADDRESS)
    decided = decide(NETWORK_TOO, other, Policy(), remembered)
    assert (decided.plan.holds, decided.plan.commands) == ((waits[0],), ())
    assert refs(decided.plan) == ["NodeNetwork/a"]
    assert decided.inventory == frozenset(), "what was not done is not remembered"
    told = [Hold(Reason.NOT_WRITER, ""), Hold(Reason.OBSERVE_ONLY, "", scope=Scope.NODE)]
    assert plan(observation(cib(), answers=OTHER_ADDRESS), *told, remembered=remembered).holds == tuple(told)


def test_an_object_that_is_left_alone_is_held_and_the_others_go_on() -> None:
    wanted = desired(Primitive__r=WANTED["Primitive__r"], Primitive__s=WANTED["Primitive__r"])
    ref = Ref("Primitive", "r")
    hold = Hold(Reason.OSCILLATING, "", ref)
    decided = plan(observation(cib()), wanted=wanted, remembered=Remembered(left_alone={ref: hold}))
    assert refs(decided) == ["Primitive/s"]
    assert decided.holds == (hold,)


def test_a_kind_that_is_only_observed_is_neither_changed_nor_recorded_and_the_others_go_on() -> None:
    policy = 'spec.kinds = { Tag = "observe", NodeNetwork = "observe", Location = "observe" }'
    wanted = desired(
        SyncPolicy__p=policy,
        Primitive__r=WANTED["Primitive__r"],
        Tag__t='spec.objects = ["r"]',
        Location__l='spec = { resource = "r", node = "a", score = 5 }',
        NodeNetwork__n=NETWORK,
    )
    there = '<rsc_location id="l" rsc="r" node="a" score="7"/><rsc_location id="old" rsc="r" node="b" score="7"/>'
    text = cib(DUMMY, constraints=there, owned=["l", "old"])
    text = text.replace("<tags>", '<tags><tag id="t"><obj_ref id="r"/></tag>')
    seen = observation(text, answers=OTHER_ADDRESS)
    assert seen.cluster is not None
    alone = overlaid(Rules(), wanted.state).left_alone({*wanted.state, *seen.cluster.state})
    decided = decide(wanted, seen, Policy(), Remembered(left_alone=alone))
    assert decided.plan.changes == ()
    assert decided.plan.adoptions == (Ref("Primitive", "r"),)
    assert {(str(hold.ref), str(hold.scope), hold.message) for hold in decided.plan.holds} == {
        (
            "Location/l",
            "cluster",
            "SyncPolicy/p only observes the kind Location; not done: update score",
        ),
        (
            "Location/old",
            "cluster",
            "SyncPolicy/p only observes the kind Location; not done: delete",
        ),
        (
            "NodeNetwork/n",
            "node",
            "SyncPolicy/p only observes the kind NodeNetwork; not done: update links[eth0].addresses",
        ),
    }
    (command,) = decided.plan.commands
    assert command.scope is Scope.CLUSTER
    assert decided.inventory == frozenset()
