"""ResourceDefaults: meta attributes of resources that say nothing else. Pure."""

from typing import Annotated

from pydantic import Field, ValidationInfo, field_validator

from reconciler.kinds import options
from reconciler.kinds.base import ClusterKind, needs
from reconciler.kinds.nvset import META, Values
from reconciler.kinds.written import Written
from reconciler.state import Scope


class ResourceDefaults(options.Options):
    """Meta attributes of all resources that say nothing else. What no manifest names is left as it is."""

    model_config = needs(["values"], ["nvpairs"], ["id-ref"])

    values: Annotated[Values, Written("MetaAttributes")] = Field(
        default_factory=dict, description="Names and values, e.g. { resource-stickiness = 100 }."
    )

    @field_validator("values")
    @classmethod
    def _canonical(cls, given: dict[str, str], info: ValidationInfo) -> dict[str, str]:
        return options.canonical(given, META, info)

    @field_validator("ids")
    @classmethod
    def _named_as_now(cls, given: dict[str, str]) -> dict[str, str]:
        return {META.name(name): own for name, own in given.items()}


def _crm(name: str, spec: ResourceDefaults) -> str:
    return options.say("rsc_defaults", name, spec, spec.values)


KIND = ClusterKind(
    name="ResourceDefaults",
    scope=Scope.CLUSTER,
    spec=ResourceDefaults,
    summary="Meta attributes of all resources that say nothing else.",
    section="rsc_defaults",
    tags=frozenset({"meta_attributes"}),
    read=options.reader(ResourceDefaults, META),
    write=options.writer("meta_attributes", META),
    crm=_crm,
    keep=options.keep,
    shared=options.bag(META, "rsc_defaults"),
    label=options.label,
    name_problem=options.name_problem,
)
