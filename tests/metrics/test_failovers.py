"""Failovers, told by small clusters whose histories are what Pacemaker would have written."""

import json
from collections import Counter
from dataclasses import replace

import pytest

from reconciler.metrics.failovers import RETENTION_SECONDS, Event, Kind, observe
from reconciler.metrics.memory import Cause, Memory, dump, load
from tests.metrics.simulated import SimulatedCluster


class Agents:
    """One agent per node, each with the memory that it would have on disk."""

    def __init__(self, cluster: SimulatedCluster) -> None:
        self.cluster = cluster
        self.memories: dict[str, Memory] = {}
        self.events: list[Event] = []

    def look(self, *nodes: str, touched: frozenset[str] = frozenset()) -> list[Event]:
        found: list[Event] = []
        for node in nodes or tuple(self.cluster.nodes):
            if not self.cluster.nodes[node].online:
                continue
            stored = json.loads(json.dumps(dump(self.memories[node]))) if node in self.memories else None
            memory = load(stored, cluster=self.cluster.name, local_node=node)
            assert (memory is None) is (stored is None)
            self.memories[node], events = observe(memory, self.cluster.status(), node, self.cluster.now, touched)
            found += events
        self.events += found
        return found

    def count(self, unit: str) -> int:
        return sum(sum(m.units[unit].tally.failovers.values()) for m in self.memories.values() if unit in m.units)


@pytest.fixture
def cluster() -> SimulatedCluster:
    cluster = SimulatedCluster()
    for unit in ("web", "db", "repl"):
        cluster.start(unit, "a")
    cluster.wait(60)
    return cluster


@pytest.fixture
def agents(cluster: SimulatedCluster) -> Agents:
    agents = Agents(cluster)
    assert agents.look() == []
    return agents


def told(events: list[Event]) -> list[tuple[str, str, str, str, str]]:
    return [(event.kind.value, event.resource, event.source, event.target, event.cause.value) for event in events]


def test_units_are_groups_single_primitives_and_promotable_clones(agents: Agents) -> None:
    assert set(agents.memories["a"].units) == {"web", "db", "repl"}
    assert agents.memories["a"].units["web"].tally.failovers == dict.fromkeys(Cause, 0)


@pytest.mark.parametrize("unit", ["web", "db", "repl"])
def test_a_move_counts_once_where_the_unit_arrives(agents: Agents, cluster: SimulatedCluster, unit: str) -> None:
    cluster.move(unit, "b")
    assert told(agents.look()) == [("failover", unit, "a", "b", "unknown")]
    assert agents.look() == []
    assert agents.count(unit) == 1


def test_it_counts_once_though_passes_fall_into_the_move(agents: Agents, cluster: SimulatedCluster) -> None:
    cluster.stop("web", "a")
    assert agents.look() == []
    cluster.start("web", "b")
    assert told(agents.look()) == [("failover", "web", "a", "b", "unknown")]


def test_a_unit_that_is_still_starting_has_not_arrived(agents: Agents, cluster: SimulatedCluster) -> None:
    cluster.stop("db", "a")
    record = cluster.nodes["b"].records["db"]
    cluster.start("db", "b")
    done = dict(record.ops)
    pending = done["last"].replace('op-status="0"', 'op-status="-1"').replace('rc-code="0"', 'rc-code="193"')
    record.ops = {"last": pending.replace('call-id="', 'call-id="-1" was="')}
    assert agents.look() == []
    record.ops = done
    assert told(agents.look()) == [("failover", "db", "a", "b", "unknown")]


def test_a_crash_is_unplanned(agents: Agents, cluster: SimulatedCluster) -> None:
    cluster.crash("a")
    agents.look()
    cluster.start("db", "b")
    (event,) = agents.look()
    assert told([event]) == [("failover", "db", "a", "b", "unplanned")]
    assert event.duration is None


def test_a_failed_resource_is_unplanned_and_dated_from_its_failure(agents: Agents, cluster: SimulatedCluster) -> None:
    cluster.fail("db", "a")
    cluster.wait(2)
    cluster.move("db", "b")
    (event,) = agents.look()
    assert told([event]) == [("failover", "db", "a", "b", "unplanned")]
    assert event.duration == pytest.approx(3.5)  # 2 s until the stop, 1 s of it, 0.5 s of the start


def test_what_moves_along_with_a_failed_resource_is_unplanned(agents: Agents, cluster: SimulatedCluster) -> None:
    cluster.fail("db", "a")
    cluster.move("db", "b")
    cluster.move("web", "b")
    assert {event[1]: event[4] for event in told(agents.look())} == {"db": "unplanned", "web": "unplanned"}


def test_standby_is_planned(agents: Agents, cluster: SimulatedCluster) -> None:
    cluster.nodes["a"].attributes["standby"] = "on"
    agents.look()
    cluster.move("web", "b")
    assert told(agents.look()) == [("failover", "web", "a", "b", "planned")]


