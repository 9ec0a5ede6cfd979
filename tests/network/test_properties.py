"""What holds for every plan, on every network: nothing foreign is lost, and the second plan is empty."""

import copy
from collections.abc import Iterable
from ipaddress import ip_interface

from hypothesis import example, given
from hypothesis import strategies as st

from reconciler.kinds.node_network import NodeNetwork, observe
from reconciler.network.iproute import Seen
from reconciler.network.owned import Owned
from reconciler.network.steps import NetworkPlan, plan, present
from reconciler.plan import Reason
from reconciler.state import Ref
from tests.examples import often
from tests.network.kernel_model import Kernel, Port, addresses, routes
from tests.network.strategies import Situation, situations

REF = Ref("NodeNetwork", "n1")


def found(*played: str, wanted: dict[str, object], inventory: Iterable[tuple[str, str]] = ()) -> Situation:
    """A situation that was found once, with what had been played then."""
    kernel = Kernel({"d0": Port(), "d1": Port()})
    kernel.run(played)
    network = NodeNetwork.model_validate({"node": "n1", **wanted})
    return Situation(kernel, network, Owned(), frozenset(inventory), [*played])


HELD_UNTIL_THE_REST_IS_DONE = found(
    "address add 10.0.0.3/24 dev d0",
    "address add 10.0.0.2/24 dev d0",
    "address add 10.0.0.3/25 dev d0",
    "route add 10.8.0.0/16 via 10.0.0.9 dev d0 proto 3 table 254 metric 0",
    wanted={"links": [{"name": "d0", "addresses": ["10.0.0.2/24"]}]},
    inventory={("d0", "10.0.0.3/24"), ("d0", "10.0.0.3/25")},
)


A_SOURCE_WAS_ON_ANOTHER_LINK = found(
    "address add fd00::2/64 dev d0",
    "address add fd00::1/64 dev d1",
    "route add fd09::/64 via fd00::9 dev d0 proto 77 src fd00::1 table 254 metric 1024",
    wanted={
        "links": [{"name": "d1", "addresses": [], "mtu": 1000}],
        "routes": [{"to": "fd09::/64", "dev": "d1"}],
    },
    inventory={("d1", "fd00::1/64")},
)


A_SOURCE_WENT_WITH_ITS_LINK = found(
    "address add fd00::2/64 dev d0",
    "address add fd00::1/64 dev d1",
    "route add fd09::/64 via fd00::9 dev d0 proto 77 src fd00::1 table 254 metric 1024",
    "link set dev d1 down",
    wanted={},
)


def planned(situation: Situation) -> NetworkPlan:
    return plan(REF, situation.wanted, situation.kernel.seen(), situation.owned, situation.inventory)


def executed(situation: Situation, made: NetworkPlan) -> Kernel:
    kernel = copy.deepcopy(situation.kernel)
    kernel.run(made.lines)
    return kernel


def named(wanted: NodeNetwork) -> set[tuple[str, str]]:
    return {(link.name, text) for link in wanted.links for text in link.addresses}


def foreign_routes(situation: Situation, seen: Seen) -> set[str]:
    keys = {route.key for route in situation.wanted.routes}
    return {str(route) for route in seen.routes if route.protocol != 77 and route.key not in keys}


@given(situations())
@often(100)
def test_no_line_is_refused_and_nothing_foreign_is_lost(situation: Situation) -> None:
    seen = situation.kernel.seen()
    later = executed(situation, planned(situation)).seen()
    theirs = addresses(seen) - situation.inventory - named(situation.wanted)
    assert theirs <= addresses(later)
    assert foreign_routes(situation, seen) <= foreign_routes(situation, later)


@given(situations())
@often(100)
def test_addresses_of_the_cluster_and_the_rings_stay_whoever_added_them(situation: Situation) -> None:
    owned = {address.ip for address in situation.owned.addresses} | situation.owned.rings
    seen = situation.kernel.seen()
    later = executed(situation, planned(situation)).seen()
    assert {found for found in addresses(seen) if ip_interface(found[1]).ip in owned} <= addresses(later)


@given(situations())
@often(100)
def test_nothing_is_taken_away_while_the_cluster_cannot_be_asked(situation: Situation) -> None:
    made = planned(situation)
    if situation.owned.unclear:
        later = executed(situation, made).seen()
        assert addresses(situation.kernel.seen()) <= addresses(later)
        assert routes(situation.kernel.seen()) <= routes(later)
        assert not any(line.endswith(" down") for line in made.lines)


