"""Stops a quarrel: a field that is corrected to the same value again and again is left alone for a while. Pure.

Somebody else writes it as fast as we do. Correcting on would only load the cluster, so after `LIMIT` corrections within
`WINDOW` the object is held for `PAUSE`, which doubles while the quarrel goes on; it is reported all the time.
"""

from collections.abc import Iterable, Mapping
from dataclasses import field

from reconciler.frozen import frozen
from reconciler.plan import Change, Hold, Reason
from reconciler.state import Ref

LIMIT = 30
WINDOW = 60.0
PAUSE = 30.0
LONGEST = 300.0

Field = tuple[Ref, str, str | None]


@frozen
class Pause:
    """Until when an object is left alone, how long that is in all, and why."""

    until: float
    length: float
    why: str


@frozen
class Breaker:
    """The corrections of late, by object, field and the value that was restored; times in seconds.

    It knows one revision only: a new one is somebody's answer to the quarrel, and is tried at once.
    """

    revision: str = ""
    corrections: Mapping[Field, tuple[float, ...]] = field(default_factory=dict)
    pauses: Mapping[Ref, Pause] = field(default_factory=dict)

    def after(self, revision: str, changes: Iterable[Change], now: float) -> "Breaker":
        """Return the breaker after these changes were made; what is long past is forgotten."""
        before = self if revision == self.revision else Breaker(revision)
        corrections = {key: times for key, times in before.corrections.items() if times and now - times[-1] < WINDOW}
        pauses = {ref: pause for ref, pause in before.pauses.items() if now - pause.until < LONGEST}
        for change in changes:
            for item in change.fields():
                key = (change.ref, item.path, item.after)
                times = (*(then for then in corrections.get(key, ()) if now - then < WINDOW), now)
                if len(times) >= LIMIT:
                    earlier = pauses.get(change.ref)
                    length = min(2 * earlier.length, LONGEST) if earlier else PAUSE
                    why = f"{item.path} was corrected {LIMIT} times within {WINDOW:.0f} s"
                    why += " and somebody else changes it back"
                    pauses[change.ref] = Pause(now + length, length, why)
                    times = ()
                corrections[key] = times
        return Breaker(revision, corrections, pauses)

    def holds(self, revision: str, now: float) -> Mapping[Ref, Hold]:
        """Return the objects that are left alone for now."""
        if revision != self.revision:
            return {}
        return {
            ref: Hold(
                Reason.OSCILLATING,
                f"{pause.why}; left alone for {pause.length:.0f} s, or until there is a new revision",
                ref,
            )
            for ref, pause in self.pauses.items()
            # Further ahead than it ever was: the clock was set back.
            if 0 < pause.until - now < 2 * LONGEST
        }
