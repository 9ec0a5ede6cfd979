"""What nobody wants any more goes, stopped first and within the budget; what cannot be read deletes nothing, ever."""

import shutil
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.lab import Lab, until
from tests.real.operator import (
    DESIRED,
    UNFENCED,
    Agent,
    Cib,
    Document,
    agents_on,
    condition,
    dummy,
    find,
    in_sync,
    location,
)

pytestmark = [pytest.mark.lab, pytest.mark.slow]

NAMES = [f"r{number}" for number in range(4)]


@pytest.fixture
def agent(lab: Lab) -> Iterator[Agent]:
    """The agent on the DC, with four resources."""
    dc = lab.view().dc
    assert dc
    with agents_on(lab, [dc]) as [agent]:
        agent.want("cluster.toml", UNFENCED)
        for name in NAMES:
            agent.want(f"{name}.toml", dummy(name))
        yield agent


def started(agent: Agent, *settings: str) -> None:
    agent.start(*settings)
    agent.until_synced()


def there(agent: Agent) -> list[str]:
    cib = Cib(agent.node)
    return [name for name in NAMES if cib.get(name) is not None]


def test_a_running_resource_is_stopped_and_then_deleted(lab: Lab, agent: Agent) -> None:
    agent.want("r0.toml", dummy("r0", op_sleep="1"))
    agent.want("here.toml", location("r0-here", "r0", agent.node.name))
    started(agent)
    lab.wait_resource("r0", agent.node.name)
    agent.until(lambda seen: condition(find(seen, "Primitive", "r0"), "Healthy")["reason"] == "Running", "r0 to run")
    agent.unwant("r0.toml")
    agent.unwant("here.toml")
    agent.until_logged("held: Primitive/r0: Stopping: .*stopped first")
    agent.until_logged("deleted Primitive/r0")
    stopped, deleted = (
        agent.log().index(word) for word in ("meta.target-role: (absent) -> Stopped", "deleted Primitive")
    )
    assert stopped < deleted
    document = agent.until(lambda seen: find(seen, "Primitive", "r0") is None, "r0 to be forgotten")
    assert in_sync(document)
    assert there(agent) == NAMES[1:]
    assert Cib(agent.node).get("r0-here") is None
    assert "r0" not in lab.view().resources, "an orphan is left"
    assert not lab.view().failures


def why(document: Document, name: str) -> str:
    found = find(document, "Primitive", name)
    return str(condition(found, "Synced")["reason"]) if found else ""


def test_more_deletions_than_the_budget_hold_the_plan_until_there_are_fewer(lab: Lab, agent: Agent) -> None:
    started(agent, "guards.deletion_budget = 2")
    lab.until(lambda view: all(view.resources.get(name) for name in NAMES), "all to run")
    for name in NAMES[:3]:
        agent.node.path(f"{DESIRED}/{name}.toml").unlink()
    agent.until_logged("held: everything of the cluster: DeletionBudget: .*budget of 2: Primitive/r0, Primitive/r1")
    agent.until(lambda seen: why(seen, "r1") == "DeletionBudget", "r1 to be held")
    assert agent.run("status").returncode == 2
    agent.want("r9.toml", dummy("r9"))
    agent.until(lambda seen: why(seen, "r9") == "DeletionBudget", "r9 to be held")
    assert there(agent) == NAMES
    agent.want("r0.toml", dummy("r0"))
    agent.until_logged("deleted Primitive/r2")
    agent.until_logged("created Primitive/r9")
    agent.until_synced()
    assert there(agent) == ["r0", "r3"]


def held_by_its_budget(document: Document) -> bool:
    held = document["agent"]["held"].get("cluster", {})
    return held.get("reason") == "DeletionBudget" and "TransitionRunning" not in str(document["plan"]["holds"])


def test_an_approval_releases_the_stops_and_the_deletions_of_exactly_that_plan(lab: Lab, agent: Agent) -> None:
    started(agent, "guards.deletion_budget = 2")
    lab.until(lambda view: all(view.resources.get(name) for name in NAMES), "all to run")
    for name in NAMES[:3]:
        agent.node.path(f"{DESIRED}/{name}.toml").unlink()
    document = agent.until(held_by_its_budget, "the plan to be held by nothing else")
    wrong = agent.run("approve", "0" * 12)
    assert (wrong.returncode, document["plan"]["digest"] in wrong.stderr) == (1, True)
    approved = agent.run("approve", document["plan"]["digest"])
    assert approved.returncode == 0, approved.stderr
    agent.until_logged("deleted Primitive/r2")
    agent.until_synced()
    assert there(agent) == NAMES[3:]
    until(lambda: Cib(agent.node).get("reconciler") is None, "the used approval to be taken out", 10)


def test_nothing_is_deleted_where_deleting_is_switched_off(agent: Agent) -> None:
    started(agent, "guards.prune = false")
    agent.unwant("r0.toml")
    agent.until_logged("held: Primitive/r0: PruneOff")
    assert there(agent) == NAMES


