"""Plans for a node's network, case by case: the lines, their order, and what is held back and why."""

from dataclasses import replace
from ipaddress import ip_address, ip_network
from typing import Any

import pytest

from reconciler.kinds.node_network import Inventory, NodeNetwork
from reconciler.network.iproute import Seen
from reconciler.network.owned import Owned, OwnedAddress, OwnedRoute
from reconciler.network.steps import BATCH, NetworkPlan, plan
from reconciler.plan import Hold, Reason
from reconciler.state import Ref, Scope
from tests.network.kernel_model import Kernel, Port
from tests.network.test_node_network import network

REF = Ref("NodeNetwork", "vm-node1")
VIP = Owned(addresses=(OwnedAddress(ip_address("192.168.1.60"), frozenset({"bond1"}), "IPaddr2 vip"),))
BLIND = replace(VIP, unclear=("the live CIB cannot be read",))
STATIC = "address add 192.168.1.61/24 dev bond1"
FLOATING = "address add 192.168.1.60/24 dev bond1"
DEFAULT = "route add 0.0.0.0/0 via 192.168.1.1 dev bond1 proto 77 table 254 metric 0"


def seen(*lines: str, promoting: bool = False) -> Seen:
    kernel = Kernel({"bond0": Port(), "bond1": Port()}, promoting={"bond1"} if promoting else set())
    kernel.run(lines)
    return kernel.seen()


def bond1(*addresses: str, routes: list[dict[str, Any]] | None = None, **more: Any) -> NodeNetwork:
    return network([{"name": "bond1", "addresses": list(addresses), **more}], routes)


def decide(wanted: NodeNetwork, now: Seen, owned: Owned = VIP, *inventory: str) -> NetworkPlan:
    ours: Inventory = frozenset(("bond1", text) for text in inventory)
    return plan(REF, wanted, now, owned, ours)


def held(made: NetworkPlan) -> list[Reason]:
    return [hold.reason for hold in made.holds]


def test_the_reference_case_from_nothing() -> None:
    wanted = network(
        [
            {"name": "bond0", "addresses": ["10.20.13.1/30"], "mtu": 9000},
            {"name": "bond1", "addresses": ["192.168.1.61/24", "fd00::61/64"], "state": "up"},
        ],
        [{"to": "default", "via": "192.168.1.1", "dev": "bond1"}, {"to": "10.9.0.0/16", "dev": "bond0", "metric": 5}],
    )
    made = decide(wanted, seen("link set dev bond1 down"))
    assert made.lines == (
        "link set dev bond0 mtu 9000",
        "link set dev bond1 up",
        "address add 10.20.13.1/30 broadcast + dev bond0",
        "address add 192.168.1.61/24 broadcast + dev bond1",
        "address add fd00::61/64 dev bond1",
        "route add 0.0.0.0/0 via 192.168.1.1 dev bond1 proto 77 table 254 metric 0",
        "route add 10.9.0.0/16 dev bond0 proto 77 table 254 metric 5",
    )
    assert made.undo == (
        "route delete 0.0.0.0/0 via 192.168.1.1 dev bond1 proto 77 table 254 metric 0",
        "route delete 10.9.0.0/16 dev bond0 proto 77 table 254 metric 5",
        "address delete fd00::61/64 dev bond1",
        "address delete 192.168.1.61/24 dev bond1",
        "address delete 10.20.13.1/30 dev bond0",
        "link set dev bond1 down",
        "link set dev bond0 mtu 1500",
    )
    assert made.inventory == {("bond0", "10.20.13.1/30"), ("bond1", "192.168.1.61/24"), ("bond1", "fd00::61/64")}
    (command,) = made.commands
    assert (command.argv, command.scope, command.refs) == (BATCH, Scope.NODE, (REF,))
    assert command.stdin.splitlines() == list(made.lines)
    (change,) = made.changes
    assert change.after == wanted
    assert [field.path for field in change.fields()][:4] == [
        "links[bond0].addresses",
        "links[bond0].mtu",
        "links[bond1].addresses",
        "links[bond1].state",
    ]


