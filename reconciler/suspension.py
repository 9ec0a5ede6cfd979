"""Suspended: a person has said that nothing is to be changed for a while. Pure.

It is kept in the register, for all nodes; where the cluster cannot be reached, in a file of the node, for that one.
When its time is over it no longer counts, whether or not anybody has removed it.
"""

from datetime import UTC, datetime
from typing import Any

from reconciler.cib import values
from reconciler.cib.register import LONGEST_REASON, Register, Suspension
from reconciler.plan import Hold, Reason
from reconciler.state import CHANGEABLE

LONGEST = 366 * 86400
"""Seconds: who means for ever stops the agents."""

FOREVER = int(datetime(9999, 1, 1, tzinfo=UTC).timestamp())


def in_force(register: Register, here: Suspension | None, now: float) -> Suspension | None:
    """Return the suspension that counts: the one that lasts longest of the cluster's and this node's.

    An entry of the register that cannot be read is taken for one without end: somebody has said something.
    """
    found = [one for one in (register.suspended, here) if one and one.until > now]
    if register.unreadable:
        names = ", ".join(sorted({name for name, _ in register.unreadable}))
        found.append(Suspension(0, FOREVER, "", f"what the register says under {names} cannot be read"))
    return max(found, key=lambda one: one.until, default=None)


def holds(register: Register, here: Suspension | None, now: float) -> tuple[Hold, ...]:
    """Return the holds of everything while it is suspended.

    Args:
        register: the cluster's.
        here: this node's own suspension, if there is one.
        now: in Unix seconds.
    """
    found = in_force(register, here, now)
    return tuple(Hold(Reason.SUSPENDED, sentence(found), scope=scope) for scope in CHANGEABLE) if found else ()


def sentence(suspension: Suspension) -> str:
    """Say it: until when, by whom, why, and how to end it."""
    if suspension.until == FOREVER:
        return f"{suspension.reason}; `reconciler resume` removes it"
    return f"until {moment(suspension.until)} by {suspension.by}: {suspension.reason}; `reconciler resume` ends it"


def moment(seconds: float) -> str:
    """Return a time as RFC 3339 in UTC, to the second."""
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%dT%H:%M:%SZ}"


def until(text: str, now: float) -> int:
    """Return when a suspension ends that is to last so long (`2h`, `90min`), or to that time (RFC 3339).

    Raises:
        ValueError: it is neither, lies in the past, or is further away than `LONGEST`.
    """
    end = _end(text.strip(), now)
    if end <= now:
        raise ValueError(f"{text!r} is over already")
    if end - now > LONGEST:
        raise ValueError(f"{text!r} is more than a year ahead; to do without the agents, stop them")
    return end


def _end(text: str, now: float) -> int:
    if text.isdigit():
        raise ValueError(f"{text!r} has no unit: write {text}min or {text}h, or a time such as 2026-11-24T08:00:00Z")
    if "-" not in text:
        try:
            return int(now) + values.milliseconds(text) // 1000
        except ValueError as error:
            known = "a duration such as 90min or 2h nor a time such as 2026-11-24T08:00:00Z"
            raise ValueError(f"{text!r} is neither {known}") from error
    try:
        end = datetime.fromisoformat(text)
    except ValueError as error:
        raise ValueError(f"{text!r} is neither a time such as 2026-11-24T08:00:00Z nor a duration") from error
    if end.tzinfo is None:
        raise ValueError(f"{text!r} does not say in which time zone: append Z for UTC, or an offset such as +01:00")
    return int(end.timestamp())


def worded(text: str) -> str:
    """Return a reason as it is kept, on one line.

    Raises:
        ValueError: it is empty, or longer than `LONGEST_REASON` characters.
    """
    reason = " ".join(text.split())
    if not reason:
        raise ValueError("the reason is empty: whoever finds the cluster suspended wants to know why")
    if len(reason) > LONGEST_REASON:
        raise ValueError(f"the reason has {len(reason)} characters: at most {LONGEST_REASON}")
    return reason


def stored(suspension: Suspension) -> dict[str, Any]:
    """Return it as what is kept in a file and shown to programs."""
    return {
        "since": moment(suspension.since),
        "until": moment(suspension.until),
        "by": suspension.by,
        "reason": suspension.reason,
    }


def restored(kept: Any, name: str) -> Suspension:
    """Read what a file keeps; of one that says nothing sensible something was meant."""
    match kept:
        case {"since": str(since), "until": str(end), "by": str(by), "reason": str(reason)}:
            try:
                return Suspension(_seconds(since), _seconds(end), by, reason)
            except ValueError:
                pass
    return Suspension(0, FOREVER, "", f"{name} cannot be read")


def _seconds(text: str) -> int:
    return int(datetime.fromisoformat(text).timestamp())