def test_a_shutdown_is_planned(agents: Agents, cluster: SimulatedCluster) -> None:
    cluster.nodes["a"].attributes["shutdown"] = str(cluster.now)
    cluster.move("web", "b")
    cluster.leave("a")
    assert told(agents.look()) == [("failover", "web", "a", "b", "planned")]


def test_a_manual_move_is_planned_and_so_is_its_end(agents: Agents, cluster: SimulatedCluster) -> None:
    cluster.constraints = '<rsc_location id="cli-prefer-ip" rsc="ip" node="b" score="INFINITY"/>'
    agents.look()
    cluster.move("web", "b")
    assert told(agents.look()) == [("failover", "web", "a", "b", "planned")]
    cluster.wait(3600)
    agents.look()
    cluster.constraints = ""
    agents.look()
    cluster.move("web", "a")
    assert told(agents.look()) == [("failover", "web", "b", "a", "planned")]


def test_a_change_of_the_desired_state_is_planned(agents: Agents, cluster: SimulatedCluster) -> None:
    cluster.move("web", "b")
    assert told(agents.look(touched=frozenset({"app"}))) == [("failover", "web", "a", "b", "planned")]


def test_a_restart_by_a_changed_configuration_is_no_recovery_though_it_shows_a_pass_later(
    agents: Agents, cluster: SimulatedCluster
) -> None:
    assert agents.look(touched=frozenset({"db"})) == []
    cluster.wait(2)
    cluster.stop("db", "a")
    cluster.start("db", "a")
    assert agents.look() == []
    cluster.wait(30)
    cluster.fail("db", "a")
    cluster.stop("db", "a")
    cluster.start("db", "a")
    assert told(agents.look()) == [("recovery", "db", "a", "a", "unplanned")]


def test_a_live_migration_is_planned_and_counts_once(agents: Agents, cluster: SimulatedCluster) -> None:
    cluster.migrate("db", "b")
    assert told(agents.look()) == [("failover", "db", "a", "b", "planned")]
    assert agents.look() == []


def test_a_later_failure_outweighs_an_earlier_hand(agents: Agents, cluster: SimulatedCluster) -> None:
    assert agents.look(touched=frozenset({"db"})) == []
    cluster.wait(30)
    cluster.fail("db", "a")
    cluster.move("db", "b")
    assert told(agents.look()) == [("failover", "db", "a", "b", "unplanned")]


def test_a_lost_gateway_is_unplanned(agents: Agents, cluster: SimulatedCluster) -> None:
    cluster.constraints = (
        '<rsc_location id="l" rsc="db"><rule id="r" score="-INFINITY" boolean-op="or"><expression id="e"'
        ' attribute="pingd" operation="lt" value="1000"/></rule></rsc_location>'
    )
    for node in cluster.nodes.values():
        node.attributes["pingd"] = "1000"
    agents.look()
    cluster.nodes["a"].attributes["pingd"] = "0"
    cluster.move("db", "b")
    assert told(agents.look()) == [("failover", "db", "a", "b", "unplanned")]


def test_a_restart_in_place_is_a_recovery(agents: Agents, cluster: SimulatedCluster) -> None:
    cluster.fail("db", "a")
    cluster.stop("db", "a")
    cluster.start("db", "a")
    assert told(agents.look()) == [("recovery", "db", "a", "a", "unplanned")]
    assert agents.memories["a"].units["db"].tally.recoveries == 1
    assert agents.count("db") == 0


def test_stopping_and_starting_by_hand_is_no_recovery(agents: Agents, cluster: SimulatedCluster) -> None:
    cluster.meta["web"] = "Stopped"
    cluster.stop("web", "a")
    agents.look()
    cluster.meta.clear()
    cluster.start("web", "a")
    assert agents.look() == []


def test_a_failed_attempt_elsewhere_is_no_visit(agents: Agents, cluster: SimulatedCluster) -> None:
    cluster.stop("db", "a")
    cluster.fail("db", "b", task="start", rc=1)
    cluster.stop("db", "b")
    cluster.start("db", "a")
    assert told(agents.look()) == [("recovery", "db", "a", "a", "unknown")]


def test_a_failed_attempt_on_the_way_is_no_arrival(agents: Agents, cluster: SimulatedCluster) -> None:
    cluster.stop("db", "a")
    cluster.fail("db", "b", task="start", rc=1)
    cluster.stop("db", "b")
    cluster.start("db", "c")
    assert told(agents.look()) == [("failover", "db", "a", "c", "unknown")]


def test_a_visit_between_two_passes_counts_on_the_node_visited(agents: Agents, cluster: SimulatedCluster) -> None:
    cluster.move("db", "b")
    cluster.move("db", "c")
    assert sorted(told(agents.look())) == [
        ("failover", "db", "a", "b", "unknown"),
        ("failover", "db", "b", "c", "unknown"),
    ]
    assert agents.look() == []


