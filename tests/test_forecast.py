from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from reconciler.cib.simulation import Act, Effect, Fencing, Simulation
from reconciler.cib.verdict import Verdict
from reconciler.forecast import Forecast, NoForecast, forecast, lines

START, STOP = Effect(Act.START, "a", "", "n1"), Effect(Act.STOP, "b", "n1")
MOVE = Effect(Act.MOVE, "c", "n1", "n2")


def test_only_the_difference_is_the_plan_s_doing() -> None:
    found = forecast(
        Simulation((START, STOP), (Fencing("n1"), Fencing("n2"))),
        Simulation((STOP, MOVE), (Fencing("n2"), Fencing("n3"))),
    )
    assert found.caused == Simulation((MOVE,), (Fencing("n3"),))
    assert found.pending == Simulation((STOP,), (Fencing("n2"),))
    assert found.averted == Simulation((START,), (Fencing("n1"),))
    assert (found.effects, found.already_pending, found.fenced) == ((MOVE,), (STOP,), ("n3",))


def test_a_second_instance_that_stops_on_the_same_node_is_the_plan_s_doing() -> None:
    found = forecast(Simulation((STOP,)), Simulation((STOP, STOP)))
    assert (found.effects, found.already_pending) == ((STOP,), (STOP,))


def test_another_reason_for_the_same_is_no_difference() -> None:
    assert forecast(Simulation((replace(STOP, reason="x"),)), Simulation((replace(STOP, reason="y"),))).effects == ()


def test_blocked_and_done_are_not_the_same() -> None:
    assert forecast(Simulation((replace(START, blocked=True),)), Simulation((START,))).effects == (START,)


def test_each_interrupted_resource_counts_once() -> None:
    found = Forecast(
        Simulation(
            (
                START,
                STOP,
                MOVE,
                Effect(Act.RESTART, "clone", "n1", "n1"),
                Effect(Act.RESTART, "clone", "n2", "n2"),
                Effect(Act.DEMOTE, "db", "n1", "n1"),
                Effect(Act.PROMOTE, "db2", "n2", "n2"),
                Effect(Act.MIGRATE, "vm", "n1", "n2"),
                Effect(Act.RELOAD, "ping", "n1", "n1"),
                replace(STOP, resource="stuck", blocked=True),
            )
        )
    )
    assert found.disrupted == ("b", "c", "clone", "db")


NODES = st.sampled_from(["n1", "n2"])
EFFECTS = st.builds(Effect, st.sampled_from(Act), st.sampled_from("ab"), NODES, NODES, blocked=st.booleans())
SIMULATIONS = st.builds(
    Simulation,
    st.lists(EFFECTS, max_size=8).map(tuple),
    st.lists(NODES.map(Fencing), unique=True, max_size=2).map(tuple),
)


@given(SIMULATIONS)
def test_a_plan_that_changes_nothing_causes_and_averts_nothing(simulation: Simulation) -> None:
    found = forecast(simulation, simulation)
    assert found.caused == found.averted == Simulation()
    assert set(found.already_pending) == set(simulation.effects)


@given(SIMULATIONS, SIMULATIONS)
def test_what_one_way_causes_the_other_way_averts(one: Simulation, other: Simulation) -> None:
    there, back = forecast(one, other), forecast(other, one)
    assert (there.caused, there.averted) == (back.averted, back.caused)
    assert set(there.effects) | set(there.already_pending) == set(other.effects)


def test_people_read_sentences() -> None:
    found = Forecast(
        caused=Simulation(
            (
                Effect(Act.MOVE, "vip", "vm-node1", "vm-node2"),
                Effect(Act.RESTART, "httpd", "vm-node1", "vm-node1", reason="required vip start"),
                Effect(Act.START, "ping", "", "vm-node1"),
                Effect(Act.START, "ping", "", "vm-node2"),
                Effect(Act.START, "ping", "", "vm-node3"),
                Effect(Act.START, "db", "", "vm-node1", blocked=True, reason="no quorum"),
                Effect(Act.MOVE, "pg", "a", "b", "Unpromoted", "Promoted"),
                Effect(Act.PROMOTE, "pg", "a", "a", "Unpromoted", "Promoted"),
                Effect(Act.RECOVER, "x", "a", "b"),
                Effect(Act.RECOVER, "y", "a", "a"),
            ),
            (Fencing("vm-node3", "reboot", "node is unclean"), Fencing("vm-node4")),
        ),
        pending=Simulation((Effect(Act.STOP, "old", "vm-node1"),)),
        averted=Simulation((Effect(Act.START, "new", "", "vm-node1"), Effect(Act.STOP, "vip", "vm-node1"))),
        verdict=Verdict(("bad",), ("odd",)),
    )
    assert lines(found) == (
        "error: bad",
        "vm-node3 would be FENCED (reboot: node is unclean)",
        "vm-node4 would be FENCED",
        "vip moves from vm-node1 to vm-node2",
        "httpd restarts on vm-node1 (required vip start)",
        "ping starts on vm-node1, vm-node2 and vm-node3",
        "blocked: db starts on vm-node1 (no quorum)",
        "pg moves from a to b and becomes Promoted",
        "pg is promoted on a",
        "x recovers from a to b",
        "y recovers on a",
        "no longer: new starts on vm-node1",
        "with or without the plan: old stops on vm-node1",
        "warning: odd",
    )


def test_that_nothing_happens_is_said() -> None:
    assert lines(Forecast()) == ("no resource is started, stopped or moved",)


def test_that_nothing_is_known_is_said_with_the_reason() -> None:
    assert lines(NoForecast("crm_simulate is not installed", Verdict(("bad",)))) == (
        "no forecast: crm_simulate is not installed",
        "error: bad",
    )
