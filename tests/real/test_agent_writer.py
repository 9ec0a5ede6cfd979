"""One agent writes: the one on the DC, or another at once when that one cannot; and none where nobody may."""

import time
from collections.abc import Iterator
from dataclasses import dataclass, field

import pytest

from tests.lab import Lab, Layout, until
from tests.lab.fixture import LabFactory
from tests.real.operator import UNFENCED, Agent, Cib, agents_on, dummy, in_sync

pytestmark = [pytest.mark.lab, pytest.mark.slow]


@dataclass
class Pair:
    """Two agents that want one resource, and the parameter that they want it to have."""

    lab: Lab
    agents: list[Agent]
    number: int = field(default=0)

    @property
    def dc(self) -> Agent:
        name = self.lab.view().dc
        return next(agent for agent in self.agents if agent.node.name == name)

    @property
    def other(self) -> Agent:
        dc = self.dc
        return next(agent for agent in self.agents if agent is not dc)

    def ask_for_a_change(self, *asked: Agent) -> str:
        """Want another value, everywhere or of some agents."""
        self.number += 1
        for agent in asked or self.agents:
            agent.want("one.toml", dummy("one", fake=str(self.number)))
        return str(self.number)

    def arrives(self, value: str, by: Agent, timeout: float = 10) -> float:
        """Wait until the value is in the CIB, written by an agent; gives the seconds."""
        began = time.monotonic()

        def look() -> bool:
            cib = Cib(by.node)
            return cib.value("one", "fake") == value and cib.origin == by.node.name

        until(look, f"{value} from {by.node.name}", timeout, 0.02, lambda: "\n".join(a.log() for a in self.agents))
        return time.monotonic() - began


@pytest.fixture
def pair(lab: Lab) -> Iterator[Pair]:
    with agents_on(lab) as agents:
        pair = Pair(lab, agents)
        for agent in agents:
            agent.want("cluster.toml", UNFENCED)
        pair.ask_for_a_change()
        for agent in agents:
            agent.start()
        for agent in agents:
            agent.until_synced()
        yield pair


def held(agent: Agent, reason: str) -> None:
    """Wait until an agent says that it may not write, and why."""
    agent.until(lambda seen: seen["agent"]["held"].get("cluster", {}).get("reason") == reason, reason)


def writes(agent: Agent) -> None:
    agent.until(lambda seen: seen["agent"]["writes"], "to be the writer")


def test_only_the_agent_on_the_dc_writes(pair: Pair) -> None:
    writes(pair.dc)
    held(pair.other, "NotWriter")
    for _ in range(3):
        pair.arrives(pair.ask_for_a_change(), by=pair.dc)
    # What only the other one wants is shown there, and is not done: its manifests may be the older ones.
    value = pair.ask_for_a_change(pair.other)
    pair.other.until(lambda seen: bool(seen["plan"]["changes"]), "a change to be planned")
    assert Cib(pair.dc.node).value("one", "fake") != value
    assert "the agent on the DC" in pair.other.run("status").stdout


def test_when_the_agent_on_the_dc_dies_the_other_takes_over_at_once(pair: Pair) -> None:
    dc, other = pair.dc, pair.other
    dc.kill()
    writes(other)
    taken = pair.arrives(pair.ask_for_a_change(other), by=other)
    print(f"\nagent on the DC killed -> a change made by the other: {taken:.2f} s")
    dc.start()
    held(other, "NotWriter")
    dc.want("one.toml", other.node.path("/etc/reconciler/desired.d/one.toml").read_text(encoding="utf-8"))
    dc.until_synced()
    pair.arrives(pair.ask_for_a_change(), by=dc)


def test_a_change_left_undone_by_a_dead_agent_is_done_by_the_other(pair: Pair) -> None:
    dc, other = pair.dc, pair.other
    value = pair.ask_for_a_change(other)
    other.until(lambda seen: bool(seen["plan"]["changes"]), "a change to be planned")
    dc.kill()
    print(f"\nagent on the DC killed -> what it left is done by the other: {pair.arrives(value, by=other):.2f} s")


