"""Canonical quantities: integers, scores and durations, as Pacemaker reads them.

Sources: ``lib/common/strings.c`` and ``scores.c`` of Pacemaker 2.1.5, whose libraries the tests compare with. What a
person writes is held to more than what is found in a CIB: Pacemaker reads the digits at the start of ``1.5`` or ``10s``
where an integer belongs and only warns of the rest. Functions named ``stored_`` do the same, their namesakes refuse it.
"""

import re

INFINITY = "INFINITY"
MINUS_INFINITY = "-INFINITY"

_SCORE_LIMIT = 1_000_000
_INT64_LIMIT = 2**63
_INT64_DIGITS = 19
_INTERVAL_LIMIT_MS = 2**32 - 1
_TIMEOUT_LIMIT_MS = 2**31 - 1
_SECONDS_LIMIT = 2**31

_INTEGER = re.compile(r"[ \t\n\v\f\r]*([+-]?)0*([0-9]+)(.*)", re.ASCII | re.DOTALL)
_DURATION = re.compile(
    r"[ \t\n\r\f]*([0-9]+)[0-9.]*[ \t\n\r\f]*(?:(ms|us|s|m|h).*)?",
    re.ASCII | re.IGNORECASE | re.DOTALL,
)
_ISO_CLOCK = re.compile(r"PT(?=.)(?:([0-9]{1,10})H)?(?:([0-9]{1,10})M)?(?:([0-9]{1,10})S)?", re.ASCII)
_ISO_BARE_CLOCK = re.compile(r"P(?=.)(?:([0-9]{1,10})H)?()(?:([0-9]{1,10})S)?", re.ASCII)
_ISO_CALENDAR = re.compile(r"P(?:[0-9]+[YMWD])+(?:T(?:[0-9]+[HMS])+)?", re.ASCII)
_PERCENTAGE = re.compile(r"[ \t]*\+?([0-9]+)%", re.ASCII)
_MULTIPLIERS_US = {"us": 1, "ms": 1000, "s": 1_000_000, "m": 60_000_000, "h": 3_600_000_000}

_INFINITE_SCORES = {"INFINITY": INFINITY, "+INFINITY": INFINITY, "-INFINITY": MINUS_INFINITY}
_SPOKEN_INFINITY = {
    sign + word: MINUS_INFINITY if sign == "-" else INFINITY for sign in ("", "+", "-") for word in ("inf", "infinity")
}
_HEALTH_SCORES = frozenset({"red", "yellow", "green"})


def integer(text: str) -> str:
    """Give the canonical decimal form of a 64-bit integer: ``+5`` and ``005`` are ``5``.

    Raises:
        ValueError: the text is not an integer or does not fit 64 bits.
    """
    number, rest = _scan(text)
    if rest.strip():
        raise ValueError(f"{text!r} is not an integer")
    return number


def stored_integer(text: str) -> str:
    """Give the canonical form of an integer as Pacemaker reads it from an attribute value (``pcmk__scan_ll``).

    Raises:
        ValueError: the text does not begin with an integer or it does not fit 64 bits.
    """
    return _scan(text)[0]


def _scan(text: str) -> tuple[str, str]:
    match = _INTEGER.fullmatch(text)
    if match is None:
        raise ValueError(f"{text!r} is not an integer")
    sign, digits, rest = match.groups()
    number = int(sign + digits[: _INT64_DIGITS + 1])
    if len(digits) > _INT64_DIGITS or not -_INT64_LIMIT <= number < _INT64_LIMIT:
        raise ValueError(f"{text!r} does not fit 64 bits")
    return str(number), rest


def number(text: str) -> str:
    """Give the canonical form of a cluster option's number, which may be infinite (``pcmk__valid_number``).

    Raises:
        ValueError: the text is neither an integer nor INFINITY nor -INFINITY.
    """
    return _INFINITE_SCORES.get(text) or integer(text)


def stored_number(text: str) -> str:
    """Give the canonical form of a cluster option's number as Pacemaker reads it.

    Raises:
        ValueError: Pacemaker would use the option's default instead.
    """
    return _INFINITE_SCORES.get(text) or stored_integer(text)


def score(text: str) -> str:
    """Give the canonical form of a score as a person writes it, ``inf`` included.

    ``INFINITY``, ``+INFINITY``, ``inf`` and everything from 1000000 up are ``INFINITY``; ``-inf`` and everything from
    -1000000 down are ``-INFINITY``; the health words red, yellow and green stay words. ``inf`` in lower case is
    crmsh's spelling; the schema (score.rng) does not allow it in the CIB and Pacemaker reads it as 0, see
    :func:`stored_score`.

    Raises:
        ValueError: the text is no score.
    """
    spoken = _SPOKEN_INFINITY.get(text.lower())
    if spoken is not None:
        return spoken
    canonical = stored_score(text)
    if canonical.lstrip("-").isdigit() and _scan(text)[1].strip():
        raise ValueError(f"{text!r} is not a score: expected an integer, INFINITY or -INFINITY")
    return canonical


