"""When to look again, and when not to try again yet. Pure; times in seconds."""

from collections.abc import Iterable, Mapping
from dataclasses import field, replace
from datetime import UTC, datetime
from math import inf
from types import MappingProxyType

from reconciler.decision import Decision
from reconciler.frozen import frozen
from reconciler.observation import Observation
from reconciler.plan import Command, Hold, Outcome, Reason
from reconciler.policy import policy_in
from reconciler.state import Desired, Scope
from reconciler.suspension import in_force
from reconciler.windows import next_edge

MOVED = 103
"""`cibadmin`'s exit code when the CIB is not the one that the patch was made for (CRM_EX_OLD)."""

INVALID = 78
"""`cibadmin`'s exit code when the cluster's schema does not allow what the patch leads to (CRM_EX_CONFIG)."""

FIRST = 1.0
LONGEST = 60.0
SOON = 2.0
BUSY = 0.5
BLIND = 5.0
_AT_ONCE = 0.0
_SETTLING = 1.0
_MOVES_IN_A_ROW = 100
_MOST_REST = 1.0
_FEW = 3


@frozen
class Trouble:
    """How a scope fares: failures in a row, patches in a row that came too late, until when to wait, and why."""

    failures: int = 0
    moved: int = 0
    until: float = 0.0
    why: str = ""

    def waits(self, now: float) -> bool:
        """Tell whether it is too early; what lies further ahead than anything waits is of a clock that was set back."""
        return 0 < self.until - now < 2 * LONGEST


@frozen
class Pace:
    """How a revision fares, scope by scope. A new revision starts afresh: what failed before may be what it mends."""

    revision: str = ""
    troubles: Mapping[Scope, Trouble] = field(default_factory=lambda: MappingProxyType({}))

    def holds(self, revision: str, now: float) -> tuple[Hold, ...]:
        """Return the holds of the scopes whose last attempts failed and that are not to be tried again yet."""
        if revision != self.revision:
            return ()
        return tuple(
            Hold(Reason.BACKING_OFF, _words(trouble), scope=scope)
            for scope, trouble in self.troubles.items()
            if trouble.waits(now)
        )

    def after(self, revision: str, outcomes: Iterable[Outcome], stuck: Iterable[Scope], now: float) -> "Pace":
        """Return the pace after a pass.

        Args:
            revision: of the manifests that were in force.
            outcomes: what became of the pass's commands.
            stuck: scopes in which a command reported success and everything is still to be done.
            now: the time.
        """
        troubles = dict(self.troubles) if revision == self.revision else {}
        attempts: dict[Scope, list[Outcome]] = {}
        for outcome in outcomes:
            attempts.setdefault(outcome.command.scope, []).append(outcome)
        for scope, tried in attempts.items():
            trouble = _after(troubles.pop(scope, Trouble()), tried, scope in set(stuck), now)
            if trouble:
                troubles[scope] = trouble
        recent = {scope: trouble for scope, trouble in troubles.items() if now < trouble.until + LONGEST}
        return Pace(revision, MappingProxyType(recent))

    def waits(self, now: float) -> list[float]:
        """Return how long it is until each of the scopes that wait may be tried again."""
        return [trouble.until - now for trouble in self.troubles.values() if trouble.waits(now)]


def _after(trouble: Trouble, tried: list[Outcome], stuck: bool, now: float) -> Trouble | None:
    failed = [outcome for outcome in tried if not outcome.ok]
    if not failed and not stuck:
        return None
    moved = bool(failed) and all(outcome.code == MOVED for outcome in failed)
    if moved and trouble.moved < _MOVES_IN_A_ROW:
        return Trouble(trouble.failures, trouble.moved + 1, now, trouble.why)
    failures = trouble.failures + 1
    why = failed[0].stderr if failed else f"{tried[0].command.argv[0]} reported success, but nothing has changed"
    return Trouble(failures, 0, now + min(FIRST * 2 ** min(failures - 1, 16), LONGEST), why)


@frozen
class Refusal:
    """A patch that the cluster refused as invalid, of which version of the configuration and schema, and its words.

    The same patch would be refused again, until there is another configuration that it fits.
    """

    edit: Command
    basis: str
    why: str

    def hold(self, patch: Command, basis: str) -> Hold | None:
        """Return the hold of a patch that has been refused before; None if it is another, or of something else."""
        if (without_version(patch), basis) != (self.edit, self.basis):
            return None
        message = f"the cluster has refused exactly this as invalid: {self.why}"
        return Hold(Reason.INVALID, f"{message}; not tried again before the manifests or the configuration change")


