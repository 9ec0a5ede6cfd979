"""NodeNetwork manifests: canonical forms, and every refusal with a message that says what to do."""

import tomllib
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from reconciler.kinds.node_network import NodeNetwork, observe
from reconciler.plan import Change
from reconciler.state import Ref
from tests.network.kernel_model import Kernel, Port

EXAMPLES = sorted((Path(__file__).parents[2] / "crds/examples/web").glob("network-*.toml"))


def network(links: list[dict[str, Any]] | None = None, routes: list[dict[str, Any]] | None = None) -> NodeNetwork:
    return NodeNetwork.model_validate({"node": "n1", "links": links or [], "routes": routes or []})


def complaints(links: list[dict[str, Any]] | None = None, routes: list[dict[str, Any]] | None = None) -> list[str]:
    with pytest.raises(ValidationError) as caught:
        network(links, routes)
    return [
        f"{'.'.join(map(str, fault['loc']))}: {fault['msg'].removeprefix('Value error, ')}"
        for fault in caught.value.errors()
    ]


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_the_examples_are_valid_and_complete(path: Path) -> None:
    spec = NodeNetwork.model_validate(tomllib.loads(path.read_text())["spec"])
    assert f"network-{spec.node}" == path.stem
    assert [link.name for link in spec.links] == ["bond0", "bond1"]
    assert [str(route.key) for route in spec.routes] == ["default"]
    assert spec.doubts() == ()


def test_there_is_an_example_for_each_node() -> None:
    assert len(EXAMPLES) == 2


def test_two_spellings_of_one_wish_are_equal() -> None:
    first = network(
        [
            {"name": "b", "addresses": ["FD00:0::1/64", "192.168.1.61/255.255.255.0"]},
            {"name": "a", "addresses": ["10.0.0.1/30"]},
        ],
        [
            {"to": "0.0.0.0/0", "via": "192.168.1.1", "dev": "b", "metric": 0, "table": 254},
            {"to": "::/0", "via": "fd00::0:2", "dev": "b", "metric": 1024},
            {"to": "10.9.9.9", "dev": "a"},
        ],
    )
    second = network(
        [
            {"name": "a", "addresses": ["10.0.0.1/30"]},
            {"name": "b", "addresses": ["192.168.1.61/24", "fd00::1/64"]},
        ],
        [
            {"to": "10.9.9.9/32", "dev": "a"},
            {"to": "default", "via": "fd00::2", "dev": "b", "metric": 0},
            {"to": "default", "via": "192.168.1.1", "dev": "b"},
        ],
    )
    assert first == second
    assert first.model_dump(mode="json", exclude_none=True)["routes"][0] == {
        "to": "default",
        "via": "192.168.1.1",
        "dev": "b",
    }


@pytest.mark.parametrize(
    ("link", "complaint"),
    [
        ({"addresses": ["192.168.1.61"]}, "'192.168.1.61' has no prefix length: write for example 192.168.1.61/24"),
        ({"addresses": ["300.1.1.1/24"]}, "is not an address with a prefix length: expected for example"),
        ({"addresses": ["192.168.1.61/33"]}, "'192.168.1.61/33' is not an address with a prefix length"),
        ({"addresses": ["192.168.1.0/24"]}, "192.168.1.0/24 is the network itself, not a host in it"),
        ({"addresses": ["192.168.1.255/24"]}, "192.168.1.255/24 is the broadcast address of its network"),
        ({"addresses": ["fd00::/64"]}, "fd00::/64 is the network itself"),
        ({"addresses": ["224.0.0.1/24"]}, "224.0.0.1/24 is not the address of a host"),
        ({"addresses": ["0.0.0.0/0"]}, "0.0.0.0/0 is not the address of a host"),
        ({"addresses": ["fe80::1%b/64"]}, "names a zone"),
        ({"addresses": ["10.0.0.1/24", "10.0.0.1/255.255.255.0"]}, "address 10.0.0.1/24 is named twice"),
        ({"addresses": ["fd00::1/64"], "mtu": 1000}, "mtu 1000 takes IPv6 off the link, and with it fd00::1/64"),
        ({"addresses": ["fd00::1/64"], "state": "down"}, "state down takes fd00::1/64 off the link"),
        ({"name": "lo", "state": "down"}, "the cluster needs lo"),
        ({"name": "a-name-too-long0"}, "cannot be the name of a link"),
        ({"name": "a b"}, "cannot be the name of a link"),
        ({"name": "b;reboot\n"}, "cannot be the name of a link"),
        ({"name": "-6"}, "cannot be the name of a link"),
        ({"mtu": 60}, "greater than or equal to 68"),
        ({"mtu": 70000}, "less than or equal to 65535"),
        ({"state": "sideways"}, "'up' or 'down'"),
        ({"adresses": []}, "Extra inputs are not permitted"),
    ],
)
def test_a_link_that_cannot_be_is_refused(link: dict[str, Any], complaint: str) -> None:
    found = complaints([{"name": "b", **link}])
    assert len(found) == 1
    assert complaint in found[0]
    assert found[0].startswith("links.0")


