"""Orders that come back to where they began: whatever is in such a circle never starts, or never stops. Pure.

Measured with `crm_simulate` 2.1.5: of a circle nothing is done, whatever the kinds of the orders are (Serialize too, if
it is not alone), through groups and clones, and nothing is said of it. In a circle of colocations all are placed.
"""

from collections import Counter, defaultdict, deque
from collections.abc import Iterable, Iterator, Mapping
from itertools import pairwise
from typing import Any, NamedTuple

from reconciler.frozen import frozen
from reconciler.kinds.clone import Clone
from reconciler.kinds.group import Group
from reconciler.kinds.nvset import value_in
from reconciler.kinds.order import Order
from reconciler.orders import Orders
from reconciler.state import Doubt, Ref, State

_INVERSE = {"start": "stop", "stop": "start", "promote": "demote", "demote": "promote"}
_BEFORE = (("start", "promote"), ("demote", "stop"))
"""What is done to one resource in which order."""

_FEW = 8


class _Point(NamedTuple):
    """When an action on a resource begins, or has ended; of a container its members are acted on between the two."""

    name: str
    action: str
    end: bool = False


class _Graph:
    """What comes after what, and the order or container that says so; None between the actions on one resource."""

    def __init__(self) -> None:
        self.after: dict[_Point, dict[_Point, Ref | None]] = defaultdict(dict)

    def add(self, first: _Point, then: _Point, why: Ref | None) -> None:
        self.after[first].setdefault(then, why)
        self.after.setdefault(then, {})


def circles(state: State, around: State) -> Iterator[Doubt]:
    """Yield one circle of each knot of orders, if an order in `state` is in it; `around` is all that there will be."""
    if not any(isinstance(spec, Order) for spec in state.values()):
        return
    graph = _graph(around)
    knots = _knots({point: tuple(then) for point, then in graph.after.items()})
    said: set[frozenset[Ref]] = set()
    for way in sorted((_shortest(knot, graph) for knot in knots), key=_is_backwards):
        orders = frozenset(ref for ref in _reasons(way, graph) if ref is not None and ref.kind == "Order")
        ours = sorted(orders & state.keys())
        # What cannot be started in this order cannot be stopped in reverse: that is one circle, not two.
        if ours and orders not in said:
            said.add(orders)
            verb = "stops" if _is_backwards(way) else "starts"
            yield Doubt(ours[0], "spec", f"orders in a circle, of which nothing ever {verb}: {_words(way, graph)}")


def _is_backwards(way: tuple[_Point, ...]) -> bool:
    return all(point.action in ("stop", "demote") for point in way)


def _graph(around: State) -> _Graph:
    graph, inside = _Graph(), _inside(around)
    for ref, (first, then) in _worth_a_look(list(_steps(around, inside)), inside):
        graph.add(_Point(*first, end=True), _Point(*then), ref)
        order: Any = around[ref]
        symmetrical = order.symmetrical != "false" and order.kind != "Serialize"
        if symmetrical and first[1] in _INVERSE and then[1] in _INVERSE:
            back, on = (_Point(name, _INVERSE[action]) for name, action in (first, then))
            graph.add(on._replace(end=True), back, ref)
    for point in [*graph.after]:
        _surround(point, inside, graph)
    return graph


_Step = tuple[Ref, tuple[tuple[str, str], tuple[str, str]]]
"""An order, and two of its resources with what is done to them: first one, then the other."""


def _steps(around: State, inside: "_Inside") -> Iterator[_Step]:
    orders = Orders(around)
    for ref, order in orders.all():
        for step in orders.steps(order) if not order.lifetime else ():
            first, then = step.first, step.then
            if first[0] in inside.hidden or then[0] in inside.hidden or first[0] in inside.holders(then[0]):
                continue
            yield ref, (first, then)


def _worth_a_look(steps: list[_Step], inside: "_Inside") -> list[_Step]:
    """Leave out what nothing leads back to, which mostly is everything: the graph of thousands of orders is large.

    Groups stand for what is in them. Where anything is stopped or demoted first it may lead back in other ways.
    """
    if any(action not in ("start", "promote") for _, both in steps for _, action in both):
        return steps
    ways = [(inside.top(first), inside.top(then)) for _, ((first, _), (then, _)) in steps]
    after: dict[str, list[str]] = defaultdict(list)
    for first, then in ways:
        after[first].append(then)
    before = Counter(then for _, then in ways)
    free = [name for name in after if name not in before]
    while free:
        for then in after[free.pop()]:
            before[then] -= 1
            if not before[then]:
                free.append(then)
    return [step for step, (first, _) in zip(steps, ways, strict=True) if before[first]]