def stored_score(text: str) -> str:
    """Give the canonical form of a score as Pacemaker reads it from an attribute value (``char2score``).

    Raises:
        ValueError: Pacemaker would not read it as the score it seems to be; ``inf`` is read as 0.
    """
    infinite = _INFINITE_SCORES.get(text)
    if infinite is not None:
        return infinite
    lower = text.lower()
    if lower in _HEALTH_SCORES:
        return lower
    if lower in _SPOKEN_INFINITY:
        raise ValueError(f"Pacemaker reads {text!r} as 0; write {_SPOKEN_INFINITY[lower]}")
    try:
        value = int(_scan(text)[0])
    except ValueError as error:
        raise ValueError(f"{text!r} is not a score: expected an integer, INFINITY or -INFINITY") from error
    if value >= _SCORE_LIMIT:
        return INFINITY
    return MINUS_INFINITY if value <= -_SCORE_LIMIT else str(value)


def milliseconds(text: str) -> int:
    """Give the milliseconds in a number with a unit, as ``crm_get_msec`` counts them.

    Units are us, ms, s, m and h; Pacemaker looks at no more letters than these (``sec``, ``min``, ``hr`` work for that
    reason), and no unit means seconds. A fraction is cut off before the unit applies: ``1.5s`` is 1000.

    Raises:
        ValueError: Pacemaker would not take the text for a duration.
    """
    match = _DURATION.fullmatch(text)
    if match is None:
        raise ValueError(f"{text!r} is not a duration: expected a number and one of ms, s, min, h")
    digits, unit = match.groups(default="s")
    if len(digits) > 18:  # noqa: PLR2004  beyond 64 bits Pacemaker's answer differs between releases
        raise ValueError(f"{text!r} is longer than Pacemaker can count")
    return int(digits) * _MULTIPLIERS_US[unit.lower()] // 1000


def duration(text: str) -> str:
    """Give the canonical form of an interval, ``Ns`` or ``Nms``, as ``crm_parse_interval_spec`` reads it.

    Takes what :func:`milliseconds` takes and ISO 8601 durations of hours, minutes and seconds (``PT5M`` is ``300s``;
    Pacemaker misses the T only before minutes, which are months without it: ``P10S`` is ``10s``).
    ISO 8601 durations with days or more are returned as they are: releases differ in how long they hold a day to
    be (2.1.5 takes ``P1D`` for 0), so they are equal only to themselves. What is longer than 49.7 days is cut to that.

    Raises:
        ValueError: Pacemaker would not take the text for a duration.
    """
    if not text.startswith("P"):
        return _spell(min(milliseconds(text), _INTERVAL_LIMIT_MS))
    clock = _ISO_CLOCK.fullmatch(text) or _ISO_BARE_CLOCK.fullmatch(text)
    if clock is not None:
        hours, minutes, seconds = (int(part or 0) for part in clock.groups())
        total = 3600 * hours + 60 * minutes + seconds
        if total >= _SECONDS_LIMIT:
            raise ValueError(f"{text!r} is longer than Pacemaker can count")
        return _spell(min(1000 * total, _INTERVAL_LIMIT_MS))
    if _ISO_CALENDAR.fullmatch(text) is None:
        raise ValueError(f"{text!r} is not an ISO 8601 duration that Pacemaker understands")
    return text


def timeout(text: str) -> str:
    """Give the canonical form, ``Ns`` or ``Nms``, of an operation's timeout or start-delay.

    These are read by ``crm_get_msec`` alone into a 32-bit integer (``unpack_timeout``), so neither an ISO 8601 duration
    nor more than 24.8 days is what it seems.

    Raises:
        ValueError: Pacemaker would fall back to its default instead of using this text.
    """
    length = milliseconds(text)
    if length > _TIMEOUT_LIMIT_MS:
        raise ValueError(f"{text!r} is longer than the 24 days that Pacemaker can wait")
    return _spell(length)


def _spell(length: int) -> str:
    return f"{length}ms" if length % 1000 else f"{length // 1000}s"


def percentage(text: str) -> str:
    """Give the canonical form of a percentage such as ``80%`` (``pcmk__valid_percentage``).

    Raises:
        ValueError: the text is not a whole, not negative number followed by ``%``.
    """
    match = _PERCENTAGE.fullmatch(text)
    if match is None:
        raise ValueError(f"{text!r} is not a percentage such as 80%")
    return f"{int(match[1])}%"
