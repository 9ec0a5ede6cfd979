"""The agent: passes for ever, as soon as there is a reason, and at least once in a while."""

import logging
import time
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from reconciler import __version__
from reconciler.chronicle import Noted
from reconciler.hints import Hints
from reconciler.host import lock, simulator, store, systemd
from reconciler.host.netlink import Netlink
from reconciler.host.observer import Observer
from reconciler.host.peers import Peers
from reconciler.host.shell import Shell
from reconciler.host.wanted import WantedSource
from reconciler.host.watcher import Watcher
from reconciler.journal import Journal
from reconciler.observation import Observation
from reconciler.pace import Calm, delay, next_turn
from reconciler.proof import Proof
from reconciler.reconciliation import Reconciliation
from reconciler.records import Records
from reconciler.report import objects_in, report
from reconciler.settings import Settings
from reconciler.suspension import stored
from reconciler.turn import Memory, Turner
from reconciler.writer import able

log = logging.getLogger("reconciler")

SETTLING = "settling.json"
_FOLLOWED = ("revision", "proven")


Document = Mapping[str, Any]
Publish = Callable[[Reconciliation, Document, Noted], None]


_ONLY_HERE = frozenset({"transitions", "network"})
"""Hints that the other nodes do not get, about what they see too: where resources run, whether a ring is whole."""


_SELDOM = 10.0
"""Seconds: Pacemaker's directories are never replaced under a running cluster, and the resync finds what is missed."""


