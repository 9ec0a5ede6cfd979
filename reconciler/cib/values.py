"""Canonical values: what is equal to Pacemaker is equal to us.

Every function takes the text as it stands in a CIB or in a manifest and returns the one spelling that all texts
with the same meaning share. A text that Pacemaker would not take for what it seems to say raises ``ValueError``;
the caller decides whether that is a person's mistake or something to leave alone.

Sources: ``lib/common/strings.c``, ``scores.c``, ``options.c`` and ``agents.c`` and ``lib/pengine/common.c`` and
``unpack.c`` of Pacemaker 2.1.5, whose libraries the tests compare with. Dates are in :mod:`reconciler.cib.dates`.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from reconciler.cib.dates import moment

INFINITY = "INFINITY"
MINUS_INFINITY = "-INFINITY"

_SCORE_LIMIT = 1_000_000
_INT64_LIMIT = 2**63
_INTERVAL_LIMIT_MS = 2**32 - 1
_TIMEOUT_LIMIT_MS = 2**31 - 1

_INTEGER = re.compile(r"[ \t\n\v\f\r]*([+-]?[0-9]+)[ \t\n\v\f\r]*")
_DURATION = re.compile(
    r"[ \t\n\r\f]*([0-9]+)[0-9.]*[ \t\n\r\f]*(?:(ms|us|s|m|h).*)?",
    re.ASCII | re.IGNORECASE | re.DOTALL,
)
_ISO_CLOCK = re.compile(r"PT(?:([0-9]+)H)?(?:([0-9]+)M)?(?:([0-9]+)S)?")
_ISO_CALENDAR = re.compile(r"P(?:[0-9]+[YMWD])+(?:T(?:[0-9]+[HMS])+)?")
_PERCENTAGE = re.compile(r"[ \t]*\+?([0-9]+)%")

_INFINITE_SCORES = {"INFINITY": INFINITY, "+INFINITY": INFINITY, "-INFINITY": MINUS_INFINITY}
_SPOKEN_INFINITY = {
    sign + word: MINUS_INFINITY if sign == "-" else INFINITY for sign in ("", "+", "-") for word in ("inf", "infinity")
}
_HEALTH_SCORES = frozenset({"red", "yellow", "green"})
_BOOLEANS = dict.fromkeys(("true", "on", "yes", "y", "1"), "true") | dict.fromkeys(
    ("false", "off", "no", "n", "0"), "false"
)
_ROLES = {
    "stopped": "Stopped",
    "started": "Started",
    "master": "Promoted",
    "promoted": "Promoted",
    "slave": "Unpromoted",
    "unpromoted": "Unpromoted",
}
_MULTIPLIERS_US = {"us": 1, "ms": 1000, "s": 1_000_000, "m": 60_000_000, "h": 3_600_000_000}


def integer(text: str) -> str:
    """Give the canonical decimal form of a 64-bit integer: ``+5`` and ``005`` are ``5``.

    Pacemaker reads leading digits and only warns about what follows (``pcmk__scan_ll``); that is an error here, for
    ``1.5`` or ``10s`` where a number belongs is a slip whose meaning differs from what the writer thinks.

    Raises:
        ValueError: the text is not an integer or does not fit 64 bits.
    """
    match = _INTEGER.fullmatch(text)
    if match is None:
        raise ValueError(f"{text!r} is not an integer")
    number = match[1]
    if len(number) > 4000 or not -_INT64_LIMIT <= int(number) < _INT64_LIMIT:  # noqa: PLR2004  int() has a limit
        raise ValueError(f"{text!r} does not fit 64 bits")
    return str(int(number))


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
    return stored_score(text) if spoken is None else spoken


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
        number = int(integer(text))
    except ValueError as error:
        raise ValueError(f"{text!r} is not a score: expected an integer, INFINITY or -INFINITY") from error
    if number >= _SCORE_LIMIT:
        return INFINITY
    return MINUS_INFINITY if number <= -_SCORE_LIMIT else str(number)


def boolean(text: str) -> str:
    """Give ``true`` or ``false`` for the words that ``crm_str_to_boolean`` knows, in any case.

    Raises:
        ValueError: any other text.
    """
    try:
        return _BOOLEANS[text.lower()]
    except KeyError:
        raise ValueError(f"{text!r} is not a boolean: expected true or false") from None


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

    Takes what :func:`milliseconds` takes and ISO 8601 durations of hours, minutes and seconds (``PT5M`` is ``300s``).
    ISO 8601 durations with days or more are returned as they are: releases differ in how long they hold a day to
    be (2.1.5 takes ``P1D`` for 0), so they are equal only to themselves. What is longer than 49.7 days is cut to that.

    Raises:
        ValueError: Pacemaker would not take the text for a duration.
    """
    if not text.startswith("P"):
        return _spell(min(milliseconds(text), _INTERVAL_LIMIT_MS))
    clock = _ISO_CLOCK.fullmatch(text)
    if clock is not None and len(text) > len("PT"):
        hours, minutes, seconds = (int(part) for part in clock.groups(default="0"))
        if max(hours, minutes, seconds) < _TIMEOUT_LIMIT_MS:
            return _spell(min(1000 * (3600 * hours + 60 * minutes + seconds), _INTERVAL_LIMIT_MS))
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


