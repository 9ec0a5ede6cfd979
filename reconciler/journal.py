"""What the log says of a pass: what was done, and what is new; never the same thing twice in a row."""

import logging

from reconciler.plan import Change, Hold, Reason, Verb
from reconciler.turn import Reconciliation

log = logging.getLogger("reconciler")


class Journal:
    """Writes the log of passes. `summary` is the state in one line."""

    def __init__(self) -> None:
        self.summary = "starting"
        self._said: frozenset[str] = frozenset()
        self._revision = ""

    def write(self, done: Reconciliation) -> None:
        """Log one pass."""
        revision = done.wanted.desired.revision if done.wanted.desired else ""
        if revision != self._revision:
            count = len(done.wanted.desired.state) if done.wanted.desired else 0
            log.info("desired state: revision=%s objects=%d", revision[:12], count)
            self._revision = revision
        for change in done.applied:
            log.info("%s", _sentence(change))
        for outcome in done.outcomes:
            if not outcome.ok:
                log.error("not applied: %s", outcome.stderr)
        self._state(done)
        self.summary = _summary(done)

    def _state(self, done: Reconciliation) -> None:
        """Say what is held or wrong when it begins, and when it has ended."""
        plan = done.decision.plan
        held = [hold for hold in plan.holds if plan.changes or hold.ref]
        notices = {f"held: {hold.ref or hold.scope}: {hold.reason}: {hold.message}" for hold in held if _is_news(hold)}
        notices |= {f"cannot see: {answer.message}" for answer in done.observation.problems.values()}
        notices |= {f"rejected: {item}" for item in done.wanted.rejected}
        if done.wanted.problem and not done.wanted.rejected:
            notices.add(f"desired state: {done.wanted.problem}")
        for notice in sorted(notices - self._said):
            log.warning("%s", notice)
        for notice in sorted(self._said - notices):
            log.info("no longer: %s", notice)
        self._said = frozenset(notices)


def _is_news(hold: Hold) -> bool:
    """True unless the hold is how things should be: one agent writes, the others do not."""
    return hold.reason is not Reason.NOT_WRITER


def _sentence(change: Change) -> str:
    word = {Verb.CREATE: "created", Verb.UPDATE: "updated", Verb.DELETE: "deleted"}[change.verb]
    fields = ", ".join(f"{item.path}: {item.before} -> {item.after}" for item in change.fields())
    return f"{word} {change.ref}" + (f" ({fields})" if change.verb is Verb.UPDATE else "")


def _summary(done: Reconciliation) -> str:
    if done.decision.blind:
        return "cannot see: " + "; ".join(done.decision.blind.values())
    if done.wanted.problem:
        return done.wanted.problem
    plan = done.decision.plan
    if plan.changes or plan.holds:
        return f"{len(plan.changes)} changes to make, {len(plan.holds)} held"
    return "in sync"
