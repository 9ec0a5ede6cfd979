"""The proof that a step takes nothing away which is not the agent's: on its own, case by case."""

from ipaddress import ip_address

import pytest

from reconciler.network.iproute import Address, Route, Seen
from reconciler.network.kernel import AddAddress, DropAddress, DropRoute, PutRoute, SetDevice, Step
from reconciler.network.owned import Owned, OwnedAddress
from reconciler.network.proof import Mandate, Objection, objection
from reconciler.plan import Reason
from tests.network.kernel_model import Kernel, Port
from tests.network.test_node_network import network

VIP = OwnedAddress(ip_address("10.0.0.60"), frozenset(), "IPaddr2 vip")


def seen(*lines: str, promoting: bool = False, mtu: int = 1500) -> Seen:
    kernel = Kernel({"d0": Port(mtu=mtu), "d1": Port()}, promoting={"d0"} if promoting else set())
    kernel.run(lines)
    return kernel.seen()


def mandate(*inventory: str, wanted: tuple[str, ...] = (), owned: Owned | None = None) -> Mandate:
    return Mandate(
        network([{"name": "d0", "addresses": list(wanted)}]),
        owned or Owned(addresses=(VIP,)),
        frozenset(("d0", text) for text in inventory),
    )


def address(now: Seen, text: str, dev: str = "d0") -> Address:
    return next(found for found in now.devices[dev].addresses if str(found) == text)


def drop(now: Seen, text: str) -> DropAddress:
    return DropAddress("d0", address(now, text))


def route(now: Seen) -> Route:
    (found,) = now.routes
    return found


def reason(found: Objection | None) -> Reason | None:
    return found.reason if found else None


def test_what_the_agent_added_and_nobody_wants_may_go() -> None:
    now = seen("address add 10.0.0.1/24 dev d0")
    assert objection(mandate("10.0.0.1/24"), now, drop(now, "10.0.0.1/24")) is None


def test_what_the_agent_did_not_add_may_not() -> None:
    now = seen("address add 10.0.0.1/24 dev d0")
    found = objection(mandate(), now, drop(now, "10.0.0.1/24"))
    assert reason(found) is Reason.REFERENCED
    assert found is not None
    assert found.message == (
        "address delete 10.0.0.1/24 dev d0: 10.0.0.1/24 on d0 would be lost, and the agent did not add it"
    )


@pytest.mark.parametrize("text", ["10.0.0.60/24", "10.0.0.60/32"])
def test_an_address_of_the_cluster_may_never_go_even_if_the_agent_once_added_it(text: str) -> None:
    now = seen(f"address add {text} dev d0")
    assert reason(objection(mandate(text, wanted=()), now, drop(now, text))) is Reason.CLUSTER_OWNED


def test_a_primary_may_not_take_the_clusters_secondary_along() -> None:
    now = seen("address add 10.0.0.1/24 dev d0", "address add 10.0.0.60/24 dev d0")
    found = objection(mandate("10.0.0.1/24"), now, drop(now, "10.0.0.1/24"))
    assert reason(found) is Reason.ADDRESS_ORDER
    assert found is not None
    assert found.message == (
        "address delete 10.0.0.1/24 dev d0: 10.0.0.60/24 on d0 would be lost, and IPaddr2 vip owns it: the kernel "
        "removes a secondary address with its primary; move it elsewhere first, or set "
        "net.ipv4.conf.d0.promote_secondaries=1"
    )


def test_a_primary_may_not_take_a_foreign_secondary_along() -> None:
    now = seen("address add 10.0.0.1/24 dev d0", "address add 10.0.0.7/24 dev d0")
    assert reason(objection(mandate("10.0.0.1/24"), now, drop(now, "10.0.0.1/24"))) is Reason.ADDRESS_ORDER
    assert objection(mandate("10.0.0.1/24", wanted=("10.0.0.7/24",)), now, drop(now, "10.0.0.1/24")) is None
    assert objection(mandate("10.0.0.1/24", "10.0.0.7/24"), now, drop(now, "10.0.0.1/24")) is None


def test_with_promotion_or_as_a_secondary_it_takes_nothing_along() -> None:
    lines = ("address add 10.0.0.1/24 dev d0", "address add 10.0.0.60/24 dev d0")
    now = seen(*lines, promoting=True)
    stranded = objection(mandate("10.0.0.1/24"), now, drop(now, "10.0.0.1/24"))
    assert stranded is None
    now = seen(*reversed(lines))
    assert objection(mandate("10.0.0.1/24"), now, drop(now, "10.0.0.1/24")) is None


def test_the_clusters_32_may_not_be_left_without_its_subnet() -> None:
    lines = ("address add 10.0.0.1/24 dev d0", "address add 10.0.0.60/32 dev d0")
    now = seen(*lines)
    found = objection(mandate("10.0.0.1/24"), now, drop(now, "10.0.0.1/24"))
    assert reason(found) is Reason.CLUSTER_OWNED
    assert found is not None
    assert "10.0.0.60/32 of IPaddr2 vip would stay without a route to its subnet" in found.message
    now = seen(*lines, "address add 10.0.0.2/24 dev d0", promoting=True)
    assert objection(mandate("10.0.0.1/24"), now, drop(now, "10.0.0.1/24")) is None


