"""When to look again and when not to try again yet."""

from dataclasses import replace
from datetime import UTC, datetime
from math import inf

import pytest

from reconciler.cib.register import Register, Suspension
from reconciler.decision import Decision
from reconciler.pace import BLIND, LONGEST, MOVED, SOON, Calm, Pace, delay, next_turn, refusal, stuck
from reconciler.plan import Command, Hold, Outcome, Plan, Reason
from reconciler.state import Scope
from tests.observations import cib, desired, observation

PATCH = Command(("cibadmin", "--patch"), "<diff><version/></version><change/></diff>", Scope.CLUSTER, ())
BATCH = Command(("ip", "-batch", "-"), "address add …", Scope.NODE, ())
FAILED = Outcome(PATCH, 78, "cibadmin failed with exit code 78: no", 0.1)
DONE = Outcome(PATCH, 0, "", 0.1)
REFUSED = Outcome(PATCH, MOVED, "cibadmin failed with exit code 103", 0.1)
CLUSTER = frozenset({Scope.CLUSTER})


def until(pace: Pace, now: float) -> list[float]:
    return [round(wait, 3) for wait in pace.waits(now)]


def test_failures_wait_ever_longer_up_to_a_minute() -> None:
    pace, waits = Pace(), []
    for number in range(10):
        pace = pace.after("a", [FAILED], (), number)
        waits += until(pace, number)
    assert waits == [1, 2, 4, 8, 16, 32, 60, 60, 60, 60]


def test_while_it_waits_the_scope_is_held_and_says_why() -> None:
    pace = Pace().after("a", [FAILED], (), 100)
    [hold] = pace.holds("a", 100.5)
    assert (hold.reason, hold.scope, hold.ref) == (Reason.BACKING_OFF, Scope.CLUSTER, None)
    assert hold.message == (
        "cibadmin failed with exit code 78: no (failed once; next attempt at 00:01:41 UTC, or with a new revision)"
    )
    assert pace.holds("a", 101) == ()


def test_a_clock_that_is_set_back_makes_nothing_wait() -> None:
    pace = Pace().after("a", [FAILED], (), 100_000)
    assert pace.holds("a", 100_000)
    assert (pace.holds("a", 50_000), until(pace, 50_000)) == ((), [])


def test_a_new_revision_is_tried_at_once_and_starts_afresh() -> None:
    pace = Pace()
    for _ in range(5):
        pace = pace.after("a", [FAILED], (), 0)
    assert pace.holds("a", 1)
    assert pace.holds("b", 1) == ()
    assert until(pace.after("b", [FAILED], (), 1), 1) == [1]


def test_success_forgets_failures() -> None:
    pace = Pace().after("a", [FAILED], (), 0).after("a", [FAILED], (), 1).after("a", [DONE], (), 3)
    assert pace.troubles == {}
    assert until(pace.after("a", [FAILED], (), 4), 4) == [1]


def test_a_pass_that_tried_nothing_changes_nothing_until_it_is_long_past() -> None:
    pace = Pace().after("a", [FAILED], (), 0)
    assert pace.after("a", [], (), 0.5) == pace
    assert pace.after("a", [], (), 1 + LONGEST - 0.5).troubles
    assert not pace.after("a", [], (), 1 + LONGEST).troubles


def test_a_clock_that_is_set_back_does_not_put_the_next_attempt_off() -> None:
    pace = Pace().after("a", [FAILED], (), 10_000)
    assert pace.holds("a", 10_000.5)
    assert pace.holds("a", 5_000) == ()
    assert pace.waits(5_000) == []


def test_each_scope_fares_by_itself() -> None:
    pace = Pace().after("a", [FAILED, Outcome(BATCH, 0, "", 0.1)], (), 0)
    assert [hold.scope for hold in pace.holds("a", 0.5)] == [Scope.CLUSTER]
    pace = pace.after("a", [Outcome(BATCH, 1, "ip failed", 0.1)], (), 0.5)
    assert {hold.scope for hold in pace.holds("a", 0.9)} == {Scope.CLUSTER, Scope.NODE}
    assert {hold.scope for hold in pace.holds("a", 1.2)} == {Scope.NODE}


def test_a_patch_that_came_too_late_is_no_failure_unless_it_always_does() -> None:
    pace = Pace()
    for number in range(100):
        pace = pace.after("a", [REFUSED], (), number)
        assert pace.holds("a", number) == ()
    assert pace.after("a", [REFUSED], (), 100).holds("a", 100.5)
    assert not pace.after("a", [DONE], (), 100).troubles


def test_success_without_effect_is_a_failure() -> None:
    [hold] = Pace().after("a", [DONE], CLUSTER, 0).holds("a", 0.5)
    assert hold.message.startswith("cibadmin reported success, but nothing has changed (failed once;")


def test_what_is_to_be_done_again_exactly_is_stuck_whatever_the_version() -> None:
    later = replace(PATCH, stdin=PATCH.stdin.replace("<version/>", "<version><source epoch='9'/>"))
    other = replace(PATCH, stdin=PATCH.stdin.replace("<change/>", "<change operation='delete'/>"))
    assert stuck([PATCH], [later], moved=False) == CLUSTER
    assert stuck([PATCH], [later], moved=True) == frozenset()
    assert stuck([PATCH], [other], moved=False) == frozenset()
    assert stuck([PATCH], [], moved=False) == frozenset()
    assert stuck([BATCH], [BATCH], moved=True) == {Scope.NODE}


