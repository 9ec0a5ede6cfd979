"""Who may change the cluster, from the same facts the same answer on every node."""

from dataclasses import replace
from datetime import time, timedelta
from itertools import chain, combinations

import pytest

from reconciler.cib.register import Register, Suspension
from reconciler.observation import Answer, Observation, Source, understand
from reconciler.plan import Hold, Reason
from reconciler.policy import Rules
from reconciler.state import Scope
from reconciler.windows import Window
from reconciler.writer import able, for_now, standing
from tests.observations import cib, observation


def reasons(*holds: Hold) -> list[tuple[str, str]]:
    return [(str(hold.reason), str(hold.scope)) for hold in holds]


def test_the_agent_on_the_dc_writes_whoever_else_is_there() -> None:
    for agents in ((), (1,), (2,), (1, 2), None):
        assert standing(observation(cib(dc_uuid="1"), agents=agents), Rules(), "r") == ()


def test_the_others_do_not_while_that_one_can() -> None:
    [hold] = standing(observation(cib(dc_uuid="2"), agents=(1, 2)), Rules(), "r")
    assert (hold.reason, hold.scope) == (Reason.NOT_WRITER, Scope.CLUSTER)
    assert hold.message == "the agent on the DC, b, makes the cluster's changes"


def test_the_first_of_the_others_takes_its_place() -> None:
    assert standing(observation(cib(dc_uuid="2"), agents=(1,)), Rules(), "r") == ()
    assert standing(observation(cib(dc_uuid="2"), agents=(1, 3)), Rules(), "r") == ()
    [hold] = standing(observation(cib(dc_uuid="1"), node="c", agents=(2, 4)), Rules(), "r")
    assert hold.message == "the DC, a, has no agent that can write; the one on b does instead"


def test_one_that_is_not_in_the_group_yet_waits() -> None:
    [hold] = standing(observation(cib(dc_uuid="2"), agents=()), Rules(), "r")
    assert hold.message == "the DC, b, has no agent that can write, and this one is not ready yet"


def test_without_corosync_only_the_dc_writes() -> None:
    seen = observation(cib(dc_uuid="2"), agents=(1,))
    deaf = replace(seen, snapshot=replace(seen.snapshot, nodeid=None))
    for blind in (deaf, observation(cib(dc_uuid="2"), agents=None)):
        [hold] = standing(blind, Rules(), "r")
        assert hold.message == "b is the DC, and corosync cannot be asked whether its agent lives"


@pytest.mark.parametrize("dc", [1, 2, 3])
def test_of_those_that_can_exactly_one_writes(dc: int) -> None:
    names = {1: "a", 2: "b", 3: "c"}
    text = cib(dc_uuid=str(dc))
    for group in chain.from_iterable(combinations(names, size) for size in (1, 2, 3)):
        seen = {nodeid: observation(text, node=names[nodeid], agents=group) for nodeid in group}
        writers = [nodeid for nodeid in group if not standing(seen[nodeid], Rules(), "r")]
        assert writers == [dc if dc in group else min(group)]


def test_without_quorum_or_dc_nobody_writes() -> None:
    text = cib(have_quorum="0")
    assert reasons(*standing(observation(text), Rules(), "r")) == [("NoQuorum", "cluster")]
    text = cib().replace(' dc-uuid="1"', "")
    assert reasons(*standing(observation(text), Rules(), "r")) == [("NoDC", "cluster")]


def test_who_only_observes_changes_neither_the_cluster_nor_its_node() -> None:
    assert reasons(*standing(observation(cib()), Rules(mode="observe"), "r")) == [
        ("ObserveOnly", "cluster"),
        ("ObserveOnly", "node"),
    ]


def test_without_a_cib_there_is_nothing_to_hold() -> None:
    assert standing(observation(None), Rules(), "r") == ()


def with_revisions(revisions: dict[int, str], dc: str = "1") -> Observation:
    seen = observation(cib(dc_uuid=dc), agents=tuple(revisions))
    return replace(seen, snapshot=replace(seen.snapshot, revisions=revisions))


def test_while_agents_have_read_other_manifests_the_one_that_writes_waits() -> None:
    [hold] = standing(with_revisions({1: "r", 2: "0123456789abcdef"}), Rules(), "r")
    assert (hold.reason, hold.scope) == (Reason.REVISION_SKEW, Scope.CLUSTER)
    assert hold.message.startswith("the agent on b has revision 0123456789ab of the manifests, this one r")


def test_who_has_the_same_hinders_nobody() -> None:
    for revisions in ({}, {1: "r"}, {1: "r", 2: "r"}, {1: "what it said before", 2: "r"}):
        assert standing(with_revisions(revisions), Rules(), "r") == ()
        assert for_now(with_revisions(revisions), Rules()) == ()


