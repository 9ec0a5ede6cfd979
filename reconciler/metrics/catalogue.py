"""Every metric there is: name, type, help, labels with their closed sets of values.

Collector, documents, rules, dashboards and tests share it. Names follow Prometheus' rules: base units, `_total` for
counters, `_timestamp_seconds` for times, the time itself and never an age. No label says what the target's labels say
(`cluster`, `job`, `instance`).
"""

from collections.abc import Iterator, Mapping
from enum import StrEnum

from reconciler.cib.simulation import Act
from reconciler.expectation import Sort
from reconciler.frozen import frozen
from reconciler.kinds import CLUSTER_KINDS, KINDS
from reconciler.metrics.memory import Cause
from reconciler.observation import Source
from reconciler.overrides import PASSING
from reconciler.plan import Reason, Verb
from reconciler.settling import Remedy
from reconciler.settling import Result as Ended
from reconciler.state import Scope

PREFIX = "reconciler_"
DURATION_BUCKETS = (0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0)

DOMAINS: Mapping[Scope, str] = {Scope.CLUSTER: "crm", Scope.NODE: "net"}
"""The label `domain`: what lives in the CIB, and what lives on the node."""


OTHER_KIND = "other"
"""The label `kind` of what is no kind."""


class Result(StrEnum):
    """How a pass ended for a domain: in sync, changed, failed, held back, or only reported (mode = observe)."""

    UNCHANGED = "unchanged"
    CHANGED = "changed"
    ERROR = "error"
    BLOCKED = "blocked"
    DRY_RUN = "dry_run"


class SourceFailure(StrEnum):
    """Why a source gave nothing that could be used."""

    EXIT = "exit"
    TIMEOUT = "timeout"
    MISSING = "missing"
    DENIED = "denied"
    FLOOD = "flood"
    STOPPED = "stopped"
    PARSE = "parse"


NODE_STATES = (
    "online",
    "standby",
    "standby_onfail",
    "maintenance",
    "pending",
    "unclean",
    "shutdown",
    "expected_up",
)
WATCHERS = ("desired", "cib", "transitions", "network")
BLOCKING = (
    Reason.NOT_WRITER,
    Reason.NO_QUORUM,
    Reason.NO_DC,
    Reason.OBSERVE_ONLY,
    Reason.SUSPENDED,
    Reason.BACKING_OFF,
    Reason.BREAKS_SCHEDULER,
    Reason.INVALID,
    Reason.VERIFY_ERRORS,
    Reason.NO_FORECAST,
    Reason.DELETION_BUDGET,
    Reason.DISRUPTION_BUDGET,
    Reason.FENCING,
    Reason.FENCING_PENDING,
    Reason.TRANSITION_RUNNING,
    Reason.MAINTENANCE_MODE,
    Reason.OUTSIDE_WINDOW,
    Reason.REVISION_SKEW,
    Reason.QUARANTINED,
    Reason.UNOBSERVABLE,
)
"""What keeps an agent from changing the cluster."""


EFFECTS = (*(act.value for act in Act), "fence")
ENDS = tuple(result.value for result in Ended if result is not Ended.SETTLING)
REMEDIES = tuple(remedy.value for remedy in Remedy if remedy is not Remedy.NONE)


class Type(StrEnum):
    """Prometheus' types; an info is a gauge that is always 1 and tells in its labels."""

    GAUGE = "gauge"
    COUNTER = "counter"
    HISTOGRAM = "histogram"
    INFO = "info"


@frozen
class Metric:
    """One metric. A label's values are None where the cluster decides them.

    `lasting` metrics are the agent's own; the others say how the cluster is and are left out once that is old.
    """

    name: str
    type: Type
    help: str
    labels: Mapping[str, tuple[str, ...] | None]
    lasting: bool = False

    @property
    def series(self) -> tuple[str, ...]:
        """The names that its samples have."""
        if self.type is Type.HISTOGRAM:
            return tuple(f"{self.name}{suffix}" for suffix in ("_bucket", "_sum", "_count"))
        return (self.name,)


