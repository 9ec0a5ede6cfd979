"""Sees a patch through: looks until it has settled, and takes it back if it did harm and that is wanted."""

import time
from collections.abc import Callable, Iterable
from dataclasses import replace

from reconciler.cib import register
from reconciler.cib.cluster import ClusterStatus
from reconciler.decision import Decision
from reconciler.expectation import Expectation, expect
from reconciler.forecast import Forecast, NoForecast
from reconciler.frozen import frozen
from reconciler.host.applier import apply
from reconciler.host.shell import Shell
from reconciler.host.simulator import Simulator
from reconciler.observation import Observation
from reconciler.pace import INVALID, MOVED
from reconciler.plan import Change, Hold, Outcome, Reason
from reconciler.policy import Rules
from reconciler.reversal import is_as_made, reversal
from reconciler.settling import Applied, Remedy, Result, Settling, begin, unrest, withheld
from reconciler.state import Ref, Scope
from reconciler.unheard import took_effect

_TRIES = 5
_NO_MATTER = frozenset({Reason.NOT_WRITER, Reason.BACKING_OFF, Reason.REVISION_SKEW})
"""What keeps an agent from making changes and not from taking back its own: only it knows the way back, and the patch
is refused if anything has changed."""


@frozen
class Followed:
    """How a patch ended; of its revert, if there was one, how that stands, and what was done for it."""

    settling: Settling
    revert: Settling | None = None
    outcomes: tuple[Outcome, ...] = ()


