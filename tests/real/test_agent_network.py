"""The network of real nodes: kept as the manifests say, and what is the cluster's never touched."""

import json
import re
import time
from collections.abc import Iterator

import pytest

from tests.lab import Lab, until
from tests.real.operator import UNFENCED, WEB, Agent, agents_on, condition, find, in_sync, instead
from tests.real.test_agent_faults import CIBADMIN

pytestmark = [pytest.mark.lab, pytest.mark.slow]

VIP = """
apiVersion = "ha.reconciler.io/v1alpha1"
kind = "Primitive"
metadata.name = "vip"
spec.agent = "ocf:heartbeat:IPaddr2"
spec.params = { ip = "192.168.1.60", cidr_netmask = 24, nic = "bond1" }
spec.operations = [{ name = "monitor", interval = "2s" }]
"""


@pytest.fixture(scope="module")
def agents(shared_lab: Lab) -> Iterator[list[Agent]]:
    """An agent on each node, with the reference case's network and its address; that of vm-node1 first."""
    shared_lab.reset()
    with agents_on(shared_lab) as agents:
        for agent in agents:
            agent.want("cluster.toml", UNFENCED)
            agent.want("vip.toml", VIP)
            for name in ("network-vm-node1.toml", "network-vm-node2.toml"):
                agent.want(name, (WEB / name).read_text(encoding="utf-8"))
            agent.start()
        yield agents


@pytest.fixture(autouse=True)
def synced(agents: list[Agent]) -> None:
    for agent in agents:
        agent.until_synced()


def network(agent: Agent, *changes: tuple[str, str]) -> None:
    """Want the example's network with some changes to its text."""
    name = f"network-{agent.node.name}.toml"
    text = (WEB / name).read_text(encoding="utf-8")
    for before, after in changes:
        assert before in text
        text = text.replace(before, after)
    agent.want(name, text)


def addresses(agent: Agent, device: str) -> list[str]:
    shown = json.loads(agent.node.run(["ip", "-json", "-4", "address", "show", "dev", device], check=True).stdout)
    return [f"{item['local']}/{item['prefixlen']}" for link in shown for item in link.get("addr_info", [])]


def routes(agent: Agent) -> list[str]:
    lines = agent.node.run(["ip", "-4", "route", "show"], check=True).stdout.splitlines()
    return [re.sub(r" proto \S+", "", " ".join(line.split())) for line in lines]


def ip(agent: Agent, words: str) -> None:
    agent.node.run(["ip", *words.split()], check=True)


def repaired(agent: Agent, damage: str, whole: list[str]) -> None:
    """Damage the network and wait until it is as before."""
    began = time.monotonic()
    ip(agent, damage)
    until(lambda: snapshot(agent) == whole, f"the repair of {damage}", 10, 0.02, agent.log)
    print(f"\n{damage}: repaired after {time.monotonic() - began:.2f} s")


def snapshot(agent: Agent) -> list[str]:
    static = {*addresses(agent, "bond0"), *addresses(agent, "bond1")} - {"192.168.1.60/24"}
    return [*sorted(static), *sorted(routes(agent)), mtu(agent)]


def mtu(agent: Agent) -> str:
    return agent.node.path("/sys/class/net/bond0/mtu").read_text().strip()


def test_a_network_that_is_as_wanted_is_left_alone(shared_lab: Lab, agents: list[Agent]) -> None:
    view = shared_lab.until(lambda view: bool(view.resources.get("vip")), "the address to be up")
    assert len(view.resources["vip"]) == 1
    for agent in agents:
        document = agent.until(in_sync, "all to be in sync")
        item = find(document, "NodeNetwork", agent.node.name)
        assert condition(item, "Healthy")["reason"] == "LinksUp"
        names = [item["name"] for item in document["objects"] if item["kind"] == "NodeNetwork"]
        assert names == [agent.node.name], "the other node's network is not this agent's business"
        assert "NodeNetwork" not in agent.log()


def test_drift_is_repaired(agents: list[Agent]) -> None:
    for agent, number in zip(agents, (1, 2), strict=True):
        network(agent, ('addresses = ["10.20.13.', 'mtu = 1500\naddresses = ["10.20.13.'))
        agent.until_synced()
        whole = snapshot(agent)
        repaired(agent, f"address delete 10.20.13.{number}/30 dev bond0", whole)
        repaired(agent, "route delete default", whole)
        repaired(agent, "route replace default via 192.168.1.100 dev bond1", whole)
        repaired(agent, "link set bond0 mtu 1400", whole)
        ip(agent, "link set bond0 down")
        until(lambda a=agent, w=whole: snapshot(a) == w, "bond0 to be up again", 10, 0.02, agent.log)  # type: ignore[misc]


