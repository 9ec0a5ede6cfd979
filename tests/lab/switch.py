"""The network between the nodes: one bridge per ring, cables, the gateway, the client's own cable."""

from pathlib import Path

from tests.lab.layout import Layout
from tests.lab.namespaces import Namespaces


class Switch:
    """All networks of a lab; they live in the network namespace of the lab's first process.

    A cable that was pulled stays pulled over a power cycle of the node.
    """

    def __init__(self, layout: Layout, directory: Path, lab: Namespaces) -> None:
        self._layout = layout
        self._directory = directory
        self._lab = lab

    def build(self, client: Namespaces) -> None:
        """Make the bridges and connect the gateway and the client to the last of them."""
        # Without an address of its own a bridge takes that of some port, and the gateway's would change with a power
        # cycle: for a while nobody would reach it.
        commands = [
            f"link add ring{index} address 02:00:00:00:{index:02x}:00 type bridge"
            for index in range(len(self._layout.rings))
        ]
        commands += [f"link set ring{index} up" for index in range(len(self._layout.rings))]
        last = len(self._layout.rings) - 1
        commands += [
            f"link add client type veth peer name eth0 netns {client.pid}",
            f"link set client master ring{last} up",
        ]
        self._ip(*commands)
        self._ip_in(
            client,
            f"address add {self._layout.client}/{self._layout.rings[-1].prefix} dev eth0",
            "link set eth0 up",
        )
        self.gateway_on()

    def connect(self, node: str, pid: int) -> None:
        """Put the cables into a node that boots; `pid` is a process in its network namespace."""
        number = self._layout.nodes.index(node)
        for index, ring in enumerate(self._layout.rings):
            port = self._port(node, index)
            # A network card keeps its address over a power cycle, so nobody's neighbour table goes stale.
            mac = f"02:00:00:00:{index:02x}:{number + 1:02x}"
            self._ip(
                f"link add {port} type veth peer name {ring.device} address {mac} netns {pid}",
                f"link set {port} master ring{index} {'down' if self._mark(node, index).exists() else 'up'}",
            )

    def disconnect(self, node: str) -> None:
        """Take the cables of a node away, both ends."""
        for index in range(len(self._layout.rings)):
            self._lab.run(["ip", "link", "delete", self._port(node, index)])

    def pull(self, node: str, ring: str | int) -> None:
        """Pull the cable: the node sees its carrier go."""
        index = self._layout.ring_index(ring)
        self._mark(node, index).touch()
        self._lab.run(["ip", "link", "set", self._port(node, index), "down"])

    def plug(self, node: str, ring: str | int) -> None:
        """Put the cable back."""
        index = self._layout.ring_index(ring)
        self._mark(node, index).unlink(missing_ok=True)
        self._lab.run(["ip", "link", "set", self._port(node, index), "up"])

    def is_plugged(self, node: str, ring: str | int) -> bool:
        """Whether the cable is in."""
        return not self._mark(node, self._layout.ring_index(ring)).exists()

    def gateway_off(self, node: str | None = None) -> None:
        """Take the gateway away from everybody, or from one node only (it then gets no answers)."""
        if node is None:
            self._lab.run(["ip", "address", "flush", "dev", self._gateway_device])
        else:
            self._lab.run(["ip", "route", "replace", "blackhole", self._layout.address(node, self._last)])

    def gateway_on(self) -> None:
        """Give the gateway back to everybody."""
        address = f"{self._layout.gateway}/{self._layout.rings[-1].prefix}"
        self._ip(f"address replace {address} dev {self._gateway_device}", "route flush type blackhole")

    def gateway_is_on(self, node: str | None = None) -> bool:
        """Whether the gateway answers everybody, or this node."""
        shown = self._lab.run(["ip", "-o", "address", "show", "dev", self._gateway_device], check=True).stdout
        blocked = self._lab.run(["ip", "route", "show", "type", "blackhole"], check=True).stdout.split()
        if node is not None:
            blocked = [address for address in blocked if address == self._layout.address(node, self._last)]
        return f" {self._layout.gateway}/" in shown and not blocked

    @property
    def _last(self) -> int:
        return len(self._layout.rings) - 1

    @property
    def _gateway_device(self) -> str:
        return f"ring{self._last}"

    def _port(self, node: str, index: int) -> str:
        return f"node{self._layout.nodes.index(node)}ring{index}"

    def _mark(self, node: str, index: int) -> Path:
        return self._directory / "nodes" / node / f"pulled{index}"

    def _ip(self, *commands: str) -> None:
        self._ip_in(self._lab, *commands)

    @staticmethod
    def _ip_in(where: Namespaces, *commands: str) -> None:
        where.run(["ip", "-batch", "-"], input="\n".join(commands) + "\n", check=True)
