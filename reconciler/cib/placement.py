"""Where every resource is, as what and how well, worked out from the operation histories of all nodes. Pure.

The walk is the one of unpack_status, unpack_node_history and process_rsc_state in Pacemaker's lib/pengine/unpack.c:
members first, remote and guest nodes as soon as what they depend on is known, and with fencing also the histories of
nodes that are down, as what ran there is not known to have stopped.
"""

from collections.abc import Mapping, Sequence
from xml.etree.ElementTree import Element

from reconciler.cib.failures import (
    FailCount,
    FailurePolicy,
    base_name,
    fail_counts,
    failure_timeout,
    live_count,
    reconnects,
)
from reconciler.cib.history import OnFail, Operation, Role, Verdict, interpret, operations
from reconciler.cib.instances import Instance, Presence, managed
from reconciler.cib.inventory import Configuration, Resource, ResourceKind, elements
from reconciler.cib.membership import Node, NodeKind, is_connection
from reconciler.cib.migration import Migrations

_PROBE_RESULTS = frozenset({0, 7, 8, 190, 191})


def place(
    configuration: Configuration, resources: Mapping[str, Resource], nodes: dict[str, Node], now: float | None
) -> list[Instance]:
    """Return every instance that any history knows; completes `nodes`, adding those that only a history knows."""
    return _Placement(configuration, resources, nodes, now).walk()


