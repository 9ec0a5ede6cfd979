"""The running kernel's rules for addresses and routes: the facts that the plan is built on, and the model of them."""

import random
from collections.abc import Iterator

import pytest

from reconciler.network.iproute import Address, Seen
from tests.network.kernel_model import Kernel, Port, RefusedError, routes
from tests.network.namespace import Namespace, namespace

pytestmark = pytest.mark.netns


@pytest.fixture
def space() -> Iterator[Namespace]:
    with namespace("d0", "d1") as made:
        made.promote("all", 0)
        made.promote("d0", 0)
        made.promote("d1", 0)
        yield made


def here(space: Namespace, dev: str = "d0") -> list[str]:
    return [f"{a}{' secondary' if a.secondary else ''}" for a in space.seen().devices[dev].addresses]


def test_removing_the_static_address_removes_the_floating_one_behind_it(space: Namespace) -> None:
    space.batch(["address add 192.168.1.61/24 dev d0", "address add 192.168.1.60/24 dev d0"])
    assert here(space) == ["192.168.1.61/24", "192.168.1.60/24 secondary"]
    space.ip("address delete 192.168.1.61/24 dev d0")
    assert here(space) == []


def test_a_static_address_added_behind_the_floating_one_goes_with_it(space: Namespace) -> None:
    space.batch(["address add 192.168.1.60/24 dev d0", "address add 192.168.1.61/24 dev d0"])
    assert here(space) == ["192.168.1.60/24", "192.168.1.61/24 secondary"]
    space.ip("address delete 192.168.1.60/24 dev d0")
    assert here(space) == []


@pytest.mark.parametrize(
    ("line", "source"),
    [
        ("link set dev d1 mtu 1000", "fd00::1"),
        ("link set dev d1 down", "fd00::1"),
        ("address delete fd00::1/64 dev d1", None),
    ],
)
def test_a_source_on_another_link_is_forgotten_only_where_the_address_is_deleted(
    space: Namespace, line: str, source: str | None
) -> None:
    space.batch(["address add fd00::2/64 nodad dev d0", "address add fd00::1/64 nodad dev d1"])
    space.ip("route add fd09::/64 via fd00::9 dev d0 proto 77 src fd00::1")
    space.ip(line)
    (route,) = (route for route in space.seen().routes if str(route).startswith("fd09::/64"))
    assert (route.src and str(route.src)) == source


@pytest.mark.parametrize("dev", ["all", "d0"])
def test_promotion_on_all_or_on_the_device_keeps_the_secondary(space: Namespace, dev: str) -> None:
    space.promote(dev, 1)
    assert "d0" in space.seen().promoting
    space.batch(["address add 192.168.1.61/24 dev d0", "address add 192.168.1.60/24 dev d0"])
    space.ip("address delete 192.168.1.61/24 dev d0")
    assert here(space) == ["192.168.1.60/24"]


@pytest.mark.parametrize("first", ["192.168.1.60/32", "192.168.1.61/24"])
def test_a_floating_address_with_prefix_32_is_immune_in_both_directions(space: Namespace, first: str) -> None:
    both = {"192.168.1.60/32", "192.168.1.61/24"}
    for text in (first, *(both - {first})):
        space.ip(f"address add {text} dev d0")
    assert set(here(space)) == both
    space.ip(f"address delete {first} dev d0")
    assert set(here(space)) == both - {first}


def test_replacing_with_another_prefix_length_adds_a_second_address(space: Namespace) -> None:
    space.batch(["address add 192.168.1.61/24 dev d0", "address add 192.168.1.60/24 dev d0"])
    space.ip("address replace 192.168.1.61/25 dev d0")
    assert here(space) == ["192.168.1.61/24", "192.168.1.61/25", "192.168.1.60/24 secondary"]
    space.ip("address delete 192.168.1.61/24 dev d0")
    assert here(space) == ["192.168.1.61/25"]


def test_a_bounce_keeps_ipv4_addresses_and_loses_ipv6_addresses_and_all_static_routes(space: Namespace) -> None:
    space.batch(
        [
            "address add 10.0.0.1/24 dev d0",
            "address add fd00::1/64 dev d0",
            "route add 0.0.0.0/0 via 10.0.0.254 dev d0",
            "route add ::/0 via fd00::fe dev d0",
        ]
    )
    assert len(routes(space.seen())) == 2
    space.batch(["link set dev d0 down", "link set dev d0 up"])
    assert here(space) == ["10.0.0.1/24"]
    assert routes(space.seen()) == set()


def test_a_route_with_another_metric_is_another_route(space: Namespace) -> None:
    space.batch(["address add 10.0.0.1/24 dev d0", "route add 10.9.0.0/16 via 10.0.0.2 dev d0"])
    space.ip("route replace 10.9.0.0/16 via 10.0.0.3 dev d0 metric 5")
    assert len(routes(space.seen())) == 2


def test_to_a_delete_metric_0_means_any_metric(space: Namespace) -> None:
    space.batch(["address add 10.0.0.1/24 dev d0", "route add 10.9.0.0/16 via 10.0.0.2 dev d0 metric 7"])
    space.ip("route delete 10.9.0.0/16 via 10.0.0.2 dev d0 metric 0")
    assert routes(space.seen()) == set()


