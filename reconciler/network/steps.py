"""Wanted and seen network -> the lines of one `ip -batch`, and what is held back. Pure.

Order: links up, addresses added, routes put, then what is ours and unwanted is taken away, then what the kernel took
along is put back, links down last. Whatever takes something away is proved harmless first (`proof.objection`).
"""

from dataclasses import dataclass, field, replace
from functools import partial
from ipaddress import ip_interface

from reconciler.frozen import frozen
from reconciler.kinds.node_network import Inventory, NodeNetwork, StaticRoute, observe
from reconciler.network.canonical import IPV6, LEAST_MTU_IPV6, MAIN_TABLE, Ip
from reconciler.network.iproute import OURS, Address, Route, Seen
from reconciler.network.kernel import (
    AddAddress,
    DropAddress,
    DropRoute,
    PutRoute,
    SetDevice,
    Step,
    after,
    primary_of,
)
from reconciler.network.owned import Owned
from reconciler.network.proof import Mandate, objection
from reconciler.network.undo import undo
from reconciler.plan import Change, Command, Hold, Reason
from reconciler.state import Ref, Scope

BATCH = ("ip", "-batch", "-")
"""Stops at the first line that fails; the lines before it stay done."""

UNDO = ("ip", "-force", "-batch", "-")
"""Goes on after a line that fails: as much as possible is to be as before."""


@frozen
class NetworkPlan:
    """What is to be done to one node's network.

    `lines` are for `BATCH`, `undo` for `UNDO`: it restores what `lines` changed, also after a batch that stopped
    half-way, but it knows nothing of what the cluster did since. `inventory` is to be recorded, cut to what is then
    `present`, when the lines have run. `foreign` was seen on the links that the manifest names, and left alone.
    """

    changes: tuple[Change, ...] = ()
    holds: tuple[Hold, ...] = ()
    lines: tuple[str, ...] = ()
    undo: tuple[str, ...] = ()
    inventory: Inventory = frozenset()
    foreign: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()

    @property
    def commands(self) -> tuple[Command, ...]:
        """The one command, or none if nothing is to be done."""
        if not self.lines:
            return ()
        text = "".join(f"{line}\n" for line in self.lines)
        return (Command(BATCH, text, Scope.NODE, tuple(change.ref for change in self.changes)),)


def conflicts(wanted: NodeNetwork, owned: Owned) -> tuple[tuple[str, str], ...]:
    """Return what a manifest names although the cluster owns it: fields and messages. Such a manifest is invalid."""
    found = []
    for link in wanted.links:
        for text in link.addresses:
            owner = owned.owner(ip_interface(text).ip)
            if owner:
                found.append((f"links[{link.name}].addresses", f"{text} belongs to {owner}: the cluster puts it there"))
    for route in wanted.routes:
        owner = owned.owner_of_route(route.key.to, route.key.table)
        if owner:
            found.append(("routes", f"{route.key} belongs to {owner}: the cluster makes it"))
        source = route.source
        owner = owned.owner(source) if source else None
        if owner:
            found.append(("routes", f"{route.key} has the source {source} of {owner}, which is not always here"))
    return tuple(found)


def present(inventory: Inventory, seen: Seen) -> Inventory:
    """Return what of the inventory is still there: an address that somebody removed is no longer ours."""
    there = {(device.name, str(address)) for device in seen.devices.values() for address in device.addresses}
    return inventory & there


def plan(ref: Ref, wanted: NodeNetwork, seen: Seen, owned: Owned, inventory: Inventory) -> NetworkPlan:
    """Decide everything about a node's network.

    Args:
        ref: the NodeNetwork object.
        wanted: its spec.
        seen: the network as it is.
        owned: what the cluster owns of it.
        inventory: the addresses that the agent added, as recorded.
    """
    known = frozenset(entry for entry in present(inventory, seen) if not owned.owner(ip_interface(entry[1]).ip))
    against = conflicts(wanted, owned)
    if against:
        hold = partial(Hold, Reason.CLUSTER_OWNED, ref=ref, scope=Scope.NODE)
        held = tuple(hold(f"{where}: {message}") for where, message in against)
        return NetworkPlan(holds=held, inventory=known, warnings=owned.unclear)
    mandate = Mandate(wanted, owned, known)
    draft = _Draft(mandate, seen)
    draft.fill()
    added = {(step.dev, str(step.address)) for step in draft.steps if isinstance(step, AddAddress)}
    ours = known | (added - present(frozenset(added), seen))
    before = observe(seen, wanted, ours, owned.sources)
    later = observe(draft.now, wanted, ours, owned.sources)
    return NetworkPlan(
        changes=(Change(ref, before, later),) if before != later else (),
        holds=tuple(Hold(reason, message, ref, Scope.NODE) for reason, message in draft.holds),
        lines=tuple(step.line for step in draft.steps),
        undo=tuple(step.line for step in undo(seen, draft.steps)),
        inventory=ours,
        foreign=_foreign(mandate, seen),
        warnings=owned.unclear,
    )


