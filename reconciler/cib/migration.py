"""What a live migration leaves behind, seen from the node where one of its two halves was recorded. Pure.

A migration is migrate_to on the source, migrate_from on the target, stop on the source; any of them may be missing.
The rules are those of unpack_migrate_to_success, unpack_migrate_to_failure and unpack_migrate_from_failure in
Pacemaker's lib/pengine/unpack.c.
"""

from collections.abc import Callable, Sequence

from reconciler.cib.history import DONE, NOT_RUNNING, OK, PENDING, Operation, Role, Verdict, newer
from reconciler.frozen import frozen

_MOVES = frozenset({"start", "stop", "migrate_to", "migrate_from"})


@frozen
class Migrations:
    """The histories of one resource on all nodes, and which nodes are up."""

    node: str
    histories: Callable[[str], Sequence[Operation]]
    online: frozenset[str]

    def conclude(self, op: Operation, verdict: Verdict) -> None:
        """Add to the verdict what a finished migrate_to or migrate_from of this node means."""
        here = op.source if op.task == "migrate_to" else op.target
        if not op.source or not op.target or here != self.node:
            return
        if op.task == "migrate_from":
            self._from_failed(op, verdict)
        elif op.status == DONE and op.rc == op.target_rc:
            self._to_succeeded(op, verdict)
        else:
            self._to_failed(op, verdict)

    def _to_succeeded(self, op: Operation, verdict: Verdict) -> None:
        left = self._moved_after(op.source, op, same_node=True)
        arrived = self._only(op.target, "migrate_from", source=op.source)
        if left and arrived is not None:
            return
        superseded = self._superseded(op.target, op, arrived)
        if left and superseded:
            return
        if arrived is not None and arrived.rc == OK and arrived.status == DONE:
            verdict.role = Role.STOPPED
            return
        verdict.role = Role.STARTED
        up = op.target in self.online
        underway = arrived is None or arrived.status == PENDING
        if underway and up and not self.histories(op.target):
            return  # cleaned up there; a probe will tell
        if up and not superseded:
            verdict.elsewhere.append(op.target)
            verdict.partial_migration_to = op.target if underway else ""
        elif not (underway and left):
            verdict.failed = True

    def _to_failed(self, op: Operation, verdict: Verdict) -> None:
        verdict.role = Role.STARTED
        arrived = self._only(op.target, "migrate_from", source=op.source, successful=True)
        if self.histories(op.target) and not self._superseded(op.target, op, arrived) and op.target in self.online:
            verdict.elsewhere.append(op.target)

    def _from_failed(self, op: Operation, verdict: Verdict) -> None:
        verdict.role = Role.STARTED
        sent = self._only(op.source, "migrate_to", target=op.target, successful=True)
        if self.histories(op.source) and not self._superseded(op.source, sent, op) and op.source in self.online:
            verdict.elsewhere.append(op.source)

    def _superseded(self, node: str, sent: Operation | None, arrived: Operation | None) -> bool:
        """Say whether the node's history goes on after the migration, so that the migration no longer matters there."""
        on_target = arrived is not None and node == arrived.target
        on_source = sent is not None and node == sent.source
        reference = arrived if on_target else sent if on_source else arrived or sent
        if reference is None:
            return False
        same_node = on_target or on_source
        stopped = self._only(node, "monitor")
        gone = stopped is not None and stopped.rc == NOT_RUNNING and stopped.status == DONE
        return self._moved_after(node, reference, same_node=same_node) or (
            gone and stopped is not None and newer(stopped, reference, same_node=same_node)
        )

    def _moved_after(self, node: str, reference: Operation, *, same_node: bool) -> bool:
        return any(
            op is not reference and op.task in _MOVES and newer(op, reference, same_node=same_node)
            for op in self.histories(node)
        )

    def _only(
        self, node: str, task: str, source: str = "", target: str = "", *, successful: bool = False
    ) -> Operation | None:
        """Return the one operation of its sort; with two of a sort upstream sees none (get_xpath_object)."""
        found = [
            op
            for op in self.histories(node)
            if op.task == task and source in ("", op.source) and target in ("", op.target)
        ]
        if len(found) != 1 or (successful and (found[0].rc != OK or found[0].status != DONE)):
            return None
        return found[0]
