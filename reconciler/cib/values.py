"""Canonical values: what is equal to Pacemaker is equal to us.

Every function takes the text as it stands in a CIB or in a manifest and returns the one spelling that all texts
with the same meaning share. A text that Pacemaker would not take for what it seems to say raises ``ValueError``;
the caller decides whether that is a person's mistake or something to leave alone.

Sources: ``lib/common/strings.c``, ``scores.c``, ``options.c`` and ``agents.c`` and ``lib/pengine/common.c`` and
``unpack.c`` of Pacemaker 2.1.5, whose libraries the tests compare with. Dates are in :mod:`reconciler.cib.dates`.
"""

from collections.abc import Callable, Mapping

from reconciler.cib.dates import moment
from reconciler.cib.quantities import (
    INFINITY,
    MINUS_INFINITY,
    duration,
    integer,
    milliseconds,
    number,
    percentage,
    score,
    stored_integer,
    stored_number,
    stored_score,
    timeout,
)
from reconciler.frozen import frozen

__all__ = [
    "INFINITY",
    "MINUS_INFINITY",
    "Agent",
    "Choice",
    "agent",
    "boolean",
    "choice",
    "duration",
    "integer",
    "meta_name",
    "meta_value",
    "milliseconds",
    "moment",
    "node_value",
    "number",
    "operation_value",
    "percentage",
    "property_value",
    "role",
    "score",
    "split_agent",
    "stored_integer",
    "stored_number",
    "stored_score",
    "timeout",
]

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


def boolean(text: str) -> str:
    """Give ``true`` or ``false`` for the words that ``crm_str_to_boolean`` knows, in any case.

    Raises:
        ValueError: any other text.
    """
    try:
        return _BOOLEANS[text.lower()]
    except KeyError:
        raise ValueError(f"{text!r} is not a boolean: expected true or false") from None


def role(text: str) -> str:
    """Give ``Stopped``, ``Started``, ``Unpromoted`` or ``Promoted``; Slave and Master are the last two (``text2role``).

    Raises:
        ValueError: the text is no role.
    """
    try:
        return _ROLES[text.lower()]
    except KeyError:
        raise ValueError(f"{text!r} is not a role: expected Started, Stopped, Promoted or Unpromoted") from None


@frozen
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


@frozen
class Choice:
    """The canonical form of a value out of a closed set.

    `same` are further words, and the word of the set that each means; `cased` says whether Pacemaker tells upper from
    lower case here.
    """

    words: tuple[str, ...]
    cased: bool
    same: tuple[tuple[str, str], ...]

    def __call__(self, text: str) -> str:
        """Give the word of the set.

        Raises:
            ValueError: it is not in the set.
        """
        said = text if self.cased else text.lower()
        known = {word if self.cased else word.lower(): word for word in self.words} | dict(self.same)
        if said not in known:
            raise ValueError(f"{text!r} is not one of {', '.join(self.words)}")
        return known[said]


def choice(words: str, *, cased: bool = False, same: Mapping[str, str] | None = None) -> Choice:
    """Make a choice of words, which are separated by blanks."""
    return Choice(tuple(words.split()), cased, tuple((same or {}).items()))


def target_role(text: str) -> str:
    """Give the canonical form of `target-role`, of which the default has a word too (``get_target_role``).

    Raises:
        ValueError: the text is no role.
    """
    return "Started" if text.lower() == "default" else role(text)


def _watchdog_timeout(text: str) -> str:
    # crm_get_msec() gives -1 for every negative number, and any negative value means twice SBD's own timeout.
    return "-1" if text.lstrip().startswith("-") and stored_integer(text) else duration(text)


def _table(*rows: tuple[Callable[[str], str], str]) -> Mapping[str, Callable[[str], str]]:
    return {name: canonical for canonical, names in rows for name in names.split()}


PROPERTIES = _table(
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
        stored_number,
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

META_ATTRIBUTES = _table(
    (
        boolean,
        """allow-migrate allow-unhealthy-nodes critical enabled globally-unique interleave is-managed maintenance notify
        ordered promotable remote-allow-migrate""",
    ),
    (stored_score, "migration-threshold priority resource-stickiness"),
    (stored_integer, "clone-max clone-min clone-node-max promoted-max promoted-node-max remote-port"),
    (duration, "failure-timeout"),
    (timeout, "remote-connect-timeout timeout"),
    (target_role, "target-role"),
    (choice("block stop_only stop_start stop_unexpected"), "multiple-active"),
    (choice("nothing quorum fencing unfencing"), "requires"),
    (choice("ignore restart"), "restart-type"),
)
META_NAMES = {"master-max": "promoted-max", "master-node-max": "promoted-node-max"}

ON_FAIL = "block demote fence ignore migrate restart restart-container standby stop"
OPERATION_ATTRIBUTES = _table(
    (boolean, "enabled record-pending"),
    (timeout, "timeout start-delay"),
    (duration, "interval"),
    (moment, "interval-origin"),
    (choice(ON_FAIL, same={"nothing": "ignore"}), "on-fail"),
    (role, "role"),
)

_WRITTEN: Mapping[Callable[[str], str], Callable[[str], str]] = {
    stored_score: score,
    stored_integer: integer,
    stored_number: number,
}
NODE_ATTRIBUTES = _table((boolean, "maintenance standby"))


def property_value(name: str, value: str, *, written: bool = False) -> str:
    """Give the canonical form of a cluster property's value; of a property that is not known, the value itself.

    Knows the options in the metadata of pacemaker-based, -controld, -fenced and -schedulerd 2.1.5 and those that
    later releases added or renamed. ``written`` says that a person wrote the value in a manifest: there ``inf`` is
    infinity, which in a CIB Pacemaker reads as 0, and ``1.5`` is no integer, which Pacemaker reads as 1.

    Raises:
        ValueError: Pacemaker would ignore the value and use its default.
    """
    return _canonical(PROPERTIES, name, value, written)


def meta_value(name: str, value: str, *, written: bool = False) -> str:
    """Give the canonical form of a meta-attribute of a resource (or an alert); of an unknown one, the value itself.

    Names may be in either spelling, see :func:`meta_name`; for ``written`` see :func:`property_value`.

    Raises:
        ValueError: Pacemaker would not take the value for what it seems to be.
    """
    return _canonical(META_ATTRIBUTES, meta_name(name), value, written)


def meta_name(name: str) -> str:
    """Give the current name of a meta-attribute: ``master-max`` is ``promoted-max`` (Pacemaker 2.1, OCF 1.1)."""
    return META_NAMES.get(name, name)


def operation_value(name: str, value: str, *, written: bool = False) -> str:
    """Give the canonical form of an operation's attribute or meta-attribute; of an unknown one, the value itself.

    For ``written`` see :func:`property_value`.

    Raises:
        ValueError: Pacemaker would not take the value for what it seems to be.
    """
    return _canonical(OPERATION_ATTRIBUTES, name, value, written)


def node_value(name: str, value: str) -> str:
    """Give the canonical form of a node attribute that Pacemaker itself reads; of any other, the value itself.

    Raises:
        ValueError: Pacemaker would not take the value for what it seems to be.
    """
    return _canonical(NODE_ATTRIBUTES, name, value, written=False)


def _canonical(table: Mapping[str, Callable[[str], str]], name: str, value: str, written: bool) -> str:
    canonical = table.get(name)
    if canonical is None:
        return value
    if written:
        canonical = _WRITTEN.get(canonical, canonical)
    return canonical(value)
