"""A pass in figures: what counts as drift, how a pass ended, what keeps the agent from writing."""

from reconciler.chronicle import Noted
from reconciler.cib.document import Version, parse
from reconciler.cib.register import Pause, Register, Suspension
from reconciler.decision import Decision
from reconciler.forensics import By, Difference, Edit, Editor
from reconciler.kinds.observe import Observed, observe
from reconciler.kinds.primitive import Primitive
from reconciler.measure import Counts, affected, measure
from reconciler.metrics.catalogue import Result
from reconciler.metrics.snapshot import MetricsSnapshot
from reconciler.observation import Answer, Observation, Snapshot, Source
from reconciler.plan import Change, Command, Hold, Outcome, Plan, Reason, Verb
from reconciler.reconciliation import Reconciliation, Wanted
from reconciler.state import Desired, Ref, Scope
from tests.observations import cib

VIP = Ref("Primitive", "vip")
OLD = Ref("Location", "old")
SPEC = Primitive.model_validate({"agent": "ocf:pacemaker:Dummy"})
PATCH = Command(("cibadmin", "--patch"), "", Scope.CLUSTER, (VIP,))


def snapshot_of(
    plan: Plan,
    *outcomes: Outcome,
    blind: str = "",
    mode: str = "enforce",
    suspended: Suspension | None = None,
    kept: Register | None = None,
) -> MetricsSnapshot:
    seen = Snapshot({Source.CMAP: Answer("rubbish")}, 100.0, suspended=suspended)
    observation = Observation(seen, "vm-node1", register=kept or Register())
    decision = Decision(plan, None, frozenset(), {Scope.CLUSTER: blind} if blind else {})
    return measure(passed(observation, decision, outcomes), Counts(), {}, mode).snapshot


def passed(observation: Observation, decision: Decision, outcomes: tuple[Outcome, ...] = ()) -> Reconciliation:
    return Reconciliation(
        wanted=Wanted(Desired({VIP: SPEC}, "r1"), loaded=90.0),
        observation=observation,
        decision=decision,
        applied=(),
        adopted=(),
        outcomes=outcomes,
        refusals=0,
        objects={},
        began=99.0,
        seconds=1.0,
    )


def result(snapshot: MetricsSnapshot) -> Result:
    (found,) = snapshot.loop.domains["crm"].results
    return found


def test_a_pass_with_nothing_to_do_is_unchanged() -> None:
    snapshot = snapshot_of(Plan())
    assert (result(snapshot), snapshot.loop.drift) == (Result.UNCHANGED, {})


def test_what_is_to_be_changed_is_drift() -> None:
    snapshot = snapshot_of(Plan(changes=(Change(VIP, None, SPEC),)))
    assert (result(snapshot), snapshot.loop.drift) == (Result.BLOCKED, {("crm", "Primitive", "create"): 1})


def test_what_people_changed_counts_also_where_nobody_knows_who() -> None:
    gone = Difference(OLD, Verb.DELETE, ())
    other = Difference(Ref("Oddity", "x"), Verb.UPDATE, ())
    edits = tuple(
        Edit(by, Editor("", "", "", ""), Version(0, 1, 0), Version(0, 2, 0), 0, (item,))
        for by, item in [
            (By.OTHER, gone),
            (By.UNKNOWN, gone),
            (By.UNKNOWN, other),
            (By.AGENT, gone),
            (By.PACEMAKER, gone),
        ]
    )
    done = passed(Observation(Snapshot({}, 100.0), "a"), Decision(Plan(), None, frozenset(), {}))
    found = measure(done, Counts(), {}, "enforce", Noted(edits)).snapshot
    assert found.out_of_band == {("Location", "delete"): 2, ("other", "update"): 1}


def test_what_a_change_may_restart_is_what_names_it_and_what_is_named_with_it() -> None:
    def seen(sleep: str, more: str = "") -> Observed:
        value = f'<instance_attributes id="i"><nvpair id="n" name="op_sleep" value="{sleep}"/></instance_attributes>'
        agent = 'class="ocf" provider="pacemaker" type="Dummy"'
        resources = (
            f'<template id="t" {agent}>{value}</template><primitive id="a" template="t"/><primitive id="far" {agent}/>'
            f'<primitive id="b" {agent}/><group id="g"><primitive id="m" {agent}>{more}</primitive></group>'
        )
        constraints = '<rsc_order id="o" first="m" then="b"/><rsc_location id="l" rsc="far" node="n" score="1"/>'
        return observe(parse(cib(resources, constraints=constraints)))

    assert affected(seen("1"), seen("1")) == affected(None, seen("1")) == frozenset()
    assert affected(seen("1"), seen("2")) == {"t", "a"}
    meta = '<meta_attributes id="x"><nvpair id="y" name="priority" value="1"/></meta_attributes>'
    assert affected(seen("1"), seen("1", meta)) == {"m", "g", "o", "b"}


