"""ClusterProperties: options of the whole cluster, such as stonith-enabled. Pure.

A property set is a bag that Pacemaker, people and resource agents share, so its values are owned one by one: what the
manifests named and no longer name is removed, everything else that is there stays and is reported.
"""

from xml.etree import ElementTree as ET

from pydantic import Field, field_validator

from reconciler.cib import crm
from reconciler.kinds.base import Around, Bag, ClusterKind, Kept, UnsupportedError
from reconciler.kinds.nvset import PROPERTY, AttributeSet, Values, means, read_set, write_set
from reconciler.state import Scope, Spec

PACEMAKERS = frozenset({"cluster-infrastructure", "cluster-name", "dc-version", "have-watchdog", "last-lrm-refresh"})
"""Written by Pacemaker and its tools (`daemons/controld`, crmsh, pcs): neither drift nor a person's override."""


class ClusterProperties(Spec):
    """Options of the whole cluster. What no manifest names is left as it is."""

    properties: Values = Field(description="Names and values, e.g. { stonith-enabled = true }.")

    @field_validator("properties")
    @classmethod
    def _canonical(cls, given: dict[str, str]) -> dict[str, str]:
        theirs = next((name for name in given if name in PACEMAKERS), None)
        if theirs:
            raise ValueError(f"{theirs} is written by Pacemaker itself")
        return {name: means(PROPERTY, name, text, observed=False) for name, text in given.items()}


def _read(found: ET.Element) -> ClusterProperties:
    item = read_set(found)
    if item.condition != (None, None):
        raise UnsupportedError("a property set with a rule or a score")
    canonical = {key: means(PROPERTY, key, text, observed=True) for key, text in item.values.items()}
    return ClusterProperties.model_construct(properties=canonical)


def _write(name: str, spec: ClusterProperties, live: ET.Element | None) -> ET.Element:
    return write_set("cluster_property_set", name, AttributeSet.model_construct(values=spec.properties), live, PROPERTY)


def _crm(name: str, spec: ClusterProperties) -> str:
    own = {key: value for key, value in spec.properties.items() if key not in PACEMAKERS}
    return crm.line("property", f"{name}:", *crm.pairs(own)) if own else ""


def _keep(desired: ClusterProperties, live: ClusterProperties | None, around: Around) -> Kept:
    """Keep what no manifest ever named."""
    if live is None:
        return Kept(desired)
    kept = {
        name: value
        for name, value in live.properties.items()
        if name not in desired.properties and name not in around.recorded
    }
    overrides = tuple((f"properties.{name}", value) for name, value in kept.items() if name not in PACEMAKERS)
    return Kept(ClusterProperties.model_construct(properties={**desired.properties, **kept}), overrides)


def _ids(live: ET.Element) -> dict[str, str]:
    return {pair.get("name", ""): pair.get("id", "") for pair in live.iter("nvpair")}


def _without(spec: ClusterProperties, names: frozenset[str]) -> ClusterProperties | None:
    rest = {name: value for name, value in spec.properties.items() if name not in names}
    return ClusterProperties.model_construct(properties=rest) if rest else None


KIND = ClusterKind(
    name="ClusterProperties",
    scope=Scope.CLUSTER,
    spec=ClusterProperties,
    summary="Options of the whole cluster, such as stonith-enabled.",
    section="crm_config",
    tags=frozenset({"cluster_property_set"}),
    read=_read,
    write=_write,
    crm=_crm,
    keep=_keep,
    shared=Bag(_ids, lambda spec: frozenset(spec.properties), _without),
)
