"""Plans carried out on the running kernel."""

import pytest
from hypothesis import given

from reconciler.kinds.node_network import NodeNetwork
from reconciler.network.owned import Owned, cluster_owned
from reconciler.network.steps import plan, present
from reconciler.plan import Reason
from reconciler.state import Ref
from tests.examples import often
from tests.network.kernel_model import addresses, routes
from tests.network.namespace import namespace
from tests.network.strategies import Situation, situations
from tests.network.test_properties import executed, planned

pytestmark = pytest.mark.netns

REF = Ref("NodeNetwork", "vm-node1")
VIP = [("ocf:heartbeat:IPaddr2", {"ip": "192.168.1.60", "cidr_netmask": "24", "nic": "bond1"})]


def cluster(ip: str = "192.168.1.60") -> Owned:
    agent, params = VIP[0]
    none = cluster_owned(None, primitives=[(agent, {**params, "ip": ip})], rings=["10.20.13.1", "10.20.13.2"])
    return Owned(none.addresses, none.routes, none.sources, none.rings)


def manifest(static: str = "192.168.1.61/24", via: str = "192.168.1.1") -> NodeNetwork:
    return NodeNetwork.model_validate(
        {
            "node": "vm-node1",
            "links": [{"name": "bond0", "addresses": ["10.20.13.1/30"]}, {"name": "bond1", "addresses": [static]}],
            "routes": [{"to": "default", "via": via, "dev": "bond1"}],
        }
    )


def test_from_nothing_to_the_reference_case_and_back() -> None:
    with namespace("bond0", "bond1") as space:
        empty = space.seen()
        made = plan(REF, manifest(), empty, cluster(), frozenset())
        assert made.holds == ()
        space.batch(made.lines)
        later = space.seen()
        assert addresses(later) - addresses(empty) == {("bond0", "10.20.13.1/30"), ("bond1", "192.168.1.61/24")}
        assert routes(later) == {"default via 192.168.1.1 dev bond1 proto 77"}
        assert plan(REF, manifest(), later, cluster(), made.inventory).lines == ()
        space.batch(made.undo)
        assert addresses(space.seen()) == addresses(empty)
        assert routes(space.seen()) == set()


def test_changing_the_static_address_waits_until_the_floating_one_is_elsewhere() -> None:
    with namespace("bond0", "bond1") as space:
        space.promote("all", 0)
        space.promote("bond1", 0)
        first = plan(REF, manifest(), space.seen(), cluster(), frozenset())
        space.batch(first.lines)
        space.ip("address add 192.168.1.60/24 dev bond1")

        held = plan(REF, manifest("192.168.1.71/24"), space.seen(), cluster(), first.inventory)
        assert [hold.reason for hold in held.holds] == [Reason.ADDRESS_ORDER]
        assert "192.168.1.60/24 on bond1 would be lost, and the IPaddr2 192.168.1.60 owns it" in held.holds[0].message
        space.batch(held.lines)
        there = {"192.168.1.61/24", "192.168.1.60/24", "192.168.1.71/24"}
        assert {str(address) for address in space.seen().devices["bond1"].addresses} == there

        space.ip("address delete 192.168.1.60/24 dev bond1")
        freed = plan(REF, manifest("192.168.1.71/24"), space.seen(), cluster(), held.inventory)
        assert freed.holds == ()
        space.batch(freed.lines)
        later = space.seen()
        assert [str(address) for address in later.devices["bond1"].addresses] == ["192.168.1.71/24"]
        assert routes(later) == {"default via 192.168.1.1 dev bond1 proto 77"}
        kept = present(freed.inventory, later)
        assert plan(REF, manifest("192.168.1.71/24"), later, cluster(), kept).lines == ()


@given(situations())
@often(12)
def test_the_kernel_takes_every_line_and_ends_where_the_model_ends(situation: Situation) -> None:
    with namespace("d0", "d1") as space:
        for dev in ("all", "d0", "d1"):
            space.promote(dev, int(dev in situation.kernel.promoting))
        space.batch(situation.played)
        before = space.seen()
        made = plan(Ref("NodeNetwork", "n1"), situation.wanted, before, situation.owned, situation.inventory)
        assert made.lines == planned(situation).lines
        space.batch(made.lines)
        later, model = space.seen(), executed(situation, made).seen()
        assert addresses(model) <= addresses(later)
        assert routes(model) == routes(later)
        space.run("ip", "-force", "-batch", "-", text="".join(f"{line}\n" for line in made.undo), check=False)
        assert addresses(before) == addresses(space.seen())
        assert routes(before) == routes(space.seen())
