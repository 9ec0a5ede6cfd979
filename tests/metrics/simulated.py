"""A cluster that exists as its CIB only: units are started, stopped and moved, nodes crash and boot, time goes by."""

from dataclasses import dataclass, field
from xml.etree import ElementTree as ET

from reconciler.cib.cluster import ClusterStatus
from reconciler.cib.status import status

FIRST_SECOND = 1_700_000_000
LEADS = {"web": "ip", "db": "db", "repl": "st"}


@dataclass
class Record:
    """The history of one resource on one node, as Pacemaker keeps it: the last operation, the monitor, a failure."""

    ops: dict[str, str] = field(default_factory=dict)


@dataclass
class SimulatedNode:
    online: bool = True
    expected: str = "member"
    calls: int = 0
    joined: int = FIRST_SECOND
    attributes: dict[str, str] = field(default_factory=dict)
    records: dict[str, Record] = field(default_factory=dict)


class SimulatedCluster:
    """Nodes a, b, c with the group `web` (members ip, app), the primitive `db` and the promotable clone `repl` of `st`.

    `membership_times` is whether nodes tell when they joined, as from feature set 3.18 on.
    """

    def __init__(self, *, nodes: str = "abc", membership_times: bool = False) -> None:
        self.nodes = {name: SimulatedNode() for name in nodes}
        self.membership_times = membership_times
        self.now = FIRST_SECOND
        self.dc = nodes[0]
        self.transition = 1
        self.constraints = ""
        self.meta: dict[str, str] = {}
        self.name = "sim"
        for name in nodes:
            self.probe(name)

    def wait(self, seconds: int = 5) -> None:
        self.now += seconds

    def status(self) -> ClusterStatus:
        return status(ET.fromstring(self.text()), now=self.now)

    def holder(self, unit: str) -> str:
        """The node that runs the unit's first member successfully, told by its records."""
        lead = LEADS[unit]
        arrivals = ("promote",) if unit == "repl" else ("start", "migrate_from")
        for name, node in self.nodes.items():
            last = node.records.get(lead, Record()).ops.get("last", "")
            if node.online and any(f'operation="{task}"' in last for task in arrivals):
                return name
        return ""

    # What happens to units

    def start(self, unit: str, node: str, *, task: str = "", seconds: int = 1) -> None:
        for member in self.members(unit):
            self.run(node, member, task or ("promote" if unit == "repl" else "start"), seconds=seconds)

    def stop(self, unit: str, node: str) -> None:
        for member in reversed(self.members(unit)):
            self.run(node, member, "demote" if unit == "repl" else "stop")

    def move(self, unit: str, target: str) -> None:
        source = self.holder(unit)
        if source:
            self.stop(unit, source)
        self.start(unit, target)

    def migrate(self, unit: str, target: str) -> None:
        source = self.holder(unit)
        ends = f' migrate_source="{source}" migrate_target="{target}"'
        for member in self.members(unit):
            self.run(source, member, "migrate_to", extra=ends)
            self.run(target, member, "migrate_from", extra=ends)
            self.run(source, member, "stop")

    def fail(self, unit: str, node: str, *, task: str = "monitor", rc: int = 7) -> None:
        """A member fails on a node: the failed operation and the fail count are recorded."""
        member = self.members(unit)[-1]
        interval = 10000 if task == "monitor" else 0
        operation = self.operation(node, f"{member}_last_failure_0", task, interval, rc=rc)
        self.nodes[node].records.setdefault(member, Record()).ops["failure"] = operation
        if task != "monitor":
            self.nodes[node].records[member].ops["last"] = operation.replace("last_failure_0", "last_0")
        key = f"fail-count-{member}#{task}_{interval}"
        self.nodes[node].attributes[key] = str(int(self.nodes[node].attributes.get(key, "0")) + 1)

    # What happens to nodes

    def crash(self, node: str) -> None:
        """Power cut: the membership notices, nothing is stopped, what it knew is lost with its next boot."""
        self.nodes[node].online = False
        self.wait(3)
        self.new_dc()

    def leave(self, node: str) -> None:
        """Shut down cleanly; units have been moved away before."""
        self.nodes[node].online = False
        self.nodes[node].expected = "down"
        self.wait(3)
        self.new_dc()

    def boot(self, node: str) -> None:
        self.nodes[node] = SimulatedNode(joined=self.now)
        self.probe(node)
        self.wait(1)

    def new_dc(self) -> None:
        if not self.nodes[self.dc].online:
            self.dc = next((name for name, node in self.nodes.items() if node.online), self.dc)
            self.transition += 1

    def probe(self, node: str) -> None:
        for member in ("ip", "app", "db", "st"):
            self.run(node, member, "monitor", rc=7)

    # How it is recorded

    def members(self, unit: str) -> list[str]:
        return ["ip", "app"] if unit == "web" else [LEADS[unit]]

    def run(self, node: str, member: str, task: str, **how: int | str) -> None:
        record = self.nodes[node].records.setdefault(member, Record())
        record.ops["last"] = self.operation(
            node, f"{member}_last_0", task, 0, rc=how.get("rc", 0), extra=how.get("extra", "")
        )
        self.wait(int(how.get("seconds", 1)))
        record.ops.pop("monitor", None)
        if task in ("start", "migrate_from", "promote"):
            code = 8 if task == "promote" else 0
            record.ops["monitor"] = self.operation(
                node, f"{member}_monitor_10000", "monitor", 10000, rc=code, want=code
            )

    def operation(self, node: str, key: str, task: str, interval: int, **result: int | str) -> str:
        rc, want, extra = result.get("rc", 0), result.get("want"), result.get("extra", "")
        self.nodes[node].calls += 2
        expected = want if want is not None else 7 if task == "monitor" and interval == 0 else 0
        transition = f"1:{self.now % 1000}:{expected}:uuid-{self.transition}"
        return (
            f'<lrm_rsc_op id="{key}" operation="{task}" operation_key="{key}" interval="{interval}" rc-code="{rc}"'
            f' op-status="0" call-id="{self.nodes[node].calls}" last-rc-change="{self.now}" exec-time="500"'
            f' on_node="{node}" transition-key="{transition}"{extra}/>'
        )

    def text(self) -> str:
        ids = {name: number for number, name in enumerate(self.nodes, 1)}
        nodes = "".join(f'<node id="{number}" uname="{name}"/>' for name, number in ids.items())
        states = "".join(self.state(name, node, ids[name]) for name, node in self.nodes.items())
        meta = {unit: "".join(f'<nvpair name="target-role" value="{role}"/>') for unit, role in self.meta.items()}
        dummy = '<primitive id="{}" class="ocf" provider="pacemaker" type="{}"/>'
        return (
            f'<cib crm_feature_set="3.16.2" have-quorum="1" dc-uuid="{ids[self.dc]}"><configuration><crm_config>'
            f'<cluster_property_set id="p"><nvpair name="stonith-enabled" value="false"/><nvpair name="cluster-name"'
            f' value="{self.name}"/></cluster_property_set></crm_config><nodes>{nodes}</nodes><resources>'
            f'<group id="web"><meta_attributes>{meta.get("web", "")}</meta_attributes>{dummy.format("ip", "Dummy")}'
            f"{dummy.format('app', 'Dummy')}</group>{dummy.format('db', 'Dummy')}"
            f'<clone id="repl"><meta_attributes><nvpair name="promotable" value="true"/></meta_attributes>'
            f'{dummy.format("st", "Stateful")}</clone><clone id="pings">{dummy.format("gw", "ping")}</clone>'
            f'<primitive id="fence" class="stonith" type="fence_dummy"/></resources>'
            f"<constraints>{self.constraints}</constraints></configuration><status>{states}</status></cib>"
        )

    def state(self, name: str, node: SimulatedNode, number: int) -> str:
        member, peer = ("true", "online") if node.online else ("false", "offline")
        if self.membership_times and node.online:
            member = peer = str(node.joined)
        join = "member" if node.online else "down"
        pairs = "".join(f'<nvpair name="{key}" value="{value}"/>' for key, value in node.attributes.items())
        records = "".join(
            f'<lrm_resource id="{member}">{"".join(record.ops.values())}</lrm_resource>'
            for member, record in node.records.items()
        )
        return (
            f'<node_state id="{number}" uname="{name}" in_ccm="{member}" crmd="{peer}" join="{join}"'
            f' expected="{node.expected}"><transient_attributes id="{number}"><instance_attributes>{pairs}'
            f"</instance_attributes></transient_attributes><lrm><lrm_resources>{records}</lrm_resources></lrm></node_state>"
        )
