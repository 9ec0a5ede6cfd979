"""Whether a patch may be sent: what holds it, what releases it, and what nothing releases."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import time, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler import manifests
from reconciler.cib import register
from reconciler.cib.document import parse
from reconciler.cib.draft import draft
from reconciler.cib.register import Pause, Quarantine, Register, Suspension
from reconciler.cib.simulation import Act, Effect, Fencing, Simulation, candidate
from reconciler.cib.verdict import Invalid, Verdict
from reconciler.decision import Decision, Remembered, decide
from reconciler.demand import Demand
from reconciler.forecast import Forecast, NoForecast
from reconciler.guards import APPROVAL_LASTS, Inquiry, Moment, guarded, still_needed, tidied
from reconciler.observation import Observation
from reconciler.plan import Hold, Reason
from reconciler.policy import Rules
from reconciler.pruning import Policy
from reconciler.reversal import is_as_made
from reconciler.state import Desired, Ref, Scope
from reconciler.windows import Window
from tests.observations import cib, observation

NOW = 1_800_000_000.0
PRIMITIVE = '<primitive id="{}" class="ocf" provider="heartbeat" type="Dummy"/>'
MANIFEST = """
[[items]]
kind = "Primitive"
metadata.name = "{}"
spec.agent = "ocf:heartbeat:Dummy"
"""
QUIET = Forecast()


def desired(*names: str, extra: str = "") -> Desired:
    head = 'apiVersion = "ha.reconciler.io/v1alpha1"\nkind = "List"\nitems = []\n' if not names and not extra else ""
    text = head or 'apiVersion = "ha.reconciler.io/v1alpha1"\nkind = "List"\n'
    loaded = manifests.load({"a.toml": text + "".join(map(MANIFEST.format, names)) + extra}, "r1")
    assert not loaded.rejected
    return loaded


STARTING = """<node_state id="1" uname="a" in_ccm="true" crmd="online" join="member" expected="member">
<lrm id="1"><lrm_resources><lrm_resource id="slow" class="ocf" provider="heartbeat" type="Dummy">
<lrm_rsc_op id="slow_last_0" operation_key="slow_start_0" operation="start" call-id="-1" rc-code="193" op-status="-1"
 interval="0" transition-key="1:2:0:u" transition-magic="-1:193;1:2:0:u"/>