@dataclass
class _Draft:
    """The steps so far, and the network as it will be after them."""

    mandate: Mandate
    now: Seen
    steps: list[Step] = field(default_factory=list)
    holds: dict[tuple[Reason, str], None] = field(default_factory=dict)

    def fill(self) -> None:
        self.set_links()
        self.add_addresses()
        # Before anything goes, so that nothing is without a route meanwhile; but on what stays.
        self.put_routes(self.staying())
        self.drop_routes()
        self.drop_addresses()
        # The kernel may have taken more along than was dropped.
        self.add_addresses()
        self.put_routes(self.now, last=True)
        self.take_links_down()

    def do(self, step: Step) -> None:
        self.steps.append(step)
        self.now = after(self.now, step)

    def do_if_safe(self, step: Step) -> None:
        against = objection(self.mandate, self.now, step)
        if against is None:
            self.do(step)
        else:
            self.hold(against.reason, against.message)

    def hold(self, reason: Reason, message: str) -> None:
        self.holds[reason, message] = None

    def set_links(self) -> None:
        for link in self.mandate.wanted.links:
            device = self.now.devices.get(link.name)
            if device is None:
                self.hold(Reason.LINK_MISSING, f"links[{link.name}]: this node has no such link")
                continue
            if link.mtu not in (None, device.mtu):
                most = device.most_mtu or link.mtu
                if device.least_mtu <= link.mtu <= most:
                    self.do_if_safe(SetDevice(link.name, mtu=link.mtu))
                else:
                    allowed = f"{device.least_mtu} to {most}"
                    self.hold(Reason.UNSUPPORTED, f"links[{link.name}].mtu: {link.mtu}, but the link takes {allowed}")
            if link.state == "up" and not device.up:
                self.do(SetDevice(link.name, up=True))

    def take_links_down(self) -> None:
        for link in self.mandate.wanted.links:
            device = self.now.devices.get(link.name)
            if device is not None and device.up and link.state == "down":
                self.do_if_safe(SetDevice(link.name, up=False))

    def add_addresses(self) -> None:
        for link in self.mandate.wanted.links:
            if link.name in self.now.devices:
                for text in link.addresses:
                    self._add_address(link.name, text)

    def _add_address(self, dev: str, text: str) -> None:
        device = self.now.devices[dev]
        there = next((address for address in device.addresses if str(address) == text), None)
        new = Address(ip_interface(text), tentative=":" in text) if there is None else there
        behind = self._behind_cluster(dev, new)
        if there is not None and there.failed:
            self.hold(Reason.FAILED, f"links[{dev}]: another host answers for {text}")
        elif behind and (there is None or there.secondary):
            self.hold(Reason.ADDRESS_ORDER, f"links[{dev}]: {text} {'would be' if there is None else 'is'} {behind}")
        elif there is None and new.interface.version == IPV6 and device.mtu < LEAST_MTU_IPV6:
            self.hold(Reason.UNSUPPORTED, f"links[{dev}]: {text} needs an mtu of {LEAST_MTU_IPV6} at least")
        elif there is None:
            self.do(AddAddress(dev, new))

    def _behind_cluster(self, dev: str, new: Address) -> str | None:
        """Say it if the kernel would remove `new` as soon as the cluster removes its address."""
        first = primary_of(self.now.devices[dev].addresses, new)
        if first is None or dev in self.now.promoting or first == new:
            return None
        owner = self.mandate.owned.owner(first.interface.ip)
        if owner is None and self.mandate.owned.unclear and not self._is_known(dev, first):
            owner = "somebody, perhaps the cluster,"
        if owner is None:
            return None
        return (
            f"secondary to {first} of {owner} and would go with it: move that elsewhere, give it the prefix length "
            f"{first.interface.max_prefixlen}, or set net.ipv4.conf.{dev}.promote_secondaries=1"
        )

    def _is_known(self, dev: str, address: Address) -> bool:
        return self.mandate.wants(dev, address) or self.mandate.added(dev, address)

    def staying(self) -> Seen:
        """Return the network without the addresses that are to go."""
        devices = {
            name: replace(device, addresses=tuple(a for a in device.addresses if not self._is_to_go(name, a)))
            for name, device in self.now.devices.items()
        }
        return replace(self.now, devices=devices)

    def _is_to_go(self, dev: str, address: Address) -> bool:
        return self.mandate.added(dev, address) and not self.mandate.wants(dev, address)

    def put_routes(self, counting_on: Seen, *, last: bool = False) -> None:
        """Put what is wanted and not there, as far as the addresses of `counting_on` carry it."""
        again = any(isinstance(step, DropAddress) for step in self.steps)
        for ask in self.mandate.wanted.routes:
            same = [route for route in self.now.routes if route.key == ask.key]
            if any(ask.is_met_by(route, self.mandate.owned.sources) for route in same):
                continue
            unusable = _unusable(counting_on, ask)
            if unusable and not last:
                continue
            if unusable:
                self.hold(unusable[0], f"routes: {ask.key} via {ask.via or ask.dev}: {unusable[1]}")
            elif not same:
                # After a deletion the kernel may or may not have kept it: replacing suits both.
                self.do(PutRoute(_route(ask, ask.source), replace=again))
            elif len(same) > 1 or not same[0].plain or same[0].made_by_kernel:
                self.hold(Reason.UNSUPPORTED, f"routes: {ask.key} is there in a form that could not be restored")
            else:
                kept = same[0].src if same[0].src in self.mandate.owned.sources else ask.source
                self.do_if_safe(PutRoute(_route(ask, kept), replace=True))

    def drop_routes(self) -> None:
        asked = {ask.key: ask for ask in self.mandate.wanted.routes}
        owned = self.mandate.owned
        for route in sorted(self.now.routes, key=lambda route: (route.key.order, str(route))):
            ask = asked.get(route.key)
            met = ask is not None and any(ask.is_met_by(other, owned.sources) for other in self.now.routes)
            wanted = ask is not None and (not met or ask.is_met_by(route, owned.sources))
            if route.is_ours and not wanted and not owned.owner_of_route(route.key.to, route.key.table):
                self.do_if_safe(DropRoute(route))

    def drop_addresses(self) -> None:
        ours = [
            (device.name, address)
            for device in self.now.devices.values()
            for address in device.addresses
            if self._is_to_go(device.name, address)
        ]
        # A secondary goes alone, a primary may take others with it: the fewer are left the better.
        for dev, address in sorted(ours, key=lambda found: (not found[1].secondary, found[0], str(found[1]))):
            if address in self.now.devices[dev].addresses:
                self.do_if_safe(DropAddress(dev, address))


