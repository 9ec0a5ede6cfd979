"""What of the node's network belongs to the cluster: read from the CIB, never touched by the agent. Pure.

The parameters are those of ClusterLabs/resource-agents `heartbeat/` (IPaddr, IPaddr2, IPv6addr, IPsrcaddr, Route,
VIPArip). Taking too much for the cluster's does little harm, taking too little does much: every configuration counts
that is, was or will be in force, and what cannot be read is said instead of passed over.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from ipaddress import ip_address
from xml.etree import ElementTree as ET

from reconciler.frozen import frozen
from reconciler.network import agents, canonical
from reconciler.network.agents import Agent
from reconciler.network.canonical import MAIN_TABLE, Ip, Network

_ADDRESS_PARAMS = ("ip", "ipaddr", "ipaddress", "ipv6addr", "address", "vip")
_DEVICE_PARAMS = ("nic", "interface", "device", "dev")
_NO_ADDRESS = frozenset({"broadcast", "cidr_netmask", "netmask", "gateway", "destination", "arp_netmask"})
_TABLES = {"main": MAIN_TABLE, "default": 253, "local": 255}


@frozen
class OwnedAddress:
    """An address that the cluster may put on this node, whatever the prefix length.

    `nics` are the devices that the configuration names, none if the agent finds one itself. `by` is the resource.
    """

    ip: Ip
    nics: frozenset[str]
    by: str


@frozen
class OwnedRoute:
    """A route that the cluster may add. `table` is None if its number is not known: then any table."""

    to: Network
    table: int | None
    by: str


@frozen
class Owned:
    """What the cluster owns of the node's network.

    `sources` are addresses that an IPsrcaddr may write into routes as their source. `rings` are the addresses of
    corosync's nodelist, of all nodes. `unclear` says what could not be read; if it is not empty, the sets may be too
    small and nothing may be taken away.
    """

    addresses: tuple[OwnedAddress, ...] = ()
    routes: tuple[OwnedRoute, ...] = ()
    sources: frozenset[Ip] = frozenset()
    rings: frozenset[Ip] = frozenset()
    unclear: tuple[str, ...] = ()

    def owner(self, ip: Ip) -> str | None:
        """Return the resource that an address belongs to, or None."""
        return next((address.by for address in self.addresses if address.ip == ip), None)

    def owner_of_route(self, to: Network, table: int) -> str | None:
        """Return the resource that a route belongs to, or None."""
        return next((route.by for route in self.routes if route.to == to and route.table in (table, None)), None)

    def on(self, dev: str) -> str | None:
        """Return a resource whose configuration names this device, or None."""
        return next((address.by for address in self.addresses if dev in address.nics), None)


def cluster_owned(
    live: ET.Element | None,
    others: Iterable[ET.Element] = (),
    primitives: Iterable[tuple[str, Mapping[str, str]]] = (),
    rings: Iterable[str] | None = (),
) -> Owned:
    """Return what the cluster owns: the union over all configurations that are, were or will be in force.

    Args:
        live: the root of the live CIB, `<cib>`; None if it cannot be read.
        others: roots of further CIBs: the last good one, the one that the manifests lead to.
        primitives: agents with parameters, such as `("ocf:heartbeat:IPaddr2", {"ip": "192.168.1.60"})`, where no CIB
            is at hand. Each may be cloned on as many nodes as a CIB names.
        rings: the ringX_addr values of corosync's nodelist, none if there is no corosync.conf; None if it cannot be
            read. A host name is unclear: only an address says over which link a ring runs.
    """
    found = _Found()
    if live is None:
        found.unclear.append("the live CIB cannot be read")
    roots = [*([] if live is None else [live]), *others]
    known = []
    for root in roots:
        configuration = root if root.tag == "configuration" else root.find("configuration")
        if configuration is None:
            found.unclear.append(f"<{root.tag}> has no <configuration>")
        else:
            known.append(configuration)
    most = agents.most_instances(str(agents.nodes(configuration)) for configuration in known)
    said = (agents.declared(agent, params, most) for agent, params in primitives)
    for agent in (*(agent for configuration in known for agent in agents.configured(configuration)), *said):
        if agent is not None:
            found.take(agent)
    return found.owned(rings)


@dataclass
class _Found:
    addresses: dict[Ip, OwnedAddress] = field(default_factory=dict)
    routes: list[OwnedRoute] = field(default_factory=list)
    sources: set[Ip] = field(default_factory=set)
    unclear: list[str] = field(default_factory=list)

    def take(self, agent: Agent) -> None:
        if agents.SOURCE.search(agent.type):
            self.sources |= {ip for text in agent.values("ipaddress") for ip in self._ips(agent, text)}
        elif agents.ROUTE.search(agent.type):
            self._take_routes(agent)
        else:
            self._take_addresses(agent)

    def _take_addresses(self, agent: Agent) -> None:
        named = {ip for text in agent.values(*_ADDRESS_PARAMS) for ip in self._ips(agent, text)}
        # A copy of an agent, or Heartbeat's positional `1=10.0.0.1/24/eth0`, may call its parameters anything.
        guessed = {
            ip
            for name in agent.params.keys() - _NO_ADDRESS - set(_ADDRESS_PARAMS)
            for text in agent.values(name)
            for ip in _guess(text)
        }
        counts = agent.type == agents.BUNDLE or agent.is_on("unique_clone_address")
        nics = frozenset(text.partition(":")[0] for text in agent.values(*_DEVICE_PARAMS))
        for first in named | guessed:
            for ip in _range(first, agent.instances if counts else 1):
                before = self.addresses.get(ip, OwnedAddress(ip, frozenset(), agent.resource))
                self.addresses[ip] = OwnedAddress(ip, before.nics | nics, before.by)

    def _take_routes(self, agent: Agent) -> None:
        modern = any(":" in text for text in agent.values("gateway", "source")) or "ip6" in agent.values("family")
        for text in agent.values("destination"):
            try:
                to = canonical.network(canonical.destination(text), "::1" if modern else None)
            except ValueError:
                self.unclear.append(f"{agent.resource}: its destination {text!r} is not a network")
                continue
            tables = [_table(name) for name in agent.values("table") if name] or [MAIN_TABLE]
            self.routes += [OwnedRoute(to, table, agent.resource) for table in tables]

    def _ips(self, agent: Agent, text: str) -> Iterator[Ip]:
        found = _guess(text)
        if text and not found:
            self.unclear.append(f"{agent.resource}: its address {text!r} is not one")
        yield from found

    def owned(self, rings: Iterable[str] | None) -> Owned:
        known: set[Ip] = set()
        if rings is None:
            self.unclear.append("corosync's nodelist cannot be read")
        for text in rings or ():
            found = _guess(text)
            known.update(found)
            if not found:
                self.unclear.append(f"corosync's nodelist names a ring by {text!r}, not by its address")
        return Owned(
            addresses=tuple(sorted(self.addresses.values(), key=lambda owned: (owned.ip.version, int(owned.ip)))),
            routes=tuple(dict.fromkeys(self.routes)),
            sources=frozenset(self.sources),
            rings=frozenset(known),
            unclear=tuple(dict.fromkeys(self.unclear)),
        )


def _guess(text: str) -> tuple[Ip, ...]:
    """Return the address in a text such as `10.0.0.1`, `10.0.0.1/24/eth0` or `fe80::1%eth0`, if there is one."""
    try:
        return (ip_address(text.strip().partition("/")[0].partition("%")[0]),)
    except ValueError:
        return ()


def _range(first: Ip, count: int) -> Iterator[Ip]:
    last = 2**first.max_prefixlen - 1
    for step in range(count):
        if int(first) + step <= last:
            yield first + step


def _table(name: str) -> int | None:
    return int(name) if name.isascii() and name.isdigit() else _TABLES.get(name)
