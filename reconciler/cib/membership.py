"""Which nodes there are and what state they are in, from `<nodes>`, the resources and `node_state`. Pure.

Follows unpack_nodes, unpack_node_state and determine_online_status of Pacemaker's lib/pengine/unpack.c. Since feature
set 3.18 `in_ccm` and `crmd` hold times (0 for not), before that true/false and online/offline; both are read.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from xml.etree.ElementTree import Element

from reconciler.cib.inventory import (
    REMOTE_AGENT,
    Configuration,
    Resource,
    ResourceKind,
    duration_ms,
    elements,
    is_true,
)


class NodeKind(StrEnum):
    """A member runs the cluster stack; remote and guest nodes (a guest is a resource itself) only Pacemaker Remote."""

    MEMBER = "member"
    REMOTE = "remote"
    GUEST = "guest"
    PING = "ping"


@dataclass(slots=True)
class Node:
    """A node while its state is being worked out; only this package changes it."""

    name: str
    id: str
    kind: NodeKind
    connection: str = ""
    container: str = ""
    permanent: Mapping[str, str] = field(default_factory=dict)
    transient: Mapping[str, str] = field(default_factory=dict)
    state: Element | None = None
    online: bool = False
    standby: bool = False
    standby_onfail: bool = False
    maintenance: bool = False
    pending: bool = False
    unclean: bool = False
    shutdown: bool = False
    expected_up: bool = False
    joined: int = 0
    is_dc: bool = False
    needs_reset: bool = False

    @property
    def attributes(self) -> dict[str, str]:
        """The permanent and the transient attributes; transient ones win."""
        return {**self.permanent, **self.transient}

    @property
    def remote(self) -> bool:
        """Runs no cluster stack of its own."""
        return self.kind in (NodeKind.REMOTE, NodeKind.GUEST)

    def take_attributes(self, configuration: Configuration) -> None:
        """Read the transient attributes of the node's state and what they say about standby and maintenance."""
        transient = self.state.find("transient_attributes") if self.state is not None else None
        self.transient = configuration.attributes(transient, "instance_attributes")
        attributes = self.attributes
        self.standby = self.standby or is_true(attributes.get("standby"))
        self.maintenance = self.maintenance or is_true(attributes.get("maintenance"))
        self.shutdown = attributes.get("shutdown", "0") != "0"


def nodes(configuration: Configuration, resources: Mapping[str, Resource], now: float | None) -> dict[str, Node]:
    """Return all nodes by name; the states of remote and guest nodes are left open, as they follow from resources."""
    startup_fencing = configuration.fencing and configuration.flag("startup-fencing", "true")
    found: dict[str, Node] = {}
    for item in elements(configuration.section("nodes"), "node"):
        node = Node(item.get("uname", ""), item.get("id", ""), _kind(item.get("type")))
        node.permanent = configuration.attributes(item, "instance_attributes")
        node.is_dc = bool(node.id) and node.id == configuration.cib.get("dc-uuid")
        node.unclean = startup_fencing and node.kind is not NodeKind.REMOTE
        found[node.name] = node
    for resource in resources.values():
        if is_connection(resource):
            node = found.setdefault(resource.id, Node(resource.id, resource.id, NodeKind.REMOTE))
            node.connection, node.container = resource.id, resource.container
            node.kind = NodeKind.GUEST if resource.container else NodeKind.REMOTE
            node.unclean = startup_fencing and node.kind is NodeKind.REMOTE
    by_id = {node.id: node for node in found.values()}
    for state in configuration.states():
        known = by_id.get(state.get("id", "")) or found.get(state.get("uname", ""))
        if known is not None and state.get("uname") is not None:
            known.state = state
            if not known.remote:
                known.take_attributes(configuration)
                known.unclean = False
                _judge(known, state, configuration, now)
                _fence_without_quorum(known, configuration)
    return found


def is_connection(resource: Resource) -> bool:
    """Say whether the resource is a connection that makes a remote or guest node."""
    return (
        resource.kind is ResourceKind.PRIMITIVE
        and resource.agent == REMOTE_AGENT
        and (resource.implicit or not resource.parent)
    )


def _kind(text: str | None) -> NodeKind:
    match text:
        case None | "member" | "normal":
            return NodeKind.MEMBER
        case "remote":
            return NodeKind.REMOTE
        case _:
            return NodeKind.PING


def _member_since(state: Element) -> int:
    """Return when the node joined the membership (1: some time), 0 if it is not in it, -1 if it never was seen."""
    text = state.get("in_ccm")
    if text is None:
        return -1
    if text.isdigit():
        return int(text)
    return int(is_true(text))


def _peer_since(state: Element) -> int:
    """Return when the controller there joined the process group (1: some time), 0 if it has not."""
    text = state.get("crmd", "")
    if text.isdigit():
        return int(text)
    return int(text.lower() == "online")


def _judge(node: Node, state: Element, configuration: Configuration, now: float | None) -> None:
    member, peer = _member_since(state), _peer_since(state)
    node.joined = member if member > 1 else 0
    node.expected_up = not node.shutdown and state.get("expected") == "member"
    if node.kind is NodeKind.PING:
        return
    if not configuration.fencing:
        _judge_without_fencing(node, state, member, peer)
    elif node.shutdown:
        node.online = peer > 0
    else:
        node.online = member > 0
        timeout = duration_ms(configuration.properties.get("node-pending-timeout")) / 1000
        waits = now is not None and timeout > 0 and member > 1 and peer <= 0
        _judge_with_fencing(node, state, member, peer, late=waits and now is not None and now - member >= timeout)


def _judge_without_fencing(node: Node, state: Element, member: int, peer: int) -> None:
    if member <= 0:
        return
    if peer > 0:
        node.online = state.get("join") == "member"
    else:
        node.unclean = node.expected_up


def _judge_with_fencing(node: Node, state: Element, member: int, peer: int, *, late: bool) -> None:
    join = state.get("join", "down")
    doomed = _doomed(node.attributes.get("terminate", ""))
    up = member > 0 or peer > 0
    if member < 0 or join == "banned":
        node.unclean = True
    elif not doomed and state.get("expected", "down") == "down":
        node.unclean = late
        node.standby = node.standby or (up and not late)
        node.pending = up and not late
    elif doomed and join == "down" and not up:
        node.online = False
    elif member <= 0 or peer <= 0 or doomed:
        node.unclean = True
    elif join in ("pending", "down"):
        node.standby = node.pending = True
    elif join != "member":
        node.unclean = True


def _doomed(terminate: str) -> bool:
    """Say whether somebody asked to fence the node: a true value or a time."""
    return is_true(terminate) or (terminate[:1].isdigit() and not terminate.startswith("0"))


def _fence_without_quorum(node: Node, configuration: Configuration) -> None:
    suicide = configuration.properties.get("no-quorum-policy") == "suicide"
    panic = configuration.fencing and is_true(configuration.cib.get("no-quorum-panic"))
    if suicide and panic and node.online and not configuration.quorate:
        node.unclean = True