def test_who_has_not_said_anything_yet_is_waited_for_before_a_change() -> None:
    """Who has just started hears the others only once it is one of them: till then its manifests may be old ones."""
    [hold] = for_now(observation(cib(dc_uuid="1"), agents=(1, 2)), Rules())
    assert (hold.reason, hold.scope) == (Reason.REVISION_SKEW, Scope.CLUSTER)
    assert hold.message.startswith("the agent on b has not said yet which revision")
    assert for_now(observation(cib(), agents=(1,)), Rules()) == ()
    assert for_now(observation(cib(), agents=None), Rules()) == ()


def test_the_network_waits_for_its_windows_too() -> None:
    # 1970-01-01 00:16:40 UTC is a Thursday.
    friday = Rules(windows=(Window(frozenset({4}), time(2), timedelta(hours=4)),))
    [hold] = for_now(observation(cib(), agents=(1,)), friday)
    assert (hold.reason, hold.scope) == (Reason.OUTSIDE_WINDOW, Scope.NODE)
    assert for_now(observation(cib(), agents=(1,)), Rules(windows=(replace(friday.windows[0], deny=True),))) == ()


def test_who_does_not_write_says_so_rather_than_that_revisions_differ() -> None:
    assert reasons(*standing(with_revisions({1: "r", 2: "s"}, dc="2"), Rules(), "r")) == [("NotWriter", "cluster")]


def test_able_is_who_sees_and_wants_and_does_not_fail() -> None:
    seen = observation(cib())
    assert able(seen, "enforce", True, ())
    assert not able(seen, "observe", True, ())
    assert not able(seen, "enforce", False, ())
    assert not able(observation(None), "enforce", True, ())
    assert not able(seen, "enforce", True, [Hold(Reason.BACKING_OFF, "")])
    assert able(seen, "enforce", True, [Hold(Reason.BACKING_OFF, "", scope=Scope.NODE)])
    assert able(seen, "enforce", True, [Hold(Reason.NOT_WRITER, "")])
    assert able(observation(suspended()), "enforce", True, ()), "all are suspended: it does not matter who"
    for until, expected in ((2000, False), (1000, True)):
        here = replace(seen.snapshot, suspended=Suspension(0, until, "root@a", "cut off"))
        assert able(replace(seen, snapshot=here), "enforce", True, ()) is expected


SUSPENDED = (
    '<crm_config><cluster_property_set id="reconciler"><nvpair id="reconciler-suspended" name="reconciler-suspended" '
    'value="since 1970-01-01T00:00:00Z until 1970-01-02T00:00:00Z by root@a: kernel update"/></cluster_property_set>'
    "</crm_config>"
)


def suspended(**attributes: str) -> str:
    return cib(**attributes).replace("<crm_config/>", SUSPENDED)


def test_a_suspension_holds_both_scopes_on_every_node_until_it_is_over() -> None:
    for dc in ("1", "2"):
        seen = observation(suspended(dc_uuid=dc), agents=(1, 2))
        within = replace(seen, snapshot=replace(seen.snapshot, at=86399.0))
        found = [hold for hold in standing(within, Rules(), "r") if hold.reason is Reason.SUSPENDED]
        assert [hold.scope for hold in found] == [Scope.CLUSTER, Scope.NODE]
        after = replace(seen, snapshot=replace(seen.snapshot, at=86400.0))
        assert not [hold for hold in standing(after, Rules(), "r") if hold.reason is Reason.SUSPENDED]


def test_one_of_this_node_alone_holds_too() -> None:
    seen = observation(cib())
    here = replace(seen, snapshot=replace(seen.snapshot, suspended=Suspension(0, 99, "root@a", "cut off"), at=1.0))
    assert {hold.scope for hold in standing(here, Rules(), "r")} == {Scope.CLUSTER, Scope.NODE}


def test_a_suspension_is_remembered_while_there_is_no_cib_to_be_seen() -> None:
    seen = observation(suspended())
    gone = Answer("", "exit", "cibadmin: not connected")
    blind = replace(seen.snapshot, answers={**seen.snapshot.answers, Source.CIB: gone}, at=1.0)
    assert understand(blind, "a", seen).register == seen.register != Register()
    assert {hold.scope for hold in standing(understand(blind, "a", seen), Rules(), "r")} == {Scope.CLUSTER, Scope.NODE}
    started = replace(blind, remembered=Suspension(0, 99, "root@a", "reboot"))
    assert {hold.scope for hold in standing(understand(started, "a", None), Rules(), "r")} == {
        Scope.CLUSTER,
        Scope.NODE,
    }
    assert standing(understand(blind, "a", None), Rules(), "r") == ()
    lifted = replace(seen.snapshot, answers={Source.CIB: Answer(cib())}, remembered=started.remembered)
    assert understand(lifted, "a", None).register == Register()