class Agent:
    """One agent on one node. `publish` gets every pass, its document, and what was noted in it, for the metrics.

    Attributes:
        records: what the agent keeps of what happened.
    """

    def __init__(self, settings: Settings, hints: Hints, publish: Publish) -> None:
        self._settings = settings
        self._hints = hints
        self._publish = publish
        self._journal = Journal()
        self._started = time.time()
        self._calm = Calm()
        self._kept_objects: object = None
        self._followed = ("", "")
        self._peers = Peers()
        self.records = Records(settings.state_dir, settings.cib_dir)
        self.watchers = {
            "desired": Watcher(settings.desired, lambda: hints.give("desired")),
            "cib": Watcher(
                settings.cib_dir,
                lambda: hints.give("cib"),
                wanted=lambda name: name == "cib.xml",
                recursive=False,
                tick=_SELDOM,
            ),
            # The DC keeps the input of every transition here, and the number of the last one of each sort: failures
            # and attributes change no configuration.
            "transitions": Watcher(
                settings.pengine_dir,
                lambda: hints.give("transitions"),
                wanted=lambda name: name.endswith(".last"),
                recursive=False,
                tick=_SELDOM,
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
            ending.enter_context(lock.hold(settings.runtime_dir))
            (settings.runtime_dir / store.STATUS).unlink(missing_ok=True)
            simulator.sweep(settings.runtime_dir)
            ending.callback(self._peers.close)
            ending.callback(self.records.save)
            for watcher in self.watchers.values():
                watcher.start()
                ending.callback(watcher.stop)
            self.netlink.start()
            ending.callback(self.netlink.stop)
            shell = Shell(cancelled=lambda: self._hints.stopping)
            source = WantedSource(settings.desired, settings.state_dir, settings.settle)
            turner = Turner(
                settings, shell, Observer(shell, self._peers, settings.command_timeout, settings.state_dir), source
            )
            memory = self._remember()
            log.info("started: version=%s desired=%s mode=%s", __version__, settings.desired, settings.mode)
            hints: frozenset[str] = frozenset()
            while not self._hints.stopping:
                if hints & _ONLY_HERE and not self._calm.flooded:
                    self._peers.nudge()
                hints = self._wait(*self._pass(turner, memory, hinted=bool(hints)))
            systemd.notify("STOPPING=1")
            log.info("stopped")

    def _pass(self, turner: Turner, memory: Memory, *, hinted: bool) -> tuple[float, float]:
        """Make one pass; return how long to let hints rest, and how long to wait for one until the next pass."""
        inventory, objects = memory.inventory, memory.objects
        done = turner.turn(memory)
        self._keep_settling(memory)
        if trouble := turner.vault.keep():
            log.error("%s", trouble)
        if memory.inventory != inventory:
            self._keep(self._settings.state_dir / store.INVENTORY, sorted(memory.inventory))
        if self._hints.stopping:
            # What was cut short looks like trouble and is none.
            self._journal.made(done)
            return 0.0, 0.0
        self._remember_suspension(done.observation)
        plan = done.decision.plan
        self._peers.stand(able(done.observation, self._settings.mode, bool(done.revision), plan.holds))
        self._calm = self._calm.after(bool(done.outcomes), done.objects != objects, hinted)
        noted = self.records.follow(done, memory.looks, objects, turner.vault.close)
        self._journal.write(done, noted.ages)
        self._publish(done, self._tell(done, noted), noted)
        systemd.notify("READY=1", "WATCHDOG=1", f"STATUS={self._journal.summary}")
        now = time.time()
        settling = memory.settling is not None and not memory.settling.over
        wait = delay(done.decision, memory.pace, self._calm, now, settling=settling)
        turn = next_turn(done.observation, done.wanted.desired, now)
        return self._calm.rest(done.seconds), min(wait, turn, self._settings.resync)

    def _wait(self, rest: float, seconds: float) -> frozenset[str]:
        """Wait for a hint, after a rest; a service manager's watchdog is fed meanwhile."""
        interval = systemd.watchdog()
        self._hints.rest(min(rest, seconds))
        deadline = time.monotonic() + seconds - rest
        while not self._hints.stopping:
            left = deadline - time.monotonic()
            hints = self._hints.wait(min(left, interval / 3) if interval else left, self._peers.descriptor)
            if hints or left <= 0:
                return hints
            systemd.notify("WATCHDOG=1")
        return frozenset()

    def _tell(self, done: Reconciliation, noted: Noted) -> Document:
        """Write down what is known, for `status` and over restarts."""
        document = report(done, self._settings.mode, str(self._settings.desired), self._started, noted)
        self._keep(self._settings.runtime_dir / store.STATUS, document)
        if document["objects"] != self._kept_objects:
            self._keep(self._settings.state_dir / store.STATUS, {"objects": document["objects"]})
            self._kept_objects = document["objects"]
        return document

    def _remember_suspension(self, seen: Observation) -> None:
        """Keep what the cluster says, for a start without one; it is written only when it changes."""
        suspended = seen.register.suspended
        if seen.cib is None or suspended == seen.snapshot.remembered:
            return
        path = self._settings.state_dir / store.LAST_SUSPENSION
        trouble = store.save(path, stored(suspended)) if suspended else store.remove(path)
        if trouble:
            log.error("%s", trouble)

    def _keep_settling(self, memory: Memory) -> None:
        """Write down which revision has not settled, to say so after a restart, and which one has run well."""
        settling = memory.settling
        followed = (settling.revision if settling and not settling.over else "", memory.proof.proven)
        if followed != self._followed:
            self._keep(self._settings.state_dir / SETTLING, dict(zip(_FOLLOWED, followed, strict=True)))
            self._followed = followed

    def _keep(self, path: Path, content: object, mode: int = 0o600) -> None:
        trouble = store.save(path, content, mode=mode)
        if trouble:
            log.error("%s", trouble)

    def _remember(self) -> Memory:
        state = self._settings.state_dir
        kept = store.load(state / SETTLING)
        known = kept if isinstance(kept, dict) else {}
        unsettled, proven = self._followed = (str(known.get("revision", "")), str(known.get("proven", "")))
        if unsettled:
            log.warning("%s", _not_followed(unsettled))
        objects = objects_in(store.load(state / store.STATUS))
        return Memory(inventory=store.inventory(state), objects=objects, proof=Proof(proven))


def _not_followed(revision: str) -> str:
    return (
        f"revision {revision[:12]} had not settled when the agent ended: what became of it is not compared with its "
        "forecast, and it is not reverted whatever it did; look at `reconciler get` and `crm_mon -1rf`"
    )