def test_a_second_add_and_a_second_delete_fail_with_the_same_code(space: Namespace) -> None:
    codes = [
        space.run("ip", "address", verb, "10.0.0.1/24", "dev", "d0", check=False).returncode
        for verb in ("add", "add", "delete", "delete")
    ]
    assert codes == [0, 2, 0, 2]


def test_a_batch_stops_at_the_first_error_and_leaves_what_was_done(space: Namespace) -> None:
    lines = "address add 10.0.0.1/24 dev d0\naddress add 10.0.0.1/24 dev d0\naddress add 10.0.0.2/24 dev d0\n"
    done = space.run("ip", "-batch", "-", text=lines, check=False)
    assert done.returncode == 1
    assert "Command failed -:2" in done.stderr
    assert here(space) == ["10.0.0.1/24"]
    space.run("ip", "-force", "-batch", "-", text=lines, check=False)
    assert here(space) == ["10.0.0.1/24", "10.0.0.2/24 secondary"]


def test_a_batch_line_takes_no_family_option_but_the_destination_tells_it(space: Namespace) -> None:
    space.batch(["address add 10.0.0.1/24 dev d0", "address add fd00::1/64 dev d0"])
    assert space.run("ip", "-batch", "-", text="-6 route add default dev d0\n", check=False).returncode == 1
    space.batch(["route add ::/0 via fd00::2 dev d0 proto 77", "route add 0.0.0.0/0 via 10.0.0.2 dev d0 proto 77"])
    assert routes(space.seen()) == {
        "default via 10.0.0.2 dev d0 proto 77",
        "::/0 via fd00::2 dev d0 proto 77",
    }


POOL = [
    *(f"{ip}/{length}" for ip in ("10.0.0.1", "10.0.0.2", "10.0.0.3") for length in (24, 25, 32)),
    "10.0.1.1/24",
    "10.0.1.2/24",
    "fd00::1/64",
    "fd00::2/64",
]
ROUTE_POOL = [
    "0.0.0.0/0 via 10.0.0.9 dev d0 proto 77 table 254 metric 0",
    "0.0.0.0/0 via 10.0.1.9 dev d1 proto 77 table 254 metric 0",
    "0.0.0.0/0 via 10.0.0.9 dev d0 proto 77 table 254 metric 7",
    "10.8.0.0/16 via 10.0.0.9 dev d0 proto 77 src 10.0.0.1 table 254 metric 0",
    "10.8.0.0/16 via 10.0.0.9 dev d0 proto 77 src 10.0.0.1 table 100 metric 0",
    "10.8.0.0/16 via 10.0.1.9 dev d1 proto 77 src 10.0.0.2 table 254 metric 0",
    "10.9.0.0/16 dev d1 proto 77 table 254 metric 0",
    "::/0 via fd00::9 dev d0 proto 77 table 254 metric 1024",
    "fd09::/64 via fd00::9 dev d0 proto 77 src fd00::1 table 254 metric 1024",
    "fd09::/64 dev d1 proto 77 table 254 metric 1024",
    "fd08::/64 via fd00::9 dev d0 proto 77 src fd00::2 table 100 metric 3",
]


def random_line(chance: random.Random) -> str:
    kind = chance.choices(["add", "delete", "route", "undo", "link", "mtu"], [8, 4, 8, 2, 1, 1])[0]
    dev = chance.choice(["d0", "d0", "d1"])
    match kind:
        case "add" | "delete":
            return f"address {kind} {chance.choice(POOL)} dev {dev}"
        case "route":
            return f"route {chance.choice(['add', 'replace'])} {chance.choice(ROUTE_POOL)}"
        case "undo":
            return f"route delete {chance.choice(ROUTE_POOL)}"
        case "link":
            return f"link set dev {dev} {chance.choice(['up', 'up', 'down'])}"
    return f"link set dev {dev} mtu {chance.choice([1000, 1280, 1400, 1500])}"


def of_family(seen: Seen, dev: str, version: int) -> list[Address]:
    found = seen.devices[dev].addresses
    return [address for address in found if address.interface.version == version and not address.made_by_kernel]


@pytest.mark.parametrize("seed", range(8))
def test_the_model_agrees_with_the_kernel(space: Namespace, seed: int) -> None:
    chance = random.Random(seed)
    model = Kernel({"d0": Port(), "d1": Port()})
    if seed % 3 == 0:
        space.promote("d0", 1)
        model.promoting.add("d0")
    played = []
    for _ in range(30):
        line = random_line(chance)
        played.append(line)
        code = space.run("ip", *line.split(), check=False).returncode
        try:
            model.run([line])
            refused = False
        except RefusedError:
            refused = True
        real, modelled = space.seen(), model.seen()
        shown = "\n".join(played)
        assert (code != 0) == refused, shown
        for dev in ("d0", "d1"):
            assert of_family(real, dev, 4) == of_family(modelled, dev, 4), shown
            assert set(of_family(real, dev, 6)) == set(of_family(modelled, dev, 6)), shown
        assert routes(real) == routes(modelled), shown