def role(text: str) -> str:
    """Give ``Stopped``, ``Started``, ``Unpromoted`` or ``Promoted``; Slave and Master are the last two (``text2role``).

    Raises:
        ValueError: the text is no role.
    """
    try:
        return _ROLES[text.lower()]
    except KeyError:
        raise ValueError(f"{text!r} is not a role: expected Started, Stopped, Promoted or Unpromoted") from None


@dataclass(frozen=True, slots=True)
class Agent:
    """A resource agent: its class, its provider (only class ocf has one) and its type."""

    standard: str
    provider: str | None
    type: str

    def __str__(self) -> str:
        if self.provider is None:
            return f"{self.standard}:{self.type}"
        return f"{self.standard}:{self.provider}:{self.type}"


def split_agent(text: str) -> Agent:
    """Take an agent's name apart, with one or two colons after ``ocf``.

    ``ocf:heartbeat:IPaddr2`` and ``ocf::heartbeat:IPaddr2`` are the same agent; a type may hold colons itself, as
    systemd's template instances do. Follows ``crm_parse_agent_spec``, which refuses the two colons that crmsh and older
    documentation write.

    Raises:
        ValueError: class, provider or type is missing.
    """
    standard, _, rest = text.partition(":")
    if standard != "ocf":
        if standard and rest:
            return Agent(standard, None, rest)
        raise ValueError(f"{text!r} is not an agent: expected class:type or ocf:provider:type")
    provider, _, type_ = rest.removeprefix(":").partition(":")
    if not provider or not type_:
        raise ValueError(f"{text!r} is not an agent: expected ocf:provider:type")
    return Agent(standard, provider, type_)


def agent(text: str) -> str:
    """Give an agent's canonical name; takes and raises what :func:`split_agent` does."""
    return str(split_agent(text))


def percentage(text: str) -> str:
    """Give the canonical form of a percentage such as ``80%`` (``pcmk__valid_percentage``).

    Raises:
        ValueError: the text is not a whole, not negative number followed by ``%``.
    """
    match = _PERCENTAGE.fullmatch(text)
    if match is None:
        raise ValueError(f"{text!r} is not a percentage such as 80%")
    return f"{int(match[1])}%"


def number(text: str) -> str:
    """Give the canonical form of a cluster option's number, which may be infinite (``pcmk__valid_number``).

    Raises:
        ValueError: the text is neither an integer nor INFINITY nor -INFINITY.
    """
    return _INFINITE_SCORES.get(text) or integer(text)


def choice(words: str, *, cased: bool = False, same: Mapping[str, str] | None = None) -> Callable[[str], str]:
    """Make the canonical form of a value out of a closed set.

    Args:
        words: the words of the set, separated by blanks.
        cased: whether Pacemaker tells upper from lower case here.
        same: further words and the word of the set that each means.
    """
    known = {word if cased else word.lower(): word for word in words.split()} | dict(same or {})

    def canonical(text: str) -> str:
        try:
            return known[text if cased else text.lower()]
        except KeyError:
            raise ValueError(f"{text!r} is not one of {', '.join(words.split())}") from None

    return canonical


def _target_role(text: str) -> str:
    return "Started" if text.lower() == "default" else role(text)


def _watchdog_timeout(text: str) -> str:
    # crm_get_msec() gives -1 for every negative number, and any negative value means twice SBD's own timeout.
    return "-1" if text.lstrip().startswith("-") and integer(text) else duration(text)


def _table(*rows: tuple[Callable[[str], str], str]) -> Mapping[str, Callable[[str], str]]:
    return {name: canonical for canonical, names in rows for name in names.split()}