_KINDS = tuple(kind.name for kind in KINDS.values() if kind.scope in DOMAINS)
_ACTIONS = tuple(verb.value for verb in Verb)
_DOMAINS = tuple(DOMAINS.values())
_CAUSES = tuple(cause.value for cause in Cause)
_SOURCES = tuple(source.value for source in Source)
_G, _C, _H, _I = Type.GAUGE, Type.COUNTER, Type.HISTOGRAM, Type.INFO
_Labels = Mapping[str, tuple[str, ...] | None]
_NONE: _Labels = {}
_RING: _Labels = {"ring": None}
_LINK: _Labels = {"ring": None, "peer": None}
_NODE: _Labels = {"node": None}
_RESOURCE: _Labels = {"resource": None}
_AT: _Labels = {"resource": None, "node": None}
_SOURCE: _Labels = {"source": _SOURCES}
_DOMAIN: _Labels = {"domain": _DOMAINS}
_CHANGE: _Labels = {"domain": _DOMAINS, "kind": _KINDS, "action": _ACTIONS}
_MOVE: _Labels = {"resource": None, "cause": _CAUSES}
_PING: _Labels = {"attribute": None, "node": None}
_EFFECT: _Labels = {"effect": EFFECTS}
_WATCHER: _Labels = {"watcher": WATCHERS}

_Row = tuple[str, Type, str, _Labels]

_AGENT: tuple[_Row, ...] = (
    ("build_info", _I, "The agent's version.", {"version": None}),
    ("source_up", _G, "Whether the source gave something usable; none while it is not asked.", _SOURCE),
    ("source_duration_seconds", _G, "How long the source took; none while it is not asked.", _SOURCE),
    ("source_last_success_timestamp_seconds", _G, "When the source last gave something usable; 0 never.", _SOURCE),
    (
        "source_failures_total",
        _C,
        "How often the source gave nothing usable, by reason.",
        {"source": _SOURCES, "reason": tuple(SourceFailure)},
    ),
    ("snapshot_timestamp_seconds", _G, "When everything that says how the cluster is was seen.", _NONE),
    ("reconcile_total", _C, "Passes by how they ended.", {"domain": _DOMAINS, "result": tuple(Result)}),
    ("reconcile_duration_seconds", _H, "How long passes took.", _NONE),
    ("reconcile_last_success_timestamp_seconds", _G, "When a pass last ended without an error; 0 never.", _DOMAIN),
    (
        "reconcile_consecutive_failures",
        _G,
        "Failed passes since the last that succeeded; passes that were held back count as neither.",
        _DOMAIN,
    ),
    ("drift_objects", _G, "Objects that are not as the manifests want them, by what would be done.", _CHANGE),
    ("drift_since_timestamp_seconds", _G, "Since when there has been drift without a break; 0 for none.", _DOMAIN),
    ("changes_total", _C, "Changes made.", _CHANGE),
    ("change_failures_total", _C, "Changes whose commands failed.", _CHANGE),
    (
        "out_of_band_changes_total",
        _C,
        "Objects of the cluster that this agent saw changed by none of the agents and not by Pacemaker.",
        {"kind": (*CLUSTER_KINDS, OTHER_KIND), "action": _ACTIONS},
    ),
    ("desired_info", _I, "The revision of the manifests in force.", {"revision": None}),
    ("desired_valid", _G, "Whether the newest manifests are the ones in force.", _NONE),
    ("desired_load_timestamp_seconds", _G, "When the manifests in force were loaded; 0 never.", _NONE),
    ("desired_invalid_files", _G, "Files with faults among the newest manifests.", _NONE),
    ("apply_allowed", _G, "Whether this agent may change the cluster; one agent per cluster does.", _NONE),
    ("apply_blocked", _G, "What keeps this agent from changing the cluster.", {"reason": tuple(BLOCKING)}),
    ("forecast_effects", _G, "What the forecast of the last patch said, by effect; fence counts nodes.", _EFFECT),
    ("observed_effects", _G, "What happened until the last patch had settled; fence counts nodes that left.", _EFFECT),
    ("surprises_total", _C, "What was not as forecast, or not as declared, after patches.", {"about": tuple(Sort)}),
    ("settling", _G, "Whether the cluster has yet to come to rest after a patch of this agent.", _NONE),
    ("settled_total", _C, "Patches of this agent by how they settled.", {"result": ENDS}),
    ("settle_duration_seconds", _G, "How long the last patch took, or has taken so far, to settle.", _NONE),
    (
        "harmful_changes_total",
        _C,
        "Patches after which a healthy resource was not healthy any more, by what was done about it.",
        {"remedy": REMEDIES},
    ),
    ("left_alone_objects", _G, "Objects that are left alone for an hour, as correcting them did harm.", _NONE),
    ("suspended", _G, "Whether a person has said that nothing is to be changed.", _NONE),
    ("suspended_since_timestamp_seconds", _G, "Since when it is suspended; 0 while it is not.", _NONE),
    ("suspended_until_timestamp_seconds", _G, "When the suspension ends by itself; 0 while it is not.", _NONE),
    ("watcher_events_total", _C, "Hints that the kernel gave.", _WATCHER),
    ("watcher_found_total", _C, "Changes that no hint had announced.", _WATCHER),
    ("watcher_rebuilds_total", _C, "How often a watch was built anew.", _WATCHER),
    ("watcher_errors_total", _C, "How often a watch broke or overflowed.", _WATCHER),
    ("dc_elections_total", _C, "How often this node became DC; add up over all agents.", _NONE),
    ("failovers_total", _C, "Moves of a unit to this node; add up over all agents.", _MOVE),
    ("failover_last_timestamp_seconds", _G, "When a unit last moved to this node; 0 never.", _MOVE),
    (
        "failover_last_duration_seconds",
        _G,
        "How long the last move of a unit to this node took, from its failure or stop to its start.",
        _RESOURCE,
    ),
    (
        "failover_last_info",
        _I,
        "From where to where a unit last moved to this node.",
        {"resource": None, "source": None, "target": None},
    ),
    ("recoveries_total", _C, "Restarts of a unit in place, on this node.", _RESOURCE),
)

