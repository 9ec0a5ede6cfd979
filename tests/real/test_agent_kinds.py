"""Two agents and an object of every kind on a live cluster: made, left alone, changed, taken away; others' stay.

The manifests are the examples of all kinds, with the lab's nodes and agents that are installed. Nothing runs, because
`target-role` is Stopped by default: there is no container engine and no fencing device here.
"""

import re
from collections.abc import Iterator
from xml.etree import ElementTree as ET

import pytest

from reconciler.kinds import CLUSTER_KINDS
from tests.lab import Lab
from tests.real.operator import ROOT, UNFENCED, Agent, Cib, agents_on, in_sync

pytestmark = [pytest.mark.lab, pytest.mark.slow]

EXAMPLES = ROOT / "crds" / "examples" / "all"
INSTALLED = {
    "ocf:heartbeat:pgsql": "ocf:pacemaker:Stateful",
    "systemd:pgbackrest": "ocf:pacemaker:Dummy",
    "ocf:heartbeat:apache": "ocf:pacemaker:Dummy",
    "ocf:heartbeat:IPaddr2": "ocf:pacemaker:Dummy",
    "stonith:fence_ipmilan": "stonith:fence_legacy",
    "stonith:fence_apc_snmp": "stonith:fence_legacy",
    "/usr/share/pacemaker/alerts/alert_smtp.sh": "/bin/true",
    '"cib-bootstrap-options"\nspec.properties = { stonith-enabled = true, ': '"more-options"\nspec.properties = { ',
    "resource-stickiness = 100": 'resource-stickiness = 100, target-role = "Stopped"',
    "db1": "vm-node1",
    "db2": "vm-node2",
}
SECRET = "/etc/reconciler/secrets/board"
FOREIGN = """
<diff format="2">
  <change operation="create" path="/cib/configuration/constraints" position="0">
    <rsc_ticket id="theirs" rsc="foreign" ticket="t"/></change>
  <change operation="create" path="/cib/configuration/resources" position="0">
    <primitive id="foreign" class="ocf" provider="pacemaker" type="Dummy"/></change>
</diff>
"""

CHANGES = {
    "ClusterProperties": ('cluster-recheck-interval = "5min"', 'cluster-recheck-interval = "7min"', "420s"),
    "ResourceDefaults": ("migration-threshold = 3", "migration-threshold = 4", "4"),
    "OperationDefaults": ('timeout = "2min"', 'timeout = "3min"', "180s"),
    "Node": ('site = "b"', 'site = "e"', "e"),
    "Template": ('username = "fencing"', 'username = "other"', "other"),
    "Primitive": ('rep_mode = "sync"', 'rep_mode = "async"', "async"),
    "Group": ('spec.resources = ["backup-ip", "backup"]', 'spec.resources = ["backup", "backup-ip"]', None),
    "Clone": ("notify = true", "notify = false", "false"),
    "Bundle": ("replicas = 2", "replicas = 3", "3"),
    "Location": ('resource-discovery = "never"', 'resource-discovery = "exclusive"', "exclusive"),
    "Colocation": ('with-role = "Promoted", score = "INFINITY"', 'with-role = "Promoted", score = 500', "500"),
    "Order": ('spec.kind = "Optional"', 'spec.kind = "Serialize"', "Serialize"),
    "Ticket": ('loss-policy = "demote"', 'loss-policy = "freeze"', "freeze"),
    "FencingTopology": ('target-value = "c"', 'target-value = "d"', "d"),
    "AclRole": ('object-type = "node"', 'object-type = "primitive"', "primitive"),
    "AclUser": ('spec.roles = ["observer"]', 'spec.roles = ["operator"]', None),
    "AclGroup": (
        'name = "operators"\nspec.roles = ["operator"]',
        'name = "operators"\nspec.roles = ["observer"]',
        None,
    ),
    "Tag": ('"database-ip", "backups"]', '"database-ip"]', None),
    "Alert": ('description = "pages somebody"', 'description = "calls somebody"', "calls somebody"),
}
"""For each kind what is said of one of its objects, what then, and an attribute that the CIB has since."""


def texts() -> dict[str, str]:
    found = {}
    for path in sorted(set(EXAMPLES.glob("*.toml")) - {EXAMPLES / "policy.toml"}):  # its windows are closed mostly
        text = path.read_text(encoding="utf-8")
        for there, here in INSTALLED.items():
            text = text.replace(there, here)
        found[path.name] = text
    return found


def changed() -> dict[str, str]:
    found = texts()
    for before, after, _ in CHANGES.values():
        assert any(before in text for text in found.values()), before
        found = {name: text.replace(before, after) for name, text in found.items()}
    return found


