"""What `ip -json` prints, as values; and everything else as not being able to see."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.network.iproute import NetworkError, parse
from tests.examples import often

LO = {"ifname": "lo", "flags": ["LOOPBACK", "UP", "LOWER_UP"], "mtu": 65536, "min_mtu": 0, "max_mtu": 0}


def link(**more: Any) -> dict[str, Any]:
    return {"ifname": "d0", "flags": ["BROADCAST", "UP"], "mtu": 1500, "min_mtu": 68, "max_mtu": 65535} | more


def seen(addr_info: list[dict[str, Any]] | None = None, routes: list[dict[str, Any]] | None = None) -> Any:
    links = [LO, {}, link(addr_info=[{}, *(addr_info or [])])]
    return parse(json.dumps(links), json.dumps([{}, *(routes or [])]), {})


def info(local: str, length: int, scope: int = 0, **more: Any) -> dict[str, Any]:
    family = "inet6" if ":" in local else "inet"
    return {"family": family, "local": local, "prefixlen": length, "scope": str(scope), **more}


def test_addresses_with_what_matters_about_them() -> None:
    found = seen(
        [
            info("192.168.1.61", 24, broadcast="192.168.1.255"),
            info("192.168.1.60", 24, secondary=True),
            info("10.5.0.1", 30, address="10.5.0.2"),
            info("fd00::1", 64, tentative=True),
            info("fd00::2", 64, dadfailed=True, noprefixroute=True),
            info("fd00::3", 64, dynamic=True, mngtmpaddr=True),
            info("fe80::1", 64, 253),
        ]
    ).devices["d0"]
    assert (found.up, found.mtu, found.least_mtu, found.most_mtu) == (True, 1500, 68, 65535)
    static, floating, peer, new, failed, advertised, local = found.addresses
    assert (str(static), static.secondary, str(static.broadcast)) == ("192.168.1.61/24", False, "192.168.1.255")
    assert floating.secondary
    assert (str(peer), str(peer.network)) == ("10.5.0.1/30 peer 10.5.0.2", "10.5.0.0/30")
    assert (new.tentative, new.failed, new.reaches) == (True, False, True)
    assert (failed.tentative, failed.failed, failed.reaches) == (False, True, False)
    assert [a.made_by_kernel for a in (static, new, advertised, local)] == [False, False, True, True]


def test_routes_with_their_keys() -> None:
    routes: list[dict[str, Any]] = [
        {"type": "1", "dst": "default", "gateway": "192.168.1.1", "dev": "d0", "protocol": "77", "table": "254"},
        {"type": "1", "dst": "default", "gateway": "fe80::1", "dev": "d0", "metric": 1024, "pref": "medium"},
        {
            "type": "1",
            "dst": "10.99.0.1",
            "dev": "d0",
            "table": "100",
            "metric": 5,
            "tos": "0x08",
            "flags": ["linkdown"],
        },
    ]
    first, second, third = seen(routes=routes).routes
    assert str(first) == "default via 192.168.1.1 dev d0"
    assert first.is_ours
    assert str(second) == "::/0 via fe80::1 dev d0"
    assert not second.is_ours
    assert str(third) == "10.99.0.1/32 table 100 tos 0x08 metric 5 dev d0"
    assert third.plain


@pytest.mark.parametrize(
    ("special", "dev"),
    [
        ({"type": "6", "dst": "10.98.0.0/16"}, ""),
        ({"type": "7", "dst": "fd98::/64", "dev": "lo", "pref": "medium"}, ""),
        ({"type": "1", "dst": "10.97.0.0/16", "nexthops": [{"gateway": "10.0.0.2", "dev": "d0"}]}, ""),
        ({"type": "1", "dst": "10.96.0.0/16", "dev": "d0", "via": {"family": "inet6", "host": "fe80::1"}}, ""),
        ({"type": "1", "dst": "10.96.0.0/16", "dev": "d0", "nhid": 5, "gateway": "10.0.0.7"}, "d0"),
        ({"type": "1", "dst": "10.95.0.0/16", "dev": "d0", "gateway": "10.0.0.7", "metrics": [{"mtu": 1400}]}, "d0"),
        ({"type": "1", "dst": "10.94.0.0/16", "dev": "d0", "gateway": "10.7.7.7", "flags": ["onlink"]}, "d0"),
        ({"type": "1", "dst": "fd05::/64", "dev": "d0", "from": "fd00::/64", "pref": "medium"}, "d0"),
    ],
)
def test_a_route_that_a_manifest_cannot_say_is_not_plain_and_never_ours(special: dict[str, Any], dev: str) -> None:
    (route,) = seen(routes=[special | {"protocol": "77"}]).routes
    assert (route.plain, route.is_ours, route.dev) == (False, False, dev)


def test_an_encapsulated_route_repeats_a_key_and_the_first_is_its_own() -> None:
    text = '[{"type":"1","dst":"10.6.0.0/16","encap":"ip","dst":"10.0.0.9","dev":"d0","protocol":"3"}]'
    (route,) = parse(json.dumps([link()]), text, {}).routes
    assert str(route.key) == "10.6.0.0/16"
    assert not route.plain


def test_unknown_keys_and_families_are_passed_over_and_no_route_at_all_is_fine() -> None:
    links = [LO, link(news="x", addr_info=[{"family": "mctp", "local": 8}, info("10.0.0.1", 24, proto="dhcp")])]
    found = parse(json.dumps(links), "", {})
    assert [str(address) for address in found.devices["d0"].addresses] == ["10.0.0.1/24"]
    assert found.routes == ()


@pytest.mark.parametrize(
    ("sysctls", "promoting"),
    [
        ({}, set()),
        ({"all": "0\n", "d0": "0\n"}, set()),
        ({"all": "0\n", "d0": "1\n"}, {"d0"}),
        ({"all": "1\n", "d0": "0\n"}, {"lo", "d0"}),
        ({"default": "1\n"}, set()),
    ],
)
def test_promotion_holds_where_the_device_or_all_says_so(sysctls: dict[str, str], promoting: set[str]) -> None:
    assert parse(json.dumps([LO, link()]), "[]", sysctls).promoting == promoting


@pytest.mark.parametrize(
    ("links", "routes"),
    [
        ("", "[]"),
        ("[]", "[]"),
        ("[{},{}]", "[]"),
        ("[", "[]"),
        ('[{"ifname":"lo"', "[]"),
        ("Cannot open netlink socket", "[]"),
        ('{"ifname":"lo"}', "[]"),
        ("null", "[]"),
        ("[7]", "[]"),
        ('[{"ifname":"lo"}]', "[]"),
        (json.dumps([link(mtu="many")]), "[]"),
        (json.dumps([link(addr_info=[info("10.0.0.300", 24)])]), "[]"),
        (json.dumps([link()]), '[{"dev":"d0"}]'),
        (json.dumps([link()]), '[{"dst":"here","dev":"d0"}]'),
        (json.dumps([link()]), '[{"dst":"10.0.0.0/8","dev":"d0","protocol":"boot"}]'),
        (json.dumps([link()]), "["),
        ("[" * 100_000, "[]"),
    ],
)
def test_anything_else_is_not_being_able_to_see(links: str, routes: str) -> None:
    with pytest.raises(NetworkError, match="ip -json"):
        parse(links, routes, {})


@given(st.text(), st.text())
@often(100)
def test_rubbish_is_never_taken_for_a_network(links: str, routes: str) -> None:
    with pytest.raises(NetworkError):
        parse(links, routes, {})


VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-1, 70000)
    | st.sampled_from(["10.0.0.1", "default", "d0", "UP", "inet", ""]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["ifname", "flags", "mtu", "addr_info", "family", "local", "dst", "dev", "nexthops"]), inner
        )
    ),
    max_leaves=12,
)


@given(st.lists(VALUES, max_size=3), st.lists(VALUES, max_size=3))
@often(200)
def test_any_json_is_a_network_or_not_being_able_to_see(links: list[Any], routes: list[Any]) -> None:
    try:
        found = parse(json.dumps([link(), *links]), json.dumps(routes), {})
    except NetworkError:
        return
    assert "d0" in found.devices
