"""What people read: status, get and describe of one pass."""

import json
import re
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from click import ClickException

from reconciler import show
from reconciler.chronicle import Noted
from reconciler.cib.register import Register, Suspension
from reconciler.decision import Decision, Remembered, decide
from reconciler.events import Event, Ledger, Source, Teller, dump
from reconciler.expectation import Sort, Surprise
from reconciler.host import store
from reconciler.host.lock import LOCK
from reconciler.host.store import STATUS
from reconciler.kinds import CLUSTER_KINDS
from reconciler.overrides import Age, Mark
from reconciler.page import page
from reconciler.plan import Change, Hold, Override, Plan, Reason
from reconciler.pruning import Policy
from reconciler.reconciliation import Reconciliation, Wanted
from reconciler.records import EVENTS
from reconciler.report import all_well, objects_in, report
from reconciler.settling import Result
from reconciler.state import Desired, Ref, Rejected, Scope
from reconciler.status import Health, Pass, conclude
from reconciler.text import timestamp
from tests.aftermaths import ended
from tests.observations import DUMMY, WANTED, cib, desired, observation

DESIRED = desired("abcdef0123456789", Primitive__r=WANTED["Primitive__r"])
R = Ref("Primitive", "r")


def passed(text: str | None = None, *, plan: Plan | None = None, wanted: Wanted | None = None) -> Reconciliation:
    """A pass over a CIB, of which nothing was applied."""
    wanted = wanted or Wanted(DESIRED)
    seen = observation(text or cib(DUMMY, owned=["r"]))
    decided = decide(wanted.desired or Desired({}, ""), seen, Policy(), Remembered())
    decided = replace(decided, plan=plan) if plan else decided
    return done(seen, decided, wanted)


def done(seen: Any, decided: Decision, wanted: Wanted) -> Reconciliation:
    health = {R: Health(True, "Running", "on a")}
    turn = Pass(wanted.desired or Desired({}, ""), decided.plan, (), decided.blind, health)
    return Reconciliation(wanted, seen, decided, (), (), (), 0, conclude(turn, {}, 0.0), 0.0, 0.1)


def document(of: Reconciliation | None = None) -> Any:
    """The document of a pass as it comes back from its file."""
    return json.loads(json.dumps(report(of or passed(), "enforce", "/etc/reconciler/desired.d", 0.0)))


def lines(text: str) -> list[str]:
    return [line for line in text.splitlines() if not line.startswith(("seen", "node"))]


def test_a_quiet_status_is_short() -> None:
    assert lines(show.status_text(document())) == [
        "cluster  DC a, with quorum, CIB 0.5.0",
        "writer   yes",
        "desired  /etc/reconciler/desired.d at abcdef012345",
        "",
        "1 object, 1 synced and healthy",
    ]
    assert all_well(document())


def test_what_is_not_well_is_in_a_table_with_the_reason() -> None:
    text = show.status_text(document(passed(cib())))
    assert lines(text)[-3:] == [
        "1 object, 0 synced and healthy",
        "KIND       NAME  SYNCED  HEALTHY  SINCE   WHY",
        lines(text)[-1],
    ]
    assert lines(text)[-1].startswith("Primitive  r     False   True     ")
    assert lines(text)[-1].endswith("d  Pending: not applied yet")
    assert not all_well(document(passed(cib())))


def test_the_writer_is_named() -> None:
    hold = Hold(Reason.NOT_WRITER, "the agent on the DC, b, makes the cluster's changes")
    text = show.status_text(document(passed(plan=Plan(holds=(hold,)))))
    assert "writer   no: the agent on the DC, b, makes the cluster's changes" in text
    assert "held" not in text, "there is nothing that could be"


def test_who_does_not_write_says_where_to_look_for_what_holds_the_changes() -> None:
    hold = Hold(Reason.NOT_WRITER, "the agent on the DC, b, makes the cluster's changes")
    change = Change(R, None, DESIRED.state[R])
    waits = "held     cluster: 1 change waits for the writer: its status, or `reconciler plan` here, tells if anything"
    assert waits in show.status_text(document(passed(plan=Plan((change,), holds=(hold,)))))
    assert "wait" not in show.status_text(document(passed(plan=Plan((change,)))))


def test_holds_of_a_scope_overrides_and_warnings_are_shown() -> None:
    plan = Plan(
        holds=(Hold(Reason.NO_QUORUM, "this part of the cluster has no quorum"),),
        overrides=(Override(R, "meta.target-role", "Stopped"),),
        warnings=("stonith-enabled is false",),
    )
    text = show.status_text(document(passed(plan=plan)))
    assert "held     cluster: NoQuorum: this part of the cluster has no quorum" in text
    assert "writer   no\n" in text
    assert "by hand  Primitive/r: meta.target-role = Stopped, respected" in text
    assert "warning  stonith-enabled is false" in text


