"""Dates as Pacemaker reads them from rules and from an operation's interval-origin.

Source: ``crm_time_new`` in ``lib/common/iso8601.c`` of Pacemaker 2.1.5; the tests ask that release's library. It reads
a date alone as midnight UTC, a date with a time as local time of the node that asks, and it overlooks an offset from
UTC that no blank precedes, and takes part of one that follows a time without colons for seconds.
"""

import re
from datetime import UTC, date, datetime, timedelta

_DATE = r"""(?:
    (?P<year>[0-9]{4})-(?P<month>[0-9]{1,2})-(?P<day>[0-9]{1,2})
  | (?P<y>[0-9]{4})(?P<m>[0-9]{2})(?P<d>[0-9]{2})
  | (?P<ordinal_year>[0-9]{4})-(?P<ordinal>[0-9]{3})
  | (?P<week_year>[0-9]{4})-W(?P<week>[0-9]{2})-(?P<weekday>[0-9])
)"""
_CLOCK = r"(?P<hour>[0-9]{2})(?:(?P<colon>:?)(?P<minute>[0-9]{2})(?:(?P=colon)(?P<second>[0-9]{2}))?)?"
_OFFSET = r"(?P<sign>[+-])(?P<offset_hours>[0-9]{2}):(?P<offset_minutes>[0-9]{2})"
_MOMENT = re.compile(rf"[ ]*{_DATE}(?:(?:T|[ ]+){_CLOCK}(?:[ ]*(?P<utc>Z)|[ ]+{_OFFSET})?)?", re.ASCII | re.VERBOSE)
_GLUED_OFFSET = re.compile(r".*:[0-9]{2}[+-][0-9:]+", re.ASCII)
_HOURS_A_DAY = 24


def moment(text: str) -> str:
    """Give the canonical form of a date: ``2024-05-01``, ``2024-05-01T08:00:00`` or, in UTC, ``2024-05-01T06:00:00Z``.

    Takes calendar, ordinal and week dates, with a time or without; ``epoch`` is 1970 in UTC. Two moments in UTC are
    equal if they are the same instant. A date alone, local time and UTC stay three different things: what they have in
    common depends on the node and on Pacemaker's release.

    Raises:
        ValueError: Pacemaker would not read the date, or not as what it seems to be.
    """
    if text.lower() == "epoch":
        return "1970-01-01T00:00:00Z"
    match = _MOMENT.fullmatch(text)
    if match is None or (match["sign"] and not match["colon"]):
        if _GLUED_OFFSET.fullmatch(text):
            raise ValueError(f"Pacemaker overlooks the offset in {text!r}; put a blank before it")
        raise ValueError(f"{text!r} is not a date such as 2024-05-01, 2024-05-01T08:00:00 or '2024-05-01 08:00 +02:00'")
    try:
        return _spell(match)
    except (ValueError, OverflowError) as error:
        raise ValueError(f"{text!r} is not a date: {error}") from error


def _spell(match: re.Match[str]) -> str:
    day = _day(match)
    if match["hour"] is None:
        return day.isoformat()
    hour, minute, second = (int(match[part] or 0) for part in ("hour", "minute", "second"))
    midnight = hour == _HOURS_A_DAY and not minute and not second
    clock = datetime(day.year, day.month, day.day, 0 if midnight else hour, minute, second, tzinfo=UTC)
    instant = clock + timedelta(days=midnight)
    if match["sign"] is not None:
        offset = timedelta(hours=int(match["offset_hours"]), minutes=int(match["offset_minutes"]))
        instant += offset if match["sign"] == "-" else -offset
    elif match["utc"] is None:
        return instant.strftime("%Y-%m-%dT%H:%M:%S").rjust(19, "0")
    return instant.strftime("%Y-%m-%dT%H:%M:%SZ").rjust(20, "0")


def _day(match: re.Match[str]) -> date:
    if match["ordinal"] is not None:
        first = date(int(match["ordinal_year"]), 1, 1)
        day = first + timedelta(days=int(match["ordinal"]) - 1)
        if day.year != first.year:
            raise ValueError("the year has no such day")
        return day
    if match["week"] is not None:
        return date.fromisocalendar(int(match["week_year"]), int(match["week"]), int(match["weekday"]))
    if match["y"] is not None:
        return date(int(match["y"]), int(match["m"]), int(match["d"]))
    return date(int(match["year"]), int(match["month"]), int(match["day"]))