def test_a_node_that_is_as_wanted_gives_an_empty_plan_whoever_made_it() -> None:
    now = seen(STATIC, FLOATING, DEFAULT.replace("proto 77", "proto 3"))
    wanted = bond1("192.168.1.61/24", routes=[{"to": "default", "via": "192.168.1.1", "dev": "bond1"}])
    assert decide(wanted, now) == NetworkPlan()


def test_a_bounced_link_gets_its_routes_and_ipv6_addresses_back() -> None:
    kernel = Kernel({"bond1": Port()})
    kernel.run([STATIC, "address add fd00::61/64 dev bond1", DEFAULT])
    kernel.run(["link set dev bond1 down", "link set dev bond1 up"])
    routes = [{"to": "default", "via": "192.168.1.1", "dev": "bond1"}]
    made = decide(bond1("192.168.1.61/24", "fd00::61/64", routes=routes), kernel.seen())
    assert made.lines == ("address add fd00::61/64 dev bond1", DEFAULT)


# The trap of primary and secondary addresses.


def test_a_static_address_is_not_added_behind_the_floating_one() -> None:
    made = decide(bond1("192.168.1.61/24"), seen(FLOATING))
    assert made.lines == ()
    assert made.holds == (
        Hold(
            Reason.ADDRESS_ORDER,
            "links[bond1]: 192.168.1.61/24 would be secondary to 192.168.1.60/24 of IPaddr2 vip and would go with it: "
            "move that elsewhere, give it the prefix length 32, or set net.ipv4.conf.bond1.promote_secondaries=1",
            REF,
            Scope.NODE,
        ),
    )


@pytest.mark.parametrize(
    ("lines", "promoting"),
    [
        ((FLOATING,), True),
        ((FLOATING.replace("/24", "/32"),), False),
        ((FLOATING.replace("/24", "/25"),), False),
        (("address add 192.168.1.99/24 dev bond1",), False),
        ((), False),
    ],
)
def test_a_static_address_is_added_where_a_failover_leaves_it(lines: tuple[str, ...], *, promoting: bool) -> None:
    made = decide(bond1("192.168.1.61/24"), seen(*lines, promoting=promoting))
    assert made.lines == ("address add 192.168.1.61/24 broadcast + dev bond1",)
    assert made.holds == ()


def test_an_inverted_order_is_reported_and_left_until_the_floating_address_is_elsewhere() -> None:
    inverted = seen(FLOATING, STATIC)
    made = decide(bond1("192.168.1.61/24"), inverted)
    assert (made.lines, held(made)) == ((), [Reason.ADDRESS_ORDER])
    assert "192.168.1.61/24 is secondary to 192.168.1.60/24 of IPaddr2 vip" in made.holds[0].message
    assert decide(bond1("192.168.1.61/24"), seen(FLOATING, STATIC, promoting=True)).holds == ()
    moved = seen(FLOATING, STATIC, "address delete 192.168.1.60/24 dev bond1")
    assert decide(bond1("192.168.1.61/24"), moved).lines == ("address add 192.168.1.61/24 broadcast + dev bond1",)


def test_without_the_cib_an_unknown_primary_may_be_the_clusters() -> None:
    unknown = "address add 192.168.1.99/24 dev bond1"
    blind = Owned(unclear=("the live CIB cannot be read",))
    assert held(decide(bond1("192.168.1.61/24"), seen(unknown), blind)) == [Reason.ADDRESS_ORDER]
    ours = decide(bond1("192.168.1.61/24", "192.168.1.99/24"), seen(unknown), blind)
    assert ours.lines == ("address add 192.168.1.61/24 broadcast + dev bond1",)
    assert ours.warnings == blind.unclear


