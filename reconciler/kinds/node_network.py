"""NodeNetwork: the addresses, routes, MTU and state of one node's links. Pure.

The order of links, addresses and routes means nothing: they are sorted by the models, so that two spellings of one
wish are equal. A field that is not said is not managed.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from contextlib import suppress
from ipaddress import ip_address, ip_interface, ip_network
from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, Field, ValidationInfo, field_validator, model_validator

from reconciler.kinds.base import Kind
from reconciler.network import canonical
from reconciler.network.canonical import DEFAULT_METRIC, EVERYWHERE, IPV4, IPV6, LEAST_MTU_IPV6, MAIN_TABLE, Ip
from reconciler.network.iproute import Device, Key, Route, Seen
from reconciler.state import Part, Scope, Spec

Inventory = frozenset[tuple[str, str]]
"""The addresses that the agent added itself: device and canonical text, `("bond1", "192.168.1.61/24")`."""

_RESERVED_TABLES = {0: "unspecified", 255: "the kernel's own (local)"}


def _writable_table(number: int | None) -> int | None:
    if number in _RESERVED_TABLES:
        raise ValueError(f"table {number} is {_RESERVED_TABLES[number]}")
    return None if number == MAIN_TABLE else number


def _looks(pattern: str) -> Any:
    """Say what the text looks like, as far as editors are to know."""
    return Field(json_schema_extra={"pattern": pattern})


_HOST = "[0-9A-Fa-f:.]+"
DeviceName = Annotated[str, AfterValidator(canonical.device), _looks(f"^{canonical.DEVICE.pattern}$")]
AddressText = Annotated[str, AfterValidator(canonical.address), _looks(f"^{_HOST}/[0-9.]+$")]
HostText = Annotated[str, AfterValidator(canonical.gateway), _looks(f"^{_HOST}$")]
DestinationText = Annotated[str, AfterValidator(canonical.destination), _looks(f"^(default|{_HOST}(/[0-9.]+)?)$")]


class Bond(Part):
    """A bond and its members. Read, checked and refused until bonds are managed."""

    mode: str = Field(description="Bonding mode, e.g. active-backup.")
    members: tuple[DeviceName, ...] = Field(description="The links in the bond.")
    miimon: int | None = Field(default=None, ge=0, description="Milliseconds between looks at the carrier.")
    updelay: int | None = Field(default=None, ge=0, description="Milliseconds before a link that came up is used.")
    downdelay: int | None = Field(default=None, ge=0, description="Milliseconds before a link that failed is left.")
    primary: DeviceName | None = Field(default=None, description="The member to prefer.")


class Link(Part):
    """An existing link, and what of it is managed."""

    name: DeviceName = Field(description="The device, e.g. bond1.")
    addresses: tuple[AddressText, ...] = Field(
        default=(), description="Addresses with prefix length. Others on the link are reported and left alone."
    )
    mtu: int | None = Field(default=None, ge=68, le=65535, description="Bytes.")
    state: Literal["up", "down"] | None = Field(default=None, description="Administrative state.")
    bond: Bond | None = Field(default=None, description="Not managed yet: a manifest with it is refused.")

    @field_validator("bond")
    @classmethod
    def _later(cls, given: Bond | None) -> Bond | None:
        if given is not None:
            raise ValueError("bonds are not managed yet: make the bond otherwise and name the link without `bond`")
        return given

    @field_validator("addresses")
    @classmethod
    def _canonical(cls, given: tuple[str, ...]) -> tuple[str, ...]:
        _once(given, "address {} is named twice")
        return tuple(sorted(given, key=_by_address))

    @model_validator(mode="after")
    def _possible(self) -> Self:
        modern = [text for text in self.addresses if ip_interface(text).version == IPV6]
        if modern and self.mtu is not None and self.mtu < LEAST_MTU_IPV6:
            raise ValueError(f"mtu {self.mtu} takes IPv6 off the link, and with it {modern[0]}: at least 1280")
        if modern and self.state == "down":
            raise ValueError(f"state down takes {modern[0]} off the link: the kernel keeps only IPv4 addresses")
        if self.name == "lo" and self.state == "down":
            raise ValueError("state down: the cluster needs lo")
        return self


class StaticRoute(Part):
    """A route. Destination, table and metric are its identity: of each such triple there is one."""

    to: DestinationText = Field(description="A network, a host, or `default`.")
    via: HostText | None = Field(default=None, description="The gateway; without it the destination is on the link.")
    dev: DeviceName = Field(description="The link that it leaves through.")
    src: HostText | None = Field(default=None, description="Source address of packets that name none.")
    metric: int | None = Field(
        default=None, ge=0, le=2**32 - 1, description="Lower wins; the kernel's default is 0, for IPv6 1024."
    )
    table: Annotated[int | None, AfterValidator(_writable_table)] = Field(
        default=None, ge=0, le=2**32 - 1, description="Number of the routing table; the main one (254) if not said."
    )

    @model_validator(mode="before")
    @classmethod
    def _one_spelling(cls, given: Any) -> Any:
        """A default route is `default` where the gateway tells the family."""
        if isinstance(given, Mapping):
            to, via = given.get("to"), given.get("via")
            if isinstance(to, str) and isinstance(via, str):
                with suppress(ValueError):
                    if ip_network(to) == EVERYWHERE[ip_address(via).version]:
                        return {**given, "to": canonical.DEFAULT}
        return given

    @field_validator("metric")
    @classmethod
    def _unsaid(cls, given: int | None, info: ValidationInfo) -> int | None:
        """The metric that the kernel would choose anyway is left out: one wish, one spelling."""
        version = IPV6 if ":" in f"{info.data.get('to')}{info.data.get('via')}" else IPV4
        return None if given in {0, DEFAULT_METRIC[version]} else given

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if self.to == canonical.DEFAULT and self.via is None:
            raise ValueError("to: default without via does not say which family: write 0.0.0.0/0 or ::/0")
        family = canonical.network(self.to, self.via).version
        for field, text in (("via", self.via), ("src", self.src)):
            if text and ip_address(text).version != family:
                raise ValueError(f"{field}: {text} is not of the family of {self.to}")
        return self

    @property
    def gateway(self) -> Ip | None:
        """The gateway as a value."""
        return ip_address(self.via) if self.via else None

    @property
    def source(self) -> Ip | None:
        """The source as a value."""
        return ip_address(self.src) if self.src else None

    def is_met_by(self, route: Route, sources: frozenset[Ip]) -> bool:
        """True if a live route is as wanted. `sources` are those that the cluster may have written into it."""
        same_source = self.src is None or route.src == self.source or route.src in sources
        return route.key == self.key and route.via == self.gateway and route.dev == self.dev and same_source

    @property
    def key(self) -> Key:
        """What the kernel takes for the identity of a route."""
        to = canonical.network(self.to, self.via)
        metric = DEFAULT_METRIC[to.version] if self.metric is None else self.metric
        return Key(to, MAIN_TABLE if self.table is None else self.table, 0, metric)


class NodeNetwork(Spec):
    """The network of one node."""

    node: str = Field(min_length=1, description="The node's name in the cluster; its agent applies this.")
    links: tuple[Link, ...] = Field(default=(), description="Existing links and what of them is managed.")
    routes: tuple[StaticRoute, ...] = Field(default=(), description="Static routes.")

    @field_validator("links")
    @classmethod
    def _distinct_links(cls, given: tuple[Link, ...]) -> tuple[Link, ...]:
        _once((link.name for link in given), "link {} is named twice")
        # Every link has its own fe80::/10; any other address on two links makes replies leave through the wrong one.
        everywhere = (ip_interface(text) for link in given for text in link.addresses)
        _once((str(value.ip) for value in everywhere if not value.is_link_local), "address {} is named twice")
        return tuple(sorted(given, key=lambda link: link.name))

    @field_validator("routes")
    @classmethod
    def _distinct_routes(cls, given: tuple[StaticRoute, ...]) -> tuple[StaticRoute, ...]:
        _once((str(route.key) for route in given), "the route {} is named twice")
        return tuple(sorted(given, key=lambda route: route.key.order))

    @model_validator(mode="after")
    def _usable_routes(self) -> Self:
        down = {link.name for link in self.links if link.state == "down"}
        own = {str(ip_interface(text).ip) for link in self.links for text in link.addresses}
        for route in self.routes:
            if route.dev in down:
                raise ValueError(f"routes: {route.key} leaves through {route.dev}, whose state is to be down")
            if route.via in own:
                raise ValueError(f"routes: the gateway {route.via} of {route.key} is an address of this node")
        return self

    def link(self, name: str) -> Link | None:
        """Return what is wanted of a link, or None if it is not named."""
        return next((link for link in self.links if link.name == name), None)

    def doubts(self) -> tuple[str, ...]:
        """Say what the manifest alone cannot settle: gateways and sources outside the addresses that it names."""
        named = {link.name: [ip_interface(text) for text in link.addresses] for link in self.links}
        own = {str(value.ip) for values in named.values() for value in values}
        doubts = []
        for route in self.routes:
            near = [value.network for value in named.get(route.dev, ())]
            via = route.gateway
            if via and not via.is_link_local and not any(via in subnet for subnet in near):
                doubts.append(f"routes: no address named for {route.dev} reaches the gateway {via}")
            if route.src and route.src not in own:
                doubts.append(f"routes: the source {route.src} of {route.key} is no address named here")
        return tuple(doubts)


def observe(seen: Seen, wanted: NodeNetwork, inventory: Inventory, sources: frozenset[Ip]) -> NodeNetwork:
    """Return what is, in the words of the manifest: only what it names, and what the agent itself added before.

    A link that does not exist is absent. `sources` are addresses that the cluster writes into routes: where one stands
    in the place of the wanted source, the route is as wanted.
    """
    names = sorted({link.name for link in wanted.links} | {name for name, _ in inventory})
    links = (_observe_link(seen.devices.get(name), wanted.link(name), inventory) for name in names)
    asked = {route.key: route for route in wanted.routes}
    found: dict[Key, StaticRoute] = {}
    for route in seen.routes:
        ask = asked.get(route.key)
        better = route.key not in found or (ask is not None and ask.is_met_by(route, sources))
        if better and (ask is not None or route.is_ours):
            found[route.key] = _observe_route(route, ask, sources)
    return NodeNetwork.model_construct(
        node=wanted.node,
        links=tuple(link for link in links if link is not None),
        routes=tuple(found[key] for key in sorted(found, key=lambda key: key.order)),
    )


def _observe_link(device: Device | None, wanted: Link | None, inventory: Inventory) -> Link | None:
    if device is None:
        return None
    present = {str(address) for address in device.addresses}
    named = set(wanted.addresses if wanted else ()) | {text for name, text in inventory if name == device.name}
    if wanted is None and not present & named:
        return None
    return Link.model_construct(
        name=device.name,
        addresses=tuple(sorted(present & named, key=_by_address)),
        mtu=device.mtu if wanted and wanted.mtu is not None else None,
        state=("up" if device.up else "down") if wanted and wanted.state else None,
    )


def _observe_route(route: Route, ask: StaticRoute | None, sources: frozenset[Ip]) -> StaticRoute:
    src = None if route.src is None else str(route.src)
    if ask is not None and (ask.src is None or route.src in sources):
        src = ask.src
    return StaticRoute.model_construct(
        to=canonical.destination_of(route.key.to, route.via),
        via=None if route.via is None else str(route.via),
        dev=route.dev,
        src=src,
        metric=None if route.key.metric == DEFAULT_METRIC[route.key.to.version] else route.key.metric,
        table=None if route.key.table == MAIN_TABLE else route.key.table,
    )


def _by_address(text: str) -> tuple[int, int, int]:
    value = ip_interface(text)
    return value.version, int(value.ip), value.network.prefixlen


def _once(items: Iterable[str], complaint: str) -> None:
    twice = [item for item, count in Counter(items).items() if count > 1]
    if twice:
        raise ValueError("; ".join(complaint.format(item) for item in twice))


KIND = Kind(
    name="NodeNetwork",
    scope=Scope.NODE,
    spec=NodeNetwork,
    summary="The addresses, routes, MTU and state of the links of one node.",
)