def test_an_agent_that_cannot_read_the_cib_leaves_the_writing_to_another(pair: Pair) -> None:
    dc, other = pair.dc, pair.other
    dc.node.run(["mount", "--bind", "/bin/false", "/usr/sbin/cibadmin"], check=True)
    try:
        dc.signal(1)
        dc.until(lambda seen: "cluster" in seen["agent"]["blind"], "to be blind")
        writes(other)
        pair.arrives(pair.ask_for_a_change(), by=other)
    finally:
        dc.node.run(["umount", "/usr/sbin/cibadmin"], check=True)
    writes(dc)
    held(other, "NotWriter")


def test_one_that_only_observes_reports_and_leaves_the_writing_to_another(pair: Pair) -> None:
    dc, other = pair.dc, pair.other
    dc.stop()
    dc.start('mode = "observe"')
    held(dc, "ObserveOnly")
    writes(other)
    value = pair.ask_for_a_change(dc)
    document = dc.until(lambda seen: bool(seen["plan"]["changes"]), "a change to be planned")
    assert set(document["agent"]["held"]) == {"cluster", "node"}
    assert "mode = observe in the settings: changes are reported and not made" in dc.run("status").stdout
    assert Cib(dc.node).value("one", "fake") != value
    other.want("one.toml", dummy("one", fake=value))
    pair.arrives(value, by=other)
    dc.until_synced()


def test_the_dc_loses_its_power(pair: Pair) -> None:
    dc, other = pair.dc, pair.other
    dc.node.power_off()
    pair.lab.until(lambda view: view.dc == other.node.name, "the other node to be DC")
    writes(other)
    pair.arrives(pair.ask_for_a_change(other), by=other)
    dc.node.power_on()
    dc.start()
    pair.lab.wait_ready()
    for agent in pair.agents:
        agent.want("one.toml", dummy("one", fake=str(pair.number)))
        agent.until_synced(40)


QUICK_ELECTION = UNFENCED.replace("stonith-enabled = false", 'stonith-enabled = false, dc-deadtime = "4s"')


def test_corosync_and_pacemaker_come_after_the_agent_go_and_come_back(lab: Lab) -> None:
    with agents_on(lab) as agents:
        first, second = agents
        pair = Pair(lab, agents)
        for agent in agents:
            agent.want("cluster.toml", QUICK_ELECTION)
        pair.ask_for_a_change()
        first.node.stop_cluster()
        first.start()
        is_blind(first)
        second.start()
        second.until_synced()
        first.node.start_cluster()
        first.until_synced(30)
        lab.wait_ready()
        for agent in agents:
            agent.node.stop_cluster()
            agent.until(lambda seen: bool(seen["agent"]["blind"]), "to be blind", 10)
        for agent in agents:
            agent.node.start_cluster()
        value = pair.ask_for_a_change()
        for agent in agents:
            held(agent, "NoDC")
        lab.wait_ready()
        pair.arrives(value, by=pair.dc)
        for agent in agents:
            agent.until(in_sync, "all to be in sync again")
        pair.dc.kill()
        writes(pair.other)


def is_blind(agent: Agent) -> None:
    """The agent sees no cluster and says so everywhere."""
    document = agent.document()
    assert set(document["agent"]["blind"]) == {"cluster"}
    assert all(entry["status"] == "Unknown" for item in document["objects"] for entry in item["conditions"])
    status = agent.run("status")
    assert status.returncode == 2
    assert "blind    cluster: cibadmin failed" in status.stdout
    assert "writer   no" in status.stdout


def test_without_quorum_nothing_is_changed(new_lab: LabFactory) -> None:
    lab = new_lab(Layout.reference(3))
    with agents_on(lab, ["vm-node1"]) as [agent]:
        agent.want("cluster.toml", QUICK_ELECTION)
        agent.want("one.toml", dummy("one"))
        agent.start()
        agent.until_synced()
        for name in ("vm-node2", "vm-node3"):
            lab.nodes[name].power_off()
        held(agent, "NoQuorum")
        before = Cib(agent.node).epoch
        agent.want("one.toml", dummy("one", fake="2"))
        agent.until(lambda seen: bool(seen["plan"]["changes"]), "the change to be planned")
        agent.until_logged("held: everything of the cluster: NoQuorum: this part of the cluster has no quorum")
        assert agent.run("get").returncode == 2
        assert Cib(agent.node).epoch == before
        lab.nodes["vm-node2"].power_on()
        agent.until_synced(40)
        assert Cib(agent.node).value("one", "fake") == "2"
