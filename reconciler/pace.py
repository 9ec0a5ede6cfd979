"""When to look again, and when not to try again yet. Pure; times in seconds."""

from dataclasses import dataclass
from datetime import UTC, datetime

from reconciler.plan import Hold, Outcome, Plan, Reason
from reconciler.state import Scope

MOVED = 103
"""`cibadmin`'s exit code when the CIB is not the one that the patch was made for (CRM_EX_OLD)."""

FIRST = 1.0
LONGEST = 60.0
SOON = 2.0
_AT_ONCE = 0.0
_MOVES_IN_A_ROW = 20


@dataclass(frozen=True, slots=True)
class Pace:
    """How a revision fares: failures in a row, and until when each scope is left alone.

    A new revision starts afresh: what failed before may be what it mends.
    """

    revision: str = ""
    failures: int = 0
    moved: int = 0
    until: float = 0.0
    scope: Scope | None = None

    def holds(self, revision: str, now: float) -> tuple[Hold, ...]:
        """Return the hold of a scope whose last attempts failed."""
        if revision != self.revision or now >= self.until or self.scope is None:
            return ()
        then = datetime.fromtimestamp(self.until, UTC).strftime("%H:%M:%S UTC")
        message = f"failed {self.failures} times; tried again at {then}, or with a new revision"
        return (Hold(Reason.BACKING_OFF, message, scope=self.scope),)

    def after(self, revision: str, outcomes: tuple[Outcome, ...], stuck: bool, now: float) -> "Pace":
        """Return the pace after a pass. `stuck`: a change was made without an error and is still to be made."""
        failed = [outcome for outcome in outcomes if not outcome.ok or stuck]
        if revision != self.revision:
            return Pace(revision).after(revision, outcomes, stuck, now)
        if not failed:
            return Pace(revision) if outcomes or now >= self.until + LONGEST else self
        if all(outcome.code == MOVED for outcome in failed) and not stuck and self.moved < _MOVES_IN_A_ROW:
            return Pace(revision, self.failures, self.moved + 1)
        failures = self.failures + 1
        delay = min(FIRST * 2 ** (failures - 1), LONGEST)
        return Pace(revision, failures, 0, now + delay, failed[0].command.scope)


def delay(plan: Plan, outcomes: tuple[Outcome, ...], pace: Pace, resync: float, now: float) -> float:
    """Return how many seconds to wait for a hint before the next pass in any case."""
    if any(outcome.code == MOVED for outcome in outcomes) and now >= pace.until:
        return _AT_ONCE
    waits = [resync]
    if pace.until > now:
        waits.append(pace.until - now)
    elif plan.commands:
        waits.append(_AT_ONCE)
    if any(hold.reason in (Reason.STOPPING, Reason.NO_DC) for hold in plan.holds):
        waits.append(SOON)
    return min(waits)