def _route(ask: StaticRoute, source: Ip | None) -> Route:
    return Route(ask.key, ask.gateway, ask.dev, source, OURS)


def _unusable(now: Seen, ask: StaticRoute) -> tuple[Reason, str] | None:
    """Say why the kernel would refuse a route, or None."""
    device = now.devices.get(ask.dev)
    if device is None:
        return Reason.LINK_MISSING, f"this node has no link {ask.dev}"
    if not device.up:
        return Reason.REFERENCE_MISSING, f"{ask.dev} is down"
    if ask.key.to.version == IPV6 and device.mtu < LEAST_MTU_IPV6:
        return Reason.UNSUPPORTED, f"{ask.dev} needs an mtu of {LEAST_MTU_IPV6} at least"
    via, source = ask.gateway, ask.source
    if via is not None and not _reaches(now, ask.dev, via):
        return Reason.REFERENCE_MISSING, f"nothing on {ask.dev} reaches the gateway"
    if source is not None:
        local = [a for other in now.devices.values() for a in other.addresses if a.interface.ip == source]
        if not local:
            return Reason.REFERENCE_MISSING, f"its source {source} is not an address of this node"
        if all(address.tentative for address in local):
            return Reason.PENDING, f"its source {source} is new, the kernel still looks for duplicates"
    return None


def _reaches(now: Seen, dev: str, via: Ip) -> bool:
    if via.version == IPV6 and via.is_link_local:
        return True
    if any(address.reaches and via in address.network for address in now.devices[dev].addresses):
        return True
    on_link = (route for route in now.routes if route.dev == dev and route.via is None and not route.made_by_kernel)
    return any(via in route.key.to for route in on_link if route.key.table == MAIN_TABLE)


def _foreign(mandate: Mandate, seen: Seen) -> tuple[str, ...]:
    named = {link.name for link in mandate.wanted.links} & seen.devices.keys()
    addresses = [
        f"{dev}: {address}"
        for dev in sorted(named)
        for address in seen.devices[dev].addresses
        if not mandate.wants(dev, address)
        and not mandate.added(dev, address)
        and not address.made_by_kernel
        and mandate.owned.owner(address.interface.ip) is None
    ]
    routes = [
        f"route {route}"
        for route in sorted(seen.routes, key=lambda route: route.key.order)
        if route.dev in named
        and not mandate.wants_route(route)
        and not route.is_ours
        and not route.made_by_kernel
        and mandate.owned.owner_of_route(route.key.to, route.key.table) is None
    ]
    return (*addresses, *routes)
