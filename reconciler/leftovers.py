"""What is left behind of what people did by hand, and means no more than if it were not there. Pure.

`crm resource start` and `pcs resource enable` leave `target-role = Started`, `crm resource manage` leaves
`is-managed = true`, `crm node online` leaves `standby = off`: people hardly know of them; they are no overrides.
"""

from collections.abc import Iterator

from reconciler.kinds.cluster_properties import ClusterProperties
from reconciler.kinds.nvset import UNCONDITIONAL, AttributeSet
from reconciler.kinds.observe import Observed
from reconciler.kinds.primitive import Primitive
from reconciler.kinds.resource_defaults import ResourceDefaults
from reconciler.plan import Override
from reconciler.state import Spec, State

NEUTRAL = {
    "target-role": "Started",
    "is-managed": "true",
    "maintenance": "false",
    "standby": "false",
    "maintenance-mode": "false",
}
"""What Pacemaker does where nobody says anything."""


def is_neutral(name: str, value: str) -> bool:
    """Tell whether a value says what would hold without it, if nothing else says otherwise."""
    return NEUTRAL.get(name) == value


class Leftovers:
    """Tells overrides that mean nothing from the others."""

    def __init__(self, wanted: State, observed: Observed) -> None:
        """Look for what resources inherit, on either side: where that says otherwise, a neutral value says much."""
        self._sides = (wanted, observed.state)
        self._inherited = {name for state in self._sides for spec in state.values() for name in _passed_on(spec)}

    def has(self, override: Override) -> bool:
        """Tell whether an override is one: it is an object's own unconditional value, and nothing says otherwise."""
        field, _, name = override.field.rpartition(".")
        if field == "properties":
            return is_neutral(name, override.value) and not any(self._other_properties(name))
        if field not in _SETS or not is_neutral(name, override.value) or name in self._inherited:
            return False
        specs = [state[override.ref] for state in self._sides if override.ref in state]
        sets = [item for spec in specs for item in getattr(spec, field)]
        return not any(_may_say(item, name) for item in sets if item.condition != UNCONDITIONAL or item.nvpairs)

    def _other_properties(self, name: str) -> Iterator[bool]:
        """Tell of each set of properties whether it may say otherwise."""
        for spec in (spec for state in self._sides for spec in state.values() if isinstance(spec, ClusterProperties)):
            yield bool(spec.id_ref or spec.nvpairs) or not is_neutral(name, spec.values.get(name, NEUTRAL[name]))


_SETS = ("meta", "attributes")


def _may_say(item: AttributeSet, name: str) -> bool:
    return bool(item.id_ref or item.nvpairs) or name in item.values


def _passed_on(spec: Spec) -> Iterator[str]:
    """Yield the names of which an object says to others something that is not what holds anyway."""
    match spec:
        case Primitive():
            return
        case ClusterProperties():
            yield from {"is-managed"} & {name.removesuffix("-default") for name in spec.values}
        case ResourceDefaults():
            yield from _others(spec.as_set())
        case _:
            for item in getattr(spec, "meta", ()):
                yield from _others(item)


def _others(item: AttributeSet) -> Iterator[str]:
    if item.id_ref or item.nvpairs:
        yield from NEUTRAL
    yield from (name for name, value in item.values.items() if name in NEUTRAL and not is_neutral(name, value))