def test_a_bond_is_read_and_refused() -> None:
    bond = {"mode": "active-backup", "miimon": 100, "updelay": 200, "downdelay": 200, "members": ["eth0", "eth1"]}
    found = complaints([{"name": "bond0", "bond": bond, "addresses": ["10.20.13.1/30"]}])
    assert found == [
        "links.0.bond: bonds are not managed yet: make the bond otherwise and name the link without `bond`"
    ]
    assert "members" in complaints([{"name": "bond0", "bond": {"mode": "active-backup", "menbers": []}}])[0]


@pytest.mark.parametrize(
    ("route", "complaint"),
    [
        ({"to": "10.0.0.1/24"}, "'10.0.0.1/24' has bits set beyond its prefix length: the network is 10.0.0.0/24"),
        ({"to": "nowhere"}, "'nowhere' is not a destination"),
        ({"to": "ff00::/8"}, "multicast"),
        ({"to": "default"}, "default without via does not say which family: write 0.0.0.0/0 or ::/0"),
        ({"to": "10.1.0.0/16", "via": "fd00::1"}, "via: fd00::1 is not of the family of 10.1.0.0/16"),
        ({"to": "default", "via": "10.0.0.1", "src": "fd00::1"}, "src: fd00::1 is not of the family of default"),
        ({"to": "10.1.0.0/16", "via": "10.0.0.1/24"}, "is not an address (without a prefix length)"),
        ({"to": "fd01::/64", "via": "fe80::1%eth0"}, "names a zone: say the device in dev"),
        ({"to": "10.1.0.0/16", "table": 255}, "table 255 is the kernel's own (local)"),
        ({"to": "10.1.0.0/16", "table": -1}, "greater than or equal to 0"),
        ({"to": "10.1.0.0/16", "metric": 2**32}, "less than or equal to"),
        ({"to": 5}, "valid string"),
    ],
)
def test_a_route_that_cannot_be_is_refused(route: dict[str, Any], complaint: str) -> None:
    found = complaints(routes=[{"dev": "b", **route}])
    assert len(found) == 1
    assert complaint in found[0]
    assert found[0].startswith("routes.0")


def test_what_is_named_twice_is_refused() -> None:
    assert complaints([{"name": "b"}, {"name": "b"}]) == ["links: link b is named twice"]
    on_two = [{"name": "a", "addresses": ["10.0.0.1/24"]}, {"name": "b", "addresses": ["10.0.0.1/25"]}]
    assert complaints(on_two) == ["links: address 10.0.0.1 is named twice"]
    same = [{"to": "default", "via": "10.0.0.1", "dev": "a"}, {"to": "0.0.0.0/0", "via": "10.0.0.2", "dev": "b"}]
    assert complaints(routes=same) == ["routes: the route default is named twice"]
    metrics: list[dict[str, Any]] = [{**same[0], "metric": 5}, same[1]]
    assert len(network(routes=metrics).routes) == 2
    link_local = [{"name": "a", "addresses": ["fe80::1/64"]}, {"name": "b", "addresses": ["fe80::1/64"]}]
    assert len(network(link_local).links) == 2