_COROSYNC: tuple[_Row, ...] = (
    ("corosync_ring_up", _G, "Whether a ring has no fault and every peer on it is connected.", _RING),
    ("corosync_rings_configured", _G, "Rings that this node has an address on.", _NONE),
    ("corosync_rings_faulty", _G, "Configured rings that are not up.", _NONE),
    ("corosync_ring_info", _I, "This node's address on a ring.", {"ring": None, "address": None, "transport": None}),
    ("corosync_link_connected", _G, "Whether a peer is connected on a ring.", _LINK),
    ("corosync_link_enabled", _G, "Whether the link is in use.", _LINK),
    ("corosync_link_mtu_bytes", _G, "The largest packet that gets through.", _LINK),
    ("corosync_link_downs_total", _C, "How often the link went down since corosync started.", _LINK),
    ("corosync_link_latency_seconds", _G, "Average round trip; none without samples.", _LINK),
    ("corosync_link_latency_max_seconds", _G, "Longest round trip; none without samples.", _LINK),
    ("corosync_quorate", _G, "Whether this part of the cluster has quorum.", _NONE),
    ("corosync_expected_votes", _G, "Votes that the cluster expects.", _NONE),
    ("corosync_total_votes", _G, "Votes that are there.", _NONE),
    ("corosync_quorum_votes", _G, "Votes that are needed.", _NONE),
    ("corosync_member_votes", _G, "Votes of a member.", _NODE),
    ("corosync_qdevice_registered", _G, "Whether a quorum device is registered.", _NONE),
    ("corosync_qdevice_alive", _G, "Whether the quorum device is alive.", _NONE),
    ("corosync_qdevice_voting", _G, "Whether the quorum device casts its votes.", _NONE),
    ("corosync_membership_changes_total", _C, "How often a membership was formed.", _NONE),
    ("corosync_token_losses_total", _C, "How often the token was lost.", _NONE),
    ("corosync_retransmits_total", _C, "Messages sent again.", _NONE),
    ("corosync_consensus_timeouts_total", _C, "How often no consensus was reached in time.", _NONE),
    ("corosync_network_blocked", _G, "Whether a firewall or a broken NIC keeps corosync from receiving.", _NONE),
)

