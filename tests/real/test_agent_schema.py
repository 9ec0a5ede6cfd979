"""What the cluster's own schema does not allow is not sent, and the one who is to blame is named. On a real cluster."""

import re
from collections.abc import Iterator

import pytest

from tests.lab import Lab, until
from tests.real.operator import UNFENCED, Cib, agents_on, dummy, in_sync
from tests.real.pair import Pair

pytestmark = [pytest.mark.lab, pytest.mark.slow]

OLD = "pacemaker-2.3"
ALERT = """
apiVersion = "ha.reconciler.io/v1alpha1"
kind = "Alert"
metadata.name = "mail"
spec.path = "/bin/true"
"""


@pytest.fixture
def pair(lab: Lab) -> Iterator[Pair]:
    """A pair in sync, on a cluster whose CIB was never upgraded."""
    with agents_on(lab) as agents:
        pair = Pair(lab, agents)
        pair.want("cluster.toml", UNFENCED)
        pair.ask_for_a_change()
        for agent in agents:
            agent.start()
        for agent in agents:
            agent.until_synced()
        downgrade(pair)
        yield pair


def downgrade(pair: Pair) -> None:
    node = pair.dc.node
    text = node.run(["cibadmin", "--query"], check=True).stdout
    text = re.sub(r'validate-with="[^"]*"', f'validate-with="{OLD}"', text, count=1)
    text = re.sub(r' epoch="(\d+)"', lambda found: f' epoch="{int(found[1]) + 1}"', text, count=1)
    node.path("/run/old.xml").write_text(text, encoding="utf-8")
    node.run(["cibadmin", "--replace", "--xml-file", "/run/old.xml"], check=True)
    for agent in pair.agents:
        until(lambda node=agent.node: schema(Cib(node)) == OLD, "the old schema", 10, 0.1)  # type: ignore[misc]


def schema(cib: Cib) -> str:
    return cib.root.get("validate-with", "")


def test_an_alert_of_a_later_schema_is_held_by_name_and_goes_on_once_the_cib_is_upgraded(pair: Pair) -> None:
    epoch = Cib(pair.dc.node).epoch
    pair.want("more.toml", ALERT)
    pair.want("two.toml", dummy("two"))
    document = pair.dc.until(lambda seen: "Invalid" in str(seen["plan"]["holds"]), "the alert to be held")
    [said] = [hold["message"] for hold in document["plan"]["holds"] if hold["reason"] == "Invalid"]
    assert said == (
        f"the cluster's schema does not allow it: Alert/mail: {OLD} knows no <alerts>; "
        f"the CIB says validate-with={OLD}; `cibadmin --upgrade --force` brings it up to date"
    )
    planned = pair.other.run("plan")
    assert planned.returncode == 2
    assert said in planned.stdout
    pair.waits(pair.ask_for_a_change(), "Invalid")
    assert Cib(pair.dc.node).epoch == epoch
    pair.dc.node.run(["cibadmin", "--upgrade", "--force"], check=True)
    for agent in pair.agents:
        agent.until(in_sync, "all to be in sync")
    cib = Cib(pair.dc.node)
    assert schema(cib) != OLD
    assert cib.get("mail") is not None
    assert cib.get("two") is not None
