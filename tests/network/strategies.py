"""Random networks, manifests and clusters that could meet each other."""

from dataclasses import dataclass
from ipaddress import ip_address
from typing import Any

from hypothesis import strategies as st

from reconciler.kinds.node_network import Inventory, NodeNetwork
from reconciler.network.owned import Owned, OwnedAddress
from reconciler.network.steps import present
from tests.network.kernel_model import Kernel, Port, RefusedError

DEVS = ("d0", "d1")
VIPS = ("10.0.0.60/24", "10.0.0.60/32", "10.0.0.70/25", "10.0.1.60/24", "fd00::60/64")
STATICS = (
    *(f"{ip}/{length}" for ip in ("10.0.0.1", "10.0.0.2", "10.0.0.3") for length in (24, 25, 32)),
    "10.0.1.1/24",
    "10.0.1.2/24",
    "fd00::1/64",
    "fd00::2/64",
)
RING = "10.0.0.3"

# Enough pairs of the same key with another gateway, link or source to make replacing and deleting happen.
ROUTES: tuple[dict[str, Any], ...] = (
    {"to": "default", "via": "10.0.0.9", "dev": "d0"},
    {"to": "default", "via": "10.0.1.9", "dev": "d1"},
    {"to": "default", "via": "10.0.0.9", "dev": "d0", "metric": 7},
    {"to": "10.8.0.0/16", "via": "10.0.0.9", "dev": "d0", "src": "10.0.0.1"},
    {"to": "10.8.0.0/16", "via": "10.0.0.9", "dev": "d0"},
    {"to": "10.8.0.0/16", "via": "10.0.0.9", "dev": "d0", "table": 100, "src": "10.0.0.1"},
    {"to": "10.9.0.0/16", "dev": "d1"},
    {"to": "default", "via": "fd00::9", "dev": "d0"},
    {"to": "fd09::/64", "via": "fd00::9", "dev": "d0", "src": "fd00::1"},
    {"to": "fd09::/64", "dev": "d1"},
)


def line_of(route: dict[str, Any], proto: int) -> str:
    to = route["to"]
    if to == "default":
        to = "::/0" if ":" in route.get("via", "") else "0.0.0.0/0"
    via = f"via {route['via']} " if "via" in route else ""
    src = f"src {route['src']} " if "src" in route else ""
    metric = route.get("metric", 1024 if ":" in to else 0)
    return f"{to} {via}dev {route['dev']} proto {proto} {src}table {route.get('table', 254)} metric {metric}"


@dataclass
class Situation:
    kernel: Kernel
    wanted: NodeNetwork
    owned: Owned
    inventory: Inventory
    played: list[str]


@st.composite
def manifests(draw: st.DrawFn) -> NodeNetwork:
    ips = draw(st.lists(st.sampled_from(STATICS), min_size=1, max_size=5, unique_by=lambda text: text.split("/")[0]))
    links: list[dict[str, Any]] = []
    for name in draw(st.sampled_from([("d0", "d1"), ("d1", "d0"), ("d0",), ("d0", "d9"), ()])):
        mine = [text for text in ips if draw(st.booleans())]
        ips = [text for text in ips if text not in mine]
        link: dict[str, Any] = {"name": name, "addresses": mine}
        modern = any(":" in text for text in mine)
        mtu = draw(st.sampled_from([None, None, 1400] if modern else [None, None, 1000, 1400]))
        state = draw(st.sampled_from([None, "up", "up"] if modern else [None, "up", "up", "down"]))
        links.append(link | ({"mtu": mtu} if mtu else {}) | ({"state": state} if state else {}))
    down = {link["name"] for link in links if link.get("state") == "down"}
    routes = draw(st.lists(st.sampled_from(ROUTES), max_size=4, unique_by=lambda route: line_of(route, 0).split()[0]))
    routes = [route for route in routes if route["dev"] not in down]
    return NodeNetwork.model_validate({"node": "n1", "links": links, "routes": routes})


@st.composite
def situations(draw: st.DrawFn) -> Situation:
    """A node on which the agent, people and the cluster have been at work, in any order."""
    kernel = Kernel({dev: Port() for dev in DEVS}, promoting=set(draw(st.lists(st.sampled_from(DEVS), unique=True))))
    inventory: set[tuple[str, str]] = set()
    played: list[str] = []

    def run(line: str) -> bool:
        try:
            kernel.run([line])
        except RefusedError:
            return False
        played.append(line)
        return True

    vips = draw(st.lists(st.sampled_from(VIPS), max_size=2, unique_by=lambda text: text.split("/")[0]))
    for text in draw(st.permutations([*vips, *draw(st.lists(st.sampled_from(STATICS), max_size=5, unique=True))])):
        dev = draw(st.sampled_from(DEVS))
        if run(f"address add {text} dev {dev}") and text not in vips and draw(st.booleans()):
            inventory.add((dev, text))
    for route in draw(st.lists(st.sampled_from(ROUTES), max_size=5)):
        run(f"route add {line_of(route, draw(st.sampled_from([77, 77, 3])))}")
    for dev in DEVS:
        if draw(st.integers(0, 5)) == 0:
            run(f"link set dev {dev} down")
    # What the cluster owns is known even where it is not on this node now, and may be incomplete.
    owned = Owned(
        addresses=tuple(
            OwnedAddress(ip_address(text.split("/")[0]), frozenset(draw(st.sampled_from([(), ("d0",)]))), "vip")
            for text in sorted({*vips, *draw(st.lists(st.sampled_from(VIPS), max_size=1))})
        ),
        rings=frozenset({ip_address(RING)} if draw(st.booleans()) else ()),
        unclear=("the CIB cannot be read",) if draw(st.integers(0, 4)) == 0 else (),
    )
    return Situation(kernel, draw(manifests()), owned, present(frozenset(inventory), kernel.seen()), played)