def decision(*commands: Command, holds: tuple[Hold, ...] = (), blind: bool = False) -> Decision:
    return Decision(Plan(commands=commands, holds=holds), None, frozenset(), {Scope.CLUSTER: "why"} if blind else {})


def test_after_a_change_it_looks_again_soon_and_then_ever_less_often() -> None:
    calm, waits = Calm(), []
    for _ in range(6):
        waits.append(delay(decision(), Pace(), calm, 0))
        calm = calm.after(acted=False, different=False, hinted=False)
    assert waits == [1, 2, 4, 8, 16, 32]
    assert delay(decision(), Pace(), calm.after(acted=True, different=False, hinted=False), 0) == 1
    assert delay(decision(), Pace(), calm.after(acted=False, different=True, hinted=False), 0) == 1


def test_what_can_be_done_is_done_at_once() -> None:
    assert delay(decision(PATCH), Pace(), Calm(9), 0) == 0


def test_what_waits_for_the_cluster_is_looked_at_soon() -> None:
    for reason in (Reason.STOPPING, Reason.NO_DC):
        assert delay(decision(holds=(Hold(reason, ""),)), Pace(), Calm(9), 0) == SOON
    assert delay(decision(holds=(Hold(Reason.NOT_WRITER, ""),)), Pace(), Calm(9), 0) > SOON
    assert delay(decision(blind=True), Pace(), Calm(9), 0) == BLIND


@pytest.mark.parametrize("reason", [Reason.NO_QUORUM, Reason.REVISION_SKEW])
def test_what_may_last_for_days_is_looked_at_less_and_less_often_until_there_is_news(reason: Reason) -> None:
    held, calm, waits = decision(holds=(Hold(reason, ""),)), Calm(), []
    for _ in range(7):
        waits.append(delay(held, Pace(), calm, 0))
        calm = calm.after(acted=False, different=False, hinted=False)
    assert waits == [1, 2, 4, 8, 16, 32, 64]
    assert delay(held, Pace(), calm.after(acted=False, different=False, hinted=True), 0) == 1
    assert delay(held, Pace(), calm.after(acted=False, different=True, hinted=False), 0) == 1


def test_the_next_attempt_is_not_missed() -> None:
    pace = Pace().after("a", [FAILED], (), 0).after("a", [FAILED], (), 0).after("a", [FAILED], (), 0)
    assert delay(decision(), pace, Calm(9), 1) == 3


def test_hints_without_end_that_mean_nothing_are_heeded_ever_less_often() -> None:
    calm, rests = Calm(), []
    for _ in range(12):
        rests.append(calm.rest(0.05))
        calm = calm.after(acted=False, different=False, hinted=True)
    assert rests[:4] == [0, 0, 0, 0]
    assert rests == sorted(rests)
    assert rests[-1] == 1
    assert calm.after(acted=True, different=False, hinted=True).rest(0.05) == 0
    assert calm.after(acted=False, different=False, hinted=False).rest(0.05) == 0


def test_the_end_of_a_suspension_and_the_edge_of_a_window_are_waited_for() -> None:
    now = datetime(2026, 11, 28, 0, 59, 30, tzinfo=UTC).timestamp()
    seen = observation(cib())
    assert next_turn(seen, None, now) == inf
    assert next_turn(seen, desired(), now) == inf
    over = replace(seen, register=Register(Suspension(0, int(now), "r", "x")))
    assert next_turn(over, None, now) == inf
    held = replace(seen, register=Register(Suspension(0, int(now) + 50, "r", "x")))
    assert next_turn(held, None, now) == pytest.approx(50, abs=0.1)
    here = replace(held, snapshot=replace(seen.snapshot, suspended=Suspension(0, int(now) + 70, "r", "x")))
    assert next_turn(here, None, now) == pytest.approx(70, abs=0.1)
    windows = desired(SyncPolicy__p='spec.windows = [{ days = ["Sat"], start = "01:00", duration = "1h" }]')
    assert next_turn(held, windows, now) == pytest.approx(30, abs=0.1)
    assert next_turn(seen, windows, now + 40) == pytest.approx(3590, abs=0.1)


def test_what_was_refused_as_invalid_is_not_tried_again_as_it_is() -> None:
    found = refusal([DONE, FAILED], "pacemaker-3.9 0.7")
    assert found
    later = replace(PATCH, stdin=PATCH.stdin.replace("<version/>", "<version>7</version>"))
    hold = found.hold(later, "pacemaker-3.9 0.7")
    assert hold
    assert (hold.reason, hold.scope) == (Reason.INVALID, Scope.CLUSTER)
    assert "cibadmin failed with exit code 78: no" in hold.message
    assert found.hold(later, "pacemaker-3.10 0.7") is None, "the cluster's schema has been upgraded"
    assert found.hold(later, "pacemaker-3.9 0.8") is None, "what it needs may be there now"
    assert found.hold(replace(PATCH, stdin="<diff><version></version><other/></diff>"), "pacemaker-3.9 0.7") is None
    assert refusal([DONE, REFUSED], "pacemaker-3.9 0.7") is None


def test_while_a_patch_settles_it_looks_every_second() -> None:
    calm = Calm(quiet=9)
    decision = Decision(Plan(), None, frozenset(), {})
    assert delay(decision, Pace(), calm, 0.0) > LONGEST
    assert delay(decision, Pace(), calm, 0.0, settling=True) == 1.0