BROKEN = {
    "missing": "does not exist",
    "empty": "no manifest",
    "no objects": "the manifests hold no object",
    "unreadable": "not a directory",
    "not TOML": "broken.toml",
    "unknown kind": "Primitiv",
    "unsafe": "0666",
    "binary": "zero byte",
    "twice": "Primitive/r1",
}


def spoil(place: Path, how: str) -> None:
    """Do something to the desired directory that leaves no good set of manifests in it."""
    kept = place.with_name("kept")
    match how:
        case "missing":
            place.rename(kept)
        case "empty" | "no objects":
            place.rename(kept)
            place.mkdir()
            if how == "no objects":
                (place / "list.toml").write_text(
                    'apiVersion = "ha.reconciler.io/v1alpha1"\nkind = "List"\nitems = []\n'
                )
        case "unreadable":
            place.rename(kept)
            place.write_text("a file")
        case _:
            shutil.copytree(place, kept)
            (place / "r0.toml").unlink()
            broken = place / "broken.toml"
            match how:
                case "not TOML":
                    broken.write_text("kind = ")
                case "unknown kind":
                    broken.write_text(dummy("new").replace('"Primitive"', '"Primitiv"'))
                case "binary":
                    broken.write_bytes(b"\x7fELF\0\0")
                case "unsafe":
                    broken.write_text(dummy("new"))
                    broken.chmod(0o666)
                case "twice":
                    broken.write_text(dummy("r1"))


def mend(place: Path) -> None:
    kept = place.with_name("kept")
    if place.is_dir():
        shutil.rmtree(place)
    else:
        place.unlink(missing_ok=True)
    kept.rename(place)


def test_what_cannot_be_understood_deletes_nothing_and_the_last_good_state_stays_in_force(agent: Agent) -> None:
    started(agent)
    place = agent.node.path(DESIRED)
    revision = agent.document()["desired"]["revision"]
    for how, said in BROKEN.items():
        spoil(place, how)
        document = agent.until(lambda seen: bool(seen["desired"]["problem"]), f"the problem: {how}")
        assert said in " ".join([document["desired"]["problem"], *document["desired"]["rejected"]]), how
        assert "the last good state stays in force" in document["desired"]["problem"]
        assert document["desired"]["revision"] == revision
        assert not document["plan"]["changes"]
        if how in ("missing", "not TOML"):
            assert "problem " in agent.run("status").stdout
            repaired(agent)
        mend(place)
        agent.until(in_sync, f"it to be mended: {how}")
    assert there(agent) == NAMES
    assert "info: deleted" not in agent.log()


def repaired(agent: Agent) -> None:
    """What somebody deletes meanwhile comes back: the last good state really is in force."""
    epoch = Cib(agent.node).epoch
    agent.node.run(["cibadmin", "--delete", "--xml-text", '<primitive id="r3"/>'], check=True)
    until(lambda: Cib(agent.node).epoch >= epoch + 2, "the repair", 10, 0.02, agent.log)
    assert Cib(agent.node).get("r3") is not None


def test_a_restart_while_it_is_broken_changes_nothing(agent: Agent) -> None:
    started(agent)
    before = agent.document()
    agent.stop()
    place = agent.node.path(DESIRED)
    spoil(place, "not TOML")
    agent.start()
    document = agent.until(lambda seen: bool(seen["desired"]["problem"]), "the problem")
    assert document["desired"]["revision"] == before["desired"]["revision"]
    assert document["desired"]["rejected"]
    assert not document["plan"]["changes"]
    assert there(agent) == NAMES
    mend(place)
    agent.until(in_sync, "it to be mended")


def test_before_there_ever_was_a_good_state_nothing_is_applied(agent: Agent) -> None:
    agent.want("broken.toml", "kind = ")
    agent.start()
    document = agent.document()
    assert "nothing is applied" in document["desired"]["problem"]
    assert agent.run("status").returncode == 2
    assert agent.run("get").stdout == "no objects\n"
    assert there(agent) == []
    agent.unwant("broken.toml")
    agent.until_synced()


def test_conditions_outlive_the_agent(agent: Agent) -> None:
    started(agent)
    agent.until(
        lambda seen: all(entry["status"] == "True" for item in seen["objects"] for entry in item["conditions"]),
        "everything to be healthy",
    )
    before = agent.document()["objects"]
    modes = {
        "/run/reconciler/status.json": 0o600,
        "/run/reconciler/agent.lock": 0o600,
        "/var/lib/reconciler/status.json": 0o600,
        "/var/lib/reconciler/last-good.json": 0o600,
    }
    assert {name: stat.S_IMODE(agent.node.path(name).stat().st_mode) for name in modes} == modes
    agent.stop()
    agent.start()
    assert agent.document()["objects"] == before
    agent.kill()
    agent.start()
    assert agent.document()["objects"] == before