_CLUSTER: tuple[_Row, ...] = (
    (
        "cluster_info",
        _I,
        "What the cluster is called and made of.",
        {"cluster_name": None, "transport": None, "stack": None, "pacemaker_version": None},
    ),
    ("pacemaker_up", _G, "Whether Pacemaker answers and this node is online in it.", _NONE),
    ("dc_local", _G, "Whether this node is the DC.", _NONE),
    ("dc_present", _G, "Whether there is a DC.", _NONE),
    ("cib_admin_epoch", _G, "The CIB's first version number.", _NONE),
    ("cib_epoch", _G, "The CIB's second version number; every change of the configuration raises it.", _NONE),
    ("cib_last_written_timestamp_seconds", _G, "When the configuration was last changed.", _NONE),
    ("maintenance_mode", _G, "Whether the cluster manages nothing.", _NONE),
    ("fencing_enabled", _G, "Whether nodes are fenced.", _NONE),
    ("node_state", _G, "What is true of a node.", {"node": None, "state": NODE_STATES}),
    ("resource_state", _G, "0 not active here, 1 active, 2 promoted.", _AT),
    ("resource_active_nodes", _G, "On how many nodes a resource is active.", _RESOURCE),
    ("resource_managed", _G, "Whether the cluster may act on a resource.", _RESOURCE),
    ("resource_blocked", _G, "Whether the cluster has given up on a resource until somebody helps.", _RESOURCE),
    ("resource_failed", _G, "Whether a resource has failed.", _RESOURCE),
    ("resource_removed", _G, "Whether a resource is no longer configured but still known.", _RESOURCE),
    ("resource_target_active", _G, "Whether a resource is meant to run.", _RESOURCE),
    ("resource_fail_count", _G, "Failures of a resource on a node; infinite if starting failed.", _AT),
    ("resource_migration_threshold", _G, "Failures that ban a resource from a node; infinite for never.", _RESOURCE),
    ("resource_banned", _G, "Whether its failures keep a resource off a node.", _AT),
    (
        "cli_constraint",
        _G,
        "A leftover of a manual move.",
        {"resource": None, "node": None, "kind": ("ban", "prefer")},
    ),
    (
        "override_since_timestamp_seconds",
        _G,
        "Since when, at the latest, there is what people set for a while, where no manifest names it.",
        {"kind": (*CLUSTER_KINDS, OTHER_KIND), "name": None, "override": tuple(PASSING)},
    ),
    ("ping_score", _G, "What a ping resource reports: hosts that answer, times the multiplier.", _PING),
    ("ping_score_expected", _G, "The score with every host answering.", _PING),
    ("ping_score_present", _G, "Whether an online node has a score.", _PING),
    (
        "ping_score_required",
        _G,
        "The smallest score that lets a resource run on a node.",
        {"attribute": None, "resource": None},
    ),
)


def _metrics(rows: tuple[_Row, ...], *, lasting: bool) -> Iterator[Metric]:
    for name, type_, text, labels in rows:
        yield Metric(PREFIX + name, type_, text, labels, lasting)


CATALOGUE: Mapping[str, Metric] = {
    metric.name: metric
    for metric in (*_metrics(_AGENT, lasting=True), *_metrics((*_COROSYNC, *_CLUSTER), lasting=False))
}
"""All metrics by name."""

SERIES: Mapping[str, Metric] = {series: metric for metric in CATALOGUE.values() for series in metric.series}
"""The metric that each name of a sample belongs to; a histogram has three."""


def labels_of(series: str) -> frozenset[str]:
    """Return the labels that samples of this name have.

    Raises:
        KeyError: there is no such series.
    """
    metric = SERIES[series]
    return frozenset(metric.labels) | ({"le"} if series.endswith("_bucket") else frozenset())
