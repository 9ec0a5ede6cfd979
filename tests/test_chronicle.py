"""A pass as events: done, failed, held, no longer held, better and worse."""

from dataclasses import replace
from typing import Any

from reconciler import chronicle
from reconciler.chronicle import held
from reconciler.decision import Decision
from reconciler.events import Event
from reconciler.expectation import Sort, Surprise
from reconciler.metrics.failovers import Event as Move
from reconciler.metrics.failovers import Kind
from reconciler.metrics.memory import Cause
from reconciler.pace import MOVED
from reconciler.plan import Change, Command, Hold, Outcome, Plan, Reason
from reconciler.reconciliation import Reconciliation, Wanted
from reconciler.settling import Result
from reconciler.state import Ref, Scope
from reconciler.status import Condition, ObjectStatus
from tests.aftermaths import ended
from tests.observations import DUMMY, WANTED, cib, desired, observation

DESIRED = desired("abcdef0123456789", Primitive__r=WANTED["Primitive__r"])
R = Ref("Primitive", "r")
ME = Ref("Agent", "a")
PATCH = Command(("cibadmin", "--patch"), "", Scope.CLUSTER, (R,))
QUIET = Reconciliation(
    Wanted(DESIRED), observation(cib(DUMMY)), Decision(Plan(), None, frozenset(), {}), (), (), (), 0, {}, 1.0, 0.5
)


def planned(*holds: Hold, blind: str = "") -> Reconciliation:
    decision = replace(QUIET.decision, plan=Plan(holds=holds), blind={Scope.CLUSTER: blind} if blind else {})
    return replace(QUIET, decision=decision)


def told(found: list[Event]) -> list[tuple[str, str, str, str]]:
    assert {item.last for item in found} <= {1.5}
    return [(str(item.ref), item.type, item.reason, item.message) for item in found]


def conditions(*told: tuple[str, str, str, str]) -> dict[Ref, ObjectStatus]:
    return {R: ObjectStatus(R, tuple(Condition(*parts, since=0.0) for parts in told), "r1")}


def test_a_quiet_pass_is_no_event() -> None:
    assert chronicle.events(QUIET, {}, {}) == []


def test_what_was_done_names_the_agent_the_revision_and_the_fields() -> None:
    other = desired(Primitive__r='spec.agent = "ocf:pacemaker:Dummy"\nspec.params = { fake = "1", passwd = "geheim" }')
    done = replace(QUIET, applied=(Change(R, DESIRED.state[R], other.state[R]),), adopted=(Ref("Clone", "c"),))
    found = chronicle.events(done, {}, {})
    assert told(found) == [
        (
            "Primitive/r",
            "Normal",
            "Applied",
            "updated for revision abcdef012345: params.fake: (absent) -> 1, params.passwd: (absent) -> (hidden)",
        ),
        ("Clone/c", "Normal", "Adopted", "it already was as wanted, and is now recorded as ours"),
    ]
    assert {(item.source.component, item.source.host) for item in found} == {("reconciler", "a")}


def test_what_failed_is_told_once_and_a_race_is_no_failure() -> None:
    failed, moved = Outcome(PATCH, 78, "not permitted", 0.1), Outcome(PATCH, MOVED, "too old", 0.1)
    worse = conditions(("Synced", "False", "Failed", "not permitted"))
    done = replace(QUIET, outcomes=(failed, moved), objects=worse)
    before = conditions(("Synced", "True", "InSync", ""))
    assert told(chronicle.events(done, before, {})) == [("Primitive/r", "Warning", "Failed", "not permitted")]


def test_holds_of_everything_begin_and_end() -> None:
    hold = Hold(Reason.NO_QUORUM, "this part of the cluster has no quorum")
    pause = Hold(Reason.BACKING_OFF, "next attempt at 10:00:00")
    of_one = Hold(Reason.STOPPING, "stops first", R)
    begun = planned(hold, pause, of_one)
    message = "changes of the cluster are held: this part of the cluster has no quorum"
    assert told(chronicle.events(begun, {}, {})) == [("Agent/a", "Warning", "NoQuorum", message)]
    assert chronicle.events(begun, {}, held(begun)) == []
    assert told(chronicle.events(QUIET, {}, held(begun))) == [
        ("Agent/a", "Normal", "Released", "changes of the cluster are no longer held: NoQuorum")
    ]
    usual = planned(Hold(Reason.NOT_WRITER, "b writes"))
    assert chronicle.events(usual, {}, {})[0].type == "Normal"
    assert told(chronicle.events(planned(blind="no cibadmin"), {}, {})) == [
        ("Agent/a", "Warning", "Unobservable", "changes of the cluster are held: no cibadmin")
    ]


