"""Somebody else writes the CIB at the same time: nothing of theirs is lost, nothing of ours is starved."""

import re
import time
from collections.abc import Iterator

import pytest

from tests.lab import Lab, until
from tests.real.operator import UNFENCED, Agent, Cib, agents_on, condition, dummy, find, in_sync, location

pytestmark = [pytest.mark.lab, pytest.mark.slow]

EDITS = 100
OTHERS = """
i=0
while [ $i -lt {count} ]; do
    i=$((i + 1))
    cibadmin --create --scope tags --xml-text "<tag id=\\"rival-$i\\"><obj_ref id=\\"one\\"/></tag>" || exit 1
done
"""
SAME = """
i=0
while [ $i -lt {count} ]; do
    i=$((i + 1))
    [ $((i % 2)) = 1 ] && value=false || value=true
    crm_resource --resource one --meta --set-parameter is-managed --parameter-value $value >/dev/null || exit 1
    crm_attribute --name rival-$i --update $i || exit 1
done
"""


@pytest.fixture
def agents(lab: Lab) -> Iterator[list[Agent]]:
    """The agent on the DC first."""
    dc = lab.view().dc
    names = sorted(lab.nodes, key=lambda name: name != dc)
    with agents_on(lab, names) as agents:
        for agent in agents:
            agent.want("cluster.toml", UNFENCED)
            agent.want("one.toml", dummy("one", fake="0"))
            agent.start()
        for agent in agents:
            agent.until_synced()
        yield agents


@pytest.mark.parametrize("script", [OTHERS, SAME], ids=["of other objects", "of the same object"])
def test_a_hundred_edits(agents: list[Agent], script: str) -> None:
    first, second = agents
    count = EDITS if script is OTHERS else EDITS // 2
    began = time.monotonic()
    rival = second.node.start(["sh", "-c", script.format(count=count)], log="rival.log")
    changes, latencies = 0, []
    while rival.returncode is None:
        changes += 1
        asked = time.monotonic()
        for agent in reversed(agents):
            agent.want("one.toml", dummy("one", fake=str(changes)))
        arrives(first, str(changes))
        latencies.append(time.monotonic() - asked)
    seconds = time.monotonic() - began
    assert rival.returncode == 0, rival.log.read_text(encoding="utf-8")
    refused = re.findall(r"planned anew (once|\d+ times)", first.log())
    print(
        f"\n{EDITS} edits of a rival in {seconds:.1f} s; meanwhile {changes} changes got into the CIB"
        f" within {max(latencies):.2f} s at the worst, patches were refused and planned anew {refused}"
    )
    for agent in agents:
        agent.until(in_sync, "all to be in sync")
    cib = Cib(first.node)
    assert cib.value("one", "fake") == str(changes)
    if script is OTHERS:
        assert all(cib.get(f"rival-{number + 1}") is not None for number in range(count))
    else:
        assert all(cib.value("cib-bootstrap-options", f"rival-{n + 1}") == str(n + 1) for n in range(count))
        assert cib.value("one", "is-managed") == "true"
    assert not {"error", "BackingOff"} & set(first.log().split())


STOP = "/run/rivals-stop"
ENDLESS = f"""
i=0
while [ ! -e {STOP} ]; do
    i=$((i + 1))
    pair="<nvpair id='NAME' name='NAME' value='$i'/>"
    cibadmin --modify --allow-create --scope crm_config \\
        --xml-text "<cluster_property_set id='cib-bootstrap-options'>$pair</cluster_property_set>" || exit
done
echo $i
"""


def test_edits_as_fast_as_the_cluster_takes_them_do_not_starve_and_nothing_is_lost_or_doubled(
    agents: list[Agent],
) -> None:
    """Rivals on both nodes leave hardly a gap, and do not stop before the agent's change is there."""
    first, _ = agents
    before, began = Cib(first.node).epoch, time.monotonic()
    rivals = {
        name: agent.node.start(["sh", "-c", ENDLESS.replace("NAME", name)], log=f"{name}.log")
        for agent in agents
        for name in (f"rival-{agent.node.name}-x", f"rival-{agent.node.name}-y")
    }
    for agent in reversed(agents):
        agent.want("one.toml", dummy("one", fake="7"))
    first.until_logged("updated Primitive/one", 120)
    seconds = time.monotonic() - began
    assert all(rival.returncode is None for rival in rivals.values())
    for agent in agents:
        agent.node.path(STOP).touch()
    until(lambda: all(rival.returncode is not None for rival in rivals.values()), "the rivals to be done", 20, 0.05)
    counts = {name: int(rival.log.read_text(encoding="utf-8").split()[-1]) for name, rival in rivals.items()}
    edits = sum(counts.values())
    lasted = time.monotonic() - began
    print(f"\n{edits} edits, {edits / lasted:.0f} a second; the change came after {seconds:.2f} s")
    for agent in agents:
        agent.until(in_sync, "all to be in sync")
    cib = Cib(first.node)
    assert cib.value("one", "fake") == "7"
    made = sum(agent.log().count("updated Primitive/one") for agent in agents)
    assert (made, cib.epoch - before) == (1, edits + 1), first.log()
    assert {name: cib.value("cib-bootstrap-options", name) for name in counts} == {n: str(i) for n, i in counts.items()}


