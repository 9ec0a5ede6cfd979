"""After a patch: what becomes of it is compared with its forecast; what does harm is taken back, never blindly."""

import re
from collections.abc import Iterator
from typing import Any

import pytest

from reconciler.report import all_well
from tests.lab import Lab, until
from tests.lab.view import View
from tests.real.operator import DESIRED, UNFENCED, WEB, Agent, Cib, agents_on, condition, dummy, find, in_sync, location

pytestmark = [pytest.mark.lab, pytest.mark.slow]

REVERT = "guards.revert = true"
BAD = "/nowhere/at/all"
"""A directory for the state of a Dummy that does not exist: it cannot start with it on any node."""


@pytest.fixture
def agent(lab: Lab) -> Iterator[Agent]:
    """The agent on the DC, not started yet."""
    dc = lab.view().dc
    assert dc
    with agents_on(lab, [dc]) as [agent]:
        agent.want("cluster.toml", UNFENCED)
        yield agent


def started(lab: Lab, agent: Agent, name: str, *settings: str) -> None:
    """Start the agent with a resource of that name: failures of one outlive it in the cluster."""
    agent.want(f"{name}.toml", dummy(name, fake="1"))
    agent.want("here.toml", location(f"{name}-here", name, agent.node.name))
    agent.start(*settings)
    agent.until(well, "all to be well")
    lab.wait_resource(name, agent.node.name)


def well(document: Any) -> bool:
    settling = document["settling"]
    healthy = all(condition(item, "Healthy")["status"] == "True" for item in document["objects"])
    return in_sync(document) and healthy and settling is not None and settling["result"] != "Settling"


def ended(document: Any) -> bool:
    return bool(document["settling"]) and document["settling"]["result"] != "Settling"


def register(agent: Agent) -> dict[str, str]:
    found = Cib(agent.node).root.iterfind("configuration/crm_config/cluster_property_set[@id='reconciler']/nvpair")
    return {pair.get("name", ""): pair.get("value", "") for pair in found}


def test_a_change_settles_as_forecast_and_is_healthy_then(lab: Lab, agent: Agent) -> None:
    started(lab, agent, "calm")
    agent.want("calm.toml", dummy("calm", state="/run/one.state"))
    seen = agent.until(
        lambda seen: condition(find(seen, "Primitive", "calm"), "Healthy")["reason"] == "Settling", "it to settle"
    )
    assert condition(find(seen, "Primitive", "calm"), "Healthy")["status"] == "Unknown"
    assert not all_well(seen), "`get` and `status` leave with 2 meanwhile"
    agent.until_logged("has settled as forecast, in")
    document = agent.until(well, "all to be well again")
    assert document["settling"]["surprises"] == []
    assert "surprise" not in agent.log()
    metrics = agent.node.run(["curl", "-s", "http://127.0.0.1:9977/metrics"], check=True).stdout
    assert 'reconciler_forecast_effects{effect="restart"} 1.0' in metrics
    assert 'reconciler_observed_effects{effect="restart"} 1.0' in metrics
    assert 'reconciler_surprises_total{about="placement"} 0.0' in metrics
    agent.want("calm.toml", dummy("calm", state="/run/one.state", op_sleep="2"))
    former = document["settling"]["revision"]
    document = agent.until(
        lambda seen: ended(seen) and seen["settling"]["revision"] != former, "a slow reload to settle"
    )
    assert document["settling"]["result"] == "AsForecast"
    assert document["settling"]["seconds"] > 2
    metrics = agent.node.run(["curl", "-s", "http://127.0.0.1:9977/metrics"], check=True).stdout
    assert 'reconciler_observed_effects{effect="reload"} 1.0' in metrics


