"""The log of passes: what was done and what is new, in words for somebody who was just woken up."""

import logging
from collections.abc import Iterator
from dataclasses import replace
from types import MappingProxyType
from typing import Any

import pytest

from reconciler.decision import Decision
from reconciler.expectation import Sort, Surprise
from reconciler.journal import Journal
from reconciler.observation import Answer, Source
from reconciler.overrides import Age, Ages, Mark
from reconciler.pace import MOVED
from reconciler.plan import Change, Command, Hold, Outcome, Override, Plan, Reason
from reconciler.reconciliation import Reconciliation, Wanted
from reconciler.settling import Remedy, Result, Settling
from reconciler.state import Ref, Rejected, Scope
from tests.aftermaths import ended
from tests.observations import DUMMY, WANTED, cib, desired, observation

DESIRED = desired("abcdef0123456789", Primitive__r=WANTED["Primitive__r"])
R = Ref("Primitive", "r")
PATCH = Command(("cibadmin", "--patch"), "", Scope.CLUSTER, (R,))
CREATE = Change(R, None, DESIRED.state[R])
QUIET = Reconciliation(
    Wanted(DESIRED), observation(cib(DUMMY)), Decision(Plan(), None, frozenset(), {}), (), (), (), 0, {}, 0.0, 0.1
)


class Log:
    """A journal and what it wrote."""

    def __init__(self, caplog: pytest.LogCaptureFixture) -> None:
        self.journal = Journal()
        self._caplog = caplog

    def of(self, done: Reconciliation, ages: Ages = MappingProxyType({})) -> list[str]:
        self._caplog.clear()
        self.journal.write(done, ages)
        return [f"{record.levelname.lower()}: {record.getMessage()}" for record in self._caplog.records]


@pytest.fixture
def log(caplog: pytest.LogCaptureFixture) -> Iterator[Log]:
    with caplog.at_level(logging.INFO, "reconciler"):
        log = Log(caplog)
        log.of(QUIET)
        yield log


def planned(**parts: Any) -> Reconciliation:
    return replace(QUIET, decision=replace(QUIET.decision, plan=Plan(**parts)))


def test_the_first_pass_says_what_is_in_force_and_who_writes(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO, "reconciler"):
        assert Log(caplog).of(QUIET) == [
            "info: desired state: revision=abcdef012345 objects=1",
            "info: this agent makes the cluster's changes",
        ]


def test_before_there_are_manifests_nobody_is_called_the_writer(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO, "reconciler"):
        log = Log(caplog)
        missing = Wanted(None, "/etc/x: does not exist", "Missing")
        assert log.of(replace(QUIET, wanted=missing)) == ["warning: desired state: /etc/x: does not exist"]
        assert "info: this agent makes the cluster's changes" in log.of(QUIET)


def test_nothing_new_is_nothing_said(log: Log) -> None:
    assert log.of(QUIET) == []
    assert log.journal.summary == "in sync"


def test_what_was_done_is_said_with_its_fields(log: Log) -> None:
    other = desired(Primitive__r='spec.agent = "ocf:pacemaker:Dummy"\nspec.params = { fake = "1", passwd = "geheim" }')
    update = Change(R, DESIRED.state[R], other.state[R])
    delete = Change(R, DESIRED.state[R], None)
    assert log.of(replace(QUIET, applied=(CREATE, update, delete))) == [
        "info: created Primitive/r",
        "info: updated Primitive/r (params.fake: (absent) -> 1, params.passwd: (absent) -> (hidden))",
        "info: deleted Primitive/r",
    ]
    assert log.of(replace(QUIET, applied=(replace(update, adopts=True),), adopted=(Ref("Clone", "c"),))) == [
        "info: adopted and updated Primitive/r (params.fake: (absent) -> 1, params.passwd: (absent) -> (hidden))",
        "info: recorded as ours, as they already were as wanted: Clone/c",
    ]


def test_a_failure_says_what_failed_and_when_it_is_tried_again(log: Log) -> None:
    failed = Outcome(PATCH, 78, "cibadmin failed", 0.1)
    hold = Hold(Reason.BACKING_OFF, "cibadmin failed (failed once; next attempt at 10:00:00 UTC, …)")
    done = replace(planned(changes=(CREATE,), holds=(hold,)), outcomes=(failed,))
    assert log.of(done) == [
        "error: not applied: cibadmin failed (failed once; next attempt at 10:00:00 UTC, …)",
        "info: this agent does not make the cluster's changes",
    ]
    assert log.of(replace(done, outcomes=())) == [], "while it waits there is nothing new"


