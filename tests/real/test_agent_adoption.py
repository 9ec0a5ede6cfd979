"""Configurations that people made with crm and pcs: what means the same is left as it is, what is not ours stays."""

from collections.abc import Iterator

import pytest

from tests.lab import Lab
from tests.programs import need
from tests.real.operator import UNFENCED, WEB, Agent, Cib, agents_on, dummy, find, in_sync, location

pytestmark = [pytest.mark.lab, pytest.mark.slow]

CRM = """
property stonith-enabled=no no-quorum-policy=ignore
primitive vip IPaddr2 params nic=bond1 cidr_netmask=24 ip=192.168.1.60 op monitor interval=10
primitive httpd apache \\
    params configfile="/etc/apache2/apache2.conf" statusurl="http://localhost/server-status" \\
    op start timeout=60s interval=0 op stop timeout=1min interval=0 op monitor interval=10s timeout=20
primitive ping-gateway ocf:pacemaker:ping params host_list=192.168.1.1 multiplier=1000 op monitor interval=10s
clone cloned-ping-gateway ping-gateway
colocation httpd-with-vip inf: httpd vip
location preferred-node vip 100: vm-node1
location vip-needs-gateway vip rule -inf: not_defined pingd or pingd lte 0
"""
# pcs writes down what an agent advertises, such as 60s for the start of a ping: that is not what the manifests say.
PCS = """
property set stonith-enabled=false no-quorum-policy=ignore
resource create vip ocf:heartbeat:IPaddr2 ip=192.168.1.60 cidr_netmask=24 nic=bond1 op monitor interval=10s
resource create httpd apache configfile=/etc/apache2/apache2.conf statusurl=http://localhost/server-status \
    op start timeout=60s stop timeout=60s monitor interval=10s timeout=20s
resource create ping-gateway ocf:pacemaker:ping host_list=192.168.1.1 multiplier=1000 \
    op start timeout=20s monitor interval=10s timeout=20s
resource clone ping-gateway cloned-ping-gateway
constraint colocation add httpd with vip INFINITY id=httpd-with-vip
constraint location add preferred-node vip vm-node1 100
constraint location vip rule id=needs-gateway-rule constraint-id=vip-needs-gateway \
    score=-INFINITY not_defined pingd or pingd lte 0
"""
STRANGERS = """
primitive stranger ocf:pacemaker:Dummy op monitor interval=30s
location stranger-here stranger 50: vm-node1
tag strangers stranger
"""


@pytest.fixture(params=["crm", "pcs"])
def made_by_hand(request: pytest.FixtureRequest, lab: Lab) -> Lab:
    """The reference case as a person typed it, and something of somebody else's beside it."""
    need(request.param)
    node = lab.nodes["vm-node1"]
    if request.param == "crm":
        node.run(["crm", "configure", "load", "update", "-"], input=CRM, check=True)
    else:
        for line in PCS.replace("\\\n", " ").strip().splitlines():
            node.run(["pcs", *line.split()], check=True)
    node.run(["crm", "configure", "load", "update", "-"], input=STRANGERS, check=True)
    lab.wait_resource("stranger", "vm-node1")
    return lab


@pytest.fixture
def agents(lab: Lab) -> Iterator[list[Agent]]:
    with agents_on(lab) as made:
        yield made


def test_what_means_the_same_is_only_recorded_as_ours(made_by_hand: Lab, agents: list[Agent]) -> None:
    before = Cib(agents[0].node)
    for agent in agents:
        for file in WEB.glob("*.toml"):
            agent.want(file.name, file.read_text(encoding="utf-8"))
    planned = agents[0].run("plan")
    assert planned.returncode == 0, planned.stdout
    assert "In sync: nothing to change." in planned.stdout
    for agent in agents:
        agent.start()
    for agent in agents:
        document = agent.until(in_sync, "all to be in sync")
        foreign = {(item["kind"], item["name"]) for item in document["plan"]["foreign"]}
        assert {("Primitive", "stranger"), ("Location", "stranger-here")} <= foreign
    after = Cib(agents[0].node)
    assert after.epoch - before.epoch <= 1
    tag = after.get("reconciler-owned")
    assert tag is not None
    tags = after.root.find("configuration/tags")
    assert tags is not None
    tags.remove(tag)
    assert configuration(after) == configuration(before)
    for agent in agents:
        agent.until_synced()
        assert "created" not in agent.log()
        assert "updated" not in agent.log()


def configuration(cib: Cib) -> list[str]:
    """All elements of a configuration with their attributes, in order."""
    top = cib.root.find("configuration")
    assert top is not None
    return [f"{element.tag} {sorted(element.items())}" for element in top.iter() if element.tag != "tags"]


def test_what_is_not_ours_survives_everything(lab: Lab, agents: list[Agent]) -> None:
    first = agents[0]
    first.node.run(
        ["crm", "configure", "load", "update", "-"], input=f"property stonith-enabled=false\n{STRANGERS}", check=True
    )
    lab.wait_resource("stranger", "vm-node1")
    for agent in agents:
        agent.want("cluster.toml", UNFENCED)
        agent.want("mine.toml", dummy("mine", fake="1"))
        agent.want("here.toml", location("mine-here", "mine", "vm-node1"))
        agent.start()
        agent.until_synced()
    lab.wait_resource("mine", "vm-node1")
    for agent in reversed(agents):
        agent.want("mine.toml", dummy("mine", fake="2"))
        agent.unwant("here.toml")
    for agent in agents:
        agent.until(
            lambda seen: in_sync(seen) and not find(seen, "Location", "mine-here"), "the change and the deletion"
        )
    for agent in reversed(agents):
        agent.unwant("mine.toml")
    lab.until(lambda view: "mine" not in view.resources, "mine to be gone")
    cib = Cib(first.node)
    assert cib.get("mine") is None
    assert cib.get("mine-here") is None
    assert None not in [cib.get(name) for name in ("stranger", "stranger-here", "strangers")]
    assert lab.view().resources == {"stranger": {"vm-node1"}}


def test_what_was_made_by_hand_is_imported_and_planning_it_is_empty(made_by_hand: Lab, agents: list[Agent]) -> None:
    agent = agents[0]
    made_by_hand.nodes["vm-node1"].run(["crm", "resource", "move", "stranger", "vm-node2"], check=True)
    imported = agent.run("import", "--output", "/etc/reconciler/imported.d")
    assert imported.returncode == 0, imported.stderr
    assert "left by a move or ban" in imported.stderr
    assert agent.run("validate", "/etc/reconciler/imported.d").returncode == 0
    planned = agent.run("plan", "--desired", "/etc/reconciler/imported.d")
    assert planned.returncode == 0, planned.stdout
    assert "In sync: nothing to change." in planned.stdout