def test_a_change_that_breaks_a_service_is_taken_back_and_held_until_the_next_revision(lab: Lab, agent: Agent) -> None:
    started(lab, agent, "harmed", REVERT)
    agent.want("harmed.toml", dummy("harmed", state=BAD))
    agent.want("two.toml", dummy("two"))
    agent.until_logged("harmed was running and healthy before revision", 40)
    agent.until_logged("reverted; revision .* is in quarantine")
    lab.wait_resource("harmed", agent.node.name)
    cib = Cib(agent.node)
    assert (cib.value("harmed", "state"), cib.value("harmed", "fake")) == (None, "1")
    assert cib.get("two") is None
    until(lambda: "two" not in lab.view().resources, "what the change had created to be gone", 20)
    owned = cib.get("reconciler-owned")
    assert owned is not None
    assert {"harmed", "harmed-here"} <= {str(item.get("id")) for item in owned}
    assert "two" not in {item.get("id") for item in owned}
    said = register(agent)["reconciler-quarantined"]
    document = agent.until(lambda seen: ended(seen) and seen["settling"]["takesBack"], "the revert to settle")
    assert said.startswith(f"revision {document['desired']['revision']} at ")
    assert said.endswith("harmed was running and healthy before it and not after")
    held = condition(find(document, "Primitive", "harmed"), "Synced")
    assert (held["status"], held["reason"]) == ("False", "Quarantined")
    assert agent.run("status").returncode == 2
    assert "MadeUnhealthy" in agent.run("describe", "Primitive", "harmed").stdout
    assert "out of band" not in agent.log(), "the revert is the agent's own doing"
    epoch = cib.epoch
    agent.stop()
    agent.start(REVERT)
    agent.until_logged("held: everything of the cluster: Quarantined: ")
    assert Cib(agent.node).epoch == epoch, "it is not tried again by the next process either"
    agent.want("harmed.toml", dummy("harmed", fake="2"))
    agent.until(well, "the next revision to be in force", 30)
    assert Cib(agent.node).value("harmed", "fake") == "2"
    until(lambda: lab.view().resources.get("two"), "two to run", 20)
    agent.want("harmed.toml", dummy("harmed", state=BAD))
    document = agent.until(lambda seen: "Quarantined" in str(seen["agent"]["held"]), "what did harm to be held again")
    assert Cib(agent.node).value("harmed", "fake") == "2"
    approved = agent.run("approve", document["plan"]["digest"])
    assert approved.returncode == 0, approved.stderr
    assert "releases it from Quarantined and from nothing else" in approved.stdout
    until(lambda: Cib(agent.node).value("harmed", "state") == BAD, "what a person has released", 10)
    until(lambda: register(agent) == {}, "the quarantine to be lifted", 20)


def test_without_revert_it_stays_and_is_said(lab: Lab, agent: Agent) -> None:
    started(lab, agent, "left")
    agent.want("left.toml", dummy("left", state=BAD))
    agent.until_logged("not reverted: revert = false", 40)
    agent.until_logged("unhealthy since revision .*: left: not reverted")
    document = agent.until(ended, "it to be over")
    healthy = condition(find(document, "Primitive", "left"), "Healthy")
    assert healthy["status"] == "False"
    assert "it was healthy before revision" in healthy["message"]
    assert Cib(agent.node).value("left", "state") == BAD
    assert register(agent) == {}
    assert "left was running and healthy before" in agent.run("status").stdout
    assert "  surprise  " in agent.run("describe", "Primitive", "left").stdout
    agent.want("left.toml", dummy("left", fake="3"))
    agent.until_logged("no longer: unhealthy since revision", 30)
    agent.until(well, "all to be well again")


def test_somebody_s_edit_since_then_prevents_the_revert(lab: Lab, agent: Agent) -> None:
    started(lab, agent, "edited", REVERT)
    agent.want("edited.toml", dummy("edited", state=BAD))
    agent.until_logged("updated Primitive/edited")
    agent.node.run(["crm_attribute", "--name", "batch-limit", "--update", "7"], check=True)
    agent.until_logged("not reverted: somebody has changed the configuration since .*batch-limit", 40)
    assert Cib(agent.node).value("edited", "state") == BAD
    assert register(agent) == {}


