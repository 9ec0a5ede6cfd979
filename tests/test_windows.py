"""Windows: against an oracle that walks through time minute by minute, and at the edges that clocks make."""

from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.windows import DAYS, LONGEST, Window, closed, next_edge, zone
from tests.examples import often

BERLIN = ZoneInfo("Europe/Berlin")
MINUTE = timedelta(minutes=1)
ALL = frozenset(range(7))


def at(text: str) -> float:
    return datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()


def window(
    days: str = "", start: str = "02:00", hours: float = 4, zone: ZoneInfo = BERLIN, *, deny: bool = False
) -> Window:
    numbers = frozenset(DAYS.index(day) for day in days.split()) or ALL
    return Window(numbers, time.fromisoformat(start), timedelta(hours=hours), zone, deny)


def is_open(windows: list[Window], text: str) -> bool:
    return closed(windows, at(text)) is None


def test_without_windows_a_change_may_always_begin() -> None:
    assert closed((), 0) is None
    assert next_edge((), 0) is None


def test_a_window_opens_and_closes() -> None:
    saturdays = [window("Sat")]
    for moment, open_ in (("2026-11-28T00:59:59", False), ("2026-11-28T01:00", True), ("2026-11-28T04:59:59", True)):
        assert is_open(saturdays, moment) is open_
    assert not is_open(saturdays, "2026-11-28T05:00")
    assert next_edge(saturdays, at("2026-11-24T12:00")) == at("2026-11-28T01:00")
    assert next_edge(saturdays, at("2026-11-28T01:00")) == at("2026-11-28T05:00")


def test_it_says_when_it_opens_in_its_own_time_and_in_utc() -> None:
    assert closed([window("Sat")], at("2026-11-24T12:00")) == (
        "no window is open; changes may begin Sat 2026-11-28 02:00 Europe/Berlin (2026-11-28T01:00Z)"
    )
    utc = Window(ALL, time(2), timedelta(minutes=90))
    assert closed([utc], at("2026-11-24T12:00")) == "no window is open; changes may begin 2026-11-25T02:00Z"


def test_what_denies_wins_and_says_so() -> None:
    windows = [window(hours=24), window("Fri", "18:00", 2, deny=True)]
    assert closed(windows, at("2026-11-27T17:30")) == (
        "the window Fri 18:00 for 2h, Europe/Berlin lets nothing begin; "
        "changes may begin Fri 2026-11-27 20:00 Europe/Berlin (2026-11-27T19:00Z)"
    )
    only_denying = [window("Fri", "18:00", 1.5, deny=True)]
    assert is_open(only_denying, "2026-11-27T16:59")
    assert "Fri 18:00 for 1h30min" in (closed(only_denying, at("2026-11-27T17:30")) or "")


def test_what_never_opens_says_what_to_look_at() -> None:
    always = [window("Mon", "00:00", 168, deny=True)]
    assert closed(always, at("2026-11-24T12:00")) == (
        "the window Mon 00:00 for 168h, Europe/Berlin lets nothing begin, and none opens within two weeks: "
        "look at the windows of the policy"
    )
    assert next_edge(always, at("2026-11-24T12:00")) is None


def test_a_start_that_clocks_skip_is_the_first_moment_that_exists() -> None:
    """On 2026-03-29 Berlin's clocks go from 02:00 to 03:00, which is 01:00 UTC."""
    for start in ("02:00", "02:30", "02:59"):
        skipped = [window("Sun", start, 1)]
        assert next_edge(skipped, at("2026-03-28T12:00")) == at("2026-03-29T01:00")
        assert next_edge(skipped, at("2026-03-29T01:00")) == at("2026-03-29T02:00")
    assert next_edge([window("Sun", "03:00", 1)], at("2026-03-28T12:00")) == at("2026-03-29T01:00")


def test_a_start_that_comes_twice_is_the_first() -> None:
    """On 2026-10-25 Berlin's clocks go from 03:00 back to 02:00, at 01:00 UTC."""
    twice = [window("Sun", "02:30", 1)]
    assert next_edge(twice, at("2026-10-24T12:00")) == at("2026-10-25T00:30")
    assert not is_open(twice, "2026-10-25T01:30")


def test_a_window_lasts_as_long_on_every_day() -> None:
    for begin in ("2026-03-29T00:00", "2026-10-24T23:00"):
        night = [window("Sun", "01:00", 6)]
        assert is_open(night, begin)
        assert next_edge(night, at(begin)) == at(begin) + 6 * 3600


