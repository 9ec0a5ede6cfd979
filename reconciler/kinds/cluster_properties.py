"""ClusterProperties: options of the whole cluster, such as stonith-enabled. Pure."""

from dataclasses import replace
from typing import Annotated

from pydantic import Field, ValidationInfo, field_validator

from reconciler.kinds import options
from reconciler.kinds.base import Around, ClusterKind, Kept, needs
from reconciler.kinds.nvset import PROPERTY, Values
from reconciler.kinds.written import Written
from reconciler.state import Scope

PACEMAKERS = frozenset({"cluster-infrastructure", "cluster-name", "dc-version", "have-watchdog", "last-lrm-refresh"})
"""Written by Pacemaker and its tools (`daemons/controld`, crmsh, pcs): neither drift nor a person's override."""


class ClusterProperties(options.Options):
    """Options of the whole cluster. What no manifest names is left as it is."""

    model_config = needs(["properties"], ["nvpairs"], ["id-ref"])

    values: Annotated[Values, Written("Properties")] = Field(
        default_factory=dict, alias="properties", description="Names and values, e.g. { stonith-enabled = true }."
    )

    @field_validator("values")
    @classmethod
    def _canonical(cls, given: dict[str, str], info: ValidationInfo) -> dict[str, str]:
        theirs = next((name for name in given if name in PACEMAKERS), None)
        if theirs and not info.context:
            raise ValueError(f"{theirs} is written by Pacemaker itself")
        return options.canonical(given, PROPERTY, info)


def _crm(name: str, spec: ClusterProperties) -> str:
    own = {key: value for key, value in spec.values.items() if key not in PACEMAKERS}
    return options.say("property", name, spec, own)


def _keep(desired: ClusterProperties, live: ClusterProperties | None, around: Around) -> Kept:
    kept = options.keep(desired, live, around)
    overrides = (item for item in kept.overrides if item[0].removeprefix("properties.") not in PACEMAKERS)
    return replace(kept, overrides=tuple(overrides))


KIND = ClusterKind(
    name="ClusterProperties",
    scope=Scope.CLUSTER,
    spec=ClusterProperties,
    summary="Options of the whole cluster, such as stonith-enabled.",
    section="crm_config",
    tags=frozenset({"cluster_property_set"}),
    read=options.reader(ClusterProperties, PROPERTY),
    write=options.writer("cluster_property_set", PROPERTY),
    crm=_crm,
    keep=_keep,
    shared=options.bag(PROPERTY, "crm_config"),
    label=options.label,
    name_problem=options.name_problem,
)
