"""What orders put right after what, as Pacemaker takes them apart: tags, templates, sets, clones. Pure."""

from collections.abc import Iterator, Mapping
from itertools import pairwise, product

from reconciler.frozen import frozen
from reconciler.kinds import CLUSTER_KINDS
from reconciler.kinds.identity import located
from reconciler.kinds.order import Order
from reconciler.kinds.primitive import Primitive
from reconciler.kinds.resource_set import ResourceSet
from reconciler.kinds.tag import Tag
from reconciler.state import Ref, State


@frozen
class Step:
    """One action after another: both as resource and action, and the field of the order that says so."""

    field: str
    first: tuple[str, str]
    then: tuple[str, str]


class Orders:
    """The orders of a set of objects.

    Measured with 2.1.5: a tag stands for what it lists, a template for what is made from it, and a primitive inside a
    clone is taken for the clone, so that two of one cloned group are one resource.
    """

    def __init__(self, state: State) -> None:
        self._state = state
        inside = {
            ref: members
            for ref, spec in state.items()
            if ref.kind in CLUSTER_KINDS and (members := CLUSTER_KINDS[ref.kind].members(spec))
        }
        self._holder = {name: ref for ref in sorted(inside) for name in inside[ref]}
        self._groups = {ref.name for ref in state if ref.kind == "Group"}
        self._several: dict[str, tuple[str, ...]] = {}
        several = (ref for ref, spec in state.items() if isinstance(spec, Tag) or getattr(spec, "template", None))
        for ref in sorted(several):
            spec = state[ref]
            if isinstance(spec, Tag):
                self._several[ref.name] = tuple(name for name in spec.objects if name != ref.name)
            elif isinstance(spec, Primitive) and spec.template:
                self._several[spec.template] = (*self._several.get(spec.template, ()), ref.name)
        self._sets: Mapping[str, ResourceSet] = {
            part.id: part for spec in state.values() for _, part in located(spec, ResourceSet) if part.id
        }

    def scheduled(self, name: str) -> str:
        """Return the resource as which an action of this one is scheduled."""
        around = self._holder.get(name)
        if around and around.kind == "Group":
            around = self._holder.get(around.name)
        return around.name if around and around.kind == "Clone" and name not in self._groups else name

    def all(self) -> Iterator[tuple[Ref, Order]]:
        """Yield every order."""
        yield from ((ref, spec) for ref, spec in self._state.items() if isinstance(spec, Order))

    def steps(self, order: Order) -> Iterator[Step]:
        """Yield what an order puts right after what."""
        if order.first and order.then:
            action = order.first_action or "start"
            firsts, thens = self._meant(order.first), self._meant(order.then)
            for first, then in product(firsts, thens):
                yield Step("spec.then", (first, action), (then, order.then_action or action))
        sets = [self._sets.get(item.id_ref, item) if item.id_ref else item for item in order.sets]
        steps = [
            [(meant, item.action or "start") for name in item.resources for meant in self._meant(name)] for item in sets
        ]
        for item, inner in zip(sets, steps, strict=True):
            for first_step, then_step in pairwise(inner) if item.sequential is None else ():
                yield Step("spec.sets", first_step, then_step)
        for before, after in pairwise(steps):
            for first_step, then_step in product(before, after):
                yield Step("spec.sets", first_step, then_step)

    def _meant(self, name: str) -> tuple[str, ...]:
        return self._several.get(name, (name,))