def test_a_refused_patch_is_no_error(log: Log) -> None:
    refused = Outcome(PATCH, MOVED, "cibadmin failed with exit code 103", 0.1)
    once = replace(QUIET, outcomes=(refused,), refusals=1)
    assert log.of(once) == ["info: planned anew once: somebody else had changed the configuration meanwhile"]
    assert log.of(replace(once, refusals=3))[0].startswith("info: planned anew 3 times")


def test_a_hold_is_said_when_it_begins_when_it_changes_and_when_it_has_ended(log: Log) -> None:
    hold = Hold(Reason.STOPPING, "is stopped first", R)
    assert log.of(planned(holds=(hold,))) == ["warning: held: Primitive/r: Stopping: is stopped first"]
    assert log.of(planned(holds=(hold,))) == []
    more = Hold(Reason.REFERENCED, "Clone/c names it", R)
    assert log.of(planned(holds=(hold, more))) == [
        "warning: held: Primitive/r: Stopping: is stopped first; Referenced: Clone/c names it"
    ]
    assert log.of(QUIET) == [
        "info: no longer: held: Primitive/r: Stopping: is stopped first; Referenced: Clone/c names it"
    ]


def test_a_held_scope_is_news_only_where_something_waits_for_it(log: Log) -> None:
    hold = Hold(Reason.NO_QUORUM, "this part of the cluster has no quorum")
    assert log.of(planned(holds=(hold,))) == ["info: this agent does not make the cluster's changes"]
    assert log.of(planned(holds=(hold,), changes=(CREATE,))) == [
        "warning: held: everything of the cluster: NoQuorum: this part of the cluster has no quorum"
    ]
    assert log.journal.summary == "1 changes to make, 1 held"


def test_that_another_agent_writes_is_no_news(log: Log) -> None:
    hold = Hold(Reason.NOT_WRITER, "the agent on the DC, b, makes the cluster's changes")
    assert log.of(planned(holds=(hold,), changes=(CREATE,))) == ["info: this agent does not make the cluster's changes"]


def test_what_cannot_be_seen_is_said_once(log: Log) -> None:
    problems = {Source.CIB: Answer("", "missing", "cibadmin is not installed")}
    blind = replace(
        QUIET,
        observation=replace(QUIET.observation, problems=problems),
        decision=replace(QUIET.decision, blind={Scope.CLUSTER: "cibadmin is not installed"}),
    )
    assert log.of(blind) == ["warning: cannot see cib: cibadmin is not installed"]
    assert log.of(blind) == []
    assert log.journal.summary == "cannot see: cibadmin is not installed"
    assert log.of(QUIET) == ["info: no longer: cannot see cib: cibadmin is not installed"]


def test_what_was_seen_has_not_ended_because_nothing_is_seen(log: Log) -> None:
    hold = Hold(Reason.DELETION_BUDGET, "one of 9 deletions", R)
    override = Override(R, "meta.target-role", "Stopped")
    before = planned(holds=(hold,), overrides=(override,))
    assert len(log.of(before)) == 2
    problems = {Source.CIB: Answer("", "missing", "cibadmin is not installed")}
    blind = replace(
        QUIET,
        observation=replace(QUIET.observation, problems=problems),
        decision=replace(QUIET.decision, blind={Scope.CLUSTER: "cibadmin is not installed"}),
    )
    assert log.of(blind) == ["warning: cannot see cib: cibadmin is not installed"]
    assert log.of(before) == ["info: no longer: cannot see cib: cibadmin is not installed"]


def test_every_fault_of_the_manifests_is_said(log: Log) -> None:
    faults = (Rejected("a.toml", "", "", "not TOML"), Rejected("b.toml", "Primitive/x", "spec.agent", "is missing"))
    wanted = Wanted(DESIRED, "2 faults in the manifests", "Rejected", faults)
    assert log.of(replace(QUIET, wanted=wanted)) == [
        "warning: rejected: a.toml: not TOML: the last good state stays in force",
        "warning: rejected: b.toml: Primitive/x: spec.agent: is missing: the last good state stays in force",
    ]
    assert log.journal.summary == "2 faults in the manifests"
    missing = Wanted(DESIRED, "/etc/x: does not exist (the last good state stays in force)", "Missing")
    assert log.of(replace(QUIET, wanted=missing))[0] == (
        "warning: desired state: /etc/x: does not exist (the last good state stays in force)"
    )


