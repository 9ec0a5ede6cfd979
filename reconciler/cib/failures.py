"""Fail counts, their thresholds and ages, and what a failed operation calls for. Pure.

Fail counts are node attributes `fail-count-RESOURCE#OPERATION_INTERVAL` (lib/pengine/failcounts.c; one attribute per
resource before feature set 3.0.13); what a failure calls for is unpack_operation in lib/pengine/pe_actions.c.
"""

import re
from collections.abc import Mapping
from xml.etree.ElementTree import Element

from reconciler.cib.history import OnFail, Operation
from reconciler.cib.inventory import (
    INFINITY,
    REMOTE_AGENT,
    Configuration,
    Resource,
    duration_ms,
    is_true,
    score,
)
from reconciler.frozen import frozen

_INSTANCE = re.compile(r":\d+$")
_COUNT, _LAST = "fail-count-", "last-failure-"
_PER_OPERATION_SINCE = (3, 0, 13)


@frozen
class FailCount:
    """How often a resource failed on a node (1000000 is INFINITY) and when it last did, in Unix seconds (0 unknown)."""

    count: int
    last_failure: int


def base_name(instance: str) -> str:
    """Return an instance's name without the instance number: `web:0` is `web`."""
    return _INSTANCE.sub("", instance) if ":" in instance else instance


def fail_counts(attributes: Mapping[str, str], feature_set: str) -> dict[str, FailCount]:
    """Sum a node's fail counts per instance name as written there (`web`, or `web:0` of a unique clone)."""
    per_operation = _version(feature_set) >= _PER_OPERATION_SINCE
    counts: dict[str, int] = {}
    last: dict[str, int] = {}
    for name, value in attributes.items():
        for prefix, table in ((_COUNT, counts), (_LAST, last)):
            if name.startswith(prefix):
                said = name.removeprefix(prefix)
                instance = said.rpartition("#")[0] if per_operation else said
                if not instance:
                    continue
                if table is counts:
                    counts[instance] = min(INFINITY, counts.get(instance, 0) + score(value))
                else:
                    last[instance] = max(last.get(instance, 0), int(value) if value.isdigit() else 0)
    return {instance: FailCount(count, last.get(instance, 0)) for instance, count in counts.items() if count > 0}


def _version(feature_set: str) -> tuple[int, ...]:
    return tuple(int(part) for part in feature_set.split(".") if part.isdigit())


def migration_threshold(resource: Resource) -> int:
    """Return after how many failures a node is out for the resource: 0 never, 1000000 where nothing is set."""
    text = resource.meta.get("migration-threshold")
    value = INFINITY if text is None else score(text)
    return value if value >= 0 else INFINITY


def failure_timeout(resource: Resource) -> int:
    """Return after how many seconds failures are forgotten; 0 never."""
    return duration_ms(resource.meta.get("failure-timeout")) // 1000


def live_count(failures: FailCount | None, timeout: int, now: float | None) -> int:
    """Return the fail count that still matters: 0 once the last failure is older than the timeout."""
    if failures is None:
        return 0
    expired = now is not None and timeout > 0 and 0 < failures.last_failure < now - timeout
    return 0 if expired else failures.count


class FailurePolicy:
    """What a failed operation calls for, as configured or by default."""

    def __init__(self, configuration: Configuration) -> None:
        self._configuration = configuration
        self._fencing = configuration.fencing
        self._defaults = configuration.attributes(configuration.section("op_defaults"), "meta_attributes")

    def on_fail(self, resource: Resource, op: Operation, *, managed: bool, on_remote: bool) -> OnFail:
        """Decide for an operation; `on_remote` says that the resource is a remote (not guest) node's connection."""
        configured = self._configured(resource, op)
        if configured is None and resource.container:
            return OnFail.RESTART_CONTAINER
        active_connection = on_remote and not op.probe and op.task != "start"
        if active_connection and (configured is None or not managed):
            return OnFail.RESET_REMOTE if managed else OnFail.STOP
        if configured is not None:
            return configured
        if op.task == "stop":
            return OnFail.FENCE if self._fencing else OnFail.BLOCK
        return OnFail.RECOVER

    def blocks(self, resource: Resource, op: Operation) -> bool:
        """Say whether the configuration itself asks to block after such a failure, so that it never expires."""
        return any(_is_for(item, op) and item.get("on-fail") == "block" for item in self._operations(resource))

    def _operations(self, resource: Resource) -> list[Element]:
        return [item for item in self._configuration.operations(resource) if _enabled(item)]

    def _configured(self, resource: Resource, op: Operation) -> OnFail | None:
        operations = self._operations(resource)
        entry = next((item for item in operations if _is_for(item, op)), None)
        text = self._text(entry)
        if op.task == "demote" and text is None:
            text = next((said for item in operations if (said := self._promoted_monitor(item)) is not None), None)
        match text:
            case "standby" | "demote" | "stop" if op.task == "stop":
                return None
            case "demote" if entry is None or not _may_demote(entry):
                return None
            case "fence":
                return OnFail.FENCE if self._fencing else OnFail.STOP
            case "restart-container":
                return OnFail.RESTART_CONTAINER if resource.container else None
            case _:
                return _WORDS.get(text or "")

    def _text(self, entry: Element | None) -> str | None:
        said = dict(self._defaults)
        if entry is not None:
            said.update(self._configuration.attributes(entry, "meta_attributes"))
            said.update(entry.attrib)
        text = said.get("on-fail")
        return text.lower() if text is not None else None

    @staticmethod
    def _promoted_monitor(item: Element) -> str | None:
        text = item.get("on-fail")
        recurring = item.get("name") == "monitor" and duration_ms(item.get("interval")) > 0
        promoted = item.get("role", "").lower() in ("promoted", "master")
        return text.lower() if text and recurring and promoted and text.lower() != "demote" else None


_WORDS = {
    "block": OnFail.BLOCK,
    "standby": OnFail.STANDBY,
    "ignore": OnFail.IGNORE,
    "nothing": OnFail.IGNORE,
    "migrate": OnFail.MIGRATE,
    "stop": OnFail.STOP,
    "restart": OnFail.RECOVER,
    "demote": OnFail.DEMOTE,
}


def _enabled(item: Element) -> bool:
    return item.get("enabled") is None or is_true(item.get("enabled"))


def _is_for(item: Element, op: Operation) -> bool:
    names = (op.task, "migrate") if op.task.startswith("migrate_") else (op.task,)
    return item.get("name") in names and duration_ms(item.get("interval")) == op.interval_ms


def _may_demote(item: Element) -> bool:
    promoted = item.get("role", "").lower() in ("promoted", "master")
    recurring = duration_ms(item.get("interval")) > 0
    return item.get("name") == "promote" or (item.get("name") == "monitor" and promoted and recurring)


def reconnects(resource: Resource, configuration: Configuration) -> bool:
    """Say whether a remote node's connection waits before it is tried again (its `reconnect_interval`)."""
    if resource.agent != REMOTE_AGENT:
        return False
    return duration_ms(configuration.parameters(resource).get("reconnect_interval")) > 0
