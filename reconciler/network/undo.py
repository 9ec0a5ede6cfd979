"""The way back from a network that was changed to the network that was seen. Pure."""

from collections.abc import Sequence
from dataclasses import replace

from reconciler.network.canonical import IPV4
from reconciler.network.iproute import Route, Seen
from reconciler.network.kernel import AddAddress, DropAddress, DropRoute, PutRoute, SetDevice, Step, after, losses


def undo(seen: Seen, steps: Sequence[Step]) -> list[Step]:
    """Return the steps back: our routes go, addresses and links in reverse, then every route that was lost on the way.

    They also fit where the batch stopped half-way.
    """
    known = {route.key for route in seen.routes}
    put = [step.route for step in steps if isinstance(step, PutRoute) and step.route.key not in known]
    now, lost = seen, set[Route]()
    back: list[Step] = []
    for step in steps:
        later = after(now, step)
        back = [*_inverse(step, now, later), *back]
        lost.update(losses(now, later)[1])
        now = later
    back = [*(DropRoute(route) for route in dict.fromkeys(put)), *back]
    for step in back:
        later = after(now, step)
        lost.update(losses(now, later)[1])
        now = later
    again = (route for route in seen.routes if route in lost or any(_mistakable(route, other) for other in put))
    return [*back, *(PutRoute(route, replace=True) for route in again)]


def _mistakable(route: Route, deleted: Route) -> bool:
    """True if deleting `deleted` where it never was deletes `route`: for IPv4, metric 0 means any metric."""
    same = replace(route, key=deleted.key, src=deleted.src) == deleted
    loose = deleted.key.to.version == IPV4 and deleted.key.metric == 0
    return loose and same and replace(route.key, metric=0) == deleted.key


def _inverse(step: Step, before: Seen, later: Seen) -> list[Step]:
    """Return what brings addresses and links back. Primaries first: what comes later in a subnet becomes secondary."""
    gone = sorted(losses(before, later)[0], key=lambda lost: lost[1].secondary)
    inverse: list[Step] = []
    match step:
        case AddAddress(dev, address):
            inverse = [DropAddress(dev, address)]
        case SetDevice(dev, mtu, up):
            device = before.devices[dev]
            inverse = [SetDevice(dev, device.mtu if mtu is not None else None, device.up if up is not None else None)]
    return inverse + [AddAddress(dev, address, trusted=True) for dev, address in gone]
