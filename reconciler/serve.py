"""The running service: the agent, and what it shows to Prometheus and to people over HTTP."""

import logging
import time

from reconciler.hints import Hints
from reconciler.loop import Agent, Document
from reconciler.metrics.server import App, Page, Server
from reconciler.page import page
from reconciler.settings import Settings
from reconciler.turn import Reconciliation

log = logging.getLogger("reconciler")

_STALE_PASSES = 3


class Service:
    """One agent with its HTTP server. Requests are answered from the last pass; they start nothing."""

    def __init__(self, settings: Settings) -> None:
        self.hints = Hints()
        self._settings = settings
        self._document: Document | None = None
        self._passed = time.monotonic()
        self._agent = Agent(settings, self.hints, self._publish)

    def run(self) -> None:
        """Run until the hints say stop.

        Raises:
            OSError: the address to listen on cannot be had.
            AlreadyRunningError: there is an agent on this node already.
        """
        listen = self._settings.http.listen
        server = Server(listen, self._apps()) if listen else None
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
            "/healthz": Page(self._healthz),
            "/readyz": Page(self._readyz),
        }

    def _publish(self, done: Reconciliation, document: Document) -> None:  # noqa: ARG002
        self._document = document
        self._passed = time.monotonic()

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
