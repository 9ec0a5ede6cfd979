"""One decision about everything: the cluster's plan and the node's network plan as one plan. Pure."""

from collections.abc import Iterable, Mapping
from dataclasses import field, replace
from typing import TYPE_CHECKING
from xml.etree import ElementTree as ET

from reconciler import planner, rendered
from reconciler.cib.document import Cib
from reconciler.demand import Demand
from reconciler.forecast import Forecast, NoForecast
from reconciler.frozen import frozen
from reconciler.kinds.node_network import Inventory, NodeNetwork
from reconciler.kinds.primitive import Primitive
from reconciler.observation import Observation
from reconciler.plan import Hold, Plan, undone
from reconciler.planner import ClusterPlan
from reconciler.pruning import Policy
from reconciler.secret import Secret, redacted
from reconciler.state import Desired, Ref, Scope, State

if TYPE_CHECKING:
    from reconciler.network.owned import Owned
    from reconciler.network.steps import NetworkPlan


@frozen
class Decision:
    """The plan, and what it leads to: the configuration for a forecast, the network inventory to be kept.

    `blind` are the scopes that could not be seen, with the reason: there nothing is planned. Where there is a patch to
    send, the guards add its `demand` and the `forecast` that they went by; it is `outdated` if somebody has changed the
    configuration since it was made.
    """

    plan: Plan
    cluster: ClusterPlan | None
    inventory: Inventory
    blind: Mapping[Scope, str]
    demand: Demand | None = None
    forecast: Forecast | NoForecast | None = None
    outdated: bool = False


@frozen
class Remembered:
    """What earlier passes leave to a decision.

    `inventory` are the addresses that the agent added, `last_cib` the last one that could be read, `left_alone` the
    objects that are not to be changed now. `for_now` are holds that count where there is something to be done.
    """

    inventory: Inventory = frozenset()
    last_cib: Cib | None = None
    left_alone: Mapping[Ref, Hold] = field(default_factory=dict)
    for_now: tuple[Hold, ...] = ()


def decide(
    desired: Desired,
    observation: Observation,
    policy: Policy,
    remembered: Remembered,
    standing: Iterable[Hold] = (),
) -> Decision:
    """Plan the network first, then the cluster: an address must be on its link before a resource needs it.

    `standing` are holds of a whole scope: its changes are still shown, its commands are left out. So it is
    with the holds that are remembered `for_now`, of which nothing is said where there is no command to be left out.
    """
    network = _network(desired, observation, remembered)
    cluster = None
    if observation.cluster is not None:
        running = observation.doings or frozenset[str]()
        cluster = planner.plan(desired, observation.cluster, running, policy, remembered.left_alone)
    parts = [
        part
        for part in (_network_plan(network, _secrets(desired, observation)), cluster.plan if cluster else None)
        if part
    ]
    standing = tuple(standing)
    open_still = {command.scope for part in parts for command in part.commands} - {hold.scope for hold in standing}
    standing = (*standing, *(hold for hold in remembered.for_now if hold.scope in open_still))
    held = {hold.scope for hold in standing}
    plan = Plan(
        changes=tuple(change for part in parts for change in part.changes),
        adoptions=tuple(ref for part in parts for ref in part.adoptions),
        holds=(*standing, *(hold for part in parts for hold in part.holds)),
        overrides=tuple(override for part in parts for override in part.overrides),
        foreign=tuple(ref for part in parts for ref in part.foreign),
        warnings=tuple(warning for part in parts for warning in part.warnings),
        commands=tuple(command for part in parts for command in part.commands if command.scope not in held),
    )
    kept = network.inventory if network and Scope.NODE not in held else remembered.inventory
    return Decision(plan, cluster, kept, blind(observation))


def _network_plan(network: "NetworkPlan | None", secrets: tuple[Secret, ...]) -> Plan | None:
    """Return the network's part; it tells of the parameters of resources, of which one may be a secret."""
    if network is None:
        return None
    return Plan(
        network.changes,
        holds=tuple(replace(hold, message=redacted(hold.message, secrets)) for hold in network.holds),
        warnings=tuple(redacted(warning, secrets) for warning in network.warnings),
        commands=network.commands,
    )


def _secrets(desired: Desired, observation: Observation) -> tuple[Secret, ...]:
    return (*desired.secrets, *(observation.cluster.secrets if observation.cluster else ()))


def _network(desired: Desired, observation: Observation, remembered: Remembered) -> "NetworkPlan | None":
    mine = own_network(desired.state, observation.node)
    if mine is None or observation.network is None:
        return None
    # It knows all of the kernel's rules, and most verbs plan no network.
    from reconciler.network import steps  # noqa: PLC0415

    owned = owned_by_cluster(desired.state, observation, remembered.last_cib)
    planned = steps.plan(mine[0], mine[1], observation.network, owned, remembered.inventory)
    hold = remembered.left_alone.get(mine[0])
    if hold is None or not planned.changes:
        return planned
    held = (*planned.holds, *(replace(undone(hold, change), scope=Scope.NODE) for change in planned.changes))
    return replace(planned, changes=(), holds=held, lines=(), undo=(), inventory=remembered.inventory)


def own_network(state: State, node: str) -> tuple[Ref, NodeNetwork] | None:
    """Return this node's NodeNetwork, if a manifest has one."""
    return next(
        ((ref, spec) for ref, spec in state.items() if isinstance(spec, NodeNetwork) and spec.node == node), None
    )


def owned_by_cluster(state: State, observation: Observation, last_cib: Cib | None) -> "Owned":
    """Return what of the network is the cluster's, by the live, the last good and the desired configuration."""
    from reconciler.network.owned import cluster_owned  # noqa: PLC0415  as above

    others: list[ET.Element] = [last_cib.root] if last_cib else []
    primitives = [
        (spec.agent, values.values)
        for spec in state.values()
        if isinstance(spec, Primitive) and spec.agent
        for values in spec.params
    ]
    if rendered.is_needed(state):
        others.append(rendered.configuration(state, observation.cib.objects("nodes") if observation.cib else ()))
    live = observation.cib.root if observation.cib else None
    return cluster_owned(live, others, primitives, observation.rings)


def blind(observation: Observation) -> Mapping[Scope, str]:
    """Return the scopes that could not be seen, and why."""
    unseen = {}
    if observation.cluster is None:
        unseen[Scope.CLUSTER] = observation.why("cib")
    if observation.network is None:
        unseen[Scope.NODE] = observation.why("addresses", "routes")
    return unseen


def for_node(desired: Desired, node: str) -> Desired:
    """Leave out what is other nodes' business."""
    state = {ref: spec for ref, spec in desired.state.items() if not isinstance(spec, NodeNetwork) or spec.node == node}
    return replace(desired, state=state)
