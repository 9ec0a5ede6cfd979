"""What a forecast promises for the time after a patch, and whether it came true. Pure.

A forecast looks one transition ahead. What agents tell only when they run (ping scores, promotion scores) lets more
happen later: a resource that is to run and about which the forecast knew nothing may then start, and an instance may be
promoted. That is as declared and no surprise. Nor is what had begun before: when a patch takes an edit back, the
cluster may already be at what the edit led to.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import field, replace
from enum import StrEnum

from reconciler.aftermath import failures, interrupted, subjects
from reconciler.cib.cluster import ClusterStatus, NodeStatus, ResourceStatus
from reconciler.cib.inventory import INFINITY
from reconciler.cib.membership import NodeKind
from reconciler.cib.simulation import Act, Effect, Simulation
from reconciler.forecast import Forecast, sentences
from reconciler.frozen import frozen


class Sort(StrEnum):
    """What a surprise is about."""

    PLACEMENT = "placement"
    ROLE = "role"
    RESTART = "restart"
    FAILURE = "failure"
    NODE = "node"
    DECLARED = "declared"


@frozen
class Surprise:
    """Something that is not as the forecast said, or not as declared. `subject` is a resource's or node's name."""

    sort: Sort
    subject: str
    message: str


@frozen
class Expected:
    """What is promised of one resource.

    Attributes:
        runs: the nodes where it is to be active, and whether promoted there.
        restarts: the nodes where it is interrupted and comes back.
        unsure: the nodes of which nothing can be said: several instances of a unique clone are there, or something was
            to happen to it there anyway.
        effects: what the forecast says of it.
        begun: something was to happen to it before the patch, and with the patch not: some of it may have.
    """

    runs: Mapping[str, bool] = field(default_factory=dict)
    restarts: frozenset[str] = frozenset()
    unsure: frozenset[str] = frozenset()
    effects: tuple[Effect, ...] = ()
    begun: bool = False


@frozen
class Expectation:
    """What is promised: the state before, and by resource what is to come of it; `fenced` are nodes."""

    before: ClusterStatus
    resources: Mapping[str, Expected]
    fenced: frozenset[str]
    effects: tuple[Effect, ...]

    @property
    def begun(self) -> frozenset[str]:
        """The resources of which something may have begun before the patch that is not the patch's doing."""
        return frozenset(name for name, expected in self.resources.items() if expected.begun)


def expect(before: ClusterStatus, forecast: Forecast) -> Expectation:
    """Return what is promised by a forecast that was made for the cluster as it was then."""
    effects = tuple(dict.fromkeys((*forecast.pending.effects, *forecast.caused.effects)))
    fencing = (*forecast.pending.fencing, *forecast.caused.fencing)
    said: dict[str, list[Effect]] = {}
    for effect in effects:
        if not effect.blocked:
            said.setdefault(effect.resource, []).append(effect)
    known = subjects(before)
    begun: dict[str, set[str]] = {}
    for effect in forecast.averted.effects:
        begun.setdefault(effect.resource, set()).update({effect.source, effect.target} - {""})
    expected = {name: _expected(known.get(name), said.get(name, ())) for name in dict.fromkeys((*known, *said, *begun))}
    return Expectation(
        before,
        {name: _interfered(item, begun[name]) if name in begun else item for name, item in expected.items()},
        frozenset(item.node for item in fencing),
        effects,
    )


_ENDS = frozenset({"Stopped"})
_PROMOTED = frozenset({"Promoted", "Master"})
_IN_PLACE = frozenset({Act.RESTART, Act.RECOVER, Act.RE_PROMOTE})


def _expected(resource: ResourceStatus | None, effects: Iterable[Effect]) -> Expected:
    effects = tuple(effects)
    before = {name: there.promoted for name, there in resource.placements.items() if there.active} if resource else {}
    left: set[str] = set()
    reached: dict[str, bool] = {}
    restarts = set()
    for effect in effects:
        source, target = effect.source, effect.target
        if effect.verb is Act.STOP or (source and source != target) or effect.next_role in _ENDS:
            left.add(source or target)
        if effect.verb is Act.STOP or not target or effect.next_role in _ENDS:
            continue
        if effect.verb in _IN_PLACE and source in ("", target):
            restarts.add(target)
        reached[target] = _promoted(effect, was=before.get(target, False)) or reached.get(target, False)
    runs = {**{node: role for node, role in before.items() if node not in left}, **reached}
    several = resource is not None and resource.cloned and resource.unique
    # What leaves a node and comes to it is interrupted there, in whichever instance.
    return Expected(runs, frozenset(restarts | (left & reached.keys())), frozenset(left if several else ()), effects)


def _interfered(expected: Expected, nodes: Iterable[str]) -> Expected:
    return replace(expected, unsure=expected.unsure | {*nodes}, begun=True)


def _promoted(effect: Effect, *, was: bool) -> bool:
    match effect.verb:
        case Act.PROMOTE | Act.RE_PROMOTE:
            return True
        case Act.DEMOTE:
            return False
    return effect.next_role in _PROMOTED or (not effect.next_role and was)


def compare(expectation: Expectation, now: ClusterStatus, touched: Iterable[str] = ()) -> tuple[Surprise, ...]:
    """Return what is not as promised once the cluster has come to rest.

    Args:
        expectation: what was promised.
        now: the cluster at rest.
        touched: the resources that were changed: of these is also said what is not as they are declared.
    """
    then = subjects(expectation.before)
    unsure = expectation.fenced | {name for name, node in now.nodes.items() if not node.online}
    current = subjects(now)
    found = list(_nodes(expectation, now))
    for name in dict.fromkeys((*expectation.resources, *current)):
        expected = expectation.resources.get(name, Expected())
        resource = current.get(name)
        surprises = [*_where(name, expected, resource, unsure)] or [
            *_restarts(name, expected, then.get(name), resource, unsure)
        ]
        if resource is not None and not expected.begun:
            surprises += _failed(resource, failures(expectation.before, resource))
        found += surprises
    surprised = {surprise.subject for surprise in found}
    concerned = {*touched} - surprised
    found += [item for name in sorted(concerned) if name in now.resources for item in _declared(name, now)]
    return tuple(found)


