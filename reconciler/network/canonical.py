"""Addresses, networks and routes as people write them -> one canonical text or value each. Pure.

Two texts that the kernel takes for the same thing become the same text, so comparing texts is comparing meaning.
"""

import re
from collections.abc import Mapping
from ipaddress import (
    IPv4Address,
    IPv4Interface,
    IPv4Network,
    IPv6Address,
    IPv6Interface,
    IPv6Network,
    ip_address,
    ip_interface,
    ip_network,
)

Ip = IPv4Address | IPv6Address
Interface = IPv4Interface | IPv6Interface
Network = IPv4Network | IPv6Network

IPV4 = 4
IPV6 = 6

DEFAULT = "default"
EVERYWHERE: Mapping[int, Network] = {IPV4: IPv4Network("0.0.0.0/0"), IPV6: IPv6Network("::/0")}
"""The destination of a default route, by family."""

MAIN_TABLE = 254
"""Where routes go that name no table (`RT_TABLE_MAIN`, linux/rtnetlink.h)."""

DEFAULT_METRIC = {IPV4: 0, IPV6: 1024}
"""The metric of a route that names none, by family (`IP6_RT_PRIO_USER` is 1024, linux/ipv6_route.h)."""

LEAST_MTU_IPV6 = 1280
"""With a smaller MTU the kernel takes IPv6 off the device (RFC 8200, section 5; linux addrconf.c)."""

DEVICE = re.compile(r"[A-Za-z0-9_.@][A-Za-z0-9_.@-]{0,14}")
_NARROWEST_WITH_HOSTS = {IPV4: 30, IPV6: 126}


def device(text: str) -> str:
    """Return the name of a network device: 1 to 15 plain characters (linux `dev_valid_name`, and no quoting needed).

    Raises:
        ValueError: if no device can have this name.
    """
    if not DEVICE.fullmatch(text) or text in {".", ".."}:
        raise ValueError(f"{text!r} cannot be the name of a link: 1 to 15 letters, digits, '.', '_', '-' or '@'")
    return text


def address(text: str) -> str:
    """Return an address with its prefix length, e.g. `10.20.13.1/30`; a netmask becomes a prefix length.

    Raises:
        ValueError: if it is not an address that a host can have in that subnet.
    """
    if "/" not in text:
        raise ValueError(f"{text!r} has no prefix length: write for example {text}/{24 if '.' in text else 64}")
    try:
        value = ip_interface(text)
    except ValueError as error:
        raise ValueError(f"{text!r} is not an address with a prefix length: {_said(error)}") from None
    fault = _no_host(value)
    if fault:
        raise ValueError(f"{value} {fault}")
    return str(value)


def gateway(text: str) -> str:
    """Return an address without a prefix length.

    Raises:
        ValueError: if it is not an address.
    """
    try:
        value = ip_address(text)
    except ValueError:
        raise ValueError(f"{text!r} is not an address (without a prefix length)") from None
    if getattr(value, "scope_id", None):
        raise ValueError(f"{text!r} names a zone: say the device in dev")
    if value.is_unspecified or value.is_multicast:
        raise ValueError(f"{value} is not the address of a host")
    return str(value)


def destination(text: str) -> str:
    """Return a destination: `default`, or a network with a prefix length; a host gets /32 or /128.

    `0.0.0.0/0` and `::/0` stay as they are: which of them `default` means, only the gateway can say (`network`).

    Raises:
        ValueError: if it is not a network, or has bits set beyond its prefix length.
    """
    if text == DEFAULT:
        return text
    try:
        value = ip_interface(text)
    except ValueError as error:
        raise ValueError(f"{text!r} is not a destination: {_said(error)}") from None
    if value.ip != value.network.network_address:
        raise ValueError(f"{text!r} has bits set beyond its prefix length: the network is {value.network}")
    if value.network.is_multicast:
        raise ValueError(f"{value.network} is multicast: routes to it are not managed")
    return str(value.network)


def network(to: str, via: str | None) -> Network:
    """Return the network of a canonical destination; `default` has the family of `via`, or IPv4 without one."""
    if to != DEFAULT:
        return ip_network(to)
    return EVERYWHERE[ip_address(via).version if via else IPV4]


def destination_of(to: Network, via: Ip | None) -> str:
    """Return the canonical text of a destination: `default` where the gateway says which one."""
    return DEFAULT if via is not None and to == EVERYWHERE[via.version] else str(to)


def _no_host(value: Interface) -> str | None:
    if getattr(value, "scope_id", None):
        return "names a zone: the link says it"
    if value.ip.is_unspecified or value.ip.is_multicast:
        return "is not the address of a host"
    if value.network.prefixlen > _NARROWEST_WITH_HOSTS[value.version]:
        return None
    if value.ip == value.network.network_address:
        return "is the network itself, not a host in it"
    if value.version == IPV4 and value.ip == value.network.broadcast_address:
        return "is the broadcast address of its network, not a host in it"
    return None


def _said(error: ValueError) -> str:
    """Shorten what the ipaddress module says: the text is in front of it already."""
    said = str(error)
    if said.startswith("Only decimal digits") or "does not appear to be" in said:
        return "expected for example 192.168.1.61/24 or fd00::1/64"
    return said[0].lower() + said[1:]