def transitions(before: Any, after: Any) -> list[tuple[str, str, str, str]]:
    return told(chronicle.events(replace(QUIET, objects=after), before, {}))


def test_conditions_that_change_are_told() -> None:
    well, ill = ("Healthy", "True", "Running", "on a"), ("Healthy", "False", "Failed on a", "exit code 1")
    assert transitions(conditions(well), conditions(ill)) == [
        ("Primitive/r", "Warning", "Failed on a", "Healthy is False: exit code 1")
    ]
    assert transitions(conditions(ill), conditions(well)) == [
        ("Primitive/r", "Normal", "Running", "Healthy is True: on a")
    ]
    moved = ("Healthy", "True", "Running", "on b")
    assert transitions(conditions(well), conditions(moved)) == [], "a message alone is no transition"
    assert transitions({}, conditions(well)) == []
    assert len(transitions({}, conditions(ill))) == 1


def test_that_nothing_was_seen_is_told_of_the_agent_and_not_of_every_object() -> None:
    well, unseen = ("Healthy", "True", "Running", ""), ("Healthy", "Unknown", "Unobservable", "")
    assert transitions(conditions(well), conditions(unseen)) == []
    assert transitions(conditions(unseen), conditions(well)) == []
    assert len(transitions(conditions(unseen), conditions(("Healthy", "False", "Stopped", "")))) == 1


def test_of_very_many_objects_the_first_are_told() -> None:
    names = [Ref("Primitive", f"p{number:03}") for number in range(200)]
    pending = Condition("Synced", "False", "Pending", "not applied yet", 0.0)
    done = replace(QUIET, objects={ref: ObjectStatus(ref, (pending,), "r1") for ref in names})
    found = told(chronicle.events(done, {}, {}))
    assert len(found) == 51
    assert found[-1] == (
        "Agent/a",
        "Warning",
        "ManyObjects",
        "Pending: so it is with 150 more objects, Primitive/p199 for one",
    )


def test_failovers_are_events_of_the_resource() -> None:
    move = Move(Kind.FAILOVER, "r", "b", "a", Cause.UNPLANNED, 3.0, 1.0, 2.0)
    event = chronicle.of_failover(move, R)
    assert (event.ref, event.type, event.reason, event.message, event.last) == (
        R,
        "Warning",
        "Failover",
        "came from b to a (unplanned)",
        3.0,
    )
    assert chronicle.of_failover(replace(move, cause=Cause.PLANNED), R).type == "Normal"
    assert chronicle.of_failover(replace(move, kind=Kind.RECOVERY), R).message == "restarted on a"
    assert chronicle.started("a", "1.0", 3.0).ref == ME


def test_that_a_patch_settles_is_no_event_and_what_then_is_wrong_is() -> None:
    well, unknown = ("Healthy", "True", "Running", "on a"), ("Healthy", "Unknown", "Settling", "not at rest yet")
    sick = ("Healthy", "False", "NotRunning", "active on no node")
    assert transitions(conditions(well), conditions(unknown)) == []
    assert transitions(conditions(unknown), conditions(well)) == []
    assert transitions(conditions(unknown), conditions(sick)) == [
        ("Primitive/r", "Warning", "NotRunning", "Healthy is False: active on no node")
    ]


def test_what_was_not_as_forecast_and_what_a_patch_broke_are_events_of_the_object() -> None:
    surprises = [Surprise(sort, name, "x") for sort, name in ((Sort.PLACEMENT, "r"), (Sort.NODE, "b"))]
    bad = replace(ended(Result.SURPRISED, *surprises), broken=("r", "else"), done="not reverted: revert = false")
    harm = "running and healthy before revision abcdef012345 and not after; not reverted: revert = false"
    assert told(chronicle.events(replace(QUIET, settled=(bad,)), {}, {})) == [
        ("Primitive/r", "Warning", "NotAsForecast", "after revision abcdef012345: x"),
        ("Node/b", "Warning", "NotAsForecast", "after revision abcdef012345: x"),
        ("Primitive/r", "Warning", "MadeUnhealthy", harm),
        ("Primitive/else", "Warning", "MadeUnhealthy", harm),
    ]
