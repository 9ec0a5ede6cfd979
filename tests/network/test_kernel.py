"""The product's rules of the kernel and the tests' model of it, each written on its own, agree on every step."""

from ipaddress import ip_interface

from hypothesis import given
from hypothesis import strategies as st

from reconciler.network.iproute import Address, Seen
from reconciler.network.kernel import AddAddress, DropAddress, DropRoute, PutRoute, SetDevice, Step, after, losses
from tests.examples import often
from tests.network.kernel_model import RefusedError
from tests.network.strategies import DEVS, STATICS, VIPS, Situation, situations


def possible(seen: Seen) -> list[Step]:
    steps: list[Step] = [SetDevice(dev, up=up) for dev in DEVS for up in (True, False)]
    steps += [SetDevice(dev, mtu=mtu) for dev in DEVS for mtu in (1000, 1500)]
    steps += [AddAddress(dev, Address(ip_interface(text))) for dev in DEVS for text in (*STATICS, *VIPS)]
    steps += [DropAddress(dev.name, address) for dev in seen.devices.values() for address in dev.addresses] * 3
    steps += [DropRoute(route) for route in seen.routes]
    return steps + [PutRoute(route, replace=True) for route in seen.routes]


def shown(seen: Seen) -> tuple[object, ...]:
    devices = {name: (d.up, d.mtu, frozenset(d.addresses)) for name, d in seen.devices.items()}
    return devices, {str(route) for route in seen.routes}


@given(situations(), st.data())
@often(100)
def test_the_rules_and_the_model_agree(situation: Situation, data: st.DataObject) -> None:
    kernel = situation.kernel
    for _ in range(4):
        before = kernel.seen()
        step = data.draw(st.sampled_from(possible(before)))
        try:
            kernel.run([step.line])
        except RefusedError:
            continue
        assert shown(after(before, step)) == shown(kernel.seen()), step.line
        gone, ways = losses(before, kernel.seen())
        assert {dev for dev, _ in gone} <= set(DEVS)
        assert {str(route) for route in ways} == shown(before)[1] - shown(kernel.seen())[1]  # type: ignore[operator]