def refusal(outcomes: Iterable[Outcome], basis: str) -> Refusal | None:
    """Return the patch that was refused as invalid, if one was."""
    return next(
        (
            Refusal(without_version(outcome.command), basis, outcome.stderr)
            for outcome in outcomes
            if outcome.code == INVALID and outcome.command.scope is Scope.CLUSTER
        ),
        None,
    )


def stuck(made: Iterable[Command], left: Iterable[Command], *, moved: bool) -> frozenset[Scope]:
    """Return the scopes in which exactly what has just been done is to be done again.

    Args:
        made: the commands that were run.
        left: the commands of the plan made afterwards.
        moved: somebody else has changed the cluster's configuration too, perhaps back.
    """
    done = {without_version(command) for command in made if command.scope is Scope.NODE or not moved}
    return frozenset(command.scope for command in left if without_version(command) in done)


def without_version(command: Command) -> Command:
    """Leave out from which version of the CIB to which a patch leads."""
    return replace(command, stdin=command.stdin.rpartition("</version>")[2])


def _words(trouble: Trouble) -> str:
    then = datetime.fromtimestamp(trouble.until, UTC).strftime("%H:%M:%S UTC")
    times = "failed once" if trouble.failures == 1 else f"failed {trouble.failures} times in a row"
    return f"{trouble.why} ({times}; next attempt at {then}, or with a new revision)"


@frozen
class Calm:
    """For how long nothing has happened: `quiet` passes without any change, `idle` ones that a hint had asked for.

    What a cluster does after a change is no change of its configuration and gives no hint. So after a change or a hint
    it is looked at again after 1, 2, 4, ... seconds, until that is the resync. And where hints come one upon the other
    and mean nothing, they are heeded ever less often.
    """

    quiet: int = 0
    idle: int = 0

    def after(self, acted: bool, different: bool, hinted: bool) -> "Calm":
        """Return the calm after a pass that did something, saw something new, or was asked for by a hint."""
        stirred = acted or different or (hinted and not self.flooded)
        return Calm(0 if stirred else self.quiet + 1, self.idle + 1 if hinted and not acted else 0)

    @property
    def flooded(self) -> bool:
        """True while hints come one upon the other and mean nothing."""
        return self.idle > _FEW

    def rest(self, seconds: float) -> float:
        """Return how long to let hints wait after a pass that took so many seconds."""
        return min(seconds * 2 ** min(self.idle - _FEW, 8), _MOST_REST) if self.flooded else 0.0

    def next_look(self) -> float:
        """Return after how many seconds to look again without a hint."""
        return float(_SETTLING * 2 ** min(self.quiet, 16))


def delay(decision: Decision, pace: Pace, calm: Calm, now: float, *, settling: bool = False) -> float:
    """Return how many seconds to wait for a hint before the next pass, if the resync is not sooner.

    Args:
        decision: about what is left after the pass.
        pace: after the pass.
        calm: after the pass.
        now: the time.
        settling: a patch has not settled yet.
    """
    waits = [calm.next_look(), *pace.waits(now)]
    if decision.plan.commands:
        waits.append(_AT_ONCE)
    if any(hold.reason in _SHORT_LIVED for hold in decision.plan.holds):
        waits.append(SOON)
    if any(hold.reason is Reason.TRANSITION_RUNNING for hold in decision.plan.holds):
        waits.append(BUSY)
    if settling:
        waits.append(FIRST)
    if decision.blind:
        waits.append(BLIND)
    return max(0.0, min(waits))


def next_turn(observation: Observation, desired: Desired | None, now: float) -> float:
    """Return in how many seconds what may be changed changes by itself: a suspension ends, a window opens or closes.

    Infinite if nothing does.
    """
    suspended = in_force(observation.register, observation.snapshot.suspended, now)
    found = policy_in(desired.state) if desired else None
    edge = next_edge([window.value() for window in found[1].windows], now) if found else None
    moments = [suspended.until if suspended else None, edge]
    return min((moment - now for moment in moments if moment is not None), default=inf) + _JUST_AFTER


_JUST_AFTER = 0.01
_SHORT_LIVED = frozenset({Reason.STOPPING, Reason.NO_DC})
"""What is over soon and gives no hint when it is. A lost quorum and different manifests may last for days: there
the calm says when to look, as what other agents say is a hint."""
