"""Instances of primitives while it is worked out where they are. Only this package changes them. Pure."""

from dataclasses import dataclass, field

from reconciler.cib.history import Operation, Role
from reconciler.cib.inventory import Configuration, Resource, is_true


@dataclass(slots=True)
class Presence:
    """What one instance's history on one node comes to."""

    role: Role
    operations: tuple[Operation, ...] = ()
    running: bool = False
    failed: bool = False
    pending: str = ""
    partial_migration_to: str = ""


@dataclass(slots=True)
class Instance:
    """One instance of a primitive: itself, or a clone's instance (of an anonymous clone, the one on a node)."""

    resource: Resource
    managed: bool
    orphan: bool = False
    role: Role = Role.STOPPED
    failed: bool = False
    blocked: bool = False
    failure_ignored: bool = False
    stopping: bool = False
    on: dict[str, Presence] = field(default_factory=dict)


def managed(resource: Resource, configuration: Configuration) -> bool:
    """Say whether the cluster may act on the resource, as far as the configuration goes."""
    if configuration.flag("maintenance-mode") or is_true(resource.meta.get("maintenance")):
        return False
    default = configuration.properties.get("is-managed-default", "true")
    return is_true(resource.meta.get("is-managed", default))
