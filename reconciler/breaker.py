"""Stops a quarrel: a field that is corrected to the same value again and again is left alone for a while. Pure.

Somebody else writes it as fast as we do. Correcting on would only load the cluster, so after `LIMIT` corrections within
`WINDOW` the object is held for `PAUSE`, which doubles while the quarrel goes on; it is reported all the time.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from reconciler.plan import Change, Hold, Reason
from reconciler.state import Ref

LIMIT = 30
WINDOW = 60.0
PAUSE = 30.0
LONGEST = 300.0

Field = tuple[Ref, str, str | None]


@dataclass
class Breaker:
    """The corrections of late, by object, field and the value that was restored; times in seconds."""

    corrections: dict[Field, list[float]] = field(default_factory=dict)
    pauses: dict[Ref, tuple[float, float]] = field(default_factory=dict)

    def record(self, changes: Iterable[Change], now: float) -> None:
        """Remember what was just done, and forget what is long past."""
        for change in changes:
            for item in change.fields() or ():
                key = (change.ref, item.path, item.after)
                times = [then for then in self.corrections.get(key, []) if now - then < WINDOW]
                self.corrections[key] = [*times, now]
                if len(times) + 1 >= LIMIT:
                    self._pause(change.ref, now)
                    self.corrections[key] = []
        self.corrections = {key: times for key, times in self.corrections.items() if times and now - times[-1] < WINDOW}

    def _pause(self, ref: Ref, now: float) -> None:
        until, length = self.pauses.get(ref, (0.0, PAUSE / 2))
        fresh = PAUSE if now - until > LONGEST else min(2 * length, LONGEST)
        self.pauses[ref] = (now + fresh, fresh)

    def holds(self, now: float) -> Mapping[Ref, Hold]:
        """Return the objects that are left alone for now."""
        return {
            ref: Hold(
                Reason.OSCILLATING,
                f"corrected {LIMIT} times within {WINDOW:.0f} s: somebody else changes it; left alone {length:.0f} s",
                ref,
            )
            for ref, (until, length) in self.pauses.items()
            if now < until
        }
