"""The running service: the agent, and what it shows to Prometheus and to people over HTTP."""

import logging
import time
from dataclasses import replace

from reconciler.chronicle import Noted, of_failover
from reconciler.hints import Hints
from reconciler.host import store
from reconciler.host.lock import LOCK, AlreadyRunningError, agent_runs
from reconciler.loop import Agent, Document
from reconciler.measure import Counts, measure
from reconciler.metrics import memory
from reconciler.metrics.failovers import Event, Kind
from reconciler.metrics.memory import Memory
from reconciler.metrics.page import MetricsPage
from reconciler.metrics.server import App, Page, Server
from reconciler.metrics.snapshot import WatcherReport
from reconciler.observation import Observation
from reconciler.page import page
from reconciler.reconciliation import Reconciliation
from reconciler.settings import Settings
from reconciler.state import Ref

log = logging.getLogger("reconciler")

_STALE_PASSES = 3
_FAILOVERS = "failovers.json"
_KEEP_AT_LEAST = 60.0


class Service:
    """One agent with its HTTP server. Requests are answered from the last pass; they start nothing."""

    def __init__(self, settings: Settings) -> None:
        self.hints = Hints()
        self._settings = settings
        self._document: Document | None = None
        self._passed = time.monotonic()
        self._metrics = MetricsPage(settings.resync)
        self._counts = Counts()
        self._kept: Memory | None = None
        self._agent = Agent(settings, self.hints, self._publish)

    def run(self) -> None:
        """Run until the hints say stop.

        Raises:
            OSError: the address to listen on cannot be had.
            AlreadyRunningError: there is an agent on this node already.
        """
        listen = self._settings.http.listen
        if agent_runs(self._settings.runtime_dir):
            # Said before the address turns out to be taken, which is only a consequence.
            raise AlreadyRunningError(f"another agent holds {self._settings.runtime_dir / LOCK}")
        try:
            server = Server(listen, self._apps()) if listen else None
        except OSError as error:
            raise OSError(f"cannot listen on {listen}: {error.strerror}") from error
        if server:
            server.start()
            log.info("listening on http://%s/", listen)
        try:
            self._agent.run()
        finally:
            if server:
                server.stop()

    def _apps(self) -> dict[str, App]:
        return {
            "/": Page(self._page, "text/html"),
            "/metrics": self._metrics,
            "/healthz": Page(self._healthz),
            "/readyz": Page(self._readyz),
        }

    def _publish(self, done: Reconciliation, document: Document, noted: Noted) -> None:
        if self._counts.failovers is None:
            self._counts = replace(self._counts, failovers=self._remembered(done.observation))
        measured = measure(done, self._counts, self._watchers(), self._settings.mode, noted)
        self._counts = measured.counts
        self._keep(measured.counts.failovers)
        for event in measured.events:
            log.warning("%s", _sentence(event))
        self._agent.records.tell(of_failover(event, _ref(event, done.observation)) for event in measured.events)
        self._metrics.publish(measured.snapshot)
        self._document = document
        self._passed = time.monotonic()

    def _remembered(self, observation: Observation) -> Memory | None:
        """Take back what was counted before a restart, if it was of this cluster and node."""
        if observation.status is None:
            return None
        kept = store.load(self._settings.state_dir / _FAILOVERS)
        return memory.load(kept, cluster=observation.status.cluster_name, local_node=observation.node)

    def _keep(self, counted: Memory | None) -> None:
        """Keep the counts when they have changed, and their time once in a while."""
        if counted is None:
            return
        same = self._kept is not None and replace(counted, at=self._kept.at) == self._kept
        if same and self._kept is not None and counted.at - self._kept.at < _KEEP_AT_LEAST:
            return
        trouble = store.save(self._settings.state_dir / _FAILOVERS, memory.dump(counted))
        if trouble:
            log.error("%s", trouble)
        self._kept = counted

    def _watchers(self) -> dict[str, WatcherReport]:
        watchers = {
            name: WatcherReport(watcher.events, watcher.found, watcher.rebuilds, watcher.errors)
            for name, watcher in self._agent.watchers.items()
        }
        netlink = self._agent.netlink
        return {**watchers, "network": WatcherReport(events=netlink.events, errors=netlink.errors)}

    def _page(self) -> tuple[str, str]:
        if self._document is None:
            return "503 Service Unavailable", "<p>The first pass has not finished yet.</p>\n"
        return "200 OK", page(self._document)

    def _healthz(self) -> tuple[str, str]:
        """Tell whether the loop turns: no pass for three resyncs and the time of its commands is too long."""
        silent = time.monotonic() - self._passed
        longest = _STALE_PASSES * self._settings.resync + self._settings.command_timeout
        if silent > longest:
            return "503 Service Unavailable", f"no pass for {silent:.0f} s\n"
        return "200 OK", f"last pass {silent:.0f} s ago\n"

    def _readyz(self) -> tuple[str, str]:
        """Tell whether the agent can do its work: it has manifests, and sees what it needs to see."""
        document = self._document
        if document is None:
            return "503 Service Unavailable", "the first pass has not finished yet\n"
        if document["agent"]["blind"]:
            return "503 Service Unavailable", "; ".join(document["agent"]["blind"].values()) + "\n"
        if not document["desired"]["revision"]:
            return "503 Service Unavailable", document["desired"]["problem"] + "\n"
        return "200 OK", "ready\n"


def _ref(event: Event, observation: Observation) -> Ref:
    """Return the object that moved; of a unit that the configuration does not name, what it is called."""
    named = observation.cluster.by_name.get(event.resource) if observation.cluster else None
    return named or Ref("Primitive", event.resource)


def _sentence(event: Event) -> str:
    if event.kind is Kind.RECOVERY:
        return f"recovered: {event.resource} was restarted on {event.target}"
    took = f", after {event.duration:.1f} s" if event.duration is not None else ""
    return f"failover: {event.resource} came from {event.source} to {event.target} ({event.cause}{took})"
