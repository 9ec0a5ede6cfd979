"""May this step be taken? The proof that nothing is lost which is not the agent's to lose. Pure.

Every step that takes something away goes through `objection`. It asks the kernel's rules what would be gone, and
allows only what the agent itself added or what the manifest names, which is put back at once.
"""

from reconciler.frozen import frozen
from reconciler.kinds.node_network import Inventory, NodeNetwork
from reconciler.network.canonical import Ip
from reconciler.network.iproute import Address, Route, Seen
from reconciler.network.kernel import DropAddress, SetDevice, Step, after, losses
from reconciler.network.owned import Owned
from reconciler.plan import Reason


@frozen
class Mandate:
    """What the agent is to do, what it may take away because it added it, and what is not its own."""

    wanted: NodeNetwork
    owned: Owned
    inventory: Inventory

    def wants(self, dev: str, address: Address) -> bool:
        """True if the manifest names this address of this link."""
        link = self.wanted.link(dev)
        return link is not None and str(address) in link.addresses

    def wants_route(self, route: Route) -> bool:
        """True if the manifest names a route with this key."""
        return any(ask.key == route.key for ask in self.wanted.routes)

    def added(self, dev: str, address: Address) -> bool:
        """True if the agent added this address."""
        return (dev, str(address)) in self.inventory

    def users(self, ip: Ip) -> str | None:
        """Say what in the cluster lives on an address: a resource, a ring; None if nothing does."""
        owner = self.owned.owner(ip)
        if owner:
            return f"{owner} owns it"
        if ip in self.owned.rings:
            return "corosync runs over it"
        return "an IPsrcaddr sends from it" if ip in self.owned.sources else None


@frozen
class Objection:
    """Why a step must not be taken now."""

    reason: Reason
    message: str


def objection(mandate: Mandate, now: Seen, step: Step) -> Objection | None:
    """Return why `step` must not be taken on the network `now`, or None if it takes away only what it may."""
    later = after(now, step)
    addresses, routes = losses(now, later)
    goes_down = isinstance(step, SetDevice) and step.up is False
    if mandate.owned.unclear and (addresses or routes or goes_down):
        unclear = mandate.owned.unclear[0]
        return Objection(Reason.UNOBSERVABLE, f"{step.line}: nothing is taken away while {unclear}")
    if isinstance(step, SetDevice) and goes_down:
        needed = _needed(mandate, now, step.dev)
        if needed:
            return Objection(Reason.CLUSTER_OWNED, f"{step.line}: {needed}")
    for dev, address in sorted(addresses, key=str):
        against = _against_losing(mandate, step, dev, address)
        if against:
            return against
    if isinstance(step, DropAddress):
        stranded = _stranded(mandate, later, step)
        if stranded:
            return Objection(Reason.CLUSTER_OWNED, f"{step.line}: {stranded}")
    gone = {address.interface.ip for _, address in addresses}
    broken = (route for route in later.routes if route.src in gone and not route.made_by_kernel)
    for route in sorted((*routes, *broken), key=lambda route: (route.key.order, str(route))):
        if not route.is_ours and not (route.plain and mandate.wants_route(route)):
            message = f"{step.line}: the route {route} would be lost or broken, and the agent did not make it"
            return Objection(Reason.REFERENCED, message)
    return None


def _against_losing(mandate: Mandate, step: Step, dev: str, address: Address) -> Objection | None:
    users = mandate.users(address.interface.ip)
    aside = isinstance(step, DropAddress) and step.address != address
    if users is None and (mandate.wants(dev, address) or mandate.added(dev, address) or address.made_by_kernel):
        return None
    why = f"{address} on {dev} would be lost, and {users or 'the agent did not add it'}"
    if aside:
        why += (
            f": the kernel removes a secondary address with its primary; move it elsewhere first, "
            f"or set net.ipv4.conf.{dev}.promote_secondaries=1"
        )
        return Objection(Reason.ADDRESS_ORDER, f"{step.line}: {why}")
    return Objection(Reason.CLUSTER_OWNED if users else Reason.REFERENCED, f"{step.line}: {why}")


def _needed(mandate: Mandate, now: Seen, dev: str) -> str | None:
    """Say what in the cluster needs a link to be up: addresses on it, and those that may come."""
    here = now.devices[dev].addresses
    for address in here:
        users = mandate.users(address.interface.ip)
        if users:
            return f"{address} is on {dev}, and {users}"
    for owned in mandate.owned.addresses:
        near = any(owned.ip in address.network for address in here if not address.made_by_kernel)
        if dev in owned.nics or (not owned.nics and near):
            return f"{owned.by} may put {owned.ip} on {dev}"
    return None


def _stranded(mandate: Mandate, later: Seen, step: DropAddress) -> str | None:
    """Say which address of the cluster would stay on the link without a route to its own subnet."""
    left = later.devices[step.dev].addresses
    for address in left:
        ip = address.interface.ip
        if mandate.owned.owner(ip) and ip in step.address.network and not any(_covers(other, ip) for other in left):
            return f"{address} of {mandate.owned.owner(ip)} would stay without a route to its subnet"
    return None


def _covers(address: Address, ip: Ip) -> bool:
    return address.reaches and address.network.num_addresses > 1 and ip in address.network