def _nodes(expectation: Expectation, now: ClusterStatus) -> Iterator[Surprise]:
    for name, node in expectation.before.nodes.items():
        # Remote nodes are where their connections are, which are resources.
        was_there = node.kind is NodeKind.MEMBER and node.online and not node.shutdown
        if was_there and name not in expectation.fenced and _lost(now.nodes.get(name)):
            yield Surprise(Sort.NODE, name, f"{name} was online and is not any more; the forecast did not say so")


def _lost(node: NodeStatus | None) -> bool:
    return node is None or not node.online or node.unclean


def _where(name: str, expected: Expected, resource: ResourceStatus | None, unsure: Iterable[str]) -> Iterator[Surprise]:
    """Say if a resource is active elsewhere than promised, or in another role."""
    skip = {*unsure, *expected.unsure}
    wanted = {node: promoted for node, promoted in expected.runs.items() if node not in skip}
    active = resource.active_on if resource else ()
    actual = {node: node in resource.promoted_on for node in active if node not in skip} if resource else {}
    more = actual.keys() - wanted.keys()
    if resource is not None and not (wanted.keys() - actual.keys()) and _as_declared(resource, expected, more):
        more = set()
    if more or wanted.keys() - actual.keys():
        yield Surprise(Sort.PLACEMENT, name, f"{_said(name, expected)}; it runs {_on(active)}")
        return
    promoted = {node for node, is_promoted in actual.items() if is_promoted}
    hoped = {node for node, is_promoted in wanted.items() if is_promoted}
    rises = resource is not None and hoped < promoted and len(promoted) <= resource.promoted_max
    if promoted != hoped and not rises:
        yield Surprise(Sort.ROLE, name, f"{_said(name, expected)}; it is promoted {_on(sorted(promoted))}")


def _as_declared(resource: ResourceStatus, expected: Expected, more: Iterable[str]) -> bool:
    """Tell whether it is only active on nodes of which the forecast did not speak, as it is meant to be."""
    spoken_of = {node for effect in expected.effects for node in (effect.source, effect.target)}
    free = resource.cloned or not (expected.effects or expected.runs)
    return resource.wanted and not resource.orphan and free and not spoken_of & set(more)


def _restarts(
    name: str,
    expected: Expected,
    then: ResourceStatus | None,
    now: ResourceStatus | None,
    unsure: Iterable[str],
) -> Iterator[Surprise]:
    if then is None or now is None:
        return
    stayed = set(then.active_on) & set(now.active_on) - {*unsure, *expected.unsure}
    changed = {effect.node for effect in expected.effects if effect.verb in _MAY_LOOK_LIKE_A_START}
    for node in sorted(stayed - changed):
        if not now.placements[node].operations or then.placements[node].promoted != now.placements[node].promoted:
            continue
        was = interrupted(then, now, node)
        if was and node not in expected.restarts:
            yield Surprise(
                Sort.RESTART, name, f"{name} was restarted or reloaded on {node}; the forecast did not say so"
            )
        elif not was and node in expected.restarts and not then.placements[node].pending:
            yield Surprise(Sort.RESTART, name, f"{_said(name, expected)}; it was not restarted on {node}")


_MAY_LOOK_LIKE_A_START = frozenset({Act.PROMOTE, Act.DEMOTE, Act.RELOAD})


def _failed(resource: ResourceStatus, risen: Mapping[str, int]) -> Iterator[Surprise]:
    if risen:
        counts = " and ".join(f"{_times(count)} on {node}" for node, count in sorted(risen.items()))
        yield Surprise(Sort.FAILURE, resource.id, f"{resource.id} has failed since then: {counts}")


def _times(count: int) -> str:
    return "for good" if count >= INFINITY else "once" if count == 1 else f"{count} times"


def _declared(name: str, now: ClusterStatus) -> Iterator[Surprise]:
    """Say if a resource is not as its meta attributes want it: nothing is expected of what is not managed."""
    resource = now.resources[name]
    if not resource.managed or resource.orphan:
        return
    active, promoted = resource.active_on, resource.promoted_on
    if not resource.wanted:
        if active:
            yield Surprise(Sort.DECLARED, name, f"{name} is declared Stopped; it runs {_on(active)}")
    elif not active:
        yield Surprise(Sort.DECLARED, name, f"{name} is declared Started; it runs nowhere")
    elif resource.promotable and resource.target_role.lower() in ("unpromoted", "slave"):
        if promoted:
            yield Surprise(Sort.DECLARED, name, f"{name} is declared Unpromoted; it is promoted {_on(promoted)}")
    elif resource.promotable and len(promoted) < min(resource.promoted_max, len(active)):
        few = min(resource.promoted_max, len(active))
        yield Surprise(
            Sort.DECLARED, name, f"{name} is to be promoted on {few} of {len(active)} nodes; it is on {len(promoted)}"
        )


def _said(name: str, expected: Expected) -> str:
    if not expected.effects:
        return f"the forecast let {name} stay as it was, active {_on(sorted(expected.runs))}"
    return "the forecast said: " + ", ".join(sentences(Simulation(expected.effects)))


def _on(nodes: Iterable[str]) -> str:
    names = list(nodes)
    if not names:
        return "nowhere"
    return "on " + " and ".join(filter(None, (", ".join(names[:-1]), names[-1])))
