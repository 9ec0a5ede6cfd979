"""What manifests may say and hardly mean: slips in names, rules on what nobody finds out, orders in a circle. Pure."""

from reconciler.circles import circles
from reconciler.kinds.observe import Observed
from reconciler.spelling import slips
from reconciler.state import Doubt, State
from reconciler.unwritten import unwritten


def doubts(state: State, others: State | None = None) -> tuple[Doubt, ...]:
    """Return what is doubtful in `state`; `others` are objects that there will be beside it."""
    around = {**(others or {}), **state}
    return tuple(sorted({*slips(state), *unwritten(state, around), *circles(state, around)}))


def foreign(wanted: State, observed: Observed) -> State:
    """Return the live objects that no manifest names and that stay: those that are not ours."""
    return {ref: spec for ref, spec in observed.state.items() if ref not in wanted and not observed.owns(ref)}
