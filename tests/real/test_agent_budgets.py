"""What holds a patch until a person approves it, or the moment is better. On a real cluster, new for each test."""

import json
from collections.abc import Iterator

import pytest

from tests.lab import Lab, until
from tests.real.operator import UNFENCED, Cib, agents_on, dummy, location
from tests.real.pair import Pair

pytestmark = [pytest.mark.lab, pytest.mark.slow]


@pytest.fixture
def pair(lab: Lab) -> Iterator[Pair]:
    """A pair in sync."""
    with agents_on(lab) as agents:
        pair = Pair(lab, agents)
        pair.want("cluster.toml", UNFENCED)
        pair.want("here.toml", location("one-here", "one", pair.dc.node.name))
        pair.ask_for_a_change()
        started(pair)
        yield pair


def started(pair: Pair, *settings: str) -> None:
    for agent in pair.agents:
        if agent.runs:
            agent.stop()
        agent.start(*settings)
    for agent in pair.agents:
        agent.until_synced()
    pair.lab.wait_resource("one", pair.dc.node.name)


STRICT = "guards.disruption_budget = 0"


def test_more_interruptions_than_the_budget_wait_until_exactly_that_is_approved_on_any_node(pair: Pair) -> None:
    started(pair, STRICT)
    value = pair.ask_for_a_restart()
    pair.waits(value, "DisruptionBudget")
    shown = pair.dc.document()["plan"]
    assert shown["forecast"]["disrupted"] == ["one"]
    planned = pair.other.run("plan")
    assert planned.returncode == 2
    assert f"to go ahead all the same: reconciler approve {shown['digest']}" in planned.stdout
    assert pair.other.run("approve", "0" * 12).returncode == 1
    assert pair.value() != value
    approved = pair.other.run("approve", shown["digest"])
    assert approved.returncode == 0, approved.stderr
    assert "interrupts one" in approved.stdout
    pair.arrives(value)
    until(lambda: Cib(pair.dc.node).get("reconciler") is None, "the used approval to be taken out", 10, 0.1)
    pair.waits(pair.ask_for_a_restart(), "DisruptionBudget")


def test_an_approval_does_not_release_from_what_was_not_shown(pair: Pair) -> None:
    pair.want("two.toml", dummy("two"))
    until(lambda: pair.lab.view().resources.get("two"), "two to run", 20)
    started(pair, STRICT)
    assert pair.dc.run("suspend", "--reason", "to look at it first", "--until", "1h").returncode == 0
    for agent in pair.agents:
        agent.unwant("two.toml")
    value = pair.ask_for_a_restart()
    pair.waits(value, "Suspended")
    digest = json.loads(pair.dc.run("plan", "--format", "json").stdout)["digest"]
    approved = pair.dc.run("approve", digest)
    assert "deletes Primitive/two" in approved.stdout, approved.stderr
    assert "releases it from DisruptionBudget and from nothing else" in approved.stdout
    for agent in pair.agents:
        agent.stop()
        agent.start(STRICT, "guards.deletion_budget = 0")
    assert pair.dc.run("resume").returncode == 0
    pair.waits(value, "DeletionBudget")
    held = pair.dc.run("status").stdout
    assert f"the approval {digest} by " in held
    assert "does not cover it, as that did not show: DeletionBudget; to go ahead all the same" in held
    assert "DisruptionBudget:" not in held
    assert pair.dc.run("approve", digest).returncode == 0
    pair.arrives(value)
    until(lambda: Cib(pair.dc.node).get("two") is None, "what was approved with it", 20)


def test_what_interrupts_nothing_needs_no_approval_however_strict_the_budget(pair: Pair) -> None:
    started(pair, STRICT)
    pair.arrives(pair.ask_for_a_change())