def test_a_change_of_address_adds_before_it_deletes_and_puts_back_what_goes_along() -> None:
    routes = [{"to": "default", "via": "192.168.1.1", "dev": "bond1"}]
    made = decide(bond1("192.168.1.71/24", routes=routes), seen(STATIC, DEFAULT), VIP, "192.168.1.61/24")
    assert made.lines == (
        "address add 192.168.1.71/24 broadcast + dev bond1",
        "address delete 192.168.1.61/24 dev bond1",
        "address add 192.168.1.71/24 broadcast + dev bond1",
        "route replace 0.0.0.0/0 via 192.168.1.1 dev bond1 proto 77 table 254 metric 0",
    )
    assert made.inventory == {("bond1", "192.168.1.61/24"), ("bond1", "192.168.1.71/24")}
    kept = decide(
        bond1("192.168.1.71/24", routes=routes), seen(STATIC, DEFAULT, promoting=True), VIP, "192.168.1.61/24"
    )
    assert kept.lines == made.lines[:2]


def test_a_change_of_the_prefix_length_waits_for_the_floating_address() -> None:
    made = decide(bond1("192.168.1.61/25"), seen(STATIC, FLOATING), VIP, "192.168.1.61/24")
    assert made.lines == ("address add 192.168.1.61/25 broadcast + dev bond1",)
    assert held(made) == [Reason.ADDRESS_ORDER]


# What is not the agent's.


def test_an_address_that_the_agent_did_not_add_is_reported_and_stays() -> None:
    now = seen(
        STATIC, "address add 10.0.0.1/24 dev bond0", "route add 10.9.0.0/16 dev bond1 proto 3 table 254 metric 0"
    )
    made = decide(bond1("192.168.1.71/24"), now)
    assert made.lines == ("address add 192.168.1.71/24 broadcast + dev bond1",)
    assert made.foreign == ("bond1: 192.168.1.61/24", "route 10.9.0.0/16 dev bond1")


def test_an_address_that_the_cluster_took_over_is_the_agents_no_more() -> None:
    made = decide(bond1(), seen(FLOATING), VIP, "192.168.1.60/24")
    assert (made.lines, made.holds, made.inventory, made.foreign) == ((), (), frozenset(), ())


def test_an_address_that_somebody_removed_and_added_again_is_not_the_agents() -> None:
    gone = decide(bond1(), seen(), VIP, "192.168.1.61/24")
    assert gone.inventory == frozenset()


def test_a_manifest_that_names_the_clusters_address_does_nothing_at_all() -> None:
    made = decide(bond1("192.168.1.60/24", "192.168.1.61/24"), seen())
    assert (made.lines, made.changes, held(made)) == ((), (), [Reason.CLUSTER_OWNED])
    assert made.holds[0].message == (
        "links[bond1].addresses: 192.168.1.60/24 belongs to IPaddr2 vip: the cluster puts it there"
    )


def test_without_the_cib_only_additions_are_made() -> None:
    now = seen(STATIC, DEFAULT, "address add 192.168.1.62/24 dev bond1")
    wanted = bond1("192.168.1.63/25", routes=[{"to": "default", "via": "192.168.1.2", "dev": "bond1"}])
    made = decide(wanted, now, BLIND, "192.168.1.61/24", "192.168.1.62/24")
    assert made.lines == ("address add 192.168.1.63/25 broadcast + dev bond1",)
    assert set(held(made)) == {Reason.UNOBSERVABLE}
    assert len(made.holds) == 3


# Links.


def test_a_missing_link_is_said_and_the_others_are_done() -> None:
    wanted = network(
        [{"name": "bond1", "addresses": ["10.0.0.1/24"]}, {"name": "bond9", "addresses": ["10.0.9.1/24"]}],
        [{"to": "10.8.0.0/16", "dev": "bond8"}],
    )
    made = decide(wanted, seen())
    assert made.lines == ("address add 10.0.0.1/24 broadcast + dev bond1",)
    assert [(hold.reason, hold.message) for hold in made.holds] == [
        (Reason.LINK_MISSING, "links[bond9]: this node has no such link"),
        (Reason.LINK_MISSING, "routes: 10.8.0.0/16 via bond8: this node has no link bond8"),
    ]