BY_CRM = """
for i in $(seq {count}); do
    crm -F configure primitive crm-$i ocf:pacemaker:Dummy \\
        params state=/run/crm-$i op monitor interval=$((20 + i))s || exit
    crm -F configure location crm-$i-here crm-$i 50: vm-node1 || exit
    crm resource param crm-$i set fake $i || exit
done
"""
BY_PCS = """
for i in $(seq {count}); do
    pcs resource create pcs-$i ocf:pacemaker:Dummy state=/run/pcs-$i op monitor interval=$((20 + i))s || exit
    pcs constraint location pcs-$i prefers vm-node2=50 || exit
    pcs resource update pcs-$i fake=$i || exit
done
"""
BY_HAND = 3


@pytest.mark.parametrize(("tool", "script"), [("crm", BY_CRM), ("pcs", BY_PCS)], ids=["crm", "pcs"])
def test_people_who_work_at_the_same_time_lose_nothing(agents: list[Agent], tool: str, script: str) -> None:
    """One tool at a time: crm and pcs read, think and write, and may undo each other without any agent."""
    first, second = agents
    person = second.node.start(["sh", "-c", script.format(count=BY_HAND)], log="person.log")
    changes = 0
    while person.returncode is None:
        changes += 1
        for agent in reversed(agents):
            agent.want("one.toml", dummy("one", fake=str(changes)))
            agent.want("there.toml", location("one-there", "one", "vm-node2", changes))
        arrives(first, str(changes))
    assert person.returncode == 0, person.log.read_text(encoding="utf-8")
    for agent in agents:
        agent.until(in_sync, "all to be in sync")
    print(f"\n{BY_HAND} resources by {tool}; meanwhile {changes} changes got into the CIB")
    cib = Cib(first.node)
    assert changes > 1
    assert cib.value("one", "fake") == str(changes)
    for number in range(1, BY_HAND + 1):
        name = f"{tool}-{number}"
        assert (cib.value(name, "fake"), cib.value(name, "state")) == (str(number), f"/run/{name}")
        monitor = cib.root.find(f"configuration/resources/primitive[@id='{name}']/operations/op[@name='monitor']")
        assert monitor is not None
        assert monitor.get("interval") == f"{20 + number}s"
        (there,) = cib.root.findall(f"configuration/constraints/rsc_location[@rsc='{name}']")
        assert there.get("score") == "50"
        owned = cib.root.findall("configuration/tags/tag[@id='reconciler-owned']/obj_ref")
        assert name not in {item.get("id") for item in owned}
    assert "error" not in first.log().split(), first.log()


def arrives(agent: Agent, value: str) -> None:
    until(lambda: Cib(agent.node).value("one", "fake") == value, "the change", 30, 0.02, agent.log)


def test_a_rival_of_the_same_field_is_left_alone_after_a_while(agents: list[Agent]) -> None:
    first, second = agents
    for agent in reversed(agents):
        agent.want("where.toml", location("one-here", "one", "vm-node1", 100))
    first.until_logged("created Location/one-here")
    script = 'while cibadmin --modify --xml-text \'<rsc_location id="one-here" score="7"/>\'; do sleep 0.1; done'
    rival = second.node.start(["sh", "-c", script], log="rival.log")
    first.until_logged("held: Location/one-here: Oscillating: score was corrected 30 times", 120)
    # Its creation was the first time.
    assert first.log().count("updated Location/one-here") == 29
    document = first.until(lambda seen: not in_sync(seen), "the quarrel")
    told = condition(find(document, "Location", "one-here"), "Synced")
    assert (told["status"], told["reason"]) == ("False", "Oscillating")
    assert "somebody else changes it back" in first.run("get", "Location", "one-here").stdout
    # Everything else goes on, and a new revision is tried at once.
    for agent in reversed(agents):
        agent.want("one.toml", dummy("one", fake="1"))
    first.until_logged("updated Primitive/one")
    rival.stop()
    for agent in agents:
        agent.until(in_sync, "peace")
    score = Cib(first.node).get("one-here")
    assert score is not None
    assert score.get("score") == "100"