def test_what_is_not_ours_stays(agents: list[Agent]) -> None:
    agent = agents[1]
    ip(agent, "address add 172.16.9.1/24 dev bond0")
    ip(agent, "route add 172.16.10.0/24 via 10.20.13.1 dev bond0")
    network(agent, ('addresses = ["10.20.13.2/30"]', 'addresses = ["10.20.13.2/30", "172.16.8.1/24"]'))
    until(lambda: "172.16.8.1/24" in addresses(agent, "bond0"), "the new address", 10, 0.05, agent.log)
    network(agent)
    until(lambda: "172.16.8.1/24" not in addresses(agent, "bond0"), "the address to go again", 10, 0.05, agent.log)
    agent.until_synced()
    assert "172.16.9.1/24" in addresses(agent, "bond0")
    assert any("172.16.10.0/24" in route for route in routes(agent))
    ip(agent, "address delete 172.16.9.1/24 dev bond0")
    ip(agent, "route delete 172.16.10.0/24")


def test_the_clusters_address_is_never_touched(shared_lab: Lab, agents: list[Agent]) -> None:
    home = shared_lab.view().resources["vip"]
    agent = next(agent for agent in agents if {agent.node.name} == home)
    assert "192.168.1.60/24" in addresses(agent, "bond1")
    monitor = agent.node.start(["ip", "monitor", "address"], log="addresses.log")
    for _ in range(3):
        ip(agent, "route delete default")
        until(lambda: any(route.startswith("default") for route in routes(agent)), "the route", 10, 0.02, agent.log)
    network(agent, ('state = "up"\n\n[[spec.routes]]', 'mtu = 1400\nstate = "up"\n\n[[spec.routes]]'))
    until(lambda: "1400" in agent.node.path("/sys/class/net/bond1/mtu").read_text(), "the MTU", 10, 0.02, agent.log)
    agent.until_synced()
    monitor.stop()
    assert "192.168.1.60" not in monitor.log.read_text(encoding="utf-8")
    assert "192.168.1.60/24" in addresses(agent, "bond1")
    # The kernel takes the cluster's address along when its primary goes: the static one comes back, and Pacemaker's.
    network(agent, ('state = "up"\n\n[[spec.routes]]', 'mtu = 1500\nstate = "up"\n\n[[spec.routes]]'))
    static = next(address for address in addresses(agent, "bond1") if address != "192.168.1.60/24")
    ip(agent, f"address delete {static} dev bond1")
    until(lambda: addresses(agent, "bond1")[:1] == [static], "the static address", 10, 0.02, agent.log)
    until(lambda: "192.168.1.60/24" in addresses(agent, "bond1"), "the cluster's address", 20, 0.05)
    network(agent)


def test_a_manifest_that_names_the_clusters_address_is_refused(agents: list[Agent]) -> None:
    agent = agents[0]
    network(agent, ('"192.168.1.61/24"', '"192.168.1.61/24", "192.168.1.60/24"'))
    document = agent.until(lambda seen: bool(seen["desired"]["rejected"]), "the rejection")
    said = " ".join(document["desired"]["rejected"])
    assert "192.168.1.60" in said
    assert "the cluster puts it there" in said
    assert not document["plan"]["changes"]
    # The same address of a resource that only the live cluster knows: seen when it is planned.
    agent.node.run(
        ["crm", "configure", "primitive", "other", "IPaddr2", "params", "ip=192.168.1.70", "nic=bond1"], check=True
    )
    network(agent, ('"192.168.1.61/24"', '"192.168.1.61/24", "192.168.1.70/24"'))
    document = agent.until(lambda seen: not in_sync(seen) and not seen["desired"]["rejected"], "the hold")
    why = condition(find(document, "NodeNetwork", agent.node.name), "Synced")
    assert (why["status"], why["reason"]) == ("False", "ClusterOwned")
    assert "other: the cluster puts it there" in why["message"]
    network(agent)
    agent.node.run(["crm", "--force", "configure", "delete", "other"], check=True)


def test_without_the_cib_things_are_only_added(agents: list[Agent]) -> None:
    agent = agents[1]
    network(agent, ('addresses = ["10.20.13.2/30"]', 'addresses = ["10.20.13.2/30", "172.16.8.1/24"]'))
    until(lambda: "172.16.8.1/24" in addresses(agent, "bond0"), "the new address", 10, 0.05, agent.log)
    agent.until_synced()
    with instead(agent.node, CIBADMIN, "#!/bin/sh\nexit 1\n"):
        agent.signal(1)
        agent.until(lambda seen: "cluster" in seen["agent"]["blind"], "to be blind")
        network(agent, ('addresses = ["10.20.13.2/30"]', 'addresses = ["10.20.13.2/30", "172.16.7.1/24"]'))
        until(lambda: "172.16.7.1/24" in addresses(agent, "bond0"), "the new address", 10, 0.05, agent.log)
        assert "172.16.8.1/24" in addresses(agent, "bond0")
        document = agent.until(lambda seen: bool(seen["plan"]["holds"]), "what is held")
        assert "nothing is taken away while the live CIB cannot be read" in document["plan"]["holds"][0]["message"]
    until(lambda: "172.16.8.1/24" not in addresses(agent, "bond0"), "the old address to go", 15, 0.05, agent.log)
    network(agent)