def was_waiting(line: str, made: NetworkPlan) -> bool:
    """Tell whether a plan left this for later: what was held may be done once the rest has been.

    That is a route from an address that was new then, as the kernel first looks for a duplicate, and what a route
    depends on until an address that it could use too has its place.
    """
    pending = any(hold.reason is Reason.PENDING for hold in made.holds)
    route = pending and line.startswith(("route add ", "route replace "))
    return route or any(hold.reason is Reason.REFERENCED and hold.message.startswith(line) for hold in made.holds)


@example(HELD_UNTIL_THE_REST_IS_DONE)
@given(situations())
@often(100)
def test_the_network_is_then_as_the_plan_said_and_the_second_plan_is_empty(situation: Situation) -> None:
    made = planned(situation)
    later = executed(situation, made).seen()
    kept = present(made.inventory, later)
    now = observe(later, situation.wanted, made.inventory, situation.owned.sources)
    if made.changes:
        assert now == made.changes[0].after
        assert made.changes[0].fields()
    assert bool(made.changes) == bool(made.lines)
    if not made.holds:
        assert now == situation.wanted
    kernel = executed(situation, made)
    for _ in range(2):
        again = plan(REF, situation.wanted, kernel.seen(), situation.owned, kept)
        assert all(was_waiting(line, made) for line in again.lines)
        kernel.run(again.lines)
        kept, made = present(again.inventory, kernel.seen()), again
    assert again.lines == ()
    assert again.changes == ()


@given(situations(), st.randoms(use_true_random=False))
@often(100)
def test_the_order_of_what_is_said_and_seen_does_not_matter(situation: Situation, chance: object) -> None:
    shuffle = chance.shuffle  # type: ignore[attr-defined]
    said = situation.wanted.model_dump(mode="json", exclude_none=True)
    links = said.get("links", [])
    for items in (links, said.get("routes", []), *(link.get("addresses", []) for link in links)):
        shuffle(items)
    seen = situation.kernel.seen()
    order, way = list(seen.devices), list(seen.routes)
    shuffle(order)
    shuffle(way)
    mixed = Seen({name: seen.devices[name] for name in order}, tuple(way), seen.promoting)
    other = plan(REF, NodeNetwork.model_validate(said), mixed, situation.owned, situation.inventory)
    first = planned(situation)
    assert (other.lines, other.holds, other.foreign) == (first.lines, first.holds, first.foreign)
    assert other.changes == first.changes


def restorable(kernel: Kernel) -> set[str]:
    """Routes that the kernel would take again: not those that have outlived the address that they send from."""
    seen = kernel.seen()
    local = {address.interface.ip for device in seen.devices.values() for address in device.addresses}
    return {str(route) for route in seen.routes if route.src is None or route.src in local}


@example(A_SOURCE_WAS_ON_ANOTHER_LINK)
@example(A_SOURCE_WENT_WITH_ITS_LINK)
@given(situations())
@often(100)
def test_undo_puts_everything_back(situation: Situation) -> None:
    made = planned(situation)
    kernel = executed(situation, made)
    kernel.force(made.undo)
    before = situation.kernel
    assert addresses(kernel.seen()) == addresses(before.seen())
    assert restorable(kernel) == restorable(before)
    for dev, port in before.ports.items():
        assert (kernel.ports[dev].up, kernel.ports[dev].mtu) == (port.up, port.mtu)


@example(A_SOURCE_WENT_WITH_ITS_LINK, 1)
@given(situations(), st.integers(0, 8))
@often(100)
def test_undo_after_half_a_batch_puts_everything_back(situation: Situation, stop: int) -> None:
    made = planned(situation)
    kernel = copy.deepcopy(situation.kernel)
    kernel.run(made.lines[:stop])
    kernel.force(made.undo)
    assert addresses(kernel.seen()) == addresses(situation.kernel.seen())
    assert restorable(kernel) == restorable(situation.kernel)


@given(situations())
@often(100)
def test_a_failover_takes_no_wanted_address_along_unless_the_plan_said_so(situation: Situation) -> None:
    made = planned(situation)
    kernel = executed(situation, made)
    owned = {address.ip for address in situation.owned.addresses}
    there = named(situation.wanted) & addresses(kernel.seen())
    for dev, text in sorted(addresses(kernel.seen())):
        if ip_interface(text).ip in owned:
            kernel.run([f"address delete {text} dev {dev}"])
    lost = there - addresses(kernel.seen())
    said = " ".join(hold.message for hold in made.holds if hold.reason is Reason.ADDRESS_ORDER)
    assert all(text in said for _, text in lost)