def test_an_mtu_that_the_link_does_not_take_is_held() -> None:
    now = seen()
    small = replace(now.devices["bond1"], most_mtu=1500)
    made = decide(bond1(mtu=9000), replace(now, devices={**now.devices, "bond1": small}))
    assert (made.lines, held(made)) == ((), [Reason.UNSUPPORTED])
    assert made.holds[0].message == "links[bond1].mtu: 9000, but the link takes 68 to 1500"


def test_an_mtu_that_takes_ipv6_away_is_held_for_foreign_addresses() -> None:
    made = decide(bond1(mtu=1000), seen("address add fd00::1/64 dev bond1"))
    assert (made.lines, held(made)) == ((), [Reason.REFERENCED])


@pytest.mark.parametrize("owned", [VIP, Owned(rings=frozenset({ip_address("192.168.1.61")})), BLIND])
def test_a_link_that_the_cluster_needs_stays_up(owned: Owned) -> None:
    made = decide(bond1("192.168.1.61/24", state="down"), seen(STATIC), owned)
    assert (made.lines, len(made.holds)) == ((), 1)


def test_a_link_that_nobody_needs_goes_down_last() -> None:
    made = decide(bond1("192.168.1.61/24", state="down"), seen(), Owned())
    assert made.lines == ("address add 192.168.1.61/24 broadcast + dev bond1", "link set dev bond1 down")


def test_an_address_that_another_host_has_is_reported() -> None:
    now = seen("address add fd00::61/64 dev bond1")
    (address,) = now.devices["bond1"].addresses
    failed = replace(now.devices["bond1"], addresses=(replace(address, failed=True),))
    made = decide(bond1("fd00::61/64"), replace(now, devices={"bond1": failed}))
    assert [(hold.reason, hold.message) for hold in made.holds] == [
        (Reason.FAILED, "links[bond1]: another host answers for fd00::61/64")
    ]


# Routes.


def routed(now: Seen, owned: Owned = VIP, **route: Any) -> NetworkPlan:
    return decide(bond1("192.168.1.61/24", routes=[{"dev": "bond1", **route}]), now, owned)


def test_another_gateway_replaces_and_another_metric_adds_before_it_deletes() -> None:
    now = seen(STATIC, DEFAULT)
    replaced = routed(now, to="default", via="192.168.1.2")
    assert replaced.lines == ("route replace 0.0.0.0/0 via 192.168.1.2 dev bond1 proto 77 table 254 metric 0",)
    assert replaced.undo == ("route replace 0.0.0.0/0 via 192.168.1.1 dev bond1 proto 77 table 254 metric 0",)
    moved = routed(now, to="default", via="192.168.1.1", metric=9)
    assert moved.lines == (
        "route add 0.0.0.0/0 via 192.168.1.1 dev bond1 proto 77 table 254 metric 9",
        "route delete 0.0.0.0/0 via 192.168.1.1 dev bond1 proto 77 table 254 metric 0",
    )


def test_undo_restores_a_route_that_its_deletion_could_be_taken_for() -> None:
    made = routed(seen(STATIC, DEFAULT.replace("metric 0", "metric 7")), BLIND, to="default", via="192.168.1.1")
    line = "0.0.0.0/0 via 192.168.1.1 dev bond1 proto 77 table 254 metric"
    assert made.lines == (f"route add {line} 0",)
    assert made.undo == (f"route delete {line} 0", f"route replace {line} 7")


def test_a_route_of_another_hand_with_the_wanted_key_is_replaced_and_undo_restores_its_mark() -> None:
    made = routed(seen(STATIC, DEFAULT.replace("proto 77", "proto 3")), to="default", via="192.168.1.2")
    assert made.lines == ("route replace 0.0.0.0/0 via 192.168.1.2 dev bond1 proto 77 table 254 metric 0",)
    assert made.undo == ("route replace 0.0.0.0/0 via 192.168.1.1 dev bond1 proto 3 table 254 metric 0",)


