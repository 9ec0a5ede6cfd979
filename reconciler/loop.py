"""The agent: passes for ever, as soon as there is a reason, and at least once in a while."""

import fcntl
import logging
import os
import time
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import IO

from reconciler.hints import Hints
from reconciler.host import store, systemd
from reconciler.host.netlink import Netlink
from reconciler.host.observer import Observer
from reconciler.host.peers import Peers
from reconciler.host.shell import Shell
from reconciler.host.wanted import WantedSource
from reconciler.host.watcher import Watcher
from reconciler.journal import Journal
from reconciler.pace import Pace, delay
from reconciler.report import objects_in, report
from reconciler.settings import Settings
from reconciler.turn import Memory, Reconciliation, Turner

log = logging.getLogger("reconciler")

STATUS = "status.json"
LOCK = "agent.lock"


class AlreadyRunningError(RuntimeError):
    """Another agent runs on this node."""


class Agent:
    """One agent on one node. `publish` gets every pass, for the metrics."""

    def __init__(self, settings: Settings, hints: Hints, publish: Callable[[Reconciliation], None]) -> None:
        self._settings = settings
        self._hints = hints
        self._publish = publish
        self._journal = Journal()
        self._started = time.time()
        self._pace = Pace()
        self._kept_objects: object = None
        self.watchers = {
            "desired": Watcher(settings.desired, lambda: hints.give("desired")),
            "cib": Watcher(
                settings.cib_dir, lambda: hints.give("cib"), wanted=lambda name: name == "cib.xml", recursive=False
            ),
        }
        self.netlink = Netlink(lambda: hints.give("network"))

    def run(self) -> None:
        """Run until the hints say stop.

        Raises:
            AlreadyRunningError: there is an agent on this node already.
        """
        settings = self._settings
        with ExitStack() as ending:
            ending.enter_context(_lock(settings.runtime_dir))
            peers = Peers()
            ending.callback(peers.leave)
            for watcher in self.watchers.values():
                watcher.start()
                ending.callback(watcher.stop)
            self.netlink.start()
            ending.callback(self.netlink.stop)
            shell = Shell()
            source = WantedSource(settings.desired, settings.state_dir, settings.settle)
            turner = Turner(settings, shell, Observer(shell, peers, settings.command_timeout), source)
            memory = self._remember()
            log.info("started: desired=%s mode=%s", settings.desired, settings.mode)
            while not self._hints.stopping:
                self._wait(self._pass(turner, memory))
            systemd.notify("STOPPING=1")
            log.info("stopped")

    def _pass(self, turner: Turner, memory: Memory) -> float:
        """Make one pass and return how long to wait for the next without a hint."""
        revision = memory.revision
        inventory = memory.inventory
        done = turner.turn(memory, self._pace.holds(revision, time.time()))
        memory.revision = done.wanted.desired.revision if done.wanted.desired else ""
        now = time.time()
        self._pace = self._pace.after(memory.revision, done.outcomes, done.stuck, now)
        if memory.inventory != inventory:
            self._keep(self._settings.state_dir / store.INVENTORY, sorted(memory.inventory))
        self._journal.write(done)
        self._tell(done)
        self._publish(done)
        systemd.notify("READY=1", "WATCHDOG=1", f"STATUS={self._journal.summary}")
        return delay(done.decision.plan, done.outcomes, self._pace, self._settings.resync, now)

    def _wait(self, seconds: float) -> None:
        """Wait for a hint; a service manager's watchdog is fed meanwhile."""
        interval = systemd.watchdog()
        deadline = time.monotonic() + seconds
        while not self._hints.stopping and (left := deadline - time.monotonic()) > 0:
            if self._hints.wait(min(left, interval / 3) if interval else left):
                return
            systemd.notify("WATCHDOG=1")

    def _tell(self, done: Reconciliation) -> None:
        document = report(done, self._settings.mode, str(self._settings.desired), self._started)
        self._keep(self._settings.runtime_dir / STATUS, document, mode=0o644)
        if document["objects"] != self._kept_objects:
            self._keep(self._settings.state_dir / STATUS, {"objects": document["objects"]})
            self._kept_objects = document["objects"]

    def _keep(self, path: Path, content: object, mode: int = 0o600) -> None:
        trouble = store.save(path, content, mode=mode)
        if trouble:
            log.error("%s", trouble)

    def _remember(self) -> Memory:
        state = self._settings.state_dir
        return Memory(inventory=store.inventory(state), objects=objects_in(store.load(state / STATUS)))


def _lock(runtime_dir: Path) -> IO[str]:
    """Hold the lock that says that an agent runs here; it ends with the process."""
    runtime_dir.mkdir(mode=0o755, parents=True, exist_ok=True)
    lock = (runtime_dir / LOCK).open("w")
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        lock.close()
        raise AlreadyRunningError(f"another agent holds {runtime_dir / LOCK}") from None
    lock.write(f"{os.getpid()}\n")
    lock.flush()
    return lock


def agent_runs(runtime_dir: Path) -> bool:
    """Tell whether an agent runs on this node."""
    try:
        with (runtime_dir / LOCK).open() as lock:
            fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except FileNotFoundError:
        return False
    except BlockingIOError:
        return True
    return False
