"""What the history of operations says about one resource on one node. Pure.

The records are the `lrm_rsc_op` elements of `<status>`; their meaning follows unpack_rsc_op and what it calls in
Pacemaker's lib/pengine/unpack.c, and the order among them pe__is_newer_op in lib/pengine/utils.c.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import IntEnum
from functools import cmp_to_key
from typing import NamedTuple, Protocol
from xml.etree.ElementTree import Element

from reconciler.cib.inventory import elements

OK, NOT_RUNNING, PROMOTED_RC = 0, 7, 8
_INVALID, _UNIMPLEMENTED, _PRIVILEGE, _NOT_INSTALLED = 2, 3, 4, 5
_DEGRADED, _DEGRADED_PROMOTED = 190, 191
PENDING, DONE = -1, 0
_CANCELLED, _ERROR, _NOT_FOUND = 1, 4, 7
_UNRECORDED = frozenset({"notify", "meta-data"})


class Role(IntEnum):
    """What an instance does on a node, in Pacemaker's order; UNKNOWN where the history says nothing."""

    UNKNOWN = 0
    STOPPED = 1
    STARTED = 2
    UNPROMOTED = 3
    PROMOTED = 4


class OnFail(IntEnum):
    """What a failed operation calls for, from mildest to most severe (cmp_on_fail in lib/pengine/unpack.c)."""

    IGNORE = 0
    DEMOTE = 1
    RECOVER = 2
    RESET_REMOTE = 3
    RESTART_CONTAINER = 4
    MIGRATE = 5
    BLOCK = 6
    STOP = 7
    STANDBY = 8
    FENCE = 9


# A later success does not undo these
_LASTING = frozenset({OnFail.STOP, OnFail.FENCE, OnFail.MIGRATE, OnFail.STANDBY})


class Operation(NamedTuple):
    """One recorded operation. Times are Unix seconds, durations milliseconds.

    `call_id` is -1 while it runs and starts anew with Pacemaker; `last_rc_change` is 0 where unknown. `transition` is
    the uuid of the controller that ordered it, `graph` the number of its transition, `target_rc` the expected exit
    code (-1 where the record does not say). `source` and `target` are the nodes of a migration.
    """

    # A tuple as thousands of them are made in every pass, at a third of a frozen dataclass's cost

    id: str
    task: str
    interval_ms: int
    call_id: int
    rc: int
    status: int
    target_rc: int
    last_rc_change: int
    exec_time_ms: int
    transition: str
    graph: int
    key: str
    source: str
    target: str
    exit_reason: str

    @property
    def probe(self) -> bool:
        """A monitor that does not recur asks whether the resource runs; its failure may be no failure."""
        return self.interval_ms == 0 and self.task == "monitor"

    @property
    def masked(self) -> bool:
        """A probe that failed for want of the software or the configuration counts as not running."""
        return (self.rc in (_NOT_INSTALLED, _INVALID) or self.status == _NOT_FOUND) and self.probe

    @property
    def succeeded(self) -> bool:
        """Done with the exit code that was expected."""
        return self.status == DONE and self.rc in (self.target_rc, OK)


def operations(resource: Element) -> list[Operation]:
    """Read the operations of an `lrm_resource`, oldest first; records that Pacemaker would refuse are left out."""
    # Equal ones come in reverse document order: the library prepends while it collects, then sorts stably
    found = [op for item in elements(resource, "lrm_rsc_op") if (op := _operation(item)) is not None][::-1]
    if len(found) > 1:
        if any(op.call_id < 0 for op in found):
            found.sort(key=cmp_to_key(_older))
        else:
            found.sort(key=_age)
    return found


def newer(first: Operation, second: Operation, *, same_node: bool) -> bool:
    """Say whether `first` happened after `second`; between nodes only clocks can tell."""
    if same_node:
        return _older(first, second) > 0
    if first.call_id >= 0 and second.call_id >= 0:
        return bool(second.last_rc_change) and first.last_rc_change > second.last_rc_change
    return _older_by_transition(first, second) > 0


def _age(op: Operation) -> tuple[int, int]:
    return op.call_id, op.last_rc_change


