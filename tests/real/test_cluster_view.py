"""What the agent reads of a living cluster, beside what its own tools say at that moment, through real failovers."""

import time
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from reconciler.cib.cluster import ClusterStatus
from reconciler.cib.status import status
from reconciler.corosync.quorumtool import Quorum, quorum
from reconciler.corosync.rings import RingStatus, rings
from reconciler.metrics.failovers import Event, observe
from reconciler.metrics.memory import Memory
from tests.cib.crm_mon import crm_mon, differences
from tests.lab.cluster import Lab
from tests.lab.waiting import until

pytestmark = [pytest.mark.lab, pytest.mark.slow]

ONE, TWO = "vm-node1", "vm-node2"
RESOURCES = """\
property stonith-enabled=false no-quorum-policy=ignore
primitive app ocf:pacemaker:Dummy op monitor interval=2s
primitive base ocf:pacemaker:Dummy op monitor interval=2s
group web base app
primitive gateway ocf:pacemaker:ping params host_list=192.168.1.1 multiplier=1000 dampen=1s op monitor interval=2s
clone gateways gateway
location web-on-one web 100: vm-node1
"""


class Watch:
    """Looks at the cluster as the agents of both nodes would."""

    def __init__(self, lab: Lab) -> None:
        self.lab = lab
        self.memories: dict[str, Memory] = {}

    def status(self, node: str) -> ClusterStatus:
        text = self.lab.nodes[node].run(["cibadmin", "--query"], check=True).stdout
        return status(ET.fromstring(text), now=time.time())

    def look(self) -> list[tuple[str, str, str, str, str]]:
        found: list[Event] = []
        for name, node in self.lab.nodes.items():
            if node.is_on:
                memory = self.memories.get(name)
                self.memories[name], events = observe(memory, self.status(name), name, time.time())
                found += events
        return [
            (event.kind.value, event.resource, event.source, event.target, event.cause.value)
            for event in events_of(found)
        ]

    def totals(self) -> dict[str, int]:
        self.look()
        return {node: sum(memory.units["web"].tally.failovers.values()) for node, memory in self.memories.items()}

    def rings(self, node: str, *, cfgtool: bool = False) -> RingStatus:
        run = self.lab.nodes[node].run
        stats = None if cfgtool else run(["corosync-cmapctl", "-m", "stats"]).stdout
        printed = run(["corosync-cfgtool", "-s"]).stdout if cfgtool else None
        found = rings(run(["corosync-cmapctl"]).stdout, stats, printed)
        assert isinstance(found, RingStatus), found
        return found

    def quorum(self, node: str) -> Quorum:
        found = quorum(self.lab.nodes[node].run(["corosync-quorumtool", "-p"]).stdout)
        assert isinstance(found, Quorum), found
        return found


def events_of(found: list[Event]) -> list[Event]:
    return sorted(found, key=lambda event: (event.at, event.resource))


@pytest.fixture
def watch(lab: Lab) -> Watch:
    lab.nodes[ONE].run(["crm", "configure", "load", "update", "-"], input=RESOURCES, check=True)
    lab.wait_resource("app", ONE)
    lab.wait_resource("gateway", ONE, TWO)
    watch = Watch(lab)
    until(lambda: watch.status(ONE).pings[0].present == {ONE, TWO}, "ping scores of both nodes")
    watch.look()
    return watch


def test_status_rings_and_failovers_of_a_living_cluster(watch: Watch, tmp_path: Path) -> None:
    lab = watch.lab

    def agrees() -> list[str]:
        cib = tmp_path / "cib.xml"
        cib.write_text(lab.nodes[TWO].run(["cibadmin", "--query"], check=True).stdout)
        return differences(crm_mon(cib), status(ET.parse(cib).getroot(), now=time.time()))

    assert agrees() == []
    assert watch.status(ONE).pings[0].scores == {ONE: 1000, TWO: 1000}
    healthy = watch.rings(ONE)
    assert [(ring.number, ring.up, ring.links[0].peer) for ring in healthy.rings] == [(0, True, TWO), (1, True, TWO)]
    assert watch.rings(TWO).local_node == TWO
    assert (watch.quorum(ONE).quorate, len(watch.quorum(ONE).members)) == (True, 2)

    lab.nodes[TWO].pull(0)
    until(lambda: watch.rings(ONE).faulty == 1, "ring 0 down", seen=lambda: watch.rings(ONE))
    for by_cfgtool in (False, True):
        assert [ring.up for ring in watch.rings(ONE, cfgtool=by_cfgtool).rings] == [False, True]
    lab.nodes[TWO].plug(0)
    until(lambda: watch.rings(ONE).faulty == 0, "ring 0 up")

    lab.nodes[ONE].run(["crm", "node", "standby", ONE], check=True)
    lab.wait_resource("app", TWO)
    assert watch.look() == [("failover", "web", ONE, TWO, "planned")]
    lab.nodes[ONE].run(["crm", "node", "online", ONE], check=True)
    lab.wait_resource("app", ONE)
    assert watch.look() == [("failover", "web", TWO, ONE, "planned")]
    assert agrees() == []

    lab.nodes[ONE].power_off()
    lab.wait_resource("app", TWO)
    until(lambda: not watch.status(TWO).nodes[ONE].online, "the loss of a node")
    assert watch.look() == [("failover", "web", ONE, TWO, "unplanned")]
    assert [ring.up for ring in watch.rings(TWO).rings] == [False, False]
    assert agrees() == []
    lab.nodes[ONE].power_on()
    lab.wait_resource("app", ONE, timeout=90)
    until(lambda: watch.totals() == {ONE: 2, TWO: 2}, "the way back to be counted", seen=watch.totals)
    assert watch.look() == []