_PROPERTIES = _table(
    (
        boolean,
        """concurrent-fencing enable-acl enable-startup-probes fence-remote-without-quorum fencing-enabled have-watchdog
        maintenance-mode remove-after-stop shutdown-lock start-failure-is-fatal startup-fencing stonith-enabled
        stop-all-resources stop-orphan-actions stop-orphan-resources stop-removed-actions stop-removed-resources
        symmetric-cluster""",
    ),
    (
        duration,
        """cluster-delay cluster-recheck-interval crmd-finalization-timeout crmd-integration-timeout
        crmd-transition-delay dc-deadtime election-timeout fencing-timeout join-finalization-timeout
        join-integration-timeout node-pending-timeout priority-fencing-delay shutdown-escalation shutdown-lock-limit
        stonith-timeout transition-delay""",
    ),
    (
        number,
        """batch-limit cluster-ipc-limit fencing-max-attempts migration-limit node-action-limit pe-error-series-max
        pe-input-series-max pe-warn-series-max stonith-max-attempts""",
    ),
    (stored_score, "node-health-base node-health-green node-health-red node-health-yellow"),
    (_watchdog_timeout, "fencing-watchdog-timeout stonith-watchdog-timeout"),
    (percentage, "load-threshold"),
    (choice("off reboot", cased=True, same={"poweroff": "off"}), "fencing-action stonith-action"),
    (choice("stop panic"), "fence-reaction fencing-reaction"),
    (choice("stop freeze ignore demote suicide fence"), "no-quorum-policy"),
    (choice("none migrate-on-red only-green progressive custom"), "node-health-strategy"),
    (choice("default utilization minimal balanced"), "placement-strategy"),
)

_META_ATTRIBUTES = _table(
    (
        boolean,
        """allow-migrate allow-unhealthy-nodes critical enabled globally-unique interleave is-managed maintenance notify
        ordered promotable remote-allow-migrate""",
    ),
    (stored_score, "migration-threshold priority resource-stickiness"),
    (integer, "clone-max clone-min clone-node-max promoted-max promoted-node-max remote-port"),
    (duration, "failure-timeout"),
    (timeout, "remote-connect-timeout timeout"),
    (_target_role, "target-role"),
    (choice("block stop_only stop_start stop_unexpected"), "multiple-active"),
    (choice("nothing quorum fencing unfencing"), "requires"),
    (choice("ignore restart"), "restart-type"),
)
_META_NAMES = {"master-max": "promoted-max", "master-node-max": "promoted-node-max"}

_ON_FAIL = "block demote fence ignore migrate restart restart-container standby stop"
_OPERATION_ATTRIBUTES = _table(
    (boolean, "enabled record-pending"),
    (timeout, "timeout start-delay"),
    (duration, "interval"),
    (moment, "interval-origin"),
    (choice(_ON_FAIL, same={"nothing": "ignore"}), "on-fail"),
    (role, "role"),
)

_NODE_ATTRIBUTES = _table((boolean, "maintenance standby"))


def property_value(name: str, value: str, *, written: bool = False) -> str:
    """Give the canonical form of a cluster property's value; of a property that is not known, the value itself.

    Knows the options in the metadata of pacemaker-based, -controld, -fenced and -schedulerd 2.1.5 and those that
    later releases added or renamed. ``written`` says that a person wrote the value in a manifest, where ``inf`` means
    what it says; in a live CIB Pacemaker reads it as 0, so there it stays different from ``INFINITY``.

    Raises:
        ValueError: Pacemaker would ignore the value and use its default.
    """
    return _canonical(_PROPERTIES, name, value, written)


def meta_value(name: str, value: str, *, written: bool = False) -> str:
    """Give the canonical form of a meta-attribute of a resource (or an alert); of an unknown one, the value itself.

    Names may be in either spelling, see :func:`meta_name`; for ``written`` see :func:`property_value`.

    Raises:
        ValueError: Pacemaker would not take the value for what it seems to be.
    """
    return _canonical(_META_ATTRIBUTES, meta_name(name), value, written)


def meta_name(name: str) -> str:
    """Give the current name of a meta-attribute: ``master-max`` is ``promoted-max`` (Pacemaker 2.1, OCF 1.1)."""
    return _META_NAMES.get(name, name)


def operation_value(name: str, value: str, *, written: bool = False) -> str:
    """Give the canonical form of an operation's attribute or meta-attribute; of an unknown one, the value itself.

    For ``written`` see :func:`property_value`.

    Raises:
        ValueError: Pacemaker would not take the value for what it seems to be.
    """
    return _canonical(_OPERATION_ATTRIBUTES, name, value, written)


def node_value(name: str, value: str) -> str:
    """Give the canonical form of a node attribute that Pacemaker itself reads; of any other, the value itself.

    Raises:
        ValueError: Pacemaker would not take the value for what it seems to be.
    """
    return _canonical(_NODE_ATTRIBUTES, name, value, written=False)


def _canonical(table: Mapping[str, Callable[[str], str]], name: str, value: str, written: bool) -> str:
    canonical = table.get(name)
    if canonical is None:
        return value
    if written and canonical is stored_score:
        return score(value)
    return canonical(value)