</lrm_resource></lrm_resources></lrm></node_state>"""


def seen(*names: str, owned: Iterable[str] = (), options: str = "", status: str = "") -> Observation:
    text = cib("".join(map(PRIMITIVE.format, names)), owned=[*owned], status=status)
    options = f'<cluster_property_set id="cib-bootstrap-options">{options}</cluster_property_set>'
    return observation(text.replace("<crm_config/>", f"<crm_config>{options}</crm_config>"))


def judged(  # noqa: PLR0913
    wanted: Desired,
    live: Observation,
    forecast: Forecast | NoForecast = QUIET,
    *,
    dc: str = "S_IDLE",
    rules: Rules | None = None,
    kept: Register | None = None,
    standing: Iterable[Hold] = (),
    now: float = NOW,
    file: bool = False,
) -> Decision:
    decided = decide(wanted, live, Policy(), Remembered(), standing)
    moment = Moment(wanted, live, Inquiry(forecast, dc), now, live=not file)
    return guarded(decided, moment, rules or Rules(), kept or Register())


def reasons(decision: Decision) -> list[Reason]:
    return [hold.reason for hold in decision.plan.holds]


def demand(decision: Decision) -> Demand:
    assert decision.demand
    return decision.demand


def caused(*effects: Effect, fencing: tuple[Fencing, ...] = ()) -> Forecast:
    return Forecast(caused=Simulation(effects, fencing))


NEW = desired("a")
STOPS = caused(*(Effect(Act.STOP, f"r{number}", "n1") for number in range(6)))
FENCES = caused(fencing=(Fencing("b", "reboot", "because"),))


def test_a_harmless_patch_is_sent_and_what_it_asks_for_is_said() -> None:
    found = judged(NEW, seen())
    assert len(found.plan.commands) == 1
    assert found.plan.holds == ()
    assert found.forecast is QUIET
    assert set(demand(found).changes) == {Ref("Primitive", "a")}


def test_what_somebody_else_sends_is_not_judged() -> None:
    found = judged(NEW, seen(), FENCES, standing=[Hold(Reason.NOT_WRITER, "b does")])
    assert (found.demand, found.forecast, reasons(found)) == (None, None, [Reason.NOT_WRITER])


SITUATIONS = {
    "deletions beyond the budget": (
        {"wanted": NEW, "live": seen("x1", "x2", owned=["x1", "x2"]), "rules": Rules(deletion_budget=1)},
        Reason.DELETION_BUDGET,
        (
            "it deletes 2 objects, more than the deletion budget of 1: Primitive/x1, Primitive/x2; "
            "to go ahead all the same: reconciler approve "
        ),
    ),
    "the last of all": (
        {"wanted": desired(), "live": seen("x1", owned=["x1"])},
        Reason.DELETION_BUDGET,
        "it deletes Primitive/x1: the manifests want nothing of the cluster any more; ",
    ),
    "more interruptions than the budget": (
        {"wanted": NEW, "live": seen(), "forecast": STOPS},
        Reason.DISRUPTION_BUDGET,
        "it interrupts 6 resources, more than the disruption budget of 5: r0, r1, r2, r3, r4 and 1 more; ",
    ),
    "fencing": ({"wanted": NEW, "live": seen(), "forecast": FENCES}, Reason.FENCING, "b would be fenced; "),
    "a busy cluster": (
        {"wanted": NEW, "live": seen("slow", status=STARTING), "dc": "S_TRANSITION_ENGINE"},
        Reason.TRANSITION_RUNNING,
        "waits until the cluster has done what it is at: slow start on a; ",
    ),
    "no forecast": (
        {"wanted": NEW, "live": seen(), "forecast": NoForecast("crm_simulate is not installed")},
        Reason.NO_FORECAST,
        "nobody knows what it would do: crm_simulate is not installed; ",
    ),
    "errors in Pacemaker's eyes": (
        {"wanted": NEW, "live": seen(), "forecast": Forecast(verdict=Verdict(("'freeeze' is invalid",)))},
        Reason.VERIFY_ERRORS,
        "Pacemaker calls it wrong: 'freeeze' is invalid; ",
    ),
    "a quarantined revision": (
        {"wanted": NEW, "live": seen(), "kept": Register(quarantines=(Quarantine("r1", 0, "httpd went down"),))},
        Reason.QUARANTINED,
        "this revision is not applied again: httpd went down; ",
    ),
    "outside of all windows": (
        {
            "wanted": NEW,
            "live": seen(),
            # NOW is a Friday, 08:00 UTC.
            "rules": Rules(windows=(Window(frozenset({5}), time(2), timedelta(hours=4)),)),
        },
        Reason.OUTSIDE_WINDOW,
        "",
    ),
}


@pytest.mark.parametrize("situation", SITUATIONS)
def test_what_a_person_may_decide_is_held_until_exactly_that_is_approved(situation: str) -> None:
    given_, reason, words = SITUATIONS[situation]
    found = judged(**given_)  # type: ignore[arg-type]
    assert reasons(found) == [reason]
    [hold] = found.plan.holds
    assert hold.message.startswith(words)
    assert hold.message.endswith(f"to go ahead all the same: reconciler approve {demand(found).digest}")
    assert found.plan.commands == ()
    assert found.plan.changes, "what is held is still shown"
    kept = given_.get("kept", Register())
    assert isinstance(kept, Register)
    approval = demand(found).approval(int(NOW), "root@a")
    released = judged(**{**given_, "kept": kept.approving(approval)})  # type: ignore[arg-type]
    assert (released.plan.holds, len(released.plan.commands)) == ((), 1)
    late = judged(**{**given_, "kept": kept.approving(approval), "now": NOW + APPROVAL_LASTS})  # type: ignore[arg-type]
    assert reason in reasons(late)
    other = replace(approval, revision="r2")
    assert reason in reasons(judged(**{**given_, "kept": kept.approving(other)}))  # type: ignore[arg-type]


MAINTAINED = '<nvpair id="m" name="maintenance-mode" value="true"/>'
INVALID = Verdict(
    invalid=(Invalid("Expecting an element", (("resources", ""), ("primitive", "a"), ("op", "a-monitor-10s"))),)
)


@pytest.mark.parametrize(
    ("situation", "reason", "words"),
    [
        (
            {"live": seen(), "forecast": NoForecast("Invalid configuration", INVALID, breaks=True)},
            Reason.INVALID,
            "the cluster's schema does not allow it: Primitive/a: op a-monitor-10s: Expecting an element",
        ),
        ({"live": seen(), "forecast": NoForecast("it crashed", breaks=True)}, Reason.BREAKS_SCHEDULER, "it crashed"),
        ({"live": seen(options=MAINTAINED)}, Reason.MAINTENANCE_MODE, "maintenance-mode is on"),
    ],
)
def test_what_no_approval_changes(situation: dict[str, object], reason: Reason, words: str) -> None:
    found = judged(NEW, **situation)  # type: ignore[arg-type]
    assert reasons(found) == [reason]
    assert found.plan.holds[0].message.startswith(words)
    approved = Register().approving(demand(found).approval(int(NOW), "root@a"))
    assert reasons(judged(NEW, kept=approved, **situation)) == [reason]  # type: ignore[arg-type]


def test_a_dc_that_only_thinks_about_an_edit_holds_nothing() -> None:
    for state in ("S_POLICY_ENGINE", "S_TRANSITION_ENGINE"):
        assert judged(NEW, seen(), dc=state).plan.holds == ()


def test_what_mends_a_resource_does_not_wait_for_what_the_cluster_does_with_it() -> None:
    mended = desired("slow", extra='spec.params.fake = "1"\n')
    live = seen("slow", owned=["slow"], status=STARTING)
    assert judged(mended, live, dc="S_TRANSITION_ENGINE").plan.holds == ()
    both = desired("a", "slow", extra='spec.params.fake = "1"\n')
    assert judged(both, live, dc="S_TRANSITION_ENGINE").plan.holds == ()
    location = (
        '[[items]]\nkind = "Location"\nmetadata.name = "l"\nspec = { resource = "slow", node = "b", score = 1 }\n'
    )
    assert judged(desired("slow", extra=location), live, dc="S_TRANSITION_ENGINE").plan.holds == ()
    assert reasons(judged(desired("slow", "a"), live, dc="S_TRANSITION_ENGINE")) == [Reason.TRANSITION_RUNNING]


def test_recording_what_already_is_as_wanted_is_not_held() -> None:
    found = judged(NEW, seen("a", "slow", options=MAINTAINED, status=STARTING), dc="S_TRANSITION_ENGINE")
    assert found.plan.adoptions == (Ref("Primitive", "a"),)
    assert (found.plan.holds, len(found.plan.commands)) == ((), 1)


def test_maintenance_that_a_manifest_says_something_of_holds_nothing() -> None:
    extra = '[[items]]\nkind = "ClusterProperties"\nmetadata.name = "cib-bootstrap-options"\n'
    for mode in ("true", "false"):
        wanted = desired("a", extra=f"{extra}spec.properties = {{ maintenance-mode = {mode} }}\n")
        assert judged(wanted, seen(options=MAINTAINED)).plan.holds == ()


def test_what_mends_a_broken_cluster_is_sent() -> None:
    assert judged(NEW, seen(), NoForecast("the live one cannot be simulated", mends=True)).plan.holds == ()


def test_of_a_file_only_what_it_says_itself_holds_and_the_rest_is_a_warning() -> None:
    found = judged(NEW, seen(options=MAINTAINED), FENCES, dc="", file=True)
    assert (found.plan.holds, len(found.plan.commands)) == ((), 1)
    assert "on a live cluster this is held: Fencing: b would be fenced" in found.plan.warnings
    gone = judged(NEW, seen("x1", "x2", owned=["x1", "x2"]), rules=Rules(deletion_budget=1), file=True)
    assert reasons(gone) == [Reason.DELETION_BUDGET]


def test_an_approval_releases_the_rest_of_its_plan_and_nothing_more() -> None:
    names = ["x1", "x2", "x3"]
    strict = Rules(deletion_budget=1)
    first = judged(NEW, seen(*names, owned=names), rules=strict)
    kept = Register().approving(demand(first).approval(int(NOW), "root@a"))
    rest = judged(NEW, seen("a", "x2", "x3", owned=["a", "x2", "x3"]), rules=strict, kept=kept)
    assert (rest.plan.holds, len(rest.plan.commands)) == ((), 1)
    more = judged(NEW, seen(*names, "x4", owned=[*names, "x4"]), rules=strict, kept=kept)
    assert reasons(more) == [Reason.DELETION_BUDGET]
    assert "root@a does not cover it, as that did not show: deletes Primitive/x4; to go" in more.plan.holds[0].message
    fences = judged(NEW, seen(*names, owned=names), FENCES, rules=strict, kept=kept)
    assert reasons(fences) == [Reason.DELETION_BUDGET, Reason.FENCING]
    assert "as that did not show: fences b; to go" in fences.plan.holds[1].message


CLOSED = (Window(frozenset({5}), time(2), timedelta(hours=4)),)


def test_an_approval_releases_from_the_reasons_that_were_shown_and_from_no_other() -> None:
    """The same plan may meet more than a person was asked about: then what was not shown holds it."""
    names = ["x1", "x2"]
    live, strict = seen(*names, owned=names), Rules(deletion_budget=1)
    shown = judged(NEW, live, STOPS, rules=replace(strict, disruption_budget=9))
    assert reasons(shown) == [Reason.DELETION_BUDGET]
    kept = Register().approving(demand(shown).approval(int(NOW), "root@a"))
    now = judged(NEW, live, STOPS, rules=strict, kept=kept)
    assert reasons(now) == [Reason.DISRUPTION_BUDGET], "a budget that was lowered since"
    assert (
        f"; the approval {demand(shown).digest} by root@a does not cover it, as that did not show: DisruptionBudget; to"
    ) in now.plan.holds[0].message
    both = judged(NEW, live, STOPS, rules=strict, kept=kept.approving(demand(now).approval(int(NOW), "root@a")))
    assert both.plan.holds == ()
    bad = kept.quarantining(Quarantine("r1", int(NOW), "it did harm"))
    assert reasons(judged(NEW, live, STOPS, rules=replace(strict, disruption_budget=9), kept=bad)) == [
        Reason.QUARANTINED
    ]
    wrong = [replace(QUIET, verdict=Verdict((text,))) for text in ("'a' is wrong", "'b' is wrong")]
    kept = Register().approving(demand(judged(NEW, seen(), wrong[0])).approval(int(NOW), "root@a"))
    assert judged(NEW, seen(), wrong[0], kept=kept).plan.holds == ()
    assert reasons(judged(NEW, seen(), wrong[1], kept=kept)) == [Reason.VERIFY_ERRORS], "another error"


def test_what_only_waits_waits_on_when_it_was_not_shown() -> None:
    live = seen("slow", *(names := ["x1", "x2"]), owned=names)
    strict = Rules(deletion_budget=1)
    shown = judged(NEW, live, rules=strict)
    kept = Register().approving(demand(shown).approval(int(NOW), "root@a"))
    closed = judged(NEW, live, rules=replace(strict, windows=CLOSED), kept=kept)
    assert reasons(closed) == [Reason.OUTSIDE_WINDOW]
    assert "does not cover" not in closed.plan.holds[0].message
    assert demand(closed).digest != demand(shown).digest, "who approves it is shown the window"
    busy = seen("slow", *names, owned=names, status=STARTING)
    waits = judged(NEW, busy, rules=strict, kept=kept, dc="S_TRANSITION_ENGINE")
    assert reasons(waits) == [Reason.TRANSITION_RUNNING]
    assert demand(waits).digest == demand(shown).digest, "a digest does not change with every moment"
    dared = kept.approving(demand(closed).approval(int(NOW), "root@a"))
    assert judged(NEW, live, rules=replace(strict, windows=CLOSED), kept=dared).plan.holds == ()


def test_a_revision_that_did_harm_is_remembered_when_others_follow() -> None:
    kept = Register()
    for number in range(7):
        kept = kept.quarantining(Quarantine(f"r{number}", int(NOW) + number, "it did harm"))
    assert [bad.revision for bad in kept.quarantines] == ["r6", "r5", "r4", "r3", "r2"]
    assert still_needed(kept, "good", NOW, done=True) == kept
    again = replace(NEW, revision="r4")
    assert reasons(judged(again, seen(), kept=kept)) == [Reason.QUARANTINED]
    assert judged(NEW, seen(), kept=kept).plan.holds == ()
    anew = kept.quarantining(Quarantine("r4", int(NOW) + 9, "again"))
    assert [bad.revision for bad in anew.quarantines] == ["r4", "r6", "r5", "r3", "r2"]


def test_an_approval_of_what_was_foreseen_releases_nothing_that_nobody_foresees() -> None:
    names = ["x1", "x2"]
    strict = Rules(deletion_budget=1)
    unknown = NoForecast("crm_simulate did not answer in time")
    shown = judged(NEW, seen(*names, owned=names), rules=strict)
    kept = Register().approving(demand(shown).approval(int(NOW), "root@a"))
    blind = judged(NEW, seen(*names, owned=names), unknown, rules=strict, kept=kept)
    assert reasons(blind) == [Reason.DELETION_BUDGET, Reason.NO_FORECAST]
    assert demand(blind).digest != demand(shown).digest
    dared = Register().approving(demand(blind).approval(int(NOW), "root@a"))
    assert judged(NEW, seen(*names, owned=names), unknown, rules=strict, kept=dared).plan.holds == ()
    stops = judged(NEW, seen(*names, owned=names), STOPS, rules=strict, kept=dared)
    assert Reason.DISRUPTION_BUDGET in reasons(stops), "now it is known, and nobody has agreed to that"


_NAMES = st.sampled_from(["a", "b", "c", "d"])
_REFS = st.frozensets(st.builds(Ref, st.just("Primitive"), _NAMES))
DEMANDS = st.builds(
    Demand,
    revision=st.sampled_from(["r1", "r2"]),
    changes=st.dictionaries(st.builds(Ref, st.just("Group"), _NAMES), st.sampled_from(["0" * 12, "1" * 12])),
    deletions=_REFS,
    disrupted=st.frozensets(_NAMES),
    fenced=st.frozensets(_NAMES),
    unforeseen=st.booleans(),
    reasons=st.frozensets(st.sampled_from(["DeletionBudget", "OutsideWindow", "FencingPending/a; b"])),
)


@given(DEMANDS, DEMANDS)
def test_an_approval_covers_what_was_asked_and_never_more(asked: Demand, other: Demand) -> None:
    approval = asked.approval(0, "root@a")
    assert asked.is_within(approval)
    if other.is_within(approval):
        assert other.revision == asked.revision
        assert set(other.changes.values()) <= set(asked.changes.values())
        assert other.deletions <= asked.deletions
        assert other.disrupted <= asked.disrupted
        assert other.fenced <= asked.fenced
        assert asked.unforeseen or not other.unforeseen
    both_ways = other.is_within(approval) and asked.is_within(other.approval(0, "root@a"))
    if asked.digest == other.digest:
        assert both_ways


@given(DEMANDS)
def test_an_approval_survives_the_register(asked: Demand) -> None:
    approval = asked.approval(1_800_000_000, "root@a")
    live = parse(cib())
    text = register.patched(live, Register().approving(approval))
    assert text
    assert asked.digest in text
    assert register.read(parse(candidate(live, draft(live, register.edits(live, Register().approving(approval)))))) == (
        Register().approving(approval)
    )


APPROVED = Register().approving(Demand("r1", {}).approval(int(NOW), "root@a"))
OVER = Register(suspended=Suspension(int(NOW) - 200_000, int(NOW) - 100_000, "root@a", "upgrade"))
OTHERS = Register(quarantines=(Quarantine("r0", int(NOW), "it did harm"),))
LONG_AGO = Register(pauses=(Pause("r1", Ref("Primitive", "a"), int(NOW) - 200_000, int(NOW) - 196_400, "a broke"),))
"""Not worth a patch of its own."""
RELEASED = Register(quarantines=(Quarantine("r1", int(NOW), "it did harm"),)).approving(
    Demand("r1", {}, reasons=frozenset({str(Reason.QUARANTINED)})).approval(int(NOW), "root@a")
)
STANDING = Hold(Reason.NOT_WRITER, "b does")


def tidy(kept: Register, live: Observation, *holds: Hold, now: float = NOW) -> bool:
    """Tell whether a patch is sent that takes something out of the register of this cluster."""
    assert live.cib
    entered = parse(candidate(live.cib, draft(live.cib, register.edits(live.cib, kept))))
    assert register.read(entered) == kept
    made = tidied(decide(NEW, live, Policy(), Remembered(), holds), entered, kept, "r1", now)
    return any(command.scope is Scope.CLUSTER and not command.refs for command in made.plan.commands)


def in_sync() -> Observation:
    return seen("a", owned=["a"])


@pytest.mark.parametrize("kept", [APPROVED, OVER, RELEASED])
def test_what_no_longer_counts_is_taken_out_when_all_is_done(kept: Register) -> None:
    assert still_needed(kept, "r1", NOW, done=True) == Register()
    assert tidy(kept, in_sync())
    assert not tidy(kept, in_sync(), STANDING), "another agent does it"


def test_only_an_approval_that_showed_the_quarantine_ends_it() -> None:
    """One that was given before another agent's revert was known released something else."""
    bad = Register(quarantines=(Quarantine("r1", int(NOW), "it did harm"),))
    deletes = replace(Demand("r1", {}), reasons=frozenset({str(Reason.DELETION_BUDGET)}))
    kept = bad.approving(deletes.approval(int(NOW), "root@a"))
    assert still_needed(kept, "r1", NOW, done=True) == bad
    shown = replace(deletes, reasons=deletes.reasons | {str(Reason.QUARANTINED)})
    both = kept.approving(shown.approval(int(NOW), "root@a"))
    assert still_needed(both, "r1", NOW, done=True) == Register()
    old = bad.approving(shown.approval(int(NOW - APPROVAL_LASTS), "root@a"))
    assert still_needed(old, "r1", NOW, done=True) == bad


def test_what_may_still_be_needed_stays() -> None:
    assert not tidy(APPROVED, seen()), "its plan is not done"
    assert not tidy(Register().approving(Demand("r2", {}).approval(int(NOW), "root@a")), in_sync())
    for counts in (
        Register(suspended=Suspension(int(NOW) - 20, int(NOW) - 10, "root@a", "perhaps this clock is ahead")),
        Register(suspended=Suspension(int(NOW), int(NOW) + 10, "root@a", "upgrade")),
        Register(quarantines=(Quarantine("r1", int(NOW), "it did harm"),)),
        OTHERS,
        LONG_AGO,
    ):
        assert not tidy(counts, in_sync())


def test_an_object_that_has_the_register_s_id_keeps_no_agent_from_its_work() -> None:
    live = seen("a", "reconciler", owned=["a"])
    assert not tidy(Register(), live)
    assert live.cib
    assert is_as_made(live.cib.configuration, live.cib)
    assert judged(desired("b"), live).plan.commands
