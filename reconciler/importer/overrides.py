"""What people set by hand for a while: target-role, is-managed, maintenance, standby, `crm resource move`. Pure.

The agent leaves these alone as long as no manifest names them; one that does takes them out of people's hands. So those
that say no more than Pacemaker's default are left out. The others are part of what the cluster does now: they are
imported with a remark, or left out too if they are not wanted.
"""

import re
from collections.abc import Iterator, Mapping
from functools import cached_property, partial

from reconciler.frozen import frozen
from reconciler.kinds import CLUSTER_KINDS
from reconciler.kinds.base import Around
from reconciler.kinds.cluster_properties import ClusterProperties
from reconciler.kinds.identity import comparable
from reconciler.kinds.meta import PEOPLES, SHARED_META
from reconciler.kinds.node import Node
from reconciler.kinds.nvset import UNCONDITIONAL, AttributeSet, value_in
from reconciler.kinds.observe import Observed
from reconciler.kinds.primitive import Primitive
from reconciler.kinds.resource_defaults import ResourceDefaults
from reconciler.leftovers import NEUTRAL, is_neutral
from reconciler.state import Ref, Spec

BY_HAND = "cli-"
"""How the ids of the constraints begin that `crm_resource --move` and `--ban` make."""

_MAINTENANCE_MODE = "maintenance-mode"
_NODES = ("standby", "maintenance")
_RULES = re.compile("<expression")
_LITERAL = "literal"


@frozen
class Freed:
    """An object without what people set: what is left, None if nothing; and what was taken out, by field."""

    spec: Spec | None
    taken: Mapping[str, str]


def overrides(ref: Ref, spec: Spec) -> dict[str, str]:
    """Return what in an object is a person's, by its name."""
    match spec:
        case ClusterProperties():
            found = spec.values.get(_MAINTENANCE_MODE)
            bound = spec.rule or _MAINTENANCE_MODE in spec.ids
            return {} if found is None or bound else {_MAINTENANCE_MODE: found}
        case Node():
            return _values(spec.attributes, _NODES)
    return _values(getattr(spec, "meta", ()), PEOPLES) if CLUSTER_KINDS[ref.kind].shared is SHARED_META else {}


def _values(sets: tuple[AttributeSet, ...], names: tuple[str, ...]) -> dict[str, str]:
    referred = {name for item in sets for name in item.ids}
    return {name: value for name in names if name not in referred and (value := value_in(sets, name)) is not None}


class Hands:
    """Takes out what people set, where a plan would then leave it alone."""

    def __init__(self, observed: Observed, *, all_of_them: bool) -> None:
        """Prepare for the objects of a configuration, to take out `all_of_them` or only what means nothing."""
        self._observed = observed
        self.all_of_them = all_of_them

    def free(self, ref: Ref, spec: Spec) -> Freed:
        """Take out what is to be taken out of an object."""
        found = overrides(ref, spec)
        if found and not self.all_of_them:
            found = {name: value for name, value in found.items() if is_neutral(name, value)}
            elsewhere = self._said_around(ref, spec) if found else frozenset[str]()
            found = {name: value for name, value in found.items() if name not in elsewhere}
        if not found:
            return Freed(spec, {})
        left = _without(spec, frozenset(found))
        return Freed(left, found) if left is None or self._stays(ref, left) else Freed(spec, {})

    def _stays(self, ref: Ref, spec: Spec) -> bool:
        """Tell whether the live object is as wanted if this is what a manifest says."""
        live, kind = self._observed.state[ref], CLUSTER_KINDS[ref.kind]
        ids = partial(self._observed.own_ids, ref)
        kept = kind.keep(
            spec,
            comparable(live, spec, ids),
            Around(self._observed.recorded_values(ref), self._observed.op_defaults),
        ).spec
        return comparable(live, kept, ids) == kept

    @cached_property
    def _defaults(self) -> frozenset[str]:
        """The names of which the whole cluster's defaults say something."""
        names: set[str] = set()
        for spec in self._observed.state.values():
            if isinstance(spec, ResourceDefaults):
                names.update(spec.values)
                names.update(PEOPLES if spec.nvpairs or spec.id_ref else ())
            elif isinstance(spec, ClusterProperties) and "is-managed-default" in spec.values:
                names.add("is-managed")
        return frozenset(names)

    @cached_property
    def _asked(self) -> frozenset[str]:
        """The names of which the expressions of rules ask the value."""
        cib = self._observed.cib
        expressions = [part for _, part in cib.parts("expression")] if cib.may_say(_RULES) else []
        asked = {part.get("attribute", "") for part in expressions}
        asked |= {part.get("value", "") for part in expressions if part.get("value-source", _LITERAL) != _LITERAL}
        return frozenset(NEUTRAL) & asked

    @cached_property
    def _other_properties(self) -> bool:
        """Whether any set of properties says something else of the maintenance mode, or may do so."""
        sets = [spec for spec in self._observed.state.values() if isinstance(spec, ClusterProperties)]
        values = [spec.values[_MAINTENANCE_MODE] for spec in sets if _MAINTENANCE_MODE in spec.values]
        if any(spec.nvpairs or spec.id_ref for spec in sets):
            return True
        return not all(is_neutral(_MAINTENANCE_MODE, value) for value in values)

    def _said_around(self, ref: Ref, spec: Spec) -> frozenset[str]:
        """Return the names that something else says or asks: other sets, rules, what an object is in or made from."""
        if isinstance(spec, ClusterProperties):
            return frozenset({_MAINTENANCE_MODE} if self._other_properties else ())
        sets = list(spec.attributes) if isinstance(spec, Node) else list(getattr(spec, "meta", ()))
        sets = [item for item in sets if item.condition != UNCONDITIONAL]
        for other in self._around(ref, spec):
            sets += getattr(other, "meta", ())
        names = {name for item in sets for name in item.values}
        names.update(name for item in sets if item.id_ref or item.nvpairs for name in NEUTRAL)
        return self._defaults | self._asked | names

    def _around(self, ref: Ref, spec: Spec) -> Iterator[Spec]:
        state, parents = self._observed.state, self._observed.parents
        if isinstance(spec, Primitive) and spec.template:
            yield from filter(None, [state.get(Ref("Template", spec.template))])
        seen = {ref}
        while (ref := parents.get(ref.name, ref)) not in seen:
            seen.add(ref)
            yield from filter(None, [state.get(ref)])


def _without(spec: Spec, names: frozenset[str]) -> Spec | None:
    match spec:
        case ClusterProperties():
            rest = {name: value for name, value in spec.values.items() if name not in names}
            return spec.model_copy(update={"values": rest}) if rest or spec.nvpairs else None
        case Node():
            return spec.model_copy(update={"attributes": _rest(spec.attributes, names)})
    sets: tuple[AttributeSet, ...] = getattr(spec, "meta", ())
    return spec.model_copy(update={"meta": _rest(sets, names)})


def _rest(sets: tuple[AttributeSet, ...], names: frozenset[str]) -> tuple[AttributeSet, ...]:
    left = []
    for item in sets:
        if item.condition == UNCONDITIONAL and names & item.values.keys():
            values = {name: value for name, value in item.values.items() if name not in names}
            left.append(item.model_copy(update={"values": values}))
        else:
            left.append(item)
    return tuple(item for item in left if item.is_said)
