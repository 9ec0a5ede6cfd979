"""When a change may begin: weekly windows in a time zone. Pure.

A window gates the start only. It begins at a wall clock's time and lasts for elapsed time, so that it is as long on the
days on which clocks are turned as on all others. Where its start is skipped (clocks go forward) it begins at the first
moment that exists after; where the start comes twice (clocks go back) it begins at the first of the two.

The rules of time zones are the system's (`/usr/share/zoneinfo`, package tzdata), as Python's `zoneinfo` reads them.
"""

from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from difflib import get_close_matches
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError, available_timezones

from reconciler.frozen import frozen

DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
"""The days of the week, in the order in which `datetime` numbers them."""

LONGEST = timedelta(days=7)
"""The longest that a window may be."""

_AHEAD = timedelta(days=15)
"""How far the next edge is looked for: two weeks, and a day for the clocks that are turned in them."""


@frozen
class Window:
    """A weekly window: the days on which it begins (0 is Monday), when, in which zone, and for how long.

    With `deny` it is a time in which nothing may begin, whatever other windows say.
    """

    days: frozenset[int]
    start: time
    duration: timedelta
    zone: tzinfo = UTC
    deny: bool = False

    def __str__(self) -> str:
        days = ",".join(DAYS[day] for day in sorted(self.days)) if len(self.days) < len(DAYS) else "daily"
        hours, seconds = divmod(int(self.duration.total_seconds()), 3600)
        length = [f"{hours}h"] * bool(hours) + [f"{seconds // 60}min"] * bool(seconds // 60)
        return f"{days} {self.start:%H:%M} for {''.join(length) or f'{seconds}s'}, {_name(self.zone)}"


def zone(name: str) -> tzinfo:
    """Return a time zone of the system's database by its name (`Europe/Berlin`); UTC is there without one.

    Raises:
        ValueError: there is no such zone, or no database.
    """
    if name == "UTC":
        return UTC
    if name == "localtime":
        raise ValueError("'localtime' is whatever each node is set to: name a zone such as Europe/Berlin")
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        pass
    known = available_timezones()
    if not known:
        raise ValueError(f"{name!r} cannot be looked up: this machine has no time zone database (package tzdata)")
    lower = {other.lower(): other for other in known}
    close = get_close_matches(name.lower().replace(" ", "_"), lower, n=1)
    raise ValueError(f"{name!r} is no time zone" + (f"; did you mean {lower[close[0]]!r}?" if close else ""))


def closed(windows: Sequence[Window], now: float) -> str | None:
    """Say why no change may begin now, and when one may; None if one may.

    Without windows a change may always begin, and with none but denying ones always outside of those.

    Args:
        windows: those of the policy.
        now: in Unix seconds.
    """
    moment = datetime.fromtimestamp(now, UTC)
    if _open(windows, moment):
        return None
    denying = next((window for window in windows if window.deny and _covers(window, moment)), None)
    why = f"the window {denying} lets nothing begin" if denying else "no window is open"
    opens = next(((edge, window) for edge, window in _edges(windows, moment) if _open(windows, edge)), None)
    if opens is None:
        return f"{why}, and none opens within two weeks: look at the windows of the policy"
    edge, window = opens
    return f"{why}; changes may begin {_said(edge, window.zone)}"


def next_edge(windows: Sequence[Window], now: float) -> float | None:
    """Return when next a window begins to let changes begin, or ceases to, in Unix seconds; None for not soon."""
    moment = datetime.fromtimestamp(now, UTC)
    is_open = _open(windows, moment)
    edges = (edge for edge, _ in _edges(windows, moment) if _open(windows, edge) != is_open)
    first = next(edges, None)
    return None if first is None else first.timestamp()


def _open(windows: Sequence[Window], moment: datetime) -> bool:
    if any(window.deny and _covers(window, moment) for window in windows):
        return False
    allowing = [window for window in windows if not window.deny]
    return not allowing or any(_covers(window, moment) for window in allowing)


def _covers(window: Window, moment: datetime) -> bool:
    return any(begin <= moment < begin + window.duration for begin in _begins(window, moment - LONGEST, moment))


def _edges(windows: Iterable[Window], moment: datetime) -> list[tuple[datetime, Window]]:
    """Return the begins and ends of windows after a moment, in order."""
    edges = []
    for window in windows:
        for begin in _begins(window, moment - LONGEST, moment + _AHEAD):
            edges += [(edge, window) for edge in (begin, begin + window.duration) if edge > moment]
    return sorted(edges, key=lambda edge: edge[0])


def _begins(window: Window, first: datetime, last: datetime) -> Iterator[datetime]:
    """Yield when a window begins between two moments (and perhaps a day or two around them)."""
    day = first.astimezone(window.zone).date() - timedelta(days=1)
    end = last.astimezone(window.zone).date() + timedelta(days=1)
    while day <= end:
        if day.weekday() in window.days:
            yield _instant(day, window.start, window.zone)
        day += timedelta(days=1)


def _instant(day: date, clock: time, zone: tzinfo) -> datetime:
    """Return the first moment at which clocks in the zone show so much or, if they skip it, more."""
    wall = datetime.combine(day, clock)
    early = (wall.replace(tzinfo=zone, fold=1)).astimezone(UTC)
    late = (wall.replace(tzinfo=zone, fold=0)).astimezone(UTC)
    if late <= early:  # what comes twice has its first with fold 0
        return late
    # Skipped: with the offset from before it is too late, with the one from after too early. Look between them.
    seconds = int((late - early).total_seconds())
    low, high = 0, seconds
    while low < high:
        middle = (low + high) // 2
        shown = (early + timedelta(seconds=middle)).astimezone(zone).replace(tzinfo=None)
        low, high = (low, middle) if shown >= wall else (middle + 1, high)
    return early + timedelta(seconds=low)


def _said(moment: datetime, zone: tzinfo) -> str:
    utc = f"{moment:%Y-%m-%dT%H:%MZ}"
    return utc if zone is UTC else f"{moment.astimezone(zone):%a %Y-%m-%d %H:%M} {_name(zone)} ({utc})"


def _name(zone: tzinfo) -> str:
    return getattr(zone, "key", "UTC")
