"""What the kernel does to addresses and routes when it is told something: the rules, measured. Pure.

The rules are those of linux `net/ipv4/devinet.c`, `net/ipv4/fib_frontend.c` and `net/ipv6/addrconf.c`; the tests play
random steps against the running kernel and compare. Routes that the kernel makes itself for addresses are not followed.
"""

from collections.abc import Iterable, Sequence
from dataclasses import replace

from reconciler.frozen import frozen
from reconciler.network.canonical import IPV4, IPV6, LEAST_MTU_IPV6, MAIN_TABLE, Ip
from reconciler.network.iproute import Address, Device, Key, Route, Seen

_LONGEST_WITH_BROADCAST = 30


@frozen
class AddAddress:
    """Add an address. `trusted` skips IPv6's duplicate address detection: for one that was there a moment ago."""

    dev: str
    address: Address
    trusted: bool = False

    @property
    def line(self) -> str:
        """The line for `ip -batch`. Broadcast as ifupdown and networkd do: the last address of the subnet."""
        said = ["address add", str(self.address)]
        if (
            self.address.interface.version == IPV4
            and self.address.interface.network.prefixlen <= _LONGEST_WITH_BROADCAST
        ):
            said.append(f"broadcast {self.address.broadcast or '+'}")
        if self.trusted and self.address.interface.version == IPV6:
            said.append("nodad")
        return " ".join([*said, f"dev {self.dev}"])


@frozen
class DropAddress:
    """Remove an address."""

    dev: str
    address: Address

    @property
    def line(self) -> str:
        """The line for `ip -batch`."""
        return f"address delete {self.address} dev {self.dev}"


@frozen
class PutRoute:
    """Add a route, or replace the one with the same key."""

    route: Route
    replace: bool = False

    @property
    def line(self) -> str:
        """The line for `ip -batch`."""
        return f"route {'replace' if self.replace else 'add'} {_route_words(self.route)}"


@frozen
class DropRoute:
    """Remove a route, exactly this one."""

    route: Route

    @property
    def line(self) -> str:
        """The line for `ip -batch`."""
        return f"route delete {_route_words(self.route)}"


@frozen
class SetDevice:
    """Set a device's MTU, or take it up or down; None leaves it."""

    dev: str
    mtu: int | None = None
    up: bool | None = None

    @property
    def line(self) -> str:
        """The line for `ip -batch`."""
        said = [f"link set dev {self.dev}"]
        if self.mtu is not None:
            said.append(f"mtu {self.mtu}")
        if self.up is not None:
            said.append("up" if self.up else "down")
        return " ".join(said)


Step = AddAddress | DropAddress | PutRoute | DropRoute | SetDevice


def _route_words(route: Route) -> str:
    """Say everything: what is left out the kernel would choose, and `delete` would take the first that fits.

    The destination is always a network: it tells `ip -batch`, where a line has no option -6, the family.
    """
    said = [str(route.key.to)]
    said += [f"via {route.via}"] * (route.via is not None)
    said += [f"dev {route.dev} proto {route.protocol}"]
    said += [f"src {route.src}"] * (route.src is not None)
    said += [f"table {route.key.table} metric {route.key.metric}"]
    said += [f"tos {route.key.tos:#04x}"] * (route.key.tos != 0)
    return " ".join(said)


def primary_of(addresses: Iterable[Address], new: Address) -> Address | None:
    """Return the address behind which `new` becomes a secondary, or None if it becomes a primary itself.

    Only IPv4 has secondaries: a later address with the same prefix length in the same subnet. A /32 inside the subnet
    is none.
    """
    if new.interface.version != IPV4:
        return None
    same = (address for address in addresses if address.network == new.network and not address.secondary)
    return next(same, None)


def taken(addresses: Sequence[Address], victim: Address, *, promoting: bool) -> tuple[Address, ...]:
    """Return the other addresses of the device that the kernel removes together with `victim`.

    A primary takes all its secondaries along, unless the kernel promotes: then the first of them becomes primary.
    """
    if victim.secondary or promoting:
        return ()
    return tuple(address for address in addresses if address.secondary and address.network == victim.network)


