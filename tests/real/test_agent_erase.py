"""Somebody erases the whole configuration: it comes back, and what is said of who did it is true."""

from collections.abc import Iterator

import pytest

from tests.lab import Lab
from tests.real.operator import UNFENCED, Agent, Cib, agents_on, dummy, in_sync

pytestmark = [pytest.mark.lab, pytest.mark.slow]


@pytest.fixture
def agents(lab: Lab) -> Iterator[list[Agent]]:
    with agents_on(lab) as agents:
        for agent in agents:
            agent.want("cluster.toml", UNFENCED)
            agent.want("one.toml", dummy("one", fake="1"))
            agent.start()
        for agent in agents:
            agent.until_synced()
        yield agents


def test_who_erased_everything_is_told_or_said_not_to_be_known(agents: list[Agent]) -> None:
    eraser = agents[0].node
    eraser.run(["cibadmin", "--erase", "--force"], check=True)
    for agent in agents:
        document = agent.until(
            lambda seen: any("deleted by" in event["message"] for event in seen["outOfBand"]), "an erased object"
        )
        (gone,) = (event for event in document["outOfBand"] if event["involvedObject"]["name"] == "one")
        known = f"deleted by root with cibadmin (crm and pcs use it) on {eraser.name}"
        # Pacemaker writes right after it, and not every version gets into a file on every node.
        unknown = "deleted by somebody unknown (several changes at once, of which crmd"
        print(f"\n{agent.node.name}: {gone['message']}")
        assert gone["message"].startswith((known, unknown))
        assert gone["source"] in (
            {"component": "cibadmin", "host": eraser.name, "user": "root"},
            {"component": "", "host": "", "user": ""},
        )
        assert "changed  " in agent.run("status").stdout
        assert "deleted by" in agent.run("describe", "Primitive", "one").stdout
        assert "out of band: Primitive/one: deleted by" in agent.log()
    for agent in agents:
        agent.until(in_sync, "all to be back")
    assert Cib(eraser).value("one", "fake") == "1"