def test_while_agents_have_read_different_manifests_nothing_is_changed(pair: Pair) -> None:
    ahead, behind = pair.dc, pair.other
    pair.number += 1
    value = str(pair.number)
    ahead.want("one.toml", dummy("one", fake=value))
    pair.waits(value, "RevisionSkew")
    assert behind.node.name in ahead.document()["agent"]["held"]["cluster"]["message"]
    for end in (ahead.stop, ahead.kill):
        end()
        ahead.start()
        pair.waits(value, "RevisionSkew")
    ahead.until(lambda seen: "has revision" in seen["agent"]["held"]["cluster"]["message"], "to have heard the other")
    behind.want("one.toml", dummy("one", fake=value))
    pair.arrives(value)
    behind.stop()
    pair.number += 1
    ahead.want("one.toml", dummy("one", fake=str(pair.number)))
    pair.arrives(str(pair.number))


def test_somebody_s_maintenance_is_not_disturbed(pair: Pair) -> None:
    node = pair.dc.node
    node.run(["crm_attribute", "--name", "maintenance-mode", "--update", "true"], check=True)
    value = pair.ask_for_a_change()
    pair.waits(value, "MaintenanceMode")
    node.run(["crm_attribute", "--name", "maintenance-mode", "--delete"], check=True)
    pair.arrives(value)


def test_a_cluster_that_is_busy_is_let_finish(pair: Pair) -> None:
    pair.want("slow.toml", dummy("slow", op_sleep="4"))
    pair.dc.until_logged("created Primitive/slow")
    value = pair.ask_for_a_change()
    pair.waits(value, "TransitionRunning")
    pair.arrives(value, 20)


def test_nobody_is_fenced_without_an_approval(pair: Pair) -> None:
    where = pair.other.node
    pair.want("sick.toml", SICK.format(on_fail="ignore"))
    pair.want("sick-there.toml", location("sick-there", "sick", where.name, "INFINITY"))
    pair.lab.wait_resource("sick", where.name)
    where.run(["rm", "/run/sick.state"], check=True)
    pair.lab.until(lambda view: any("sick_monitor" in said for said in view.failures), "the failure to be seen")
    pair.want("cluster.toml", FENCED)
    pair.dc.until_logged("created Primitive/fence")
    pair.want("sick.toml", SICK.format(on_fail="fence"))
    document = pair.dc.until(lambda seen: "Fencing" in str(seen["agent"]["held"]), "the fencing to be held")
    assert document["plan"]["forecast"]["fenced"] == [where.name]
    assert f"{where.name} would be FENCED" in pair.dc.run("plan").stdout
    operation = Cib(pair.dc.node).get("sick-monitor-1s")
    assert operation is not None
    assert operation.get("on-fail") == "ignore"


def test_while_the_cluster_has_somebody_to_fence_nothing_else_is_changed(pair: Pair) -> None:
    pair.want("cluster.toml", FENCED)
    pair.dc.until_logged("created Primitive/fence")
    lost, dc = pair.other.node, pair.dc
    lost.power_off()
    pair.lab.until(lambda view: lost.name not in view.online, f"{lost.name} to be gone")
    dc.want("one.toml", dummy("one", fake="9"))
    dc.until(lambda seen: "FencingPending" in str(seen["plan"]["holds"]), "the change to be held")
    held = dc.run("status").stdout
    assert f"held     cluster: FencingPending: waits until the cluster has fenced {lost.name}" in held
    assert Cib(dc.node).value("one", "fake") != "9"
    approved = dc.run("approve", dc.document()["plan"]["digest"])
    assert approved.returncode == 0, approved.stderr
    until(lambda: Cib(dc.node).value("one", "fake") == "9", "what was approved", 10, 0.1)


SICK = """
apiVersion = "ha.reconciler.io/v1alpha1"
kind = "Primitive"
metadata.name = "sick"
spec.agent = "ocf:pacemaker:Dummy"
spec.params.state = "/run/sick.state"
spec.operations = [{{ name = "monitor", interval = "1s", on-fail = "{on_fail}" }}]
"""
FENCED = """
apiVersion = "ha.reconciler.io/v1alpha1"
kind = "List"
[[items]]
kind = "ClusterProperties"
metadata.name = "cib-bootstrap-options"
spec.properties = { stonith-enabled = true }
[[items]]
kind = "Primitive"
metadata.name = "fence"
spec.agent = "stonith:fence_watchdog"
spec.meta.target-role = "Stopped"
"""