def test_a_day_that_a_zone_skips_begins_with_the_next() -> None:
    """Samoa had no 30 December 2011, a Friday."""
    friday = [window("Fri", "09:00", 1, ZoneInfo("Pacific/Apia"))]
    assert next_edge(friday, at("2011-12-29T12:00")) == at("2011-12-30T10:00")


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("Europe/Berlni", "'Europe/Berlni' is no time zone; did you mean 'Europe/Berlin'?"),
        ("europe/berlin", "did you mean 'Europe/Berlin'?"),
        ("Europe", "'Europe' is no time zone"),
        ("/etc/localtime", "is no time zone"),
        ("../../etc/passwd", "is no time zone"),
        ("zone.tab", "is no time zone"),
        ("localtime", "is whatever each node is set to"),
        ("", "'' is no time zone"),
        ("a\0b", "is no time zone"),
    ],
)
def test_what_is_no_zone_is_refused(name: str, said: str) -> None:
    with pytest.raises(ValueError, match=r".*") as caught:
        zone(name)
    assert said in str(caught.value)


def test_without_a_database_it_is_said_and_utc_still_there(monkeypatch: pytest.MonkeyPatch) -> None:
    import zoneinfo  # noqa: PLC0415

    monkeypatch.setitem(__import__("sys").modules, "tzdata", None)
    kept = zoneinfo.TZPATH
    zoneinfo.reset_tzpath(to=[])
    try:
        ZoneInfo.clear_cache()
        with pytest.raises(ValueError, match=r"no time zone database \(package tzdata\)"):
            zone("Europe/Berlin")
        assert zone("UTC") is UTC
    finally:
        zoneinfo.reset_tzpath(to=kept)


ZONES = [
    *("Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Asia/Kathmandu", "Pacific/Apia", "UTC"),
    *("America/St_Johns", "Africa/Casablanca", "Pacific/Chatham", "America/Havana", "Asia/Beirut"),
]
TURNS = [at("2026-03-29T01:00"), at("2026-10-25T01:00"), at("2026-03-08T07:00"), at("2026-11-01T06:00")]
TURNS += [at("2026-04-04T15:00"), at("2026-10-03T15:30"), at("2026-03-28T22:00"), at("2011-12-30T10:00")]

windows = st.builds(
    Window,
    st.sets(st.integers(0, 6), min_size=1).map(frozenset),
    st.times().map(lambda clock: clock.replace(second=0, microsecond=0)),
    st.integers(1, LONGEST // MINUTE).map(lambda minutes: minutes * MINUTE)
    | st.integers(1, 300).map(lambda minutes: minutes * MINUTE),
    st.sampled_from(ZONES).map(zone),
    st.booleans(),
)
moments = st.one_of(
    st.sampled_from(TURNS).flatmap(lambda turn: st.integers(-3 * 1440, 3 * 1440).map(lambda far: turn + 60 * far)),
    st.integers(int(at("2025-12-25")) // 60, int(at("2027-01-10")) // 60).map(lambda minute: 60.0 * minute),
)


def oracle(window: Window, first: datetime, last: datetime) -> list[bool]:
    """Walk through the minutes and open when clocks first show the start, or more, on a day of the window."""
    found = []
    until = begun = None
    walk = first - LONGEST - timedelta(days=2)
    shown = (walk - MINUTE).astimezone(window.zone).replace(tzinfo=None)
    highest = shown
    while walk < last:
        before, shown = highest, walk.astimezone(window.zone).replace(tzinfo=None)
        highest = max(highest, shown)
        for far in range((highest.date() - before.date()).days + 1):
            start = datetime.combine(before.date() + timedelta(days=far), window.start)
            if before < start <= highest and start.weekday() in window.days:
                begun = walk
        if begun == walk:
            until = max(until or walk, walk + window.duration)
        if walk >= first:
            found.append(until is not None and walk < until)
        walk += MINUTE
    return found


def expected(windows: list[Window], first: datetime, last: datetime) -> list[bool]:
    allowing = [oracle(window, first, last) for window in windows if not window.deny]
    denying = [oracle(window, first, last) for window in windows if window.deny]
    minutes = range((last - first) // MINUTE)
    return [
        (not allowing or any(row[index] for row in allowing)) and not any(row[index] for row in denying)
        for index in minutes
    ]


@often(60)
@given(st.lists(windows, min_size=1, max_size=3), moments)
def test_every_minute_is_as_an_oracle_says(chosen: list[Window], now: float) -> None:
    first = datetime.fromtimestamp(now, UTC)
    said = expected(chosen, first, first + timedelta(hours=30))
    for index in range(0, len(said), 7):
        assert (closed(chosen, now + 60 * index) is None) is said[index], first + index * MINUTE
    edge = next_edge(chosen, now)
    turn = next((index for index, state in enumerate(said) if state != said[0]), None)
    if turn is None:
        assert edge is None or edge >= now + 60 * len(said)
    else:
        assert edge == now + 60 * turn