def test_how_long_it_has_been_so_is_said_as_a_time_so_that_it_is_said_once(log: Log) -> None:
    override = Override(R, "meta.target-role", "Stopped")
    done = planned(overrides=(override,))
    assert log.of(done, {Mark.of(override): Age(0.0, exact=False)}) == [
        (
            "warning: set by hand: Primitive/r: meta.target-role = Stopped; respected, "
            "since 1970-01-01T00:00:00.000Z at the latest"
        )
    ]
    assert log.of(done, {Mark.of(override): Age(0.0, exact=False)}) == []
    assert log.of(done, {Mark.of(override): Age(0.0, exact=True, expired=True)})[0].endswith(
        "since 1970-01-01T00:00:00.000Z; its lifetime is over, it does nothing any more"
    )


def test_what_people_set_by_hand_is_said(log: Log) -> None:
    override = Override(R, "meta.target-role", "Stopped")
    assert log.of(planned(overrides=(override,))) == [
        "warning: set by hand: Primitive/r: meta.target-role = Stopped; respected"
    ]


SURPRISE = Surprise(Sort.PLACEMENT, "r", "the forecast said: r starts on a; it runs on b")


@pytest.mark.parametrize(
    ("settled", "said"),
    [
        (ended(Result.AS_FORECAST), ["info: revision abcdef012345 has settled as forecast, in 2.0 s"]),
        (
            ended(Result.SURPRISED, SURPRISE),
            [
                "warning: revision abcdef012345 has settled in 2.0 s, not as forecast",
                "warning: the forecast said: r starts on a; it runs on b",
            ],
        ),
        (
            replace(ended(Result.TIMED_OUT), why="the DC is in state S_TRANSITION_ENGINE"),
            [
                "warning: revision abcdef012345 has not settled within 2.0 s: the DC is in state S_TRANSITION_ENGINE",
            ],
        ),
        (
            replace(ended(Result.SUPERSEDED), why="revision 123 came"),
            ["info: revision abcdef012345 was not compared with its forecast: revision 123 came"],
        ),
    ],
)
def test_how_a_patch_settled_is_said_once(log: Log, settled: Settling, said: list[str]) -> None:
    assert log.of(replace(QUIET, settling=settled, settled=(settled,))) == said
    assert log.of(replace(QUIET, settling=settled)) == []


def test_what_a_patch_broke_is_said_until_it_is_well(log: Log) -> None:
    broke = replace(ended(Result.SURPRISED), broken=("r",), remedy=Remedy.WITHHELD, done="not reverted: revert = false")
    sick = replace(QUIET, settling=broke, observation=observation(cib(DUMMY)))
    assert log.of(replace(sick, settled=(broke,))) == [
        "warning: revision abcdef012345 has settled in 2.0 s, not as forecast",
        "warning: r was running and healthy before revision abcdef012345 and is not any more",
        "warning: not reverted: revert = false",
        "warning: unhealthy since revision abcdef012345: r: not reverted: revert = false",
    ]
    assert log.of(sick) == []
    well = replace(sick, observation=replace(sick.observation, doings=None))
    assert log.of(well) == ["info: no longer: unhealthy since revision abcdef012345: r: not reverted: revert = false"]


def test_a_suspension_is_not_over_because_something_else_holds_as_well(log: Log) -> None:
    suspended = Hold(Reason.SUSPENDED, "until 2026-11-24T08:00:00Z by root@a: kernel update")
    assert log.of(planned(changes=(CREATE,), holds=(suspended,)))
    skew = Hold(Reason.REVISION_SKEW, "the agent on b has another revision")
    assert log.of(planned(changes=(CREATE,), holds=(skew, suspended))) == []


@pytest.mark.parametrize("reason", [Reason.REVISION_SKEW, Reason.TRANSITION_RUNNING])
def test_an_agent_that_waits_a_moment_still_makes_the_changes(log: Log, reason: Reason) -> None:
    assert log.of(planned(changes=(CREATE,), holds=(Hold(reason, "waits"),))) == []
    assert log.of(QUIET) == []


def test_a_suspension_is_told_when_it_begins_and_ends_though_there_is_nothing_to_change(log: Log) -> None:
    hold = Hold(Reason.SUSPENDED, "until 2026-11-24T08:00:00Z by root@a: kernel update; `reconciler resume` ends it")
    frozen = planned(holds=(hold,))
    said = f"held: everything of the cluster: Suspended: {hold.message}"
    assert log.of(frozen) == [f"warning: {said}", "info: this agent does not make the cluster's changes"]
    assert log.of(frozen) == []
    assert log.of(QUIET) == [f"info: no longer: {said}", "info: this agent makes the cluster's changes"]
