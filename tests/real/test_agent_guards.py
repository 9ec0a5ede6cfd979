"""What keeps the agents from changing a cluster that they could change: a person, a policy, a window. One cluster."""

import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from tests.lab import Lab, until
from tests.real.operator import UNFENCED, Agent, Cib, agents_on, condition, find, in_sync, location
from tests.real.pair import Pair

pytestmark = [pytest.mark.lab, pytest.mark.slow]

POLICY = """
apiVersion = "ha.reconciler.io/v1alpha1"
kind = "SyncPolicy"
metadata.name = "policy"
{spec}
"""


@pytest.fixture(scope="module")
def cluster(shared_lab: Lab) -> Iterator[Pair]:
    shared_lab.reset()
    with agents_on(shared_lab) as agents:
        pair = Pair(shared_lab, agents)
        pair.want("cluster.toml", UNFENCED)
        pair.ask_for_a_change()
        for agent in agents:
            agent.start()
        for agent in agents:
            agent.until_synced()
        yield pair


@pytest.fixture
def pair(cluster: Pair) -> Iterator[Pair]:
    """The pair in sync, with no policy; afterwards so again."""
    yield cluster
    cluster.dc.run("resume")
    cluster.want("policy.toml", POLICY.format(spec="spec = {}"))
    cluster.want("where.toml", location("one-somewhere", "one", "vm-node1", 1))
    cluster.arrives(cluster.ask_for_a_change())
    for agent in cluster.agents:
        agent.until(in_sync, "all to be in sync again")


def suspended(agent: Agent) -> None:
    agent.until(lambda seen: seen["suspended"] and set(seen["agent"]["held"]) == {"cluster", "node"}, "it", 5)


def test_a_suspension_from_any_node_freezes_all_agents_until_somebody_resumes(pair: Pair) -> None:
    asked = pair.other.run("suspend", "--reason", 'kernel "6.18" & reboot', "--until", "1h")
    assert (asked.returncode, asked.stderr) == (0, "")
    assert asked.stdout.startswith("suspended on all nodes until ")
    value = pair.ask_for_a_change()
    for agent in pair.agents:
        suspended(agent)
        status = agent.run("status")
        assert status.returncode == 2
        assert status.stdout.startswith("SUSPENDED since ")
        assert f'by root@{pair.other.node.name}: kernel "6.18" & reboot\n' in status.stdout
        agent.until_logged("held: everything of the cluster: Suspended: until ")
    pair.waits(value, "Suspended")
    plan = pair.dc.run("plan")
    assert plan.returncode == 2
    assert "Suspended: until " in plan.stdout
    assert f"fake: {pair.value()} -> {value}" in plan.stdout
    assert pair.dc.run("apply").returncode == 2
    assert pair.value() != value
    resumed = pair.dc.run("resume")
    assert resumed.stdout.startswith("ended: suspended since ")
    seconds = pair.arrives(value, 3)
    print(f"\nafter resume it took {seconds:.2f} s")
    assert Cib(pair.dc.node).get("reconciler") is None
    assert pair.dc.run("resume").stdout == "nothing is suspended\n"
    for agent in pair.agents:
        agent.until(lambda seen: not seen["suspended"] and in_sync(seen), "it to be over", 5)
        assert agent.run("status").returncode in (0, 2)
        assert "SUSPENDED" not in agent.run("status").stdout


def test_a_suspension_ends_by_itself(pair: Pair) -> None:
    began = time.time()
    assert pair.dc.run("suspend", "--reason", "for a moment", "--until", "5s").returncode == 0
    suspended(pair.dc)
    value = pair.ask_for_a_change()
    pair.arrives(value, 8)
    took = time.time() - began
    print(f"\na suspension of 5 s ended after {took:.2f} s")
    assert took > 4
    assert Cib(pair.dc.node).get("reconciler-suspended") is not None, "a clock that is ahead must not end it for all"
    assert pair.dc.run("status").returncode in (0, 2)
    assert "SUSPENDED" not in pair.dc.run("status").stdout


def test_an_agent_that_starts_goes_by_what_is_suspended(pair: Pair) -> None:
    assert pair.dc.run("suspend", "--reason", "reboot", "--until", "1h").returncode == 0
    for agent in pair.agents:
        suspended(agent)
        agent.stop()
    value = pair.ask_for_a_change()
    for agent in pair.agents:
        agent.start()
        suspended(agent)
    pair.waits(value, "Suspended")
    assert pair.other.run("resume").returncode == 0
    pair.arrives(value, 3)


def test_a_kind_that_is_only_observed_is_left_alone_and_the_rest_enforced(pair: Pair) -> None:
    pair.want("policy.toml", POLICY.format(spec='spec.kinds = { Location = "observe" }'))
    pair.want("where.toml", location("one-somewhere", "one", "vm-node2", 7))
    value = pair.ask_for_a_change()
    pair.arrives(value)

    def looked_at(seen: Any) -> bool:
        item = find(seen, "Location", "one-somewhere")
        return bool(item and condition(item, "Synced")["reason"] == "ObserveOnly")

    for agent in pair.agents:
        told = condition(find(agent.until(looked_at, "to leave it alone"), "Location", "one-somewhere"), "Synced")
        assert told["status"] == "False"
        assert told["message"].startswith("SyncPolicy/policy only observes the kind Location; not done: ")
    before = Cib(pair.dc.node).get("one-somewhere")
    assert before is None or before.get("node") == "vm-node1"
    assert "SyncPolicy/policy only observes the kind Location" in pair.dc.run("plan").stdout
    pair.want("policy.toml", POLICY.format(spec='spec.kinds = { Location = "enforce" }'))
    until(
        lambda: (found := Cib(pair.dc.node).get("one-somewhere")) is not None and found.get("node") == "vm-node2", "it"
    )


def test_a_policy_that_only_observes_holds_everything(pair: Pair) -> None:
    pair.want("policy.toml", POLICY.format(spec='spec.mode = "observe"'))
    pair.dc.until(lambda seen: seen["agent"]["held"].get("cluster", {}).get("reason") == "ObserveOnly", "it")
    value = pair.ask_for_a_change()
    pair.waits(value, "ObserveOnly")
    assert "mode = observe in SyncPolicy/policy" in pair.dc.run("status").stdout
    pair.want("policy.toml", POLICY.format(spec='spec.mode = "enforce"'))
    pair.arrives(value)


def test_a_closed_window_holds_and_one_that_opens_releases(pair: Pair) -> None:
    """A window that opens with the next full minute, on the clocks of a zone with an odd offset."""
    zone = ZoneInfo("Asia/Kathmandu")
    opens = (datetime.now(UTC) + timedelta(seconds=75)).replace(second=0, microsecond=0)
    if opens - datetime.now(UTC) < timedelta(seconds=20):
        opens += timedelta(minutes=1)
    window = f'{{ start = "{opens.astimezone(zone):%H:%M}", duration = "1h", time-zone = "{zone.key}" }}'
    pair.want("policy.toml", POLICY.format(spec=f"spec.windows = [{window}]"))
    value = pair.ask_for_a_change()
    pair.waits(value, "OutsideWindow")
    said = f"changes may begin {opens.astimezone(zone):%a %Y-%m-%d %H:%M} Asia/Kathmandu ({opens:%Y-%m-%dT%H:%MZ})"
    assert said in pair.dc.run("plan").stdout
    pair.arrives(value, (opens - datetime.now(UTC)).total_seconds() + 10)
    late = (datetime.now(UTC) - opens).total_seconds()
    print(f"\nthe change was made {late:.2f} s after the window had opened")
    assert 0 < late < 5
