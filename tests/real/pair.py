"""Two agents that want one resource: what the tests of holds change, and see wait or arrive."""

import time
from dataclasses import dataclass, field

from tests.lab import Lab, until
from tests.real.operator import Agent, Cib, Document, dummy


@dataclass
class Pair:
    """Two agents that want one resource, and the parameter that they want it to have."""

    lab: Lab
    agents: list[Agent]
    number: int = field(default=0)

    @property
    def dc(self) -> Agent:
        name = self.lab.view().dc
        return next(agent for agent in self.agents if agent.node.name == name)

    @property
    def other(self) -> Agent:
        dc = self.dc
        return next(agent for agent in self.agents if agent is not dc)

    def want(self, name: str, text: str) -> None:
        """Write a manifest on both nodes."""
        for agent in self.agents:
            agent.want(name, text)

    def ask_for_a_change(self) -> str:
        """Want another value, everywhere, which a running resource takes over."""
        self.number += 1
        self.want("one.toml", dummy("one", fake=str(self.number)))
        return str(self.number)

    def ask_for_a_restart(self) -> str:
        """Want another value and, with it, a parameter that a running resource cannot take over."""
        self.number += 1
        value = str(self.number)
        self.want("one.toml", dummy("one", fake=value, state=f"/run/resource-agents/one-{value}.state"))
        return value

    def value(self) -> str | None:
        return Cib(self.agents[0].node).value("one", "fake")

    def arrives(self, value: str, timeout: float = 10) -> float:
        """Wait until the value is in the CIB; gives the seconds."""
        began = time.monotonic()
        until(lambda: self.value() == value, f"the value {value}", timeout, 0.02, self._story)
        return time.monotonic() - began

    def waits(self, value: str, reason: str) -> None:
        """See that the writer wants to change the value, says why it does not, and does not."""

        def held(seen: Document) -> bool:
            plan = seen["plan"]
            reasons = {hold["reason"] for hold in plan["holds"]}
            # At first the agents may have read different manifests, and that hold passes.
            return reason in reasons and bool(plan["changes"]) and not plan["commands"]

        self.dc.until(held, f"to hold a change: {reason}")
        time.sleep(1)
        assert self.value() != value, self._story()

    def _story(self) -> str:
        return "\n".join(agent.log() for agent in self.agents)
