"""What the log says of a pass: what was done, and what is new; never the same thing twice in a row."""

import logging
from collections.abc import Mapping
from types import MappingProxyType

from reconciler.overrides import Age, Ages, Mark
from reconciler.plan import Change, Reason, Verb
from reconciler.reconciliation import Reconciliation
from reconciler.secret import shown
from reconciler.settling import Remedy, Result, lines, still_broken
from reconciler.text import timestamp
from reconciler.writer import writes

log = logging.getLogger("reconciler")


class Journal:
    """Writes the log of passes. `summary` is the state in one line."""

    def __init__(self) -> None:
        self.summary = "starting"
        self._said: Mapping[str, str] = {}
        self._revision = ""
        self._writes: bool | None = None
        self._passing: Mapping[str, float] = {}

    def write(self, done: Reconciliation, ages: Ages = MappingProxyType({})) -> None:
        """Log one pass; `ages` is since when overrides are there."""
        if done.revision != self._revision:
            count = len(done.wanted.desired.state) if done.wanted.desired else 0
            log.info("desired state: revision=%s objects=%d", done.revision[:12], count)
            self._revision = done.revision
        self.made(done)
        for settled in done.settled:
            level = logging.INFO if settled.result in _FINE else logging.WARNING
            for line in lines(settled):
                log.log(level, "%s", line)
        self._state(done, ages)
        self.summary = _summary(done)

    def made(self, done: Reconciliation) -> None:
        """Log what was done and what failed."""
        for change in done.applied:
            log.info("%s", _sentence(change))
        if done.adopted:
            log.info("recorded as ours, as they already were as wanted: %s", ", ".join(map(str, done.adopted)))
        if done.refusals:
            times = "once" if done.refusals == 1 else f"{done.refusals} times"
            log.info("planned anew %s: somebody else had changed the configuration meanwhile", times)
        tried = {outcome.command.scope for outcome in done.outcomes}
        for hold in done.decision.plan.holds:
            if hold.ref is None and hold.reason is Reason.BACKING_OFF and hold.scope in tried:
                log.error("not applied: %s", hold.message)

    def _state(self, done: Reconciliation, ages: Ages) -> None:
        """Say what is held or wrong when it begins or changes, and when it has ended."""
        notices = self._lasting(_notices(done, ages), done.began)
        for subject, text in sorted(notices.items()):
            if self._said.get(subject) != text:
                log.warning("%s: %s", subject, text)
        ended = self._said.keys() - notices.keys()
        if done.decision.blind:
            ended = {subject for subject in ended if not subject.startswith(_SEEN)}
        for subject in sorted(ended):
            log.info("no longer: %s: %s", subject, self._said[subject])
        self._said = {**{subject: self._said[subject] for subject in self._said.keys() - ended}, **notices}
        mine = writes(done.decision.plan.holds)
        if mine != self._writes and not done.decision.blind and done.revision:
            log.info("this agent %s the cluster's changes", "makes" if mine else "does not make")
            self._writes = mine

    def _lasting(self, notices: Mapping[str, str], now: float) -> Mapping[str, str]:
        """Leave out what will most likely have passed by itself in a moment."""
        fleeting = {subject for subject, text in notices.items() if text.startswith(_FLEETING)}
        self._passing = {subject: self._passing.get(subject, now) for subject in fleeting}
        return {
            subject: text
            for subject, text in notices.items()
            if subject not in fleeting or now - self._passing[subject] >= _PATIENCE
        }


def _notices(done: Reconciliation, ages: Ages) -> Mapping[str, str]:
    """Return what a person should know, by subject; a subject stays the same while its text may change."""
    plan = done.decision.plan
    notices: dict[str, list[str]] = {}

    def notice(subject: str, text: str) -> None:
        notices.setdefault(subject, []).append(text)

    frozen = {hold.scope for hold in plan.holds if hold.reason is Reason.SUSPENDED}
    for hold in plan.holds:
        if hold.ref is None and hold.scope in frozen and hold.reason is not Reason.SUSPENDED:
            continue
        if hold.ref or hold.reason is Reason.SUSPENDED or (plan.changes and hold.reason not in _USUAL):
            notice(f"{_HELD}: {hold.ref or f'everything of the {hold.scope}'}", f"{hold.reason}: {hold.message}")
    for source, answer in done.observation.problems.items():
        notice(f"cannot see {source}", answer.message)
    for item in done.wanted.rejected:
        notice(f"rejected: {item}", "the last good state stays in force" if done.revision else "nothing is applied")
    if done.wanted.problem and not done.wanted.rejected:
        notice("desired state", done.wanted.problem)
    for override in plan.overrides:
        said = f"{override.field} = {shown(override.field, override.value)}; respected"
        notice(f"{_BY_HAND}: {override.ref}", said + _since(ages.get(Mark.of(override))))
    if done.settling and done.settling.remedy is Remedy.WITHHELD:
        for name in still_broken(done.settling, done.observation.status):
            notice(f"unhealthy since revision {done.settling.revision[:12]}: {name}", done.settling.done)
    return {subject: "; ".join(texts) for subject, texts in notices.items()}


def _since(age: Age | None) -> str:
    """Say since when a person's setting is there, where that is not just now."""
    if age is None:
        return ""
    text = f", since {timestamp(age.since)}" + (" at the latest" if not age.exact else "")
    return f"{text}; its lifetime is over, it does nothing any more" if age.expired else text


_FINE = frozenset({Result.AS_FORECAST, Result.SUPERSEDED})

_HELD, _BY_HAND = "held", "set by hand"
_SEEN = (_HELD, _BY_HAND)
"""Notices of what was seen: that it is not seen while nothing can be does not mean that it has ended."""

_FLEETING = (Reason.REVISION_SKEW, Reason.TRANSITION_RUNNING)
"""A revision does not reach all nodes at the same moment, and clusters are busy after every change."""

_PATIENCE = 5.0

_USUAL = frozenset({Reason.NOT_WRITER, Reason.BACKING_OFF})
"""Holds that need no notice: one agent writes and the others do not, and a failed attempt has been logged as such."""


def _sentence(change: Change) -> str:
    word = {Verb.CREATE: "created", Verb.UPDATE: "updated", Verb.DELETE: "deleted"}[change.verb]
    if change.verb is not Verb.UPDATE:
        return f"{word} {change.ref}"
    fields = (
        f"{item.path}: {shown(item.path, item.before) or '(absent)'} -> {shown(item.path, item.after) or '(absent)'}"
        for item in change.fields()
    )
    return f"{'adopted and ' * change.adopts}{word} {change.ref} ({', '.join(fields)})"


def _summary(done: Reconciliation) -> str:
    if done.decision.blind:
        return "cannot see: " + "; ".join(done.decision.blind.values())
    if done.wanted.problem:
        return done.wanted.problem
    plan = done.decision.plan
    if plan.changes or any(hold.ref for hold in plan.holds):
        return f"{len(plan.changes)} changes to make, {len(plan.holds)} held"
    return "in sync"
