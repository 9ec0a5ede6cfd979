"""Who may change the cluster: the agent on the DC, or a successor while that one cannot. Pure.

Two writers at once do no harm, because a patch names the epoch that it was made from; one writer just saves the
quarrel. Every agent comes to the same answer from the same facts: the DC in the CIB, and corosync's group of agents,
in which an agent is only as long as it is able to write.
"""

from collections.abc import Iterable

from reconciler.cib.document import Cib
from reconciler.observation import Observation
from reconciler.plan import Hold, Reason
from reconciler.policy import Rules
from reconciler.state import CHANGEABLE, Scope
from reconciler.suspension import holds
from reconciler.windows import closed

STANDING = frozenset(
    {Reason.NOT_WRITER, Reason.NO_QUORUM, Reason.NO_DC, Reason.OBSERVE_ONLY, Reason.SUSPENDED, Reason.BACKING_OFF}
)
"""Why an agent does not make the cluster's changes, whatever they are; other holds are about one plan."""


def writes(holds: Iterable[Hold]) -> bool:
    """Tell whether an agent with these holds is the one that makes the cluster's changes."""
    return not any(hold.ref is None and hold.scope is Scope.CLUSTER and hold.reason in STANDING for hold in holds)


def standing(observation: Observation, rules: Rules, revision: str) -> tuple[Hold, ...]:
    """Return what keeps this agent from changing the cluster or its node; nothing if it may.

    Args:
        observation: of this pass.
        rules: what an agent may do by itself.
        revision: of the manifests in force here.
    """
    if rules.mode == "observe":
        return _observing(rules)
    hold = _cluster(observation) or _skew(observation, revision)
    snapshot = observation.snapshot
    suspended = holds(observation.register, snapshot.suspended, snapshot.at)
    return (hold, *suspended) if hold else suspended


def for_now(observation: Observation, rules: Rules) -> tuple[Hold, ...]:
    """Return what keeps a change from being begun now; nothing to speak of where there is nothing to change.

    The network waits for its windows; the windows of a patch are the guards' business, as an approval releases it.
    """
    snapshot = observation.snapshot
    why = closed(rules.windows, snapshot.at)
    windows = (Hold(Reason.OUTSIDE_WINDOW, why, scope=Scope.NODE),) if why else ()
    silent = sorted((snapshot.agents or frozenset()) - snapshot.revisions.keys() - {snapshot.nodeid})
    if not silent:
        return windows
    name = _name(observation, silent[0])
    message = f"the agent on {name} has not said yet which revision of the manifests it has: waits until it has"
    return (*windows, Hold(Reason.REVISION_SKEW, message))


def _skew(observation: Observation, revision: str) -> Hold | None:
    """Hold while agents that could write have read other manifests: nobody knows which are the newer ones."""
    snapshot, cib = observation.snapshot, observation.cib
    for nodeid, other in sorted(snapshot.revisions.items()):
        if cib is not None and nodeid != snapshot.nodeid and other != revision:
            name = _name(observation, nodeid)
            message = f"the agent on {name} has revision {other[:12]} of the manifests, this one {revision[:12]}: waits"
            return Hold(Reason.REVISION_SKEW, f"{message} until all have the same")
    return None


def _cluster(observation: Observation) -> Hold | None:
    cib, snapshot = observation.cib, observation.snapshot
    if cib is None:
        return None
    if hold := _without_quorum(cib):
        return hold
    if cib.dc is None:
        return Hold(Reason.NO_DC, "the cluster has no DC: an election is under way, or Pacemaker has just started")
    if observation.node == cib.dc:
        return None
    if snapshot.agents is None or snapshot.nodeid is None:
        return Hold(Reason.NOT_WRITER, f"{cib.dc} is the DC, and corosync cannot be asked whether its agent lives")
    dc = next((int(uuid) for uuid, name in cib.unames.items() if name == cib.dc and uuid.isdigit()), None)
    if dc in snapshot.agents:
        return Hold(Reason.NOT_WRITER, f"the agent on the DC, {cib.dc}, makes the cluster's changes")
    if not snapshot.agents:
        return Hold(Reason.NOT_WRITER, f"the DC, {cib.dc}, has no agent that can write, and this one is not ready yet")
    successor = min(snapshot.agents)
    if successor == snapshot.nodeid:
        return None
    name = _name(observation, successor)
    return Hold(Reason.NOT_WRITER, f"the DC, {cib.dc}, has no agent that can write; the one on {name} does instead")


def for_anybody(observation: Observation, rules: Rules) -> tuple[Hold, ...]:
    """Return what keeps everybody from changing the cluster, whoever writes: for a plan that a person asks for."""
    if rules.mode == "observe":
        return _observing(rules)
    hold = _without_quorum(observation.cib) if observation.cib else None
    return (hold,) if hold else ()


def _without_quorum(cib: Cib) -> Hold | None:
    return Hold(Reason.NO_QUORUM, "this part of the cluster has no quorum") if cib.have_quorum is False else None


def _observing(rules: Rules) -> tuple[Hold, ...]:
    message = f"{rules.observed_by}: changes are reported and not made"
    return tuple(Hold(Reason.OBSERVE_ONLY, message, scope=scope) for scope in CHANGEABLE)


def _name(observation: Observation, nodeid: int) -> str:
    return observation.cib.unames.get(str(nodeid), str(nodeid)) if observation.cib else str(nodeid)


def able(observation: Observation, mode: str, desired: bool, holds: Iterable[Hold]) -> bool:
    """Tell whether this agent could write if it were its turn; not while this node alone is suspended.

    Args:
        observation: of this pass.
        mode: of the settings.
        desired: whether there is a desired state at all.
        holds: of the pass; a back-off means that the last attempt failed here, and may succeed elsewhere.
    """
    failing = any(
        hold.ref is None and hold.reason is Reason.BACKING_OFF and hold.scope is Scope.CLUSTER for hold in holds
    )
    here = observation.snapshot.suspended
    alone = here is not None and here.until > observation.snapshot.at
    return mode == "enforce" and desired and observation.cib is not None and not failing and not alone
