"""What is left alone for a while, because correcting it did harm: whoever edits it may be mending. Pure.

The register tells all agents, so that neither a restart nor a successor corrects it again. Who made the correction
writes it down, whether or not it still is the writer: nobody else knows. Until it has, it goes by what it remembers.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

from reconciler.cib.document import Cib
from reconciler.cib.draft import draft
from reconciler.cib.register import LONGEST_REASON, Pause, Register, RegisterError, edits, patched
from reconciler.decision import Decision
from reconciler.plan import Command, Hold, Reason
from reconciler.planner import PATCH
from reconciler.state import Ref, Scope
from reconciler.suspension import moment

if TYPE_CHECKING:
    from reconciler.settling import Settling

LASTS = 3600
"""Seconds."""

STAYS = 86400
"""Seconds for which one that is over stays in the register: a clock may be ahead."""


def after(settled: "Settling", now: float) -> tuple[Pause, ...]:
    """Return what is to be left alone after a patch has settled: what it had corrected, if that broke something."""
    if not settled.faults_a_correction:
        return ()
    names = " and ".join(settled.broken)
    broke = names if len(names) <= LONGEST_REASON else f"{len(settled.broken)} resources"
    at, why = int(now), f"its last correction broke {broke}"
    return tuple(Pause(settled.revision, ref, at, at + LASTS, why) for ref in settled.applied.changed)


def in_force(pauses: Iterable[Pause], revision: str, now: float) -> tuple[Pause, ...]:
    """Return those that count: of this revision, as another one is somebody's answer, and not over.

    One that ends further ahead than any lasts is of a clock that was wrong.
    """
    return tuple(pause for pause in pauses if pause.revision == revision and 0 < pause.until - now < 2 * LASTS)


def holds(pauses: Iterable[Pause], revision: str, now: float) -> Mapping[Ref, Hold]:
    """Return the objects that are left alone for now."""
    return {
        pause.ref: Hold(
            Reason.BACKING_OFF,
            f"{pause.reason}; left alone until {moment(pause.until)}, or until there is a new revision",
            pause.ref,
        )
        for pause in sorted(in_force(pauses, revision, now), key=lambda pause: pause.until)
    }


def untold(pauses: Iterable[Pause], kept: Register, revision: str, now: float) -> tuple[Pause, ...]:
    """Return those that count and that the register does not know yet."""
    known = {(pause.ref, pause.until) for pause in kept.pauses if pause.revision == revision}
    return tuple(pause for pause in in_force(pauses, revision, now) if (pause.ref, pause.until) not in known)


def without_old(kept: Register, now: float) -> Register:
    """Leave out what has been over for long; not worth a patch of its own."""
    return replace(kept, pauses=tuple(pause for pause in kept.pauses if pause.until + STAYS > now))


def telling(decision: Decision, cib: Cib, kept: Register, pauses: Collection[Pause], now: float) -> Decision | str:
    """Return the decision with a patch that tells the register, in the place of any other, which comes after it.

    Otherwise why the register cannot be written; nothing if there is nothing to tell, or the agent may write nothing.
    """
    plan = decision.plan
    whole = {hold.reason for hold in plan.holds if hold.scope is Scope.CLUSTER and hold.ref is None}
    if not pauses or decision.cluster is None or whole - _NO_MATTER:
        return ""
    told = without_old(kept.pausing(pauses), now)
    try:
        text = patched(cib, told)
        made = draft(cib, edits(cib, told))
    except RegisterError as error:
        return f"the other agents do not learn what is left alone: {error}"
    if text is None:
        return ""
    commands = tuple(command for command in plan.commands if command.scope is not Scope.CLUSTER)
    return replace(
        decision,
        plan=replace(plan, commands=(*commands, Command(PATCH, text, Scope.CLUSTER, ()))),
        cluster=replace(decision.cluster, edited=lambda: made),
    )


_NO_MATTER = frozenset({Reason.NOT_WRITER, Reason.REVISION_SKEW})
"""What keeps an agent from making changes and not from telling what it knows."""