class Settler:
    """Follows the patches of this agent, the last one at a time."""

    def __init__(self, shell: Shell, simulator: Simulator, timeout: float) -> None:
        self._shell = shell
        self._simulator = simulator
        self._timeout = timeout
        self._unheard: _Sent | None = None

    def begin(
        self,
        decision: Decision,
        changes: Iterable[Change],
        before: Observation,
        previous: Settling | None,
        rules: Rules,
    ) -> Settling | None:
        """Return the settling of the patch that has just been made; None if it changed nothing.

        Args:
            decision: what was made.
            changes: those whose commands reported success.
            before: what it was decided from.
            previous: the settling of the patch before it.
            rules: for how long to wait.
        """
        changed = tuple(change.ref for change in changes if change.ref in _of_cluster(decision))
        if not changed or before.cib is None or before.status is None or not decision.cluster or not decision.demand:
            return None
        demand, kept = decision.demand, register.read(before.cib)
        applied = Applied(
            demand.revision,
            time.time(),
            changed,
            before.status,
            before.cib,
            decision.cluster.configuration,
            _promised(before.status, None if decision.outdated else decision.forecast),
            approved=kept.quarantine_of(demand.revision) is not None,
            secrets=decision.cluster.secrets,
        )
        untouched = previous is not None and not previous.over and is_as_made(previous.applied.made, before.cib)
        return begin(applied, previous, time.monotonic(), rules.settle_timeout, untouched=untouched)

    def follow(self, settling: Settling, seen: Observation, revision: str) -> Settling:
        """Return how a patch stands after one more look; `revision` is of the manifests in force now."""
        if revision != settling.revision:
            return settling.superseded(f"revision {revision[:12]} is in force now")
        status, state = seen.status, None
        if status is not None and seen.cib is not None and not unrest(status, None):
            state = self._simulator.dc_state(seen.cib) or None
        return settling.after(status, state, time.monotonic())

    def remedy(
        self,
        settling: Settling,
        seen: Observation,
        rules: Rules,
        holds: Iterable[Hold],
        look: Callable[[], Observation],
    ) -> Followed:
        """Take a patch back that has done harm, or say why not.

        Args:
            settling: just over.
            seen: what was just seen.
            rules: whether reverts are wanted.
            holds: what keeps this agent from making changes.
            look: sees anew.
        """
        sent, self._unheard = self._unheard, None
        effect = took_effect(sent.applied.before, sent.applied.made, seen.cib) if sent else False
        if sent and effect:
            return self._reverted(sent, rules)
        superseded = settling.result is Result.SUPERSEDED
        if sent and effect is None and not superseded and settling.seconds < settling.limit:
            self._unheard = sent
            return Followed(replace(settling, result=Result.SETTLING, resting=None, why=sent.outcome.stderr))
        if not settling.broken:
            return Followed(settling)
        if sent and (effect is None or superseded):
            return Followed(_left(settling, sent.outcome.stderr))
        why = withheld(settling, revert=rules.revert) or _kept_from(holds, seen)
        return Followed(_left(settling, why)) if why else self._revert(settling, seen, rules, look)

    def _revert(self, settling: Settling, seen: Observation, rules: Rules, look: Callable[[], Observation]) -> Followed:
        for _ in range(_TRIES):
            if seen.cib is None or seen.status is None:
                return Followed(_left(settling, "the cluster cannot be seen"))
            way = reversal(settling, seen.cib, seen.status.updated, int(time.time()))
            if isinstance(way, str):
                return Followed(_left(settling, way))
            forecast = self._simulator.forecast(seen.cib, way.configuration, way.command.secrets)
            (outcome,) = apply(self._shell, (way.command,), self._timeout)
            applied = Applied(
                settling.revision,
                time.time(),
                way.command.refs,
                seen.status,
                seen.cib,
                way.configuration,
                _promised(seen.status, forecast),
                takes_back=True,
            )
            sent = _Sent(settling, applied, outcome)
            if outcome.ok:
                return self._reverted(sent, rules)
            seen = look()
            if outcome.code != MOVED:
                return self._lost(sent, seen, rules)
        return Followed(_left(settling, "the configuration is changed all the time"))

    def _reverted(self, sent: "_Sent", rules: Rules) -> Followed:
        self._unheard = None
        settling = sent.settling
        done = f"reverted; revision {settling.revision[:12]} is in quarantine until an approval"
        return Followed(
            replace(settling, remedy=Remedy.REVERTED, done=done),
            begin(sent.applied, settling, time.monotonic(), rules.settle_timeout, untouched=True),
            (replace(sent.outcome, code=0, stderr=""),),
        )

    def _lost(self, sent: "_Sent", seen: Observation, rules: Rules) -> Followed:
        """See whether a revert took effect although its command failed; while nobody can tell, look on for a while."""
        effect = took_effect(sent.applied.before, sent.applied.made, seen.cib)
        if effect:
            return self._reverted(sent, rules)
        # What the cluster has called invalid it will not do later.
        if effect is None and sent.outcome.code != INVALID:
            self._unheard = sent
            waits = replace(sent.settling, result=Result.SETTLING, resting=None, why=sent.outcome.stderr)
            waits = replace(waits, limit=waits.seconds + rules.settle_timeout)
            return Followed(waits, outcomes=(sent.outcome,))
        return Followed(_left(sent.settling, sent.outcome.stderr), outcomes=(sent.outcome,))


@frozen
class _Sent:
    """A revert that was sent, what for, and what its command said."""

    settling: Settling
    applied: Applied
    outcome: Outcome


def _left(settling: Settling, why: str) -> Settling:
    return replace(settling, remedy=Remedy.WITHHELD, done=f"not reverted: {why}")


def _promised(before: ClusterStatus, forecast: Forecast | NoForecast | None) -> Expectation | None:
    return expect(before, forecast) if isinstance(forecast, Forecast) else None


def _of_cluster(decision: Decision) -> set[Ref]:
    return {change.ref for change in decision.cluster.plan.changes} if decision.cluster else set()


def _kept_from(holds: Iterable[Hold], seen: Observation) -> str:
    """Say what keeps this agent from a revert; empty if nothing does."""
    for hold in holds:
        if hold.scope is Scope.CLUSTER and hold.ref is None and hold.reason not in _NO_MATTER:
            return f"{hold.reason}: {hold.message}"
    return "maintenance-mode is on" if seen.status and seen.status.maintenance_mode else ""