def after(seen: Seen, step: Step) -> Seen:
    """Return what `seen` becomes when the kernel accepts `step`."""
    match step:
        case AddAddress(dev, address):
            return _with_addresses(seen, dev, _added(seen.devices[dev].addresses, address))
        case DropAddress(dev, address):
            return _without_address(seen, seen.devices[dev], address)
        case PutRoute(route, replaces):
            kept = _without_first(seen.routes, route.key) if replaces else seen.routes
            return replace(seen, routes=(*kept, route))
        case DropRoute(route):
            return replace(seen, routes=tuple(other for other in seen.routes if other != route))
        case SetDevice(dev, mtu, up):
            return _set(seen, seen.devices[dev], mtu, up)


def _added(addresses: tuple[Address, ...], new: Address) -> tuple[Address, ...]:
    return (*addresses, replace(new, secondary=primary_of(addresses, new) is not None))


def _without_address(seen: Seen, device: Device, victim: Address) -> Seen:
    gone = {victim, *taken(device.addresses, victim, promoting=device.name in seen.promoting)}
    left = [address for address in device.addresses if address not in gone]
    if not victim.secondary:
        # With promotion the eldest secondary takes the place of the primary.
        for index, address in enumerate(left):
            if address.secondary and address.network == victim.network:
                left[index] = replace(address, secondary=False)
                break
    seen = _with_addresses(seen, device.name, tuple(left))
    if victim.interface.version == IPV4 and not any(address.interface.version == IPV4 for address in left):
        seen = _without_routes(seen, device.name, version=IPV4)
    local = {address.interface.ip for other in seen.devices.values() for address in other.addresses}
    return _without_sources(seen, {address.interface.ip for address in gone} - local)


def _without_sources(seen: Seen, gone: set[Ip]) -> Seen:
    """An IPv4 route of the main table goes with its source, one of another stays; an IPv6 route forgets it."""
    left = (
        replace(route, src=None) if route.src in gone and route.key.to.version == IPV6 else route
        for route in seen.routes
        if not (route.src in gone and route.key.to.version == IPV4 and route.key.table == MAIN_TABLE)
    )
    return replace(seen, routes=tuple(left))


def _set(seen: Seen, device: Device, mtu: int | None, up: bool | None) -> Seen:
    changed = replace(device, mtu=device.mtu if mtu is None else mtu, up=device.up if up is None else up)
    goes_down = device.up and not changed.up
    if goes_down or changed.mtu < LEAST_MTU_IPV6:
        changed = replace(changed, addresses=tuple(a for a in changed.addresses if a.interface.version == IPV4))
        seen = _without_routes(seen, device.name, version=IPV6)
    if goes_down:
        seen = _without_routes(seen, device.name, version=IPV4)
    return replace(seen, devices={**seen.devices, device.name: changed})


def _without_routes(seen: Seen, dev: str, *, version: int) -> Seen:
    return replace(
        seen, routes=tuple(route for route in seen.routes if not (route.dev == dev and route.key.to.version == version))
    )


def _without_first(routes: tuple[Route, ...], key: Key) -> tuple[Route, ...]:
    index = next((index for index, route in enumerate(routes) if route.key == key), len(routes))
    return (*routes[:index], *routes[index + 1 :])


def _with_addresses(seen: Seen, dev: str, addresses: tuple[Address, ...]) -> Seen:
    return replace(seen, devices={**seen.devices, dev: replace(seen.devices[dev], addresses=addresses)})


def losses(before: Seen, later: Seen) -> tuple[tuple[tuple[str, Address], ...], tuple[Route, ...]]:
    """Return the addresses, with their devices, and the routes that `before` has and `later` has not.

    Becoming primary is no loss, having a source address no more is one. The kernel's own routes come and go with
    addresses and do not count.
    """
    left = {(dev.name, str(address)) for dev in later.devices.values() for address in dev.addresses}
    addresses = tuple(
        (dev.name, address)
        for dev in before.devices.values()
        for address in dev.addresses
        if (dev.name, str(address)) not in left
    )
    kept = set(later.routes)
    return addresses, tuple(route for route in before.routes if not route.made_by_kernel and route not in kept)
