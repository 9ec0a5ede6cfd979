"""What a lab looks like: its nodes, rings, addresses, and the files that follow from them. Pure."""

import ipaddress
from dataclasses import asdict, dataclass
from typing import Any, Self

_DEFAULT_NAMES = ("vm-node1", "vm-node2", "vm-node3")


@dataclass(frozen=True, slots=True)
class Ring:
    """One network that all nodes share.

    Attributes:
        device: What the node's end of the cable is called on the node.
        network: The subnet in CIDR notation.
        first: Host number of the first node; the others follow it.
    """

    device: str
    network: str
    first: int

    def address(self, index: int) -> str:
        """The address of the node with this index (from 0), without prefix length."""
        network = ipaddress.ip_network(self.network)
        address = network[self.first + index]
        if address in (network[0], network[-1]):
            raise ValueError(f"{self.network} has no room for node {index + 1} at {address}")
        return str(address)

    @property
    def prefix(self) -> int:
        """Prefix length of the subnet."""
        return ipaddress.ip_network(self.network).prefixlen


@dataclass(frozen=True, slots=True)
class Layout:
    """Everything that is chosen about a lab before it is switched on.

    Attributes:
        nodes: Node names; these become host names and Pacemaker's node names.
        rings: The networks, ring 0 first. The client and the gateway live on the last one.
        gateway: Address that answers pings on the last ring.
        client: Address of the client on the last ring.
        cluster: Corosync's cluster name.
        token: Corosync's token timeout in milliseconds (3000 is corosync's own default, corosync.conf(5)).
    """

    nodes: tuple[str, ...]
    rings: tuple[Ring, ...]
    gateway: str
    client: str
    cluster: str = "lab"
    token: int = 3000

    @classmethod
    def reference(cls, nodes: int = 2) -> Self:
        """The reference case: vm-node1, vm-node2 (and vm-node3) on bond0 and bond1.

        Three nodes do not fit into the /30 of the two, so ring 0 is a /29 then.
        """
        return cls(
            nodes=_DEFAULT_NAMES[:nodes],
            rings=(
                Ring("bond0", "10.20.13.0/30" if nodes == 2 else "10.20.13.0/29", 1),
                Ring("bond1", "192.168.1.0/24", 61),
            ),
            gateway="192.168.1.1",
            client="192.168.1.100",
        )

    @classmethod
    def from_record(cls, record: dict[str, Any]) -> Self:
        """The layout that `record` returned."""
        rings = tuple(Ring(**ring) for ring in record["rings"])
        return cls(**{**record, "nodes": tuple(record["nodes"]), "rings": rings})

    def record(self) -> dict[str, Any]:
        """The layout as values that JSON knows."""
        return asdict(self)

    def ring_index(self, ring: str | int) -> int:
        """The number of a ring that is named by number or by device.

        Raises:
            KeyError: There is no such ring.
        """
        for index, candidate in enumerate(self.rings):
            if str(ring) in (str(index), candidate.device):
                return index
        raise KeyError(f"no ring {ring!r}; there are {', '.join(r.device for r in self.rings)}")

    def address(self, node: str, ring: str | int) -> str:
        """The address of a node on a ring."""
        return self.rings[self.ring_index(ring)].address(self.nodes.index(node))


def corosync_conf(layout: Layout) -> str:
    """The corosync.conf of all nodes (corosync.conf(5)): knet, one link per ring, encrypted."""
    two_node = "\n    two_node: 1" if len(layout.nodes) == 2 else ""
    members = "".join(
        "    node {\n"
        f"        name: {name}\n"
        f"        nodeid: {index + 1}\n"
        + "".join(f"        ring{r}_addr: {ring.address(index)}\n" for r, ring in enumerate(layout.rings))
        + "    }\n"
        for index, name in enumerate(layout.nodes)
    )
    return f"""totem {{
    version: 2
    cluster_name: {layout.cluster}
    transport: knet
    crypto_cipher: aes256
    crypto_hash: sha256
    token: {layout.token}
}}
nodelist {{
{members}}}
quorum {{
    provider: corosync_votequorum{two_node}
}}
logging {{
    to_stderr: no
    to_syslog: no
    to_logfile: yes
    logfile: /var/log/corosync/corosync.log
    timestamp: hires
}}
"""


def boot_commands(layout: Layout, node: str) -> str:
    """What `ip -batch` does on a booting node; it stops at the first line while the last cable is missing."""
    lines = [f"link show dev {layout.rings[-1].device}", "link set lo up"]
    for ring in layout.rings:
        address = layout.address(node, ring.device)
        lines += [f"address add {address}/{ring.prefix} brd + dev {ring.device}", f"link set {ring.device} up"]
    lines.append(f"route add default via {layout.gateway} dev {layout.rings[-1].device}")
    return "\n".join(lines) + "\n"


def booted_network(layout: Layout, node: str) -> set[str]:
    """What `Node.network` finds on a node that has booted, as long as nobody has changed anything."""
    found = {"lo mtu 65536 up", f"default via {layout.gateway} dev {layout.rings[-1].device}"}
    for ring in layout.rings:
        found |= {f"{ring.device} mtu 1500 up", f"{ring.device} {layout.address(node, ring.device)}/{ring.prefix}"}
    return found


def first_cib(empty: str) -> str:
    """The CIB that nodes boot with for the first time: an empty one that does not make them wait for a DC.

    A new cluster waits dc-deadtime (20 s, pacemaker-controld(7)) for a DC that nobody is, and reads the option from
    the CIB. The lab deletes it as soon as there is a DC.

    Args:
        empty: What `cibadmin --empty` prints.
    """
    nvpair = '<nvpair id="cib-bootstrap-options-dc-deadtime" name="dc-deadtime" value="2s"/>'
    properties = f'<cluster_property_set id="cib-bootstrap-options">{nvpair}</cluster_property_set>'
    return empty.replace("<crm_config/>", f"<crm_config>{properties}</crm_config>")


def unfenced(configuration: str) -> str:
    """The same configuration with fencing switched off; `configuration` has one set of cluster properties."""
    nvpair = '<nvpair id="cib-bootstrap-options-stonith-enabled" name="stonith-enabled" value="false"/>'
    return configuration.replace("</cluster_property_set>", f"{nvpair}</cluster_property_set>")


def hosts(layout: Layout) -> str:
    """The /etc/hosts of all nodes."""
    lines = ["127.0.0.1 localhost", "::1 localhost"]
    lines += [f"{layout.address(name, 0)} {name}" for name in layout.nodes]
    return "\n".join(lines) + "\n"