class _Placement:
    def __init__(
        self, configuration: Configuration, resources: Mapping[str, Resource], nodes: dict[str, Node], now: float | None
    ) -> None:
        self.configuration = configuration
        self.now = now
        self.policy = FailurePolicy(configuration)
        self._devices = configuration.fencing and any(item.agent.startswith("stonith:") for item in resources.values())
        self._may_fence = configuration.quorate or configuration.properties.get("no-quorum-policy") == "ignore"
        self.nodes = nodes
        self._resources = resources
        self._locks = configuration.flag("shutdown-lock")
        self._states: dict[str, Element] = {}
        self._records: dict[str, dict[str, Element]] = {}
        self._read: dict[tuple[str, str], Sequence[Operation]] = {}
        self._instances: dict[tuple[str, str], Instance] = {}
        self._unpacked: set[str] = set()

    def walk(self) -> list[Instance]:
        for state in self.configuration.states():
            name = state.get("uname", "")
            self._states[name] = state
            self._records[name] = {
                item.get("id", ""): item for item in elements(state.find("lrm/lrm_resources"), "lrm_resource")
            }
        for name in [known for node in self.nodes.values() for known in (node.connection, node.container) if known]:
            if name in self._resources:
                self._plain(name)
        while self._pass():
            pass
        for node in self._open() if self.configuration.fencing else ():
            self._unpack(node)
        for node in self.nodes.values():
            if node.remote and node.name not in self._unpacked:
                self._judge_remote(node)
        return list(self._instances.values())

    def _pass(self) -> bool:
        """Judge every history that is ready; say whether there was one, as others may depend on it."""
        before = len(self._unpacked)
        for node in self._open():
            if self._ready(node):
                self._unpack(node)
        return len(self._unpacked) > before

    def _open(self) -> list[Node]:
        """Return the nodes whose history has not been judged yet, in the order of their states."""
        candidates = (self.nodes.get(name) for name in self._states if name not in self._unpacked)
        return [node for node in candidates if node is not None and node.state is not None]

    def _ready(self, node: Node) -> bool:
        """Say whether the node's history can be judged in this pass."""
        if not node.remote:
            return node.online or self.configuration.fencing or self._locks
        connection = self._single(node.connection)
        if node.kind is NodeKind.GUEST:
            container = self._single(node.container)
            return _started(connection) and _started(container)
        return _started(connection) or (self._locks and connection is not None)

    def _single(self, name: str) -> Instance | None:
        return self._instances.get((name, ""))

    def _unpack(self, node: Node) -> None:
        self._unpacked.add(node.name)
        if node.remote:
            self._judge_remote(node)
            if not node.needs_reset:
                node.unclean = False
            was_shutting_down = node.shutdown
            node.take_attributes(self.configuration)
            node.shutdown = node.shutdown or was_shutting_down
            connection = self._single(node.connection)
            node.maintenance = node.maintenance or (connection is not None and not connection.managed)
        counts = fail_counts(node.attributes, self.configuration.cib.get("crm_feature_set", ""))
        for name, record in self._records[node.name].items():
            history = self.history(node.name, name)
            if history:
                instance = self._instance(node, name, record)
                around = _Around(self, node, name, instance, counts)
                self._conclude(instance, node, interpret(history, around, managed=instance.managed), history)

    def history(self, node: str, name: str) -> Sequence[Operation]:
        key = (node, name)
        if key not in self._read:
            record = self._records.get(node, {}).get(name)
            self._read[key] = operations(record) if record is not None else ()
        return self._read[key]

    def _instance(self, node: Node, name: str, record: Element) -> Instance:
        base = base_name(name)
        resource = self._resources.get(name) or self._resources.get(base)
        if resource is not None and resource.kind is ResourceKind.PRIMITIVE and (resource.cloned or base == name):
            anonymous = resource.cloned and not resource.unique and not resource.implicit
            key = (name, node.name if anonymous else "")
            if key not in self._instances:
                self._instances[key] = Instance(resource, managed(resource, self.configuration))
            return self._instances[key]
        if (name, "") not in self._instances:
            self._instances[name, ""] = self._orphan(name, record)
        return self._instances[name, ""]

    def _orphan(self, name: str, record: Element) -> Instance:
        parts = (record.get("class"), record.get("provider"), record.get("type"))
        resource = Resource(
            name,
            ResourceKind.PRIMITIVE,
            ":".join(part for part in parts if part),
            meta=self.configuration.defaults,
            container=record.get("container", ""),
        )
        if is_connection(resource):
            node = self.nodes.setdefault(name, Node(name, name, NodeKind.REMOTE))
            node.connection, node.shutdown = name, True
            node.state = self._states.get(name)
            node.container = resource.container
            if node.container:
                node.kind = NodeKind.GUEST
        stops = self.configuration.flag("stop-orphan-resources", "true")
        return Instance(resource, stops and managed(resource, self.configuration), orphan=True)

    def _conclude(self, instance: Instance, node: Node, verdict: Verdict, history: Sequence[Operation]) -> None:
        """Take over what a history came to (the end of unpack_lrm_resource)."""
        before = instance.role
        instance.managed = verdict.managed
        instance.blocked |= verdict.blocked
        instance.failed |= verdict.failed
        instance.failure_ignored |= verdict.failure_ignored
        if verdict.stopping is not None:
            instance.stopping = verdict.stopping
        instance.role = verdict.role
        presence = instance.on.get(node.name)
        if presence is None:
            presence = instance.on[node.name] = Presence(verdict.role)
        presence.role = max(presence.role, verdict.role)
        presence.operations = (*presence.operations, *history)
        presence.pending = verdict.pending
        presence.partial_migration_to = verdict.partial_migration_to
        presence.failed = verdict.failed
        for other in verdict.elsewhere:
            self._add_running(instance, self.nodes[other], Role.STARTED)
        self._settle(instance, node, presence, verdict)
        instance.role = max(instance.role, before)

    def _settle(self, instance: Instance, node: Node, presence: Presence, verdict: Verdict) -> None:
        """Let the verdict act on instance and node (process_rsc_state)."""
        if verdict.role > Role.STOPPED and not node.online and not node.maintenance and instance.managed:
            if node.kind is NodeKind.GUEST:
                presence.failed = True
                self._fence(node)
            elif self.configuration.fencing:
                self._fence(node)
        running = verdict.role > Role.STOPPED
        on_fail = OnFail.IGNORE if node.unclean else verdict.on_fail
        match on_fail:
            case OnFail.DEMOTE | OnFail.RESTART_CONTAINER | OnFail.RESET_REMOTE:
                presence.failed = True
            case OnFail.FENCE:
                self._fence(node)
            case OnFail.STANDBY:
                node.standby = node.standby_onfail = True
            case OnFail.BLOCK:
                instance.managed, instance.blocked = False, True
        if on_fail is OnFail.RESTART_CONTAINER or (
            running and on_fail in (OnFail.DEMOTE, OnFail.RECOVER, OnFail.RESET_REMOTE)
        ):
            self._order_stop(instance, node)
        if on_fail is OnFail.RESET_REMOTE and self.configuration.fencing:
            self._fence_lost_remote(instance.resource.id)
        if running:
            presence.failed = presence.failed or on_fail is not OnFail.IGNORE
            self._add_running(instance, node, verdict.role)
        elif instance.role is Role.STOPPED and any(
            there.running and there.role is Role.STARTED for there in instance.on.values()
        ):
            instance.role = Role.STARTED if presence.partial_migration_to else instance.role
        instance.failed = instance.failed or presence.failed

    def _order_stop(self, instance: Instance, node: Node) -> None:
        """What has to be stopped on a node that is down cannot be (update_resource_action_runnable)."""
        subject = self._single(instance.resource.container) or instance
        if subject.managed and not node.online and (node.kind is not NodeKind.GUEST or node.needs_reset):
            self._fence(node)

    def _add_running(self, instance: Instance, node: Node, role: Role) -> None:
        presence = instance.on.setdefault(node.name, Presence(role))
        presence.running = True
        presence.role = max(presence.role, role)
        if node.maintenance:
            instance.managed = False
        if instance.managed and instance.resource.meta.get("multiple-active") == "block":
            self._block_if_multiply_active(instance)

    def _block_if_multiply_active(self, instance: Instance) -> None:
        resource = instance.resource
        needs_fencing = (
            self.configuration.fencing
            and resource.meta.get("requires", "fencing") in ("fencing", "unfencing")
            and not resource.agent.startswith("stonith:")
            and not is_connection(resource)
        )
        hosts = [self.nodes[name] for name, there in instance.on.items() if there.running]
        if sum(needs_fencing or (node.online and not node.unclean) for node in hosts) < 2:  # noqa: PLR2004
            return
        instance.managed, instance.blocked = False, True
        parent = self._resources.get(resource.parent)
        if parent is None or parent.meta.get("multiple-active") != "block":
            return
        for member in parent.members if parent.kind in (ResourceKind.GROUP, ResourceKind.BUNDLE) else ():
            if self._resources[member].implicit or not self._resources[member].cloned:
                sibling = self._plain(member)
                sibling.managed, sibling.blocked = False, True

    def _plain(self, name: str) -> Instance:
        """Return the one instance of a primitive that is not cloned."""
        if (name, "") not in self._instances:
            resource = self._resources[name]
            self._instances[name, ""] = Instance(resource, managed(resource, self.configuration))
        return self._instances[name, ""]

    def can_fence(self, node: Node) -> bool:
        """Say whether the node can be fenced: a guest through its hosts (lib/pengine/utils.c, pe_can_fence)."""
        if node.kind is NodeKind.GUEST:
            container = self._single(node.container)
            hosts = [name for name, there in container.on.items() if there.running] if container is not None else []
            return all(self.nodes[host].online or self.can_fence(self.nodes[host]) for host in hosts)
        return self._devices and (self._may_fence or node.online)

    def _fence(self, node: Node) -> None:
        """Note that the node has to be fenced: a guest by restarting its container, others by being unclean."""
        if node.kind is NodeKind.GUEST:
            container = self._single(node.container)
            if container is not None and not container.failed and container.managed:
                container.failed = True
                node.needs_reset = True
            return
        connection = self._single(node.connection) if node.kind is NodeKind.REMOTE else None
        node.needs_reset = node.needs_reset or (connection is not None and connection.managed)
        node.unclean = True

    def _fence_lost_remote(self, name: str) -> None:
        node = self.nodes.get(name)
        if node is not None and node.kind is NodeKind.REMOTE:
            fenced = node.state.get("node_fenced", "0") if node.state is not None else "0"
            if fenced == "0":
                self._fence(node)

    def _judge_remote(self, node: Node) -> None:
        """Work out whether a remote or guest node is up (determine_remote_online_status)."""
        connection = self._single(node.connection)
        container = self._single(node.container) if node.container else None
        node.online = _started(connection)
        if connection is None:
            return
        wanted = connection.resource.meta.get("target-role", "").lower() != "stopped"
        if node.online and (connection.orphan or connection.stopping or not wanted):
            node.shutdown = True
        hosts = [self.nodes[name] for name, there in connection.on.items() if there.running]
        if container is not None and container.failed:
            node.online, node.needs_reset = False, True
        elif connection.failed:
            node.online = False
        elif connection.role is Role.STOPPED or (container is not None and container.role is Role.STOPPED):
            node.online, node.needs_reset = False, False
        elif container is not None and len(hosts) == 1 and not hosts[0].online and hosts[0].unclean:
            node.online, node.needs_reset = False, True