def test_an_address_under_a_ring_or_a_source_of_the_cluster_may_not_go() -> None:
    now = seen("address add 10.0.0.1/24 dev d0")
    for owned in (Owned(rings=frozenset({ip_address("10.0.0.1")})), Owned(sources=frozenset({ip_address("10.0.0.1")}))):
        assert reason(objection(mandate("10.0.0.1/24", owned=owned), now, drop(now, "10.0.0.1/24"))) is (
            Reason.CLUSTER_OWNED
        )


@pytest.mark.parametrize(
    "line",
    [
        "route add 10.9.0.0/16 via 10.0.0.9 dev d0 proto 3 table 254 metric 0",
        "route add 10.9.0.0/16 via 10.0.0.9 dev d0 proto 3 src 10.0.0.1 table 100 metric 0",
    ],
)
def test_an_address_may_not_take_a_foreign_route_along_or_break_it(line: str) -> None:
    now = seen("address add 10.0.0.1/24 dev d0", line)
    found = objection(mandate("10.0.0.1/24"), now, drop(now, "10.0.0.1/24"))
    assert reason(found) is Reason.REFERENCED
    ours = seen("address add 10.0.0.1/24 dev d0", line.replace("proto 3", "proto 77"))
    assert objection(mandate("10.0.0.1/24"), ours, drop(ours, "10.0.0.1/24")) is None


def test_only_the_agents_routes_may_go() -> None:
    line = "route add 10.9.0.0/16 dev d0 proto 77 table 254 metric 0"
    now = seen(line)
    assert objection(mandate(), now, DropRoute(route(now))) is None
    now = seen(line.replace("77", "3"))
    assert reason(objection(mandate(), now, DropRoute(route(now)))) is Reason.REFERENCED


def test_a_route_with_a_wanted_key_may_be_replaced_whoever_made_it() -> None:
    now = seen("route add 10.9.0.0/16 dev d0 proto 3 table 254 metric 0")
    step = PutRoute(Route(route(now).key, None, "d1", None, 77), replace=True)
    wanted = Mandate(network(routes=[{"to": "10.9.0.0/16", "dev": "d1"}]), Owned(), frozenset())
    assert objection(wanted, now, step) is None
    assert reason(objection(mandate(), now, step)) is Reason.REFERENCED


@pytest.mark.parametrize(
    ("line", "owned", "allowed"),
    [
        ("address add 10.0.0.1/24 dev d0", Owned(), True),
        ("address add 10.0.0.60/24 dev d0", Owned(addresses=(VIP,)), False),
        ("address add 10.0.0.1/24 dev d0", Owned(addresses=(VIP,)), False),
        ("address add 10.0.1.1/24 dev d0", Owned(addresses=(VIP,)), True),
        ("address add 10.0.1.1/24 dev d0", Owned(addresses=(OwnedAddress(VIP.ip, frozenset({"d0"}), "v"),)), False),
        ("address add 10.0.0.1/24 dev d0", Owned(addresses=(OwnedAddress(VIP.ip, frozenset({"d1"}), "v"),)), True),
        ("address add 10.0.1.1/24 dev d0", Owned(rings=frozenset({ip_address("10.0.1.1")})), False),
    ],
)
def test_a_link_goes_down_only_if_nothing_of_the_cluster_is_or_may_come_on_it(
    line: str, owned: Owned, *, allowed: bool
) -> None:
    found = objection(mandate(owned=owned), seen(line), SetDevice("d0", up=False))
    assert reason(found) is (None if allowed else Reason.CLUSTER_OWNED)


@pytest.mark.parametrize("step", [SetDevice("d0", up=False), SetDevice("d0", mtu=1000)])
def test_a_link_may_not_lose_a_foreign_ipv6_address(step: Step) -> None:
    now = seen("address add fd00::1/64 dev d0")
    assert reason(objection(mandate(owned=Owned()), now, step)) is Reason.REFERENCED
    assert objection(mandate("fd00::1/64", owned=Owned()), now, step) is None


@pytest.mark.parametrize("text", ["10.0.0.1/24", "fd00::1/64"])
def test_without_the_cib_nothing_is_taken_away_and_adding_is_free(text: str) -> None:
    now = seen(f"address add {text} dev d0", "route add 10.9.0.0/16 dev d0 proto 77 table 254 metric 0")
    blind = mandate(text, owned=Owned(unclear=("the live CIB cannot be read",)))
    replaced = PutRoute(Route(route(now).key, None, "d1", None, 77), replace=True)
    for step in (drop(now, text), DropRoute(route(now)), SetDevice("d0", up=False), replaced):
        found = objection(blind, now, step)
        assert reason(found) is Reason.UNOBSERVABLE
        assert found is not None
        assert found.message.endswith("nothing is taken away while the live CIB cannot be read")
    added = AddAddress("d1", address(now, text))
    assert objection(blind, now, added) is None
    assert objection(blind, now, SetDevice("d0", mtu=1400)) is None
