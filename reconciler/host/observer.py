"""Asks the machine everything that a pass needs to know: one command each, side by side, each with a time limit."""

import os
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path

from reconciler.cib.register import Suspension
from reconciler.host import store
from reconciler.host.peers import Peers
from reconciler.host.shell import Call, Completed, Shell
from reconciler.network import iproute
from reconciler.observation import Answer, Snapshot, Source

COMMANDS: Mapping[Source, tuple[str, ...]] = {
    Source.CIB: ("cibadmin", "--query"),
    Source.ADDRESSES: iproute.ADDRESSES,
    Source.ROUTES: iproute.ROUTES,
    Source.CMAP: ("corosync-cmapctl",),
    Source.STATS: ("corosync-cmapctl", "-m", "stats"),
    Source.QUORUM: ("corosync-quorumtool", "-p"),
}
FALLBACKS: Mapping[Source, tuple[Source, tuple[str, ...]]] = {
    Source.STATS: (Source.CFGTOOL, ("corosync-cfgtool", "-s")),
}
"""What is asked instead where a source gives no answer."""

_ANSWERS_DESPITE: Mapping[Source, frozenset[int]] = {
    # corosync-quorumtool says "not quorate" with 2 (3.x) or 0 and 1 the other way round (2.x): its text counts.
    Source.QUORUM: frozenset({1, 2}),
    Source.CFGTOOL: frozenset({1}),
}
_PROC = Path("/proc/sys/net/ipv4/conf")


class Observer:
    """Takes snapshots.

    `timeout` is in seconds, for each command; without `peers` nobody asks for other agents, and without `state_dir` for
    suspensions that are kept on this node.
    """

    def __init__(self, shell: Shell, peers: Peers | None, timeout: float, state_dir: Path | None = None) -> None:
        self._shell = shell
        self._peers = peers
        self._timeout = timeout
        self._state_dir = state_dir

    def look(self) -> Snapshot:
        """Ask everything. What a source does wrong is in its answer; nothing raises."""
        return self.begin()()

    def begin(self) -> Callable[[], Snapshot]:
        """Ask everything; what is returned waits for the answers, and is to be called once."""
        calls = {source: Call(argv, timeout=self._timeout) for source, argv in COMMANDS.items()}
        finish = self._shell.start_all(list(calls.values()))
        return lambda: self._snapshot(dict(zip(calls, finish(), strict=True)))

    def tell(self, revision: str) -> None:
        """Let the other agents know what this one has read, before their news are looked at."""
        if self._peers:
            self._peers.tell(revision)

    def _snapshot(self, done: Mapping[Source, Completed]) -> Snapshot:
        answers = {source: _answer(source, completed) for source, completed in done.items()}
        for source, (instead, argv) in FALLBACKS.items():
            if answers[source].failure:
                answers[instead] = _answer(instead, self._shell.run(Call(argv, timeout=self._timeout)))
        agents = self._peers.look() if self._peers else None
        nodeid = self._peers.local() if self._peers else None
        revisions = self._peers.revisions if self._peers else {}
        return Snapshot(
            answers,
            time.time(),
            os.uname().nodename,
            nodeid,
            agents,
            _promoting(),
            self._kept(store.SUSPENSION),
            self._kept(store.LAST_SUSPENSION),
            revisions,
        )

    def _kept(self, name: str) -> Suspension | None:
        return store.suspension(self._state_dir / name) if self._state_dir else None

    def look_again(self, snapshot: Snapshot) -> Snapshot:
        """Ask for the CIB anew, and for nothing else."""
        completed = self._shell.run(Call(COMMANDS[Source.CIB], timeout=self._timeout))
        answers = {**snapshot.answers, Source.CIB: _answer(Source.CIB, completed)}
        return replace(snapshot, answers=answers, at=time.time())


def _answer(source: Source, completed: Completed) -> Answer:
    if completed.code in _ANSWERS_DESPITE.get(source, frozenset()) and completed.stdout:
        return Answer(completed.stdout, seconds=completed.seconds)
    failure = completed.failure.value if completed.failure else ""
    return Answer(completed.stdout, failure, completed.message, completed.seconds)


def _promoting() -> dict[str, str]:
    """Read which devices promote secondary addresses; one that vanishes meanwhile is left out."""
    found = {}
    for entry in _PROC.glob("*/promote_secondaries"):
        try:
            found[entry.parent.name] = entry.read_text()
        except OSError:
            continue
    return found
