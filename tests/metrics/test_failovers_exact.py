"""Whatever passes each agent misses: never more failovers than there were, and exactly as many within the bound."""

from dataclasses import dataclass, field

from hypothesis import given
from hypothesis import strategies as st

from tests.examples import often
from tests.metrics.simulated import SimulatedCluster
from tests.metrics.test_failovers import Agents

UNITS = ("web", "db", "repl")
NODES = "abc"

ACTIONS = st.lists(
    st.one_of(
        st.tuples(st.just("move"), st.sampled_from(UNITS), st.sampled_from(NODES)),
        st.tuples(st.just("restart"), st.sampled_from(UNITS), st.just("")),
        st.tuples(st.just("migrate"), st.just("db"), st.sampled_from(NODES)),
        st.tuples(st.just("fail"), st.sampled_from(UNITS), st.sampled_from(NODES)),
        st.tuples(st.just("crash"), st.just(""), st.sampled_from(NODES)),
        st.tuples(st.just("boot"), st.just(""), st.sampled_from(NODES)),
        st.tuples(st.just("look"), st.just(""), st.sampled_from(NODES)),
        st.tuples(st.just("look"), st.just(""), st.sampled_from(NODES)),
    ),
    max_size=25,
)


@dataclass
class History:
    """A cluster, its agents, and what really happened.

    With `exact` an agent looks in time before a unit comes or goes a third time on its node since it looked, and all
    look before a node crashes or fails to start a unit; without, agents look only when told to.
    """

    exact: bool
    cluster: SimulatedCluster = field(default_factory=SimulatedCluster)
    moves: int = 0
    changes: dict[tuple[str, str], int] = field(default_factory=dict)
    last: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.agents = Agents(self.cluster)
        for unit in UNITS:
            self.cluster.start(unit, "a")
            self.last[unit] = "a"
        self.look(*NODES)

    def look(self, *nodes: str) -> None:
        for node in nodes:
            if node and self.cluster.nodes[node].online:
                self.agents.look(node)
                self.changes = {key: count for key, count in self.changes.items() if key[1] != node}

    def changing(self, unit: str, node: str, times: int = 1) -> None:
        """Note that the unit is about to come to a node or to leave it."""
        if self.exact and self.changes.get((unit, node), 0) + times > 2:
            self.look(node)
        self.changes[unit, node] = self.changes.get((unit, node), 0) + times

    def arrived(self, unit: str, node: str) -> None:
        self.moves += self.last[unit] != node
        self.last[unit] = node

    def act(self, action: str, unit: str, node: str) -> None:
        getattr(self, action)(unit, node)
        self.cluster.wait(2)

    def move(self, unit: str, node: str) -> None:
        holder = self.cluster.holder(unit)
        if node == holder or not self.cluster.nodes[node].online:
            return
        if holder:
            self.changing(unit, holder)
            self.cluster.stop(unit, holder)
        self.changing(unit, node)
        self.cluster.start(unit, node)
        self.arrived(unit, node)

    def migrate(self, unit: str, node: str) -> None:
        holder = self.cluster.holder(unit)
        if holder and node != holder and self.cluster.nodes[node].online:
            self.changing(unit, holder)
            self.changing(unit, node)
            self.cluster.migrate(unit, node)
            self.arrived(unit, node)

    def restart(self, unit: str, _: str) -> None:
        holder = self.cluster.holder(unit)
        if holder:
            self.changing(unit, holder, 2)
            self.cluster.stop(unit, holder)
            self.cluster.start(unit, holder)

    def fail(self, unit: str, node: str) -> None:
        """The first member is tried on a node in vain and cleaned up there."""
        lead = self.cluster.members(unit)[0]
        if node != self.cluster.holder(unit) and self.cluster.nodes[node].online and unit != "repl":
            if self.exact:
                self.look(*NODES)  # the traces of a visit there are overwritten
            record = self.cluster.nodes[node].records[lead]
            failed = self.cluster.operation(node, f"{lead}_last_failure_0", "start", 0, rc=1)
            record.ops["failure"] = failed
            self.cluster.run(node, lead, "stop")
            if self.exact:
                self.look(*NODES)

    def crash(self, _: str, node: str) -> None:
        if not all(item.online for item in self.cluster.nodes.values()):
            return
        if self.exact:
            self.look(*NODES)
        held = [unit for unit in UNITS if self.cluster.holder(unit) == node]
        for unit in held:
            self.changing(unit, node)
        self.cluster.crash(node)
        target = next(name for name in NODES if name != node)
        for unit in held:
            self.changing(unit, target)
            self.cluster.start(unit, target)
            self.arrived(unit, target)

    def boot(self, _: str, node: str) -> None:
        if not self.cluster.nodes[node].online:
            self.cluster.boot(node)

    def counted(self) -> int:
        self.look(*NODES)
        return sum(self.agents.count(unit) for unit in UNITS)


@often(40)
@given(ACTIONS)
def test_exactly_as_many_as_there_were(actions: list[tuple[str, str, str]]) -> None:
    history = History(exact=True)
    for action in actions:
        history.act(*action)
    assert history.counted() == history.moves


@often(40)
@given(ACTIONS)
def test_never_more_than_there_were(actions: list[tuple[str, str, str]]) -> None:
    history = History(exact=False)
    for action in actions:
        history.act(*action)
    assert history.counted() <= history.moves
