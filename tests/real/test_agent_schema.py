"""What the cluster's own schema does not allow is not sent, and the one who is to blame is named. On a real cluster."""

import re
from collections.abc import Iterator

import pytest

from reconciler.cib.ownership import TAG, UNTAGGED, is_record, recorded_ids
from tests.lab import Lab, until
from tests.real.operator import UNFENCED, Cib, agents_on, dummy, in_sync
from tests.real.pair import Pair

pytestmark = [pytest.mark.lab, pytest.mark.slow]

OLD = "pacemaker-2.3"
BEFORE_TAGS = "pacemaker-1.2"
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
        yield pair


def downgrade(pair: Pair, old: str) -> None:
    """Make it a CIB that was never upgraded; a schema without tags has never had our record in one."""
    node = pair.dc.node
    text = node.run(["cibadmin", "--query"], check=True).stdout
    text = re.sub(r'validate-with="[^"]*"', f'validate-with="{old}"', text, count=1)
    text = text if old != BEFORE_TAGS else re.sub("<tags>.*</tags>", "", text, flags=re.DOTALL)
    text = re.sub(r' epoch="(\d+)"', lambda found: f' epoch="{int(found[1]) + 1}"', text, count=1)
    node.path("/run/old.xml").write_text(text, encoding="utf-8")
    node.run(["cibadmin", "--replace", "--xml-file", "/run/old.xml"], check=True)
    for agent in pair.agents:
        until(lambda node=agent.node: schema(Cib(node)) == old, "the old schema", 10, 0.1)  # type: ignore[misc]


def schema(cib: Cib) -> str:
    return cib.root.get("validate-with", "")


def test_an_alert_of_a_later_schema_is_held_by_name_and_goes_on_once_the_cib_is_upgraded(pair: Pair) -> None:
    downgrade(pair, OLD)
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


def test_a_cluster_whose_schema_has_no_tags_is_managed_all_the_same(pair: Pair) -> None:
    downgrade(pair, BEFORE_TAGS)
    pair.want("two.toml", dummy("two"))
    pair.want("three.toml", dummy("three"))
    until(lambda: recorded(Cib(pair.dc.node)) >= {"two", "three"}, "both to be recorded", 30, 0.2)
    forget(pair, "three.toml")
    until(lambda: Cib(pair.dc.node).get("three") is None, "it to be stopped and deleted", 30, 0.2)
    assert "two" in recorded(Cib(pair.dc.node))
    assert "three" not in recorded(Cib(pair.dc.node))

    pair.dc.node.run(["cibadmin", "--upgrade", "--force"], check=True)
    assert "two" in recorded(Cib(pair.dc.node))
    forget(pair, "two.toml")
    until(lambda: Cib(pair.dc.node).get("two") is None, "it to be stopped and deleted", 30, 0.2)
    for agent in pair.agents:
        agent.until(in_sync, "all to be in sync")
    cib = Cib(pair.dc.node)
    assert cib.get(UNTAGGED) is None
    assert cib.get(TAG) is not None


def recorded(cib: Cib) -> frozenset[str]:
    configuration = cib.root.find("configuration")
    assert configuration is not None
    records = (part for section in configuration for part in section if is_record(section.tag, part))
    return frozenset().union(*map(recorded_ids, records))


def forget(pair: Pair, name: str) -> None:
    for agent in pair.agents:
        agent.unwant(name)
