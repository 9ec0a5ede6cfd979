"""OperationDefaults: options of operations that say nothing else. Pure."""

from typing import Annotated

from pydantic import Field, ValidationInfo, field_validator

from reconciler.kinds import options
from reconciler.kinds.base import ClusterKind, needs
from reconciler.kinds.nvset import OPERATION, Values
from reconciler.kinds.written import Written
from reconciler.state import Scope


class OperationDefaults(options.Options):
    """Options of all operations that say nothing else. What no manifest names is left as it is."""

    model_config = needs(["values"], ["nvpairs"], ["id-ref"])

    values: Annotated[Values, Written("OperationAttributes")] = Field(
        default_factory=dict, description="Names and values, e.g. { timeout = '60s' }."
    )

    @field_validator("values")
    @classmethod
    def _canonical(cls, given: dict[str, str], info: ValidationInfo) -> dict[str, str]:
        return options.canonical(given, OPERATION, info)


def _crm(name: str, spec: OperationDefaults) -> str:
    return options.say("op_defaults", name, spec, spec.values)


KIND = ClusterKind(
    name="OperationDefaults",
    scope=Scope.CLUSTER,
    spec=OperationDefaults,
    summary="Options of all operations that say nothing else.",
    section="op_defaults",
    tags=frozenset({"meta_attributes"}),
    read=options.reader(OperationDefaults, OPERATION),
    write=options.writer("meta_attributes", OPERATION),
    crm=_crm,
    keep=options.keep,
    shared=options.bag(OPERATION, "op_defaults"),
    label=options.label,
    name_problem=options.name_problem,
)
