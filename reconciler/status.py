"""What is known of each object after a pass: conditions in Kubernetes' manner, computed once, here. Pure.

`Synced` says whether the object is as the manifest wants it, `Healthy` whether it works; they are two questions. The
status is True, False or Unknown; the time is when it last changed, not when it was last looked at.
"""

from collections.abc import Mapping
from dataclasses import field, replace

from reconciler.frozen import frozen
from reconciler.kinds import KINDS
from reconciler.plan import Outcome, Plan, Reason
from reconciler.state import Desired, Ref, Scope

SYNCED = "Synced"
HEALTHY = "Healthy"


@frozen
class Condition:
    """One answer about one object. `since` is in Unix seconds."""

    type: str
    status: str
    reason: str
    message: str
    since: float


@frozen
class Health:
    """Whether an object works, as the cluster or the kernel says: True, False or None for unknown."""

    healthy: bool | None
    reason: str
    message: str = ""


@frozen
class ObjectStatus:
    """An object's conditions, and the revision of the manifests that they speak of."""

    ref: Ref
    conditions: tuple[Condition, ...]
    revision: str

    def condition(self, type_: str) -> Condition:
        """Return the condition of a type."""
        return next(condition for condition in self.conditions if condition.type == type_)


@frozen
class Pass:
    """One turn of the loop, done: what was wanted, what is left to do, what was done, what could not be seen.

    `plan` is as seen *after* the outcomes: an applied change that is still in it did not take. `blind` gives the scopes
    that could not be seen, with the reason. `health` has the objects that can be unwell.
    """

    desired: Desired
    plan: Plan
    outcomes: tuple[Outcome, ...] = ()
    blind: Mapping[Scope, str] = field(default_factory=dict)
    health: Mapping[Ref, Health] = field(default_factory=dict)


def conclude(turn: Pass, previous: Mapping[Ref, ObjectStatus], now: float) -> dict[Ref, ObjectStatus]:
    """Return the status of every wanted object, and of those that are still to be deleted, as far as one can see."""
    judge = _Judge(turn)
    changes = {change.ref for change in turn.plan.changes}
    unseen = {ref for ref in previous if scope_of(ref) in turn.blind}
    result = {}
    for ref in sorted({*turn.desired.state, *changes, *judge.holds, *unseen}):
        conditions = [
            _since(Condition(type_, *answer(ref), now), previous.get(ref))
            for type_, answer in ((SYNCED, judge.synced), (HEALTHY, judge.healthy))
        ]
        result[ref] = ObjectStatus(ref, tuple(conditions), turn.desired.revision)
    return result


class _Judge:
    def __init__(self, turn: Pass) -> None:
        self._turn = turn
        self._changes = {change.ref for change in turn.plan.changes}
        self.holds = {hold.ref: hold for hold in turn.plan.holds if hold.ref}
        # The first reason is the one that lasts: a busy cluster is named last.
        self._scope_holds = {hold.scope: hold for hold in reversed(turn.plan.holds) if hold.ref is None}
        self._failed = {ref: outcome for outcome in turn.outcomes if not outcome.ok for ref in outcome.command.refs}

    def synced(self, ref: Ref) -> tuple[str, str, str]:
        scope = scope_of(ref)
        hold = (self._scope_holds.get(scope) if ref in self._changes else None) or self.holds.get(ref)
        if scope in self._turn.blind:
            return "Unknown", str(Reason.UNOBSERVABLE), self._turn.blind[scope]
        if ref in self._failed and ref in self._changes:
            return "False", str(Reason.FAILED), self._failed[ref].stderr
        if hold:
            return "False", str(hold.reason), hold.message
        if ref in self._changes:
            return "False", str(Reason.PENDING), "not applied yet"
        return "True", str(Reason.IN_SYNC), ""

    def healthy(self, ref: Ref) -> tuple[str, str, str]:
        if scope_of(ref) in self._turn.blind:
            return "Unknown", str(Reason.UNOBSERVABLE), ""
        health = self._turn.health.get(ref)
        if health is None:
            return "True", "NothingToRun", ""
        return {True: "True", False: "False", None: "Unknown"}[health.healthy], health.reason, health.message


def _since(condition: Condition, previous: ObjectStatus | None) -> Condition:
    """Keep the time of an answer that has not changed."""
    for old in previous.conditions if previous else ():
        if (old.type, old.status) == (condition.type, condition.status):
            return replace(condition, since=old.since)
    return condition


def scope_of(ref: Ref) -> Scope:
    """Return where an object lives."""
    return KINDS[ref.kind].scope if ref.kind in KINDS else Scope.CLUSTER