def _surround(point: _Point, inside: "_Inside", graph: _Graph) -> None:
    """Add what follows from what a point is part of: its resource's other actions, and its container."""
    name, action, _ = point
    for first, then in _BEFORE:
        if action in (first, then):
            graph.add(_Point(name, first, end=True), _Point(name, then), None)
    graph.add(_Point(name, action), _Point(name, action, end=True), None)
    for holder in inside.refs(name):
        members = inside.members[holder] if action in ("start", "promote") else inside.members[holder][::-1]
        for member in members:
            graph.add(_Point(holder.name, action), _Point(member, action), holder)
            graph.add(_Point(member, action), _Point(member, action, end=True), None)
            graph.add(_Point(member, action, end=True), _Point(holder.name, action, end=True), holder)
        for one, next_one in pairwise(members) if holder not in inside.loose else ():
            graph.add(_Point(one, action, end=True), _Point(next_one, action), holder)


@frozen
class _Inside:
    """Which groups hold what; `loose` ones start their members in any order."""

    members: Mapping[Ref, tuple[str, ...]]
    holder: Mapping[str, Ref]
    loose: frozenset[Ref]
    hidden: frozenset[str]
    """What is inside a clone: Pacemaker ignores orders that name it."""

    def holders(self, name: str) -> frozenset[str]:
        return frozenset({self.holder[name].name} if name in self.holder else ())

    def top(self, name: str) -> str:
        """Return what stands for a resource: the group that it is in."""
        return self.holder[name].name if name in self.holder else name

    def refs(self, name: str) -> Iterable[Ref]:
        own = Ref("Group", name)
        return [ref for ref in (self.holder.get(name), own if own in self.members else None) if ref]


def _inside(around: State) -> _Inside:
    groups = {ref: spec for ref, spec in around.items() if isinstance(spec, Group)}
    cloned = {spec.resource for spec in around.values() if isinstance(spec, Clone)}
    hidden = cloned | {name for ref, spec in groups.items() if ref.name in cloned for name in spec.resources}
    return _Inside(
        {ref: spec.resources for ref, spec in groups.items()},
        {name: ref for ref, spec in groups.items() for name in spec.resources},
        frozenset(ref for ref, spec in groups.items() if value_in(spec.meta, "ordered") == "false"),
        frozenset(hidden),
    )


def _knots(after: Mapping[_Point, tuple[_Point, ...]]) -> Iterator[frozenset[_Point]]:
    """Yield the sets of points that can all be reached from one another (Kosaraju), those of one point left out."""
    seen: set[_Point] = set()
    ended: list[_Point] = []
    for start in sorted(after):
        ways = [(start, iter(after[start]))] if start not in seen else []
        seen.add(start)
        while ways:
            point, left = ways[-1]
            following = next((then for then in left if then not in seen), None)
            if following is None:
                ended.append(point)
                ways.pop()
            else:
                seen.add(following)
                ways.append((following, iter(after[following])))
    before: dict[_Point, list[_Point]] = defaultdict(list)
    for point, thens in after.items():
        for then in thens:
            before[then].append(point)
    for start in reversed(ended):
        knot, ways_back = set[_Point](), [start] if start in seen else []
        while ways_back:
            point = ways_back.pop()
            if point in seen:
                seen.discard(point)
                knot.add(point)
                ways_back += before[point]
        if len(knot) > 1:
            yield frozenset(knot)


def _shortest(knot: frozenset[_Point], graph: _Graph) -> tuple[_Point, ...]:
    """Return the shortest way from one order's `then` back to it: points, of which the last comes before the first."""
    edges = ((why, then, point) for point in knot for then, why in graph.after[point].items() if then in knot and why)
    _, start, goal = min(edge for edge in edges if edge[0].kind == "Order")
    came: dict[_Point, _Point] = {}
    waiting = deque([start])
    while goal not in came and waiting and goal != start:
        point = waiting.popleft()
        for then in graph.after[point]:
            if then in knot and then not in came and then != start:
                came[then] = point
                waiting.append(then)
    way = [goal]
    while way[-1] != start:
        way.append(came[way[-1]])
    return tuple(reversed(way))


def _reasons(way: tuple[_Point, ...], graph: _Graph) -> list[Ref | None]:
    """Return why each point comes after the one before it; the first after the last."""
    return [graph.after[before][point] for before, point in pairwise((way[-1], *way))]


def _words(way: tuple[_Point, ...], graph: _Graph) -> str:
    """Name the circle, what there is to each step in brackets: `start a -> start b (Order/x) -> start a (Order/y)`.

    Of a long one the first steps are named, and how many more there are.
    """
    said = [f"{way[0].action} {way[0].name}"]
    last = way[0]
    for point, why in zip((*way[1:], way[0]), (*_reasons(way, graph)[1:], _reasons(way, graph)[0]), strict=True):
        if (point.name, point.action) != (last.name, last.action):
            said.append(f"{point.action} {point.name}" + (f" ({why})" if why else ""))
        last = point
    more = len(said) - 1 - _FEW
    if more > 1:
        said[_FEW + 1 :] = [f"{more} more steps, the last of them back to {said[0]}"]
    return " -> ".join(said)
