"""Who may change the cluster: the agent on the DC, or a successor while the DC has no live agent. Pure.

Two writers at once do no harm, because a patch names the epoch that it was made from; one writer just saves the
quarrel. Every agent comes to the same answer from the same facts: the DC in the CIB, the agents in corosync's group.
"""

from reconciler.observation import Observation
from reconciler.plan import Hold, Reason
from reconciler.state import Scope


def standing(observation: Observation, mode: str) -> tuple[Hold, ...]:
    """Return what keeps this agent from changing the cluster or its node; nothing if it may."""
    holds = []
    if mode == "observe":
        message = "mode = observe in the settings: changes are reported and not made"
        holds += [Hold(Reason.OBSERVE_ONLY, message, scope=scope) for scope in Scope]
    elif observation.cib is not None:
        holds += _cluster(observation)
    return tuple(holds)


def _cluster(observation: Observation) -> list[Hold]:
    cib, snapshot = observation.cib, observation.snapshot
    if cib is None:
        return []
    if cib.have_quorum is False:
        return [Hold(Reason.NO_QUORUM, "this part of the cluster has no quorum")]
    if cib.dc is None:
        return [Hold(Reason.NO_DC, "the cluster has no DC: an election is under way, or Pacemaker has just started")]
    if observation.node == cib.dc:
        return []
    if snapshot.agents is None or snapshot.nodeid is None:
        return [Hold(Reason.NOT_WRITER, f"{cib.dc} is the DC, and corosync cannot be asked whether its agent lives")]
    dc = next((int(uuid) for uuid, name in cib.unames.items() if name == cib.dc and uuid.isdigit()), None)
    if dc in snapshot.agents:
        return [Hold(Reason.NOT_WRITER, f"the agent on the DC, {cib.dc}, makes the cluster's changes")]
    successor = min(snapshot.agents, default=snapshot.nodeid)
    if successor == snapshot.nodeid:
        return []
    name = cib.unames.get(str(successor), str(successor))
    return [Hold(Reason.NOT_WRITER, f"the DC, {cib.dc}, has no live agent; the one on {name} makes the changes")]
