"""Conditions: what is known of each object after a pass, and since when."""

from typing import Any

from reconciler.plan import Change, Command, Hold, Outcome, Plan, Reason
from reconciler.state import Ref, Scope
from reconciler.status import HEALTHY, SYNCED, Health, Pass, conclude
from tests.observations import WANTED, desired

R, S = Ref("Primitive", "r"), Ref("Primitive", "s")
DESIRED = desired(Primitive__r=WANTED["Primitive__r"], Primitive__s=WANTED["Primitive__r"])
CHANGE = Change(R, None, DESIRED.state[R])
PATCH = Command(("cibadmin", "--patch"), "", Scope.CLUSTER, (R,))
FAILED = Outcome(PATCH, 78, "cibadmin failed with exit code 78", 0.1)


def synced(plan: Plan = Plan(), ref: Ref = R, **rest: Any) -> tuple[str, str, str]:  # noqa: B008 - it is frozen
    condition = conclude(Pass(DESIRED, plan, **rest), {}, 100)[ref].condition(SYNCED)
    return condition.status, condition.reason, condition.message


def test_what_is_in_no_plan_is_in_sync() -> None:
    assert synced() == ("True", "InSync", "")
    assert synced(Plan(changes=(CHANGE,)), S) == ("True", "InSync", "")


def test_what_is_still_to_be_changed_is_not_in_sync() -> None:
    assert synced(Plan(changes=(CHANGE,))) == ("False", "Pending", "not applied yet")


def test_a_failure_says_what_failed() -> None:
    failed = synced(Plan(changes=(CHANGE,)), outcomes=(FAILED,))
    assert failed == ("False", "Failed", "cibadmin failed with exit code 78")
    # It failed, and then somebody else did it.
    assert synced(Plan(), outcomes=(FAILED,)) == ("True", "InSync", "")


def test_a_hold_of_an_object_says_why() -> None:
    hold = Hold(Reason.UNSUPPORTED, "left alone", R)
    assert synced(Plan(holds=(hold,))) == ("False", "Unsupported", "left alone")
    assert synced(Plan(holds=(hold,)), S) == ("True", "InSync", "")


def test_a_hold_of_a_scope_concerns_only_what_is_to_be_changed_there() -> None:
    hold = Hold(Reason.NO_QUORUM, "no quorum")
    assert synced(Plan(changes=(CHANGE,), holds=(hold,))) == ("False", "NoQuorum", "no quorum")
    assert synced(Plan(changes=(CHANGE,), holds=(hold,)), S) == ("True", "InSync", "")
    other = Hold(Reason.OBSERVE_ONLY, "only observed", scope=Scope.NODE)
    assert synced(Plan(changes=(CHANGE,), holds=(other,))) == ("False", "Pending", "not applied yet")


def test_what_cannot_be_seen_is_unknown_whatever_is_planned() -> None:
    blind = {Scope.CLUSTER: "cibadmin is not installed"}
    turn = Pass(DESIRED, Plan(changes=(CHANGE,)), blind=blind, health={R: Health(True, "Running")})
    result = conclude(turn, {}, 100)[R]
    assert [(entry.status, entry.reason) for entry in result.conditions] == [("Unknown", "Unobservable")] * 2
    assert result.condition(SYNCED).message == "cibadmin is not installed"
    assert synced(blind={Scope.NODE: "ip failed"}) == ("True", "InSync", "")


def test_what_was_to_be_deleted_is_not_forgotten_while_it_cannot_be_seen() -> None:
    gone = Ref("Primitive", "gone")
    first = conclude(Pass(DESIRED, Plan(holds=(Hold(Reason.STOPPING, "is stopped first", gone),))), {}, 100)
    blind = conclude(Pass(DESIRED, Plan(), blind={Scope.CLUSTER: "cibadmin failed"}), first, 200)
    assert blind[gone].condition(SYNCED).status == "Unknown"
    assert gone not in conclude(Pass(DESIRED, Plan()), blind, 300)


def test_health_is_a_question_of_its_own() -> None:
    health = {R: Health(False, "NotRunning", "active on no node"), S: Health(None, "Absent")}
    result = conclude(Pass(DESIRED, Plan(), health=health), {}, 100)
    assert result[R].condition(HEALTHY).status == "False"
    assert result[R].condition(SYNCED).status == "True"
    assert result[S].condition(HEALTHY).status == "Unknown"


def test_what_is_still_to_be_deleted_has_a_status_too() -> None:
    gone = Ref("Primitive", "gone")
    plan = Plan(holds=(Hold(Reason.STOPPING, "is stopped first", gone),))
    assert synced(plan, gone) == ("False", "Stopping", "is stopped first")
    assert gone not in conclude(Pass(DESIRED, Plan()), {}, 100)


def test_the_time_is_that_of_the_last_change_of_the_answer() -> None:
    first = conclude(Pass(DESIRED, Plan(changes=(CHANGE,))), {}, 100)
    second = conclude(Pass(DESIRED, Plan(changes=(CHANGE,)), outcomes=(FAILED,)), first, 200)
    third = conclude(Pass(DESIRED, Plan()), second, 300)
    fourth = conclude(Pass(DESIRED, Plan()), third, 400)
    assert [seen[R].condition(SYNCED).since for seen in (first, second, third, fourth)] == [100, 100, 300, 300]
    assert second[R].condition(SYNCED).reason == "Failed"
    assert fourth[S].condition(SYNCED).since == 100


def test_the_revision_is_the_one_that_was_looked_at() -> None:
    assert conclude(Pass(DESIRED, Plan()), {}, 0)[R].revision == DESIRED.revision