def test_what_cannot_be_seen_is_said_once() -> None:
    seen = observation(None)
    blind = done(seen, decide(DESIRED, seen, Policy(), Remembered()), Wanted(DESIRED))
    text = show.status_text(document(blind))
    assert text.splitlines()[1] == "cluster  DC none, quorum unknown, CIB unseen"
    assert "blind    cluster: cibadmin failed with exit code 102: not connected" in text
    assert text.count("cibadmin failed") == 2, "once for the cluster, once in the table"
    assert not all_well(document(blind))


def test_every_fault_of_the_manifests_is_shown() -> None:
    faults = (Rejected("a.toml", "", "", "not TOML"), Rejected("b.toml", "Primitive/x", "spec.agent", "is missing"))
    wanted = Wanted(DESIRED, "/etc/x: 2 faults in the manifests (the last good state stays in force)", "", faults)
    text = show.status_text(document(passed(wanted=wanted)))
    assert "problem  /etc/x: 2 faults in the manifests (the last good state stays in force)\n" in text
    assert "\n         a.toml: not TOML\n         b.toml: Primitive/x: spec.agent: is missing\n" in text
    assert not all_well(document(passed(wanted=wanted)))


def test_get_selects_by_kind_and_name_in_any_case() -> None:
    whole = document()
    assert len(show.select(whole, "", "")["objects"]) == 1
    assert len(show.select(whole, "PRIMITIVE", "r")["objects"]) == 1
    assert show.get_text(show.select(whole, "Clone", "")) == "no objects\n"
    with pytest.raises(ClickException, match="'Primitve' is no kind; did you mean 'Primitive'"):
        show.select(whole, "Primitve", "")
    with pytest.raises(ClickException, match="the agent knows no Primitive x"):
        show.select(whole, "Primitive", "x")


def test_get_judges_only_what_was_asked_for() -> None:
    create = Change(Ref("Tag", "t"), None, CLUSTER_KINDS["Tag"].spec.model_validate({"objects": ["r"]}))
    whole = document(passed(plan=Plan(changes=(create,))))
    assert not all_well(whole)
    assert not all_well(show.select(whole, "", ""))
    assert all_well(show.select(whole, "Primitive", "r"))


def test_describe_says_everything_about_one_object() -> None:
    wanted = Wanted(desired("r2", Primitive__r='spec.agent = "ocf:pacemaker:Dummy"\nspec.params.fake = "1"'))
    text = show.describe_text(document(passed(wanted=wanted)))
    assert text.splitlines() == [
        "Primitive r",
        "  revision  r2",
        "  Synced    False    Pending since 1970-01-01T00:00:00.000Z: not applied yet",
        "  Healthy   True     Running since 1970-01-01T00:00:00.000Z: on a",
        "  to update",
        "    params.fake: (absent) -> 1",
    ]


TOLD = Teller(Source("crm_resource", "b", "root"), 0.0)


def test_describe_shows_what_happened_to_an_object_even_if_it_is_gone_or_not_ours(tmp_path: Path) -> None:
    gone = Ref("Primitive", "gone")
    happened = [TOLD.warning(R, "ChangedOutOfBand", "updated by root", None), TOLD.normal(gone, "Applied", "deleted")]
    ledger = Ledger().after([*happened, happened[0]])
    store.save(tmp_path / EVENTS, {"version": None, "events": dump(ledger.events)})
    whole = {**document(), "plan": {**document()["plan"], "foreign": [{"kind": "Tag", "name": "t"}]}}
    text = show.describe_text(show.describe(whole, "primitive", "r", tmp_path))
    assert re.search(
        r"\n  events\n +\d+d ago  Warning  ChangedOutOfBand: updated by root \(2 times since 1970-01-01T", text
    )
    text = show.describe_text(show.describe(whole, "Primitive", "gone", tmp_path))
    assert text.startswith("Primitive gone\n  no longer wanted or there: only its events are known\n  events\n")
    assert show.describe_text(show.describe(whole, "tag", "t", tmp_path)) == "Tag t\n  not ours, left alone\n"
    with pytest.raises(ClickException, match="the agent knows no Clone gone"):
        show.describe(whole, "Clone", "gone", tmp_path)


def test_status_shows_since_when_there_is_what_people_set_and_what_they_changed_last() -> None:
    override = Override(R, "meta.target-role", "Stopped")
    of = passed(plan=Plan(overrides=(override, Override(R, "meta.is-managed", "false"))))
    now = time.time()
    noted = Noted((), {Mark.of(override): Age(now - 3 * 86400, exact=False, expired=True)}, recent=(told(now - 60),))
    text = show.status_text(report(of, "enforce", "/etc/desired.d", 0.0, noted))
    assert "by hand  Primitive/r: meta.target-role = Stopped, respected (for at least 3d, expired)\n" in text
    assert "by hand  Primitive/r: meta.is-managed = false, respected\n" in text
    assert "changed  1m ago, Primitive/r: updated by root\n" in text
    shown = page(report(of, "enforce", "/etc/desired.d", 0.0, noted))
    assert "updated by root" in shown
    since = timestamp(now - 3 * 86400)
    assert (
        "<h2>Set by hand, respected</h2><table><tr><th>What</th><th>Setting</th><th>Since</th></tr>"
        f"<tr><td>Primitive/r</td><td>meta.target-role = Stopped</td><td>{since} or before, expired</td></tr>"
        "<tr><td>Primitive/r</td><td>meta.is-managed = false</td><td></td></tr></table>"
    ) in shown
    assert "Set by hand" not in page(report(passed(), "enforce", "/etc/desired.d", 0.0))