def _operation(item: Element) -> Operation | None:
    get = item.get
    task = get("operation")
    status = _integer(get("op-status", "-2"))
    if task is None or task in _UNRECORDED or not PENDING <= status <= 11:  # noqa: PLR2004 - PCMK_EXEC_MAX
        return None
    expectation = get("transition-key", "")
    parts = (expectation or get("transition-magic", "").partition(";")[2]).split(":", 3)
    whole = len(parts) == 4  # noqa: PLR2004 - action:graph:expected exit code:uuid
    name = get("id", "")
    return Operation(
        name,
        task,
        _integer(get("interval", "0")),
        _integer(get("call-id", "-1")),
        _integer(get("rc-code", "0")),
        status,
        _integer(parts[2]) if whole and expectation else -1,
        _integer(get("last-rc-change", "0")),
        _integer(get("exec-time", "0")),
        parts[-1] if len(parts) > 1 else "",
        _integer(parts[1]) if whole else -1,
        get("operation_key", name),
        get("migrate_source", ""),
        get("migrate_target", ""),
        get("exit-reason", ""),
    )


def _integer(text: str) -> int:
    try:
        return int(text)
    except ValueError:
        return -1


def _older(first: Operation, second: Operation) -> int:
    """Compare by age on one node: negative where the first is older."""
    if first.id == second.id or (first.call_id < 0 and second.call_id < 0):
        return 0
    if first.call_id >= 0 and second.call_id >= 0:
        return (_age(first) > _age(second)) - (_age(first) < _age(second))
    return _older_by_transition(first, second)


def _older_by_transition(first: Operation, second: Operation) -> int:
    """Compare where one is still running: its transition tells, a foreign transition makes it the newer one."""
    if not first.transition or not second.transition:
        return 0
    if first.transition != second.transition or first.graph == second.graph:
        return -1 if second.call_id < 0 else 1
    if first.graph < 0 or second.graph < 0:
        return 1 if first.graph < 0 else -1
    return -1 if first.graph < second.graph else 1


class Circumstances(Protocol):
    """What interpreting a history needs to know beside it: the resource, the node and what failures call for."""

    promotable: bool
    bundled: bool

    @property
    def reconnects(self) -> bool:
        """Whether it is a remote node's connection that waits before it is tried again."""
        ...

    @property
    def fenceable(self) -> bool:
        """Whether a failed stop can be cured by fencing the node."""
        ...

    @property
    def usable(self) -> bool:
        """Whether the node is up and clean."""
        ...

    def on_fail(self, op: Operation, *, managed: bool) -> OnFail:
        """Return what the operation's failure calls for."""
        ...

    def expired(self, op: Operation) -> bool:
        """Say whether the operation is older than the resource's failure-timeout lets failures matter."""
        ...

    def migration(self, op: Operation, verdict: "Verdict") -> None:
        """Add to the verdict what a finished migrate_to or migrate_from means."""
        ...


@dataclass(slots=True)
class Verdict:
    """What a history comes to: the role on the node, what has to be done, and the operations that tell why.

    `elsewhere` lists other nodes where an unfinished migration makes the resource active too; `stopping` is whether a
    failure lets it not run on, None where this history does not change what others said.
    """

    managed: bool
    role: Role = Role.UNKNOWN
    on_fail: OnFail = OnFail.IGNORE
    failed: bool = False
    blocked: bool = False
    failure_ignored: bool = False
    stopping: bool | None = None
    pending: str = ""
    partial_migration_to: str = ""
    elsewhere: list[str] = field(default_factory=list)
    failure: Operation | None = None


def interpret(history: Iterable[Operation], around: Circumstances, *, managed: bool) -> Verdict:
    """Work through a history, oldest first, to the state it leaves the resource in on its node."""
    verdict = Verdict(managed)
    for op in history:
        _apply(op, verdict, around)
    return verdict


def _apply(op: Operation, verdict: Verdict, around: Circumstances) -> None:
    expired = op.status != _NOT_FOUND and around.expired(op)
    if op.masked and not around.bundled:
        verdict.role = Role.UNKNOWN if expired and op.rc != op.target_rc else Role.STOPPED
        verdict.on_fail = OnFail.IGNORE
        return
    rc, status = _judge(op, verdict, around)
    if expired and rc != op.target_rc and (op.interval_ms == 0 or around.usable):
        return
    if status == DONE:
        _succeed(op, rc, verdict, around)
    elif status == PENDING:
        _begin(op, verdict, around)
    elif status != _CANCELLED:
        _fail_or_ignore(op, rc, verdict, around)