def test_a_correction_that_does_harm_is_neither_taken_back_nor_repeated(lab: Lab, agent: Agent) -> None:
    """Somebody has moved what a service needs, and told the cluster by hand: the manifests are right no more."""
    node = agent.node
    node.run(["mkdir", "-p", "/run/place"], check=True)
    wanted, other = "/run/place/proven.state", "/run/proven.state"
    by_hand = ["crm_resource", "--resource", "proven", "--set-parameter", "state", "--parameter-value", other]
    agent.want("proven.toml", dummy("proven", state=wanted))
    agent.want("here.toml", location("proven-here", "proven", node.name))
    agent.start(REVERT)
    agent.until_logged("has settled as forecast")
    agent.until(well, "all to be well")
    agent.stop()
    node.run(by_hand, check=True)
    until(lambda: node.path(other).exists(), "the cluster to have taken the edit over", 20)
    lab.wait_resource("proven", node.name)
    node.run(["rm", "-r", "/run/place"], check=True)
    agent.start(REVERT)
    agent.until_logged("not reverted: revision .* had run well before, so it is not to blame", 40)
    assert Cib(node).value("proven", "state") == wanted
    until(lambda: "reconciler-quarantined" in register(agent), "the other agents to be told", 5)
    (said,) = register(agent).values()
    assert re.fullmatch(
        r"revision [0-9a-f]+/Primitive/proven at \S+: until \S+, as its last correction broke proven", said
    ), said
    node.run(by_hand, check=True)
    node.run(["crm_resource", "--resource", "proven", "--cleanup"], check=True)

    def left_alone(seen: Any) -> bool:
        return bool(condition(find(seen, "Primitive", "proven"), "Synced")["reason"] == "BackingOff")

    document = agent.until(left_alone, "it to be left alone")
    assert "its last correction broke proven; left alone until" in str(find(document, "Primitive", "proven"))
    assert Cib(node).value("proven", "state") == other
    agent.kill()
    agent.start(REVERT)
    agent.until(left_alone, "it to be left alone by the next process too")
    (name,) = set(lab.nodes) - {node.name}
    with agents_on(lab, [name]) as [successor]:
        for file in ("cluster.toml", "proven.toml", "here.toml"):
            successor.want(file, (node.path(DESIRED) / file).read_text(encoding="utf-8"))
        successor.start(REVERT)
        agent.kill()
        successor.until(lambda seen: seen["agent"]["writes"], "to be the writer")
        successor.until(left_alone, "it to be left alone by another node's agent")
        asked = successor.run("plan")
        assert asked.returncode == 2
        assert "Primitive/proven: BackingOff: its last correction broke proven" in asked.stdout
        metrics = successor.node.run(["curl", "-s", "http://127.0.0.1:9977/metrics"], check=True).stdout
        assert "reconciler_left_alone_objects 1.0" in metrics
        assert "updated Primitive/proven" not in successor.log()
    assert Cib(node).value("proven", "state") == other

    def runs_here(view: View) -> bool:
        # A start that was under way before the edit may fail after the cleanup, and keeps it from this node.
        node.run(["crm_resource", "--resource", "proven", "--cleanup"])
        return view.resources.get("proven") == frozenset({node.name})

    lab.until(runs_here, "it to run again where it belongs, as it was told by hand", 60)


def test_a_restart_meanwhile_is_said(lab: Lab, agent: Agent) -> None:
    started(lab, agent, "again", REVERT)
    agent.want("again.toml", dummy("again", op_sleep="3"))
    agent.until_logged("updated Primitive/again")
    agent.kill()
    agent.start(REVERT)
    agent.until_logged("had not settled when the agent ended")
    agent.until_synced()


def test_a_broken_apache_serves_again(lab: Lab) -> None:
    """The reference case: a configuration file that is not there, and the service is back within seconds."""
    dc = lab.view().dc
    assert dc
    with agents_on(lab, [dc]) as [agent]:
        for name in ("cluster", "gateway", "web"):
            agent.want(f"{name}.toml", (WEB / f"{name}.toml").read_text(encoding="utf-8"))
        agent.start(REVERT)
        agent.until(well, "the service to be up", 60)
        assert lab.client.get("http://192.168.1.60/")
        text = (WEB / "web.toml").read_text(encoding="utf-8")
        agent.want("web.toml", text.replace("/etc/apache2/apache2.conf", "/etc/apache2/not-there.conf"))
        agent.until_logged("reverted; revision", 60)
        until(lambda: lab.client.get("http://192.168.1.60/"), "the service to be back", 30)
        assert "/etc/apache2/apache2.conf" in (Cib(agent.node).value("httpd", "configfile") or "")