def told(at: float) -> Event:
    return replace(TOLD, at=at).warning(R, "ChangedOutOfBand", "updated by root")


def test_colour_is_only_where_it_is_asked_for() -> None:
    assert "\x1b" not in show.get_text(document(passed(cib())))
    assert "\x1b[31m" in show.get_text(document(passed(cib())), colour=True)


def test_conditions_come_back_from_the_document() -> None:
    of = passed()
    assert objects_in(document(of)) == dict(of.objects)
    assert objects_in({"objects": [{"kind": "Primitive"}, 5, *document(of)["objects"]]}) == dict(of.objects)
    rubbish: tuple[Any, ...] = (None, [], {"objects": None}, {"objects": 5}, "x")
    for kept in rubbish:
        assert objects_in(kept) == {}


def test_without_an_agent_nobody_knows(tmp_path: Path) -> None:
    store.save(tmp_path / STATUS, document())
    with pytest.raises(show.NoAgentError, match="no agent runs on this node"):
        next(show.documents(tmp_path, False))
    (tmp_path / LOCK).touch()
    with pytest.raises(show.NoAgentError, match="no agent runs on this node"):
        next(show.documents(tmp_path, False))


def test_what_the_writer_may_do_is_in_the_document() -> None:
    assert document()["agent"]["writes"] is True
    for scope, writes in ((Scope.CLUSTER, False), (Scope.NODE, True)):
        hold = Hold(Reason.OBSERVE_ONLY, "", scope=scope)
        assert document(passed(plan=Plan(holds=(hold,))))["agent"]["writes"] is writes


def test_a_patch_that_settled_otherwise_than_forecast_is_shown() -> None:
    surprise = Surprise(Sort.PLACEMENT, "r", "the forecast said: r starts on a; it runs on b")
    shown = document(replace(passed(), settling=ended(Result.SURPRISED, surprise)))
    assert lines(show.status_text(shown))[3:5] == [
        "settled  revision abcdef012345 has settled in 2.0 s, not as forecast",
        "         the forecast said: r starts on a; it runs on b",
    ]
    assert "  surprise  revision abcdef012345: the forecast said: r starts on a; it runs on b\n" in show.describe_text(
        shown
    )
    assert shown["settling"]["surprises"][0]["about"] == "placement"
    declared = document(replace(passed(), settling=ended(Result.SURPRISED, replace(surprise, sort=Sort.DECLARED))))
    assert "revision abcdef012345 has settled in 2.0 s, not as declared\n" in show.status_text(declared)
    quiet = document(replace(passed(), settling=ended(Result.AS_FORECAST)))
    assert show.status_text(quiet).count("settled") == 0


SUSPENDED = Suspension(60, 4102444799, "root@a", "kernel update")


def frozen(here: Suspension | None = None, register: Register | None = None) -> Any:
    of = passed()
    seen = of.observation
    snapshot = replace(seen.snapshot, suspended=here)
    return document(replace(of, observation=replace(seen, snapshot=snapshot, register=register or Register())))


def test_a_suspension_is_said_first_and_nothing_is_well_meanwhile() -> None:
    found = frozen(register=Register(SUSPENDED))
    assert not all_well(found)
    assert not all_well(show.select(found, "Primitive", "r"))
    first, second, *_ = show.status_text(found).splitlines()
    assert first.startswith("SUSPENDED since 1970-01-01T00:01:00Z (")
    assert first.endswith("d) until 2099-12-31T23:59:59Z by root@a: kernel update")
    assert second == "         `reconciler resume` ends it"
    assert "\x1b[31m\x1b[1mSUSPENDED" in show.status_text(found, colour=True)
    assert "SUSPENDED until 2099-12-31T23:59:59Z by root@a: kernel update" in page(found)
    assert found["suspended"] == {
        "since": "1970-01-01T00:01:00Z",
        "until": "2099-12-31T23:59:59Z",
        "by": "root@a",
        "reason": "kernel update",
        "onlyHere": False,
    }


def test_one_of_this_node_alone_says_so_and_one_that_is_over_nothing() -> None:
    assert show.status_text(frozen(SUSPENDED)).startswith("SUSPENDED ON THIS NODE ALONE, since ")
    over = frozen(Suspension(0, 1, "root@a", "old"), Register(Suspension(0, 1, "root@a", "old")))
    assert over["suspended"] is None
    assert all_well(over)


def test_one_that_nobody_can_read_is_loud_too() -> None:
    found = frozen(register=Register(unreadable=(("reconciler-suspended", "?"),)))
    assert show.status_text(found).startswith(
        "SUSPENDED what the register says under reconciler-suspended cannot be read\n"
    )
    assert not all_well(found)
