"""What manifests may say and hardly mean: slips, old names, rules on what is never set, circles, duplicates. Pure."""

from collections.abc import Iterator

from reconciler.cib.dialect import OUTDATED, why_outdated
from reconciler.circles import circles
from reconciler.ineffective import ineffective, offline
from reconciler.kinds.cluster_properties import ClusterProperties
from reconciler.kinds.location import Location
from reconciler.kinds.observe import Observed
from reconciler.kinds.operation import duplicates, why_duplicate
from reconciler.kinds.order import Order
from reconciler.kinds.primitive import Primitive
from reconciler.kinds.template import Template
from reconciler.spelling import slips
from reconciler.state import Doubt, State
from reconciler.unwritten import unwritten


def doubts(state: State, observed: Observed | None = None) -> tuple[Doubt, ...]:
    """Return what is doubtful in `state`; what else there is in the cluster, where it can be seen, plays its part."""
    found = {*slips(state), *_duplicates(state), *_outdated(state)}
    found |= {*ineffective(state, state if observed is None else {**observed.state, **state})}
    if observed is None:
        found |= {*offline(state)}
    if any(isinstance(spec, Order) or (isinstance(spec, Location) and spec.rules) for spec in state.values()):
        around = state if observed is None else {**_foreign(state, observed), **state}
        found |= {*unwritten(state, around), *circles(state, around)}
    return tuple(sorted(found))


def _duplicates(state: State) -> Iterator[Doubt]:
    for ref, spec in state.items():
        if isinstance(spec, Primitive | Template):
            for first, second in duplicates(spec.operations):
                yield Doubt(ref, "spec.operations", why_duplicate(first, second))


def _outdated(state: State) -> Iterator[Doubt]:
    for ref, spec in state.items():
        if isinstance(spec, ClusterProperties):
            for name in spec.values.keys() & OUTDATED.keys():
                yield Doubt(ref, f"spec.properties.{name}", why_outdated(name))


def _foreign(wanted: State, observed: Observed) -> State:
    """Return the live objects that no manifest names and that stay: those that are not ours."""
    return {ref: spec for ref, spec in observed.state.items() if ref not in wanted and not observed.owns(ref)}
