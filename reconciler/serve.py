"""The running service: the agent, and what it shows to Prometheus and to people over HTTP."""

import logging

from reconciler.hints import Hints
from reconciler.loop import Agent
from reconciler.settings import Settings
from reconciler.turn import Reconciliation

log = logging.getLogger("reconciler")


class Service:
    """One agent with its HTTP server."""

    def __init__(self, settings: Settings) -> None:
        self.hints = Hints()
        self._agent = Agent(settings, self.hints, self._publish)

    def run(self) -> None:
        """Run until the hints say stop."""
        self._agent.run()

    def _publish(self, done: Reconciliation) -> None:
        pass