@pytest.mark.parametrize("change", [{"plain": False}, {"protocol": 2}, {"protocol": 9}])
def test_a_route_that_could_not_be_restored_is_not_replaced(change: dict[str, Any]) -> None:
    now = seen(STATIC, DEFAULT)
    odd = replace(now, routes=(replace(now.routes[0], **change),))
    made = routed(odd, to="default", via="192.168.1.2")
    assert (made.lines, held(made)) == ((), [Reason.UNSUPPORTED])


def test_a_source_that_ipsrcaddr_wrote_is_no_drift_and_stays_when_the_gateway_changes() -> None:
    owned = replace(VIP, sources=frozenset({ip_address("192.168.1.60")}))
    now = seen(STATIC, FLOATING, DEFAULT.replace("proto 77", "proto 77 src 192.168.1.60"))
    assert routed(now, owned, to="default", via="192.168.1.1").lines == ()
    assert routed(now, owned, to="default", via="192.168.1.1", src="192.168.1.61").lines == ()
    made = routed(now, owned, to="default", via="192.168.1.2")
    assert made.lines == (
        "route replace 0.0.0.0/0 via 192.168.1.2 dev bond1 proto 77 src 192.168.1.60 table 254 metric 0",
    )


def test_a_route_of_a_route_agent_is_neither_wanted_nor_deleted() -> None:
    owned = replace(VIP, routes=(OwnedRoute(ip_network("0.0.0.0/0"), 254, "Route r"),))
    assert decide(bond1("192.168.1.61/24"), seen(STATIC, DEFAULT), owned).lines == ()
    assert held(routed(seen(STATIC), owned, to="default", via="192.168.1.1")) == [Reason.CLUSTER_OWNED]


@pytest.mark.parametrize(
    ("lines", "route", "reason", "message"),
    [
        ((STATIC,), {"to": "default", "via": "10.0.0.1"}, Reason.REFERENCE_MISSING, "nothing on bond1 reaches"),
        (
            (STATIC,),
            {"to": "10.9.0.0/16", "src": "10.0.0.1"},
            Reason.REFERENCE_MISSING,
            "is not an address of this node",
        ),
        ((STATIC, "link set dev bond1 down"), {"to": "10.9.0.0/16"}, Reason.REFERENCE_MISSING, "bond1 is down"),
        ((STATIC, "link set dev bond1 mtu 1000"), {"to": "fd09::/64"}, Reason.UNSUPPORTED, "needs an mtu of 1280"),
    ],
)
def test_a_route_that_the_kernel_would_refuse_is_held(
    lines: tuple[str, ...], route: dict[str, Any], reason: Reason, message: str
) -> None:
    made = routed(seen(*lines), **route)
    assert (made.lines, held(made)) == ((), [reason])
    assert message in made.holds[0].message


def test_a_gateway_may_be_reached_by_a_route_or_on_the_link_itself() -> None:
    on_link = "route add 10.0.0.0/24 dev bond1 proto 3 table 254 metric 0"
    assert len(routed(seen(STATIC, on_link), to="10.9.0.0/16", via="10.0.0.1").lines) == 1
    assert len(routed(seen(STATIC), to="::/0", via="fe80::1").lines) == 1


def test_a_route_from_a_new_ipv6_address_waits_for_duplicate_address_detection() -> None:
    wanted = bond1("fd00::61/64", routes=[{"to": "::/0", "via": "fd00::1", "dev": "bond1", "src": "fd00::61"}])
    made = decide(wanted, seen())
    assert made.lines == ("address add fd00::61/64 dev bond1",)
    assert held(made) == [Reason.PENDING]
    kernel = Kernel({"bond1": Port()})
    kernel.run(made.lines)
    assert decide(wanted, kernel.seen()).lines == (
        "route add ::/0 via fd00::1 dev bond1 proto 77 src fd00::61 table 254 metric 1024",
    )


def test_our_routes_that_nobody_wants_go_even_after_the_inventory_is_lost() -> None:
    assert decide(bond1("192.168.1.61/24"), seen(STATIC, DEFAULT)).lines == (
        "route delete 0.0.0.0/0 via 192.168.1.1 dev bond1 proto 77 table 254 metric 0",
    )
