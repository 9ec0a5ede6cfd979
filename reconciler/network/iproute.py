"""What `ip` says about links, addresses and routes: JSON texts -> values. Pure.

Two commands show all of it, IPv4 and IPv6 (iproute2 6.1): `ADDRESSES` and `ROUTES`. With `-N` numbers stay numbers,
so that no name table of the node (`/etc/iproute2`) changes what is read.
"""

import json
from collections.abc import Mapping
from dataclasses import field
from ipaddress import ip_address, ip_interface, ip_network
from typing import Any

from reconciler.frozen import frozen
from reconciler.network.canonical import (
    DEFAULT,
    DEFAULT_METRIC,
    EVERYWHERE,
    IPV4,
    IPV6,
    MAIN_TABLE,
    Interface,
    Ip,
    Network,
)

ADDRESSES = ("ip", "-N", "-json", "-details", "address", "show")
ROUTES = ("ip", "-N", "-json", "-details", "route", "show", "table", "all")

OURS = 77
"""The protocol number that marks the agent's routes: in none of iproute2's `rt_protos`, and it outlives any file."""

BY_KERNEL = frozenset({1, 2, 9})
"""Protocols of routes that come and go by themselves: redirects, those of addresses, router advertisements."""

UNICAST = 1
LINK_SCOPE = 253
HOST_SCOPE = 254

_PLAIN_ROUTE = frozenset(
    {"type", "dst", "gateway", "dev", "table", "protocol", "scope", "prefsrc", "metric", "tos", "flags", "pref"}
)
_STATUS_FLAGS = frozenset({"linkdown", "dead", "offload", "trap", "rt_offload", "rt_trap"})


class NetworkError(Exception):
    """The network cannot be seen: the text is not what `ip -json` prints."""


@frozen
class Address:
    """An address on a device. `secondary` is the kernel's word: it goes when its primary goes.

    `tentative` and `failed` are the states of IPv6's duplicate address detection. `reaches` is False for an address
    without a route to its subnet (`noprefixroute`). `made_by_kernel`: loopback, link-local, router advertisements.
    """

    interface: Interface
    secondary: bool = False
    peer: Ip | None = None
    broadcast: Ip | None = None
    tentative: bool = False
    failed: bool = False
    reaches: bool = True
    made_by_kernel: bool = False

    @property
    def network(self) -> Network:
        """The subnet, which is the peer's on a point-to-point address."""
        if self.peer is None:
            return self.interface.network
        return ip_network(f"{self.peer}/{self.interface.network.prefixlen}", strict=False)

    def __str__(self) -> str:
        return f"{self.interface} peer {self.peer}" if self.peer else str(self.interface)


@frozen
class Device:
    """A network device. `up` is the administrative state; whether it carries anything is health, not asked here."""

    name: str
    up: bool
    mtu: int
    least_mtu: int = 0
    most_mtu: int = 0
    addresses: tuple[Address, ...] = ()


@frozen
class Key:
    """What the kernel takes for the identity of a route: a different metric is a different route."""

    to: Network
    table: int
    tos: int
    metric: int

    @property
    def order(self) -> tuple[int, int, int, int, int, int]:
        """Sort by family, table, destination, metric."""
        return (
            self.to.version,
            self.table,
            int(self.to.network_address),
            self.to.prefixlen,
            self.tos,
            self.metric,
        )

    def __str__(self) -> str:
        said = [DEFAULT if self.to == EVERYWHERE[IPV4] else str(self.to)]
        said += [f"table {self.table}"] * (self.table != MAIN_TABLE)
        said += [f"tos {self.tos:#04x}"] * (self.tos != 0)
        said += [f"metric {self.metric}"] * (self.metric != DEFAULT_METRIC[self.to.version])
        return " ".join(said)


@frozen
class Route:
    """A route. `dev` is empty if there is not exactly one next hop.

    `plain` is False if the route is or has something that a manifest cannot say (another type than unicast, next
    hops, an encapsulation, metrics, an expiry …): such a route is never replaced, because it could not be restored.
    """

    key: Key
    via: Ip | None
    dev: str
    src: Ip | None
    protocol: int
    plain: bool = True

    @property
    def is_ours(self) -> bool:
        """True if it carries the agent's protocol number and can be put back as it was."""
        return self.protocol == OURS and self.plain

    @property
    def made_by_kernel(self) -> bool:
        """True if the kernel made it and will make it again."""
        return self.protocol in BY_KERNEL

    def __str__(self) -> str:
        said = [str(self.key)]
        said += [f"via {self.via}"] * (self.via is not None)
        said += [f"dev {self.dev}"] * (self.dev != "")
        said += [f"src {self.src}"] * (self.src is not None)
        return " ".join(said)