def test_a_deletion_that_is_held_is_drift_too() -> None:
    snapshot = snapshot_of(Plan(holds=(Hold(Reason.DELETION_BUDGET, "too many", OLD),)))
    assert (result(snapshot), snapshot.loop.drift) == (Result.BLOCKED, {("crm", "Location", "delete"): 1})


def test_in_observe_mode_drift_is_a_dry_run() -> None:
    plan = Plan(changes=(Change(VIP, None, SPEC),))
    assert result(snapshot_of(plan, mode="observe")) is Result.DRY_RUN
    by_policy = Plan(changes=plan.changes, holds=(Hold(Reason.OBSERVE_ONLY, "mode = observe in SyncPolicy/p"),))
    assert result(snapshot_of(by_policy)) is Result.DRY_RUN


def test_a_suspension_shows_in_all_that_is_measured() -> None:
    since = Suspension(50, 200, "root@a", "kernel update")
    plan = Plan(changes=(Change(VIP, None, SPEC),), holds=(Hold(Reason.SUSPENDED, "until …"),))
    snapshot = snapshot_of(plan, suspended=since)
    assert (snapshot.suspended, snapshot.apply_blocked) == (since, frozenset({Reason.SUSPENDED}))
    assert result(snapshot) is Result.BLOCKED
    assert snapshot_of(plan, suspended=Suspension(50, 100, "root@a", "over")).suspended is None


def test_what_is_left_alone_is_counted_while_it_is() -> None:
    kept = Register(pauses=(Pause("r1", VIP, 0, 200, "httpd broke"), Pause("r0", OLD, 0, 200, "httpd broke")))
    assert snapshot_of(Plan(), kept=kept).left_alone == 1
    over = Register(pauses=(Pause("r1", VIP, 0, 100, "httpd broke"),))
    assert snapshot_of(Plan(), kept=over).left_alone == 0


def test_a_failed_command_and_blindness_are_errors() -> None:
    plan = Plan(changes=(Change(VIP, None, SPEC),))
    failed = snapshot_of(plan, Outcome(PATCH, 78, "no", 0.1))
    assert result(failed) is Result.ERROR
    assert failed.loop.change_failures == {("crm", "Primitive", "create"): 1}
    assert result(snapshot_of(Plan(), blind="cibadmin is not installed")) is Result.ERROR


def test_a_done_command_is_a_change() -> None:
    assert result(snapshot_of(Plan(), Outcome(PATCH, 0, "", 0.1))) is Result.CHANGED


def test_only_what_keeps_the_agent_from_writing_blocks() -> None:
    plan = Plan(holds=(Hold(Reason.NOT_WRITER, "the DC writes"), Hold(Reason.STOPPING, "stops first", OLD)))
    assert snapshot_of(plan).apply_blocked == {Reason.NOT_WRITER}
    assert snapshot_of(Plan(), blind="no").apply_blocked == {Reason.UNOBSERVABLE}


def test_a_source_that_is_no_longer_asked_is_neither_up_nor_down() -> None:
    def after(counts: Counts, **answers: Answer) -> Counts:
        seen = Snapshot({Source(name): answer for name, answer in answers.items()}, 100.0)
        problems = {source: answer for source, answer in seen.answers.items() if answer.failure}
        of = Reconciliation(
            wanted=Wanted(Desired({}, "r1")),
            observation=Observation(seen, "vm-node1", problems=problems),
            decision=Decision(Plan(), None, frozenset(), {}),
            applied=(),
            adopted=(),
            outcomes=(),
            refusals=0,
            objects={},
            began=99.0,
            seconds=1.0,
        )
        return measure(of, counts, {}, "enforce").counts

    fallen = after(Counts(), stats=Answer("", "exit"), cfgtool=Answer("", "exit"))
    assert fallen.sources["cfgtool"].up is False
    back = after(fallen, stats=Answer("")).sources
    assert (back["cfgtool"].up, back["cfgtool"].seconds, back["cfgtool"].failures) == (None, None, {"exit": 1})
    assert back["stats"].up is True


def test_a_text_that_cannot_be_read_is_a_failure_of_its_source() -> None:
    report = snapshot_of(Plan()).sources["cmap"]
    assert (report.up, report.failures) == (False, {"parse": 1})
