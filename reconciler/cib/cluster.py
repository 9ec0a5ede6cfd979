"""The nouns of what a cluster does now, in Pacemaker's words: nodes, resources, placements, failures. Pure."""

from collections.abc import Mapping
from dataclasses import field
from datetime import datetime

from reconciler.cib.history import Operation, Role
from reconciler.cib.inventory import ResourceKind
from reconciler.cib.membership import NodeKind
from reconciler.cib.ping import PingAttribute
from reconciler.frozen import frozen


@frozen
class NodeStatus:
    """One node. The flags are those of `crm_mon`; `seen` is whether the CIB has a state of it at all.

    `joined` is when it joined the membership, in Unix seconds: 0 where it has not, or before feature set 3.18.
    """

    name: str
    id: str
    kind: NodeKind
    online: bool
    standby: bool
    standby_onfail: bool
    maintenance: bool
    pending: bool
    unclean: bool
    shutdown: bool
    expected_up: bool
    is_dc: bool
    seen: bool
    joined: int
    permanent: Mapping[str, str]
    transient: Mapping[str, str]


@frozen
class Placement:
    """A resource on one node that has a history of it.

    `active` is false where it is stopped, and where the node is known to be down; `role` is what the history says.
    `pending` names the operation under way, `operations` is a primitive's history, oldest first (empty for groups,
    clones and bundles).
    """

    node: str
    role: Role
    active: bool
    failed: bool
    pending: str = ""
    operations: tuple[Operation, ...] = ()

    @property
    def promoted(self) -> bool:
        """Active in the promoted role."""
        return self.active and self.role is Role.PROMOTED


@frozen
class FailCounter:
    """Failures of a primitive on a node: 1000000 is INFINITY; `banned` when the threshold keeps it off the node."""

    node: str
    count: int
    last_failure: int
    banned: bool


@frozen
class ResourceStatus:
    """One resource: a primitive, or a group, clone or bundle with what its members come to.

    Instances of a clone are folded into the clone's one primitive, node by node; a bundle is where its containers are.
    `orphan` ones are in the history but not in the configuration, `implicit` ones belong to bundles or guest nodes.
    `wanted` is false where `target-role` is Stopped. `threshold` is the migration threshold: 0 never, 1000000 not set.
    `promoted_max` is how many instances may be promoted, 0 where none ever is.
    """

    id: str
    kind: ResourceKind
    agent: str
    parent: str
    members: tuple[str, ...]
    promotable: bool
    cloned: bool
    unique: bool
    implicit: bool
    orphan: bool
    managed: bool
    blocked: bool
    failed: bool
    failure_ignored: bool
    wanted: bool
    target_role: str
    promoted_max: int
    threshold: int
    placements: Mapping[str, Placement]
    failures: Mapping[str, FailCounter]

    @property
    def active_on(self) -> tuple[str, ...]:
        """The nodes where it is active, by name."""
        return tuple(sorted(name for name, there in self.placements.items() if there.active))

    @property
    def promoted_on(self) -> tuple[str, ...]:
        """The nodes where it is active and promoted, by name."""
        return tuple(sorted(name for name, there in self.placements.items() if there.promoted))


@frozen
class CliConstraint:
    """A leftover of `crm_resource --ban` or `--move`; `kind` is ban or prefer, `until` its end as written, if any."""

    id: str
    resource: str
    node: str
    kind: str
    until: str = ""


@frozen
class Update:
    """Who changed the configuration last, with what, from which node, and when by that node's clock.

    Pacemaker writes local time without a zone: `at` is naive then.
    """

    origin: str
    client: str
    user: str
    at: datetime | None


@frozen
class ClusterStatus:
    """What one CIB says about the cluster at that moment."""

    admin_epoch: int
    epoch: int
    num_updates: int
    feature_set: str
    cluster_name: str
    pacemaker_version: str
    stack: str
    updated: Update
    quorate: bool
    dc: str
    maintenance_mode: bool
    fencing_enabled: bool
    nodes: Mapping[str, NodeStatus]
    resources: Mapping[str, ResourceStatus]
    pings: tuple[PingAttribute, ...]
    cli_constraints: tuple[CliConstraint, ...]
    properties: Mapping[str, str] = field(default_factory=dict)

    def units(self) -> tuple[ResourceStatus, ...]:
        """Return the resources that move as one: those that nothing contains."""
        return tuple(resource for resource in self.resources.values() if not resource.parent)