@frozen
class Seen:
    """The node's network. `promoting` are the devices where a secondary address outlives its primary."""

    devices: Mapping[str, Device]
    routes: tuple[Route, ...]
    promoting: frozenset[str] = field(default=frozenset())


def parse(addresses: str, routes: str, promote_secondaries: Mapping[str, str]) -> Seen:
    """Return the node's network from the output of `ADDRESSES` and `ROUTES`.

    Args:
        addresses: what `ADDRESSES` printed.
        routes: what `ROUTES` printed.
        promote_secondaries: texts of `/proc/sys/net/ipv4/conf/NAME/promote_secondaries` by NAME. The kernel promotes
            where the device's or `all` is not 0 (`IN_DEV_ORCONF`, linux/inetdevice.h); what is missing counts as 0.

    Raises:
        NetworkError: if a text is not what `ip` prints: then nothing is known and nothing may be done.
    """
    try:
        devices = {device.name: device for device in map(_device, _items(addresses))}
        found = tuple(_route(item) for item in _items(routes))
    except (KeyError, ValueError, TypeError, AttributeError, RecursionError) as error:
        raise NetworkError(f"`ip -json` printed something unexpected: {error!r}") from error
    if not devices:
        raise NetworkError("`ip -json address show` names no device, not even lo")
    promoting = {name for name, text in promote_secondaries.items() if text.strip() not in {"0", ""}}
    return Seen(devices, found, frozenset(devices if "all" in promoting else promoting & devices.keys()))


def _items(text: str) -> list[dict[str, Any]]:
    """Return the objects; `ip` prints empty ones for what a filter leaves out, and nothing at all for no route."""
    items = json.loads(text, object_pairs_hook=_first) if text.strip() else []
    if not isinstance(items, list):
        raise TypeError("not a list")
    return [item for item in items if item != {}]


def _first(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Keep the first of two equal keys: an encapsulated route repeats `dst` with the tunnel's destination."""
    return dict(reversed(pairs))


def _device(item: dict[str, Any]) -> Device:
    return Device(
        name=str(item["ifname"]),
        up="UP" in item["flags"],
        mtu=int(item["mtu"]),
        least_mtu=int(item.get("min_mtu", 0)),
        most_mtu=int(item.get("max_mtu", 0)),
        addresses=tuple(_address(info) for info in item.get("addr_info", ()) if info.get("family") in _FAMILIES),
    )


_FAMILIES = frozenset({"inet", "inet6"})


def _address(info: dict[str, Any]) -> Address:
    interface = ip_interface(f"{info['local']}/{info['prefixlen']}")
    scope = int(info["scope"])
    advertised = "mngtmpaddr" in info or "temporary" in info
    return Address(
        interface=interface,
        secondary=bool(info.get("secondary")) and interface.version == IPV4,
        peer=ip_address(info["address"]) if "address" in info else None,
        broadcast=ip_address(info["broadcast"]) if "broadcast" in info else None,
        tentative=bool(info.get("tentative")),
        failed=bool(info.get("dadfailed")),
        reaches=not info.get("noprefixroute"),
        made_by_kernel=scope == HOST_SCOPE or (interface.version == IPV6 and (scope == LINK_SCOPE or advertised)),
    )


def _route(item: dict[str, Any]) -> Route:
    to = _destination(item)
    flags = set(item.get("flags", ())) - _STATUS_FLAGS
    kind = int(item.get("type", UNICAST))
    return Route(
        key=Key(
            to,
            int(item.get("table", MAIN_TABLE)),
            int(str(item.get("tos", 0)), 0),
            int(item.get("metric", 0)),
        ),
        via=ip_address(item["gateway"]) if "gateway" in item else None,
        dev=str(item.get("dev", "")) if kind == UNICAST and "via" not in item and "nexthops" not in item else "",
        src=ip_address(item["prefsrc"]) if "prefsrc" in item else None,
        protocol=int(item.get("protocol", 0)),
        plain=kind == UNICAST and "dev" in item and not flags and _PLAIN_ROUTE.issuperset(item),
    )


def _destination(item: dict[str, Any]) -> Network:
    text = str(item["dst"])
    if text == DEFAULT:
        return EVERYWHERE[IPV6 if _is_ipv6(item) else IPV4]
    return ip_network(text)


def _is_ipv6(item: dict[str, Any]) -> bool:
    """A default route does not say its family, but only IPv6 routes have a router preference (`pref`)."""
    near = [item, *item.get("nexthops", ())]
    return "pref" in item or any(":" in str(part.get("gateway", "")) for part in near)