def _judge(op: Operation, verdict: Verdict, around: Circumstances) -> tuple[int, int]:
    """Return exit code and status as Pacemaker sees them, given what was expected (remap_operation)."""
    rc = op.rc
    if op.task == "monitor":
        rc = {_DEGRADED: OK, _DEGRADED_PROMOTED: PROMOTED_RC}.get(rc, rc)
    if op.status not in (DONE, _ERROR):
        return rc, op.status
    as_expected = rc == op.target_rc
    status = DONE if as_expected else _ERROR
    match rc:
        case 0:
            status = DONE if op.probe and op.target_rc == NOT_RUNNING else status
        case 7 if op.probe or as_expected or not verdict.managed:
            status = DONE
            verdict.role = Role.STOPPED
            verdict.on_fail = OnFail.IGNORE
            verdict.stopping = False
        case 8:
            status = DONE if op.probe else status
            verdict.role = Role.PROMOTED
        case 9:
            status = _ERROR
            verdict.role = Role.PROMOTED
        case _:
            status = _ERROR
            hard = rc in (_INVALID, _PRIVILEGE, _NOT_INSTALLED) or (rc == _UNIMPLEMENTED and not op.interval_ms)
            if hard and op.task == "stop" and not around.fenceable:
                verdict.managed, verdict.blocked = False, True
    return rc, status


def _activate(verdict: Verdict, around: Circumstances) -> None:
    verdict.role = Role.UNPROMOTED if around.promotable else Role.STARTED


def _begin(op: Operation, verdict: Verdict, around: Circumstances) -> None:
    if op.task == "start":
        _activate(verdict, around)
    elif op.task == "promote":
        verdict.role = Role.PROMOTED
    if not op.probe and not verdict.pending:
        verdict.pending = op.task


_ROLE_AFTER = {"start": Role.STARTED, "stop": Role.STOPPED, "promote": Role.PROMOTED, "migrate_from": Role.STARTED}


def _succeed(op: Operation, rc: int, verdict: Verdict, around: Circumstances) -> None:
    """Take over the state that a successful operation leaves (update_resource_state)."""
    cures = False
    if rc == _NOT_INSTALLED:
        verdict.role = Role.STOPPED
    elif rc == NOT_RUNNING:
        cures = True
    elif op.task in _ROLE_AFTER:
        verdict.role = _ROLE_AFTER[op.task]
        cures = True
    elif op.task == "demote":
        cures = verdict.on_fail is OnFail.DEMOTE
        verdict.role = Role.UNPROMOTED
    elif op.task == "migrate_to":
        around.migration(op, verdict)
    else:
        cures = op.task == "monitor" and verdict.failure is not None and verdict.failure.key == op.key
        if verdict.role < Role.STARTED:
            _activate(verdict, around)
    if cures and verdict.on_fail not in _LASTING and not (verdict.on_fail is OnFail.RESET_REMOTE and around.reconnects):
        verdict.on_fail = OnFail.IGNORE
        verdict.stopping = False


def _fail_or_ignore(op: Operation, rc: int, verdict: Verdict, around: Circumstances) -> None:
    policy = around.on_fail(op, managed=verdict.managed)
    if op.status == _NOT_FOUND:
        if policy is OnFail.IGNORE:
            verdict.on_fail = OnFail.MIGRATE
        _fail(op, rc, policy, verdict, around)
    elif policy is OnFail.IGNORE or (policy is OnFail.RESTART_CONTAINER and op.task == "stop"):
        _succeed(op, op.target_rc, verdict, around)
        verdict.failure_ignored = True
        if policy is OnFail.RESTART_CONTAINER and verdict.on_fail <= OnFail.RECOVER:
            verdict.on_fail = policy
    else:
        _fail(op, rc, policy, verdict, around)


def _fail(op: Operation, rc: int, policy: OnFail, verdict: Verdict, around: Circumstances) -> None:
    """Take over the state that a failed operation leaves: active, unless it says otherwise (unpack_rsc_op_failure)."""
    verdict.failure = op
    verdict.on_fail = max(verdict.on_fail, policy)
    if policy is OnFail.STOP or (policy is OnFail.RESET_REMOTE and around.reconnects):
        verdict.stopping = True
    match op.task:
        case "migrate_to" | "migrate_from":
            around.migration(op, verdict)
        case "promote":
            verdict.role = Role.PROMOTED
        case "demote" if policy is OnFail.BLOCK:
            verdict.role = Role.PROMOTED
        case "demote":
            verdict.role = Role.STOPPED if rc == NOT_RUNNING else Role.UNPROMOTED
    if op.probe and rc == _NOT_INSTALLED:
        verdict.role = Role.STOPPED
    elif verdict.role < Role.STARTED:
        _activate(verdict, around)