def test_away_and_back_between_two_passes_counts_twice(agents: Agents, cluster: SimulatedCluster) -> None:
    cluster.move("db", "b")
    cluster.move("db", "a")
    assert sorted(told(agents.look())) == [
        ("failover", "db", "a", "b", "unknown"),
        ("failover", "db", "b", "a", "unknown"),
    ]


def test_a_rebooted_node_gets_its_unit_back(agents: Agents, cluster: SimulatedCluster) -> None:
    cluster.crash("a")
    cluster.start("db", "b")
    agents.look()
    cluster.boot("a")
    cluster.move("db", "a")
    assert told(agents.look()) == [("failover", "db", "b", "a", "unknown")]
    assert agents.count("db") == 2


def test_before_it_joins_a_node_counts_nothing(agents: Agents, cluster: SimulatedCluster) -> None:
    kept = agents.memories["a"]
    for node in cluster.nodes.values():
        node.online = False
    assert observe(kept, cluster.status(), "a", cluster.now) == (kept, ())


@pytest.mark.parametrize("membership_times", [True, False])
def test_the_start_of_the_whole_cluster_counts_nothing(membership_times: bool) -> None:
    cluster = SimulatedCluster(membership_times=membership_times)
    cluster.start("db", "a")
    for _ in range(3):
        cluster.fail("db", "b")  # call ids go on
        cluster.fail("db", "c")
    agents = Agents(cluster)
    agents.look()
    cluster.wait(100)
    for node in cluster.nodes:
        cluster.boot(node)
    cluster.transition += 1
    cluster.start("db", "b")
    cluster.start("web", "b")
    assert agents.look() == []
    cluster.move("db", "c")
    assert told(agents.look()) == [("failover", "db", "b", "c", "unknown")]


def test_one_rebooted_node_is_not_the_whole_cluster(agents: Agents, cluster: SimulatedCluster) -> None:
    cluster.move("db", "b")
    agents.look()
    cluster.crash("c")
    cluster.boot("c")
    cluster.move("db", "c")
    assert told(agents.look()) == [("failover", "db", "b", "c", "unknown")]


def test_the_memory_of_others_and_damaged_ones_are_none(agents: Agents) -> None:
    stored = dump(agents.memories["a"])
    assert load(stored, cluster="sim", local_node="a") == agents.memories["a"]
    assert load(stored, cluster="sim", local_node="b") is None
    assert load(stored, cluster="other", local_node="a") is None
    assert load({**stored, "version": 0}, cluster="sim", local_node="a") is None
    assert load({"version": stored["version"], "memory": {"at": "x"}}, cluster="sim", local_node="a") is None
    assert load([], cluster="sim", local_node="a") is None
    assert load(None, cluster="sim", local_node="a") is None


def test_without_a_memory_nothing_is_counted(agents: Agents, cluster: SimulatedCluster) -> None:
    cluster.move("db", "b")
    del agents.memories["b"]
    assert agents.look() == []
    cluster.move("db", "c")
    assert told(agents.look()) == [("failover", "db", "b", "c", "unknown")]


def test_counts_outlive_the_unit_for_a_while(agents: Agents, cluster: SimulatedCluster) -> None:
    cluster.move("db", "b")
    agents.look()
    memory = agents.memories["b"]
    empty = SimulatedCluster().status()
    without = [item for item in empty.resources if item == "db"]
    assert without
    gone = {name: item for name, item in empty.resources.items() if name != "db"}
    bare = replace(empty, resources=gone)
    kept, _ = observe(memory, bare, "b", cluster.now + 60)
    assert kept.units["db"].tally == memory.units["db"].tally
    dropped, _ = observe(memory, bare, "b", cluster.now + RETENTION_SECONDS + 60)
    assert "db" not in dropped.units


def test_becoming_dc_is_counted_where_it_happens(agents: Agents, cluster: SimulatedCluster) -> None:
    cluster.crash("a")
    agents.look()
    assert {node: memory.dc_elections for node, memory in agents.memories.items()} == {"a": 0, "b": 1, "c": 0}


def test_the_last_failover_is_remembered_by_cause(agents: Agents, cluster: SimulatedCluster) -> None:
    began = cluster.now + 1  # one second for the stop
    cluster.move("db", "b")
    agents.look()
    tally = agents.memories["b"].units["db"].tally
    assert tally.last_at == {Cause.UNKNOWN: began}
    assert tally.last is not None
    assert (tally.last.source, tally.last.cause, tally.last.duration) == ("a", Cause.UNKNOWN, 1.5)
    assert Counter(event.kind for event in agents.events) == {Kind.FAILOVER: 1}