class _Around:
    """The circumstances of one instance's history on one node."""

    __slots__ = ("_counts", "_instance", "_name", "_node", "_timeout", "_walk", "bundled", "promotable")

    def __init__(
        self, walk: _Placement, node: Node, name: str, instance: Instance, counts: Mapping[str, FailCount]
    ) -> None:
        self._walk = walk
        self._node = node
        self._name = name
        self._instance = instance
        self._counts = counts
        self.promotable = instance.resource.promotable
        self.bundled = instance.resource.bundled
        self._timeout = failure_timeout(instance.resource) if walk.now is not None else 0

    @property
    def _on_remote(self) -> bool:
        resource = self._instance.resource
        return is_connection(resource) and not resource.container

    @property
    def reconnects(self) -> bool:
        return self._on_remote and reconnects(self._instance.resource, self._walk.configuration)

    @property
    def fenceable(self) -> bool:
        return self._walk.can_fence(self._node)

    @property
    def usable(self) -> bool:
        return self._node.online and not self._node.unclean

    def on_fail(self, op: Operation, *, managed: bool) -> OnFail:
        resource = self._instance.resource
        return self._walk.policy.on_fail(resource, op, managed=managed, on_remote=self._on_remote)

    def expired(self, op: Operation) -> bool:
        now, timeout = self._walk.now, self._timeout
        if now is None or not timeout or not op.last_rc_change or now < op.last_rc_change + timeout:
            return False
        resource = self._instance.resource
        failures = self._counts.get(self._name if resource.unique else base_name(self._name))
        if live_count(failures, timeout, now) > 0 or (failures and self._walk.policy.blocks(resource, op)):
            return False
        return not (op.probe and op.rc in _PROBE_RESULTS)

    def migration(self, op: Operation, verdict: Verdict) -> None:
        nodes, history = self._walk.nodes, self._walk.history
        online = frozenset(name for name, node in nodes.items() if node.online)
        Migrations(self._node.name, lambda node: history(node, self._name), online).conclude(op, verdict)


def _started(instance: Instance | None) -> bool:
    return instance is not None and instance.role is Role.STARTED
