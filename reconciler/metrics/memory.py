"""What has to be remembered between two passes, and over restarts of the agent, to count each failover once. Pure.

`dump` gives plain values that JSON can hold, `load` takes them back; what is foreign or damaged is no memory at all.
"""

from collections.abc import Mapping
from dataclasses import field
from enum import StrEnum
from typing import Any

from pydantic import TypeAdapter, ValidationError

from reconciler.frozen import frozen

VERSION = 1


class Cause(StrEnum):
    """Why a unit moved: by somebody's will, by a failure, or the traces do not tell."""

    PLANNED = "planned"
    UNPLANNED = "unplanned"
    UNKNOWN = "unknown"


@frozen
class Trace:
    """The identity of an operation: the same one is never counted twice. `at` and `ended` are Unix seconds."""

    task: str
    call_id: int
    at: int
    transition: str
    ended: float = 0.0


@frozen
class Last:
    """The last failover of a unit to the local node; the duration is seconds, None where nothing tells it."""

    at: float
    source: str
    cause: Cause
    duration: float | None


@frozen
class Tally:
    """What has been counted for one unit: arrivals on the local node by cause, and restarts in place."""

    failovers: Mapping[Cause, int] = field(default_factory=lambda: dict.fromkeys(Cause, 0))
    last_at: Mapping[Cause, float] = field(default_factory=dict)
    recoveries: int = 0
    last: Last | None = None


@frozen
class Unit:
    """What was last known of a unit. Times are Unix seconds of the local clock, 0 for never.

    `holders` are the nodes that had it, `vacated` those that had it and that no other node has replaced yet. `traces`
    are the newest successful operations of its leading member per node, `failures` the newest failed ones,
    `fail_counts` the sums over its members. `trouble` is when a failure was noticed per node, `willed` when somebody's
    hand was, `halted` that it was told to stop since it last ran.
    """

    holders: tuple[str, ...]
    vacated: tuple[str, ...]
    traces: Mapping[str, Trace]
    failures: Mapping[str, Trace]
    fail_counts: Mapping[str, int]
    trouble: Mapping[str, float]
    willed: float
    halted: bool
    seen: float
    tally: Tally


@frozen
class NodeMemory:
    """The state of a node as far as it explains later moves.

    `left` is that it is down as it was asked to be, `fail_counts` the sum over all resources. `lost`, `willed` and
    `trouble` are when the node was noticed to have gone unasked, to have been put in or out of service by somebody, and
    to have new failures.
    """

    online: bool
    left: bool
    shutdown: bool
    standby: bool
    fail_counts: int
    lost: float = 0.0
    willed: float = 0.0
    trouble: float = 0.0


@frozen
class Memory:
    """Everything remembered: of which cluster, as which node, when, and what.

    `calls` is the highest call id of the local node, which starts anew with Pacemaker. `manual` are the ids of the
    cli-ban and cli-prefer constraints, `dc_elections` counts how often the local node became DC.
    """

    cluster: str
    local_node: str
    at: float
    calls: int
    nodes: Mapping[str, NodeMemory]
    manual: tuple[str, ...]
    units: Mapping[str, Unit]
    dc: str = ""
    dc_elections: int = 0


_ADAPTER: TypeAdapter[Memory] = TypeAdapter(Memory)


def dump(memory: Memory) -> dict[str, Any]:
    """Return the memory as values that JSON can hold."""
    return {"version": VERSION, "memory": _ADAPTER.dump_python(memory, mode="json")}


def load(data: object, *, cluster: str, local_node: str) -> Memory | None:
    """Take back what `dump` gave; None for another version, another cluster or node, and anything damaged."""
    if not isinstance(data, dict) or data.get("version") != VERSION:
        return None
    try:
        memory = _ADAPTER.validate_python(data.get("memory"))
    except ValidationError:
        return None
    return memory if (memory.cluster, memory.local_node) == (cluster, local_node) else None
