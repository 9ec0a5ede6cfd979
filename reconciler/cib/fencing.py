"""Whether a cluster fences, and which property says so. Pure."""

from collections.abc import Mapping

from reconciler.frozen import frozen

FENCING, STONITH = "fencing-enabled", "stonith-enabled"
_KNOWS_STONITH_ONLY = (3, 20, 1)
"""The feature set of Pacemaker 3.0.1; from 3.0.2 on the property is called fencing-enabled, and the old name is heeded
where the new one is not there."""
_FALSE = frozenset({"false", "off", "no", "n", "0"})


@frozen
class Fencing:
    """Whether nodes are fenced, and the name of the property that says so; it need not be set."""

    name: str
    enabled: bool


def fencing(properties: Mapping[str, str], feature_set: tuple[int, ...]) -> Fencing:
    """Return what cluster properties mean to a Pacemaker of this `crm_feature_set`, of an old one where it is unknown.

    The default is true, also of what is no boolean (`pcmk__valid_boolean`).
    """
    name = FENCING if FENCING in properties and heeds_new_name(feature_set) else STONITH
    return Fencing(name, properties.get(name, "true").lower() not in _FALSE)


def heeds_new_name(feature_set: tuple[int, ...]) -> bool:
    """Tell whether Pacemaker heeds fencing-enabled."""
    return feature_set > _KNOWS_STONITH_ONLY