def test_all_faults_of_a_manifest_are_named_at_once() -> None:
    found = complaints([{"name": "b", "addresses": ["x", "y"], "mtu": 1}], [{"to": "z", "dev": "b"}])
    assert [fault.split(":")[0] for fault in found] == [
        "links.0.addresses.0",
        "links.0.addresses.1",
        "links.0.mtu",
        "routes.0.to",
    ]


def test_routes_that_could_not_work_are_refused() -> None:
    route = {"to": "default", "via": "10.0.0.9", "dev": "b"}
    assert "leaves through b, whose state is to be down" in complaints([{"name": "b", "state": "down"}], [route])[0]
    own = [{"name": "a", "addresses": ["10.0.0.9/24"]}]
    assert "the gateway 10.0.0.9 of default is an address of this node" in complaints(own, [route])[0]


def test_a_gateway_that_nothing_named_reaches_is_a_doubt_and_no_fault() -> None:
    route = {"to": "default", "via": "10.0.1.9", "dev": "b", "src": "10.0.0.7"}
    assert network([{"name": "b", "addresses": ["10.0.0.1/24"]}], [route]).doubts() == (
        "routes: no address named for b reaches the gateway 10.0.1.9",
        "routes: the source 10.0.0.7 of default is no address named here",
    )
    assert network(routes=[{"to": "::/0", "via": "fe80::1", "dev": "b"}]).doubts() == ()


def test_the_difference_reads_well() -> None:
    kernel = Kernel({"bond1": Port()})
    kernel.run(["address add 192.168.1.61/24 dev bond1", "address add 192.168.1.60/24 dev bond1"])
    wanted = network(
        [{"name": "bond1", "addresses": ["192.168.1.71/24", "fd00::1/64"], "mtu": 9000}],
        [{"to": "default", "via": "192.168.1.1", "dev": "bond1"}],
    )
    before = observe(kernel.seen(), wanted, frozenset({("bond1", "192.168.1.61/24")}), frozenset())
    fields = Change(Ref("NodeNetwork", "n1"), before, wanted).fields()
    assert [(change.path, change.before, change.after) for change in fields] == [
        ("links[bond1].addresses", "192.168.1.61/24", "192.168.1.71/24, fd00::1/64"),
        ("links[bond1].mtu", "1500", "9000"),
        ("routes[default].to", None, "default"),
        ("routes[default].via", None, "192.168.1.1"),
        ("routes[default].dev", None, "bond1"),
    ]


def test_only_what_is_named_or_ours_is_observed() -> None:
    kernel = Kernel({"bond0": Port(), "bond1": Port(), "bond2": Port()})
    kernel.run(
        [
            "address add 10.0.0.1/24 dev bond0",
            "address add 10.0.0.2/24 dev bond0",
            "address add 10.0.1.1/24 dev bond1",
            "address add 10.0.2.1/24 dev bond2",
            "route add 10.7.0.0/16 via 10.0.0.9 dev bond0 proto 3 table 254 metric 0",
            "route add 10.8.0.0/16 via 10.0.0.9 dev bond0 proto 77 table 254 metric 0",
            "route add 10.9.0.0/16 via 10.0.0.9 dev bond0 proto 3 src 10.0.0.2 table 254 metric 5",
        ]
    )
    wanted = network(
        [{"name": "bond0", "addresses": ["10.0.0.1/24"]}, {"name": "bond9", "mtu": 1500}],
        [{"to": "10.9.0.0/16", "via": "10.0.0.8", "dev": "bond0", "metric": 5}],
    )
    found = observe(kernel.seen(), wanted, frozenset({("bond1", "10.0.1.1/24")}), frozenset())
    assert found.model_dump(mode="json", exclude_none=True) == {
        "node": "n1",
        "links": [{"name": "bond0", "addresses": ["10.0.0.1/24"]}, {"name": "bond1", "addresses": ["10.0.1.1/24"]}],
        "routes": [
            {"to": "10.8.0.0/16", "via": "10.0.0.9", "dev": "bond0"},
            {"to": "10.9.0.0/16", "via": "10.0.0.9", "dev": "bond0", "metric": 5},
        ],
    }