class Operated:
    """A cluster with an agent on each node."""

    def __init__(self, agents: list[Agent]) -> None:
        self.agents = agents

    def want(self, manifests: dict[str, str]) -> None:
        for agent in self.agents:
            for name, text in manifests.items():
                agent.want(name, text)

    def settled(self) -> ET.Element:
        """Wait until everything is as wanted; a plan is empty then. Gives the configuration."""
        for agent in self.agents:
            agent.until(in_sync, "all kinds to be in sync", 40)
        planned = self.agents[0].run("plan")
        assert (planned.returncode, planned.stderr) == (0, ""), planned.stdout
        configuration = Cib(self.agents[0].node).root.find("configuration")
        assert configuration is not None
        return configuration


@pytest.fixture(scope="module")
def operated(shared_lab: Lab) -> Iterator[Operated]:
    shared_lab.reset()
    patch = ["cibadmin", "--patch", "--xml-text", FOREIGN]
    next(iter(shared_lab.nodes.values())).run(patch, check=True)
    with agents_on(shared_lab) as agents:
        operated = Operated(agents)
        operated.want({"base.toml": UNFENCED, **texts()})
        for agent in agents:
            secret = agent.node.path(SECRET)
            secret.parent.mkdir(parents=True, exist_ok=True)
            secret.write_text("not a real one", encoding="utf-8")
            secret.chmod(0o600)
            agent.start("[guards]", "deletion_budget = 100", "disruption_budget = 100", ready=False)
        yield operated


def objects(configuration: ET.Element) -> dict[str, set[str]]:
    """The ids of the live objects of each kind."""
    found: dict[str, set[str]] = {}
    for kind in CLUSTER_KINDS.values():
        inside = configuration.find(kind.section)
        tags = kind.tags or {"fencing-level"}
        elements = [] if inside is None else [item for tag in tags for item in inside.iter(tag)]
        found[kind.name] = {element.get("uname", element.get("id", "")) for element in elements}
    return found


def wanted() -> dict[str, set[str]]:
    found: dict[str, set[str]] = {kind: set() for kind in CLUSTER_KINDS}
    for text in texts().values():
        for kind, name in re.findall(r'kind = "(\w+)"\nmetadata.name = "([^"]+)"', text):
            found[kind].add(name)
    return found


def test_every_kind_is_made_and_then_left_alone(operated: Operated) -> None:
    configuration = operated.settled()
    live = objects(configuration)
    for kind, names in wanted().items():
        assert names, f"no example of {kind}"
        assert names <= live[kind] or kind == "FencingTopology", kind
    assert len(live["FencingTopology"]) == 5
    epoch = Cib(operated.agents[0].node).epoch
    for agent in operated.agents:
        agent.signal(1)
    operated.settled()
    assert Cib(operated.agents[0].node).epoch == epoch


def test_a_change_of_each_kind_takes(operated: Operated) -> None:
    assert set(CHANGES) == set(CLUSTER_KINDS)
    before, revision = operated.settled(), operated.agents[0].document()["desired"]["revision"]
    operated.want(changed())
    for agent in operated.agents:
        agent.until(lambda seen: seen["desired"]["revision"] != revision, "the manifests to be read")
    after = operated.settled()
    for kind, (_, _, value) in CHANGES.items():
        section = CLUSTER_KINDS[kind].section
        was, now = (ET.tostring(part, "unicode") for found in (before, after) for part in found.iterfind(section))
        assert was != now, kind
        assert value is None or f'"{value}"' in now, kind
    group = after.find("resources/group[@id='backups']")
    assert group is not None
    assert [inner.get("id") for inner in group.findall("primitive")] == ["backup", "backup-ip"]
    assert {role.get("id") for role in after.findall("acls/acl_target[@id='grafana']/role")} == {"operator"}
    assert {role.get("id") for role in after.findall("acls/acl_group[@id='operators']/role")} == {"observer"}
    assert {ref.get("id") for ref in after.findall("tags/tag[@id='database-service']/obj_ref")} == {
        "database",
        "database-ip",
    }


def test_what_no_manifest_wants_any_more_goes_and_nothing_else(operated: Operated) -> None:
    theirs = ("foreign", "theirs", "cib-bootstrap-options")
    before = Cib(operated.agents[0].node)
    kept = {name: shape(before, name) for name in theirs[:2]}
    for agent in operated.agents:
        for name in texts():
            agent.unwant(name)
    operated.agents[0].until(lambda document: len(document["objects"]) == 1, "all but one to be gone", 40)
    live = objects(operated.settled())
    gone = {kind: names - set(theirs) for kind, names in live.items() if kind != "Node"}
    assert {kind: names for kind, names in gone.items() if names - {"reconciler-owned"}} == {}
    after = Cib(operated.agents[0].node)
    assert {name: shape(after, name) for name in theirs[:2]} == kept
    assert after.value("cib-bootstrap-options", "stonith-enabled") == "false"
    site = after.root.findall("./configuration/nodes//nvpair[@name='site']")
    assert site == []
    errors = [line for agent in operated.agents for line in agent.log().splitlines() if " error " in line.lower()]
    assert errors == []


def shape(cib: Cib, name: str) -> str:
    found = cib.get(name)
    assert found is not None, name
    return ET.tostring(found, "unicode").strip()
