"""What is left alone because correcting it did harm: all agents know it, also the next one on this node."""

import re
import time
from dataclasses import replace
from pathlib import Path

import pytest

from reconciler.cib.document import parse
from reconciler.cib.draft import draft
from reconciler.cib.register import MOST_PAUSES, Pause, Quarantine, Register, Suspension, edits, patched, read
from reconciler.pace import Pace
from reconciler.pauses import LASTS, STAYS, holds, untold, without_old
from reconciler.plan import Reason
from reconciler.reconciliation import Reconciliation
from reconciler.settling import CALM, Remedy
from reconciler.state import Ref, Scope
from reconciler.turn import Memory
from tests.acted_cluster import BREAKS, HTTPD, ActedCluster
from tests.observations import cib
from tests.programs import need, run

NOW = 1_795_500_000.0
PAUSE = Pause("r1", Ref("Primitive", "vip"), int(NOW), int(NOW) + LASTS, "its last correction broke httpd")


def test_it_holds_its_object_for_its_time_and_its_revision() -> None:
    hold = holds([PAUSE], "r1", NOW)[PAUSE.ref]
    assert (hold.reason, hold.ref, hold.scope) == (Reason.BACKING_OFF, PAUSE.ref, Scope.CLUSTER)
    assert hold.message == (
        "its last correction broke httpd; left alone until 2026-11-24T07:00:00Z, or until there is a new revision"
    )
    assert holds([PAUSE], "r1", NOW + LASTS - 1)
    assert holds([PAUSE], "r1", NOW + LASTS) == {}
    assert holds([PAUSE], "r2", NOW) == {}


def test_a_clock_that_was_far_ahead_does_not_hold_for_years() -> None:
    assert holds([replace(PAUSE, until=int(NOW) + 10 * LASTS)], "r1", NOW) == {}


def test_of_one_object_the_longest_counts() -> None:
    longer = replace(PAUSE, at=PAUSE.at + 9, until=PAUSE.until + 9)
    for pair in ([PAUSE, longer], [longer, PAUSE]):
        assert Register().pausing(pair).pauses == (longer,)
        assert "07:00:09Z" in holds(pair, "r1", NOW)[PAUSE.ref].message
    other = replace(PAUSE, revision="r2")
    assert set(Register().pausing([PAUSE, other]).pauses) == {PAUSE, other}


def test_they_are_few_and_to_tell_the_rest_again_changes_nothing() -> None:
    many = [replace(PAUSE, ref=Ref("Primitive", f"p{number}")) for number in range(MOST_PAUSES + 7)]
    kept = Register().pausing(many)
    assert len(kept.pauses) == MOST_PAUSES
    left = untold(many, kept, "r1", NOW)
    assert len(left) == 7
    assert kept.pausing(left) == kept


def test_what_is_told_over_or_of_another_revision_is_not_told_again() -> None:
    assert untold([PAUSE], Register(), "r1", NOW) == (PAUSE,)
    assert untold([PAUSE], Register(pauses=(PAUSE,)), "r1", NOW) == ()
    assert untold([PAUSE], Register(), "r1", NOW + LASTS) == ()
    assert untold([PAUSE], Register(), "r2", NOW) == ()


def test_an_agent_of_an_older_version_takes_it_for_another_revision_s_quarantine() -> None:
    value = Register(quarantines=(Quarantine("beef", int(NOW), "it did harm"),), pauses=(PAUSE,))
    empty = parse(cib())
    pairs = draft(empty, edits(empty, value)).iterfind("crm_config/cluster_property_set[@id='reconciler']/nvpair")
    ((name, said),) = [(pair.get("name"), pair.get("value", "")) for pair in pairs]
    then = re.compile(r"revision (\S+) at (\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ): (.*)", re.ASCII)
    found = [then.fullmatch(part) for part in said.split("; ")]
    assert name == "reconciler-quarantined"
    assert [match and match[1] for match in found] == ["beef", "r1/Primitive/vip"]


def test_what_is_long_over_goes_with_the_next_one() -> None:
    assert without_old(Register(pauses=(PAUSE,)), NOW + LASTS + STAYS - 1).pauses == (PAUSE,)
    assert without_old(Register(pauses=(PAUSE,)), NOW + LASTS + STAYS).pauses == ()


@pytest.fixture
def cluster(tmp_path: Path) -> ActedCluster:
    """A cluster whose service has run well, and whose correction after an edit has just broken it."""
    need("cibadmin", "crm_simulate", "crm_verify")
    return ran_well_and_broke(tmp_path)


def ran_well_and_broke(place: Path, *others: str) -> ActedCluster:
    cluster = ActedCluster(place, revert=True)
    cluster.want("good", *others)
    cluster.turn()
    cluster.act()
    cluster.settle()
    cluster.drift("good", "drift")
    cluster.act()
    cluster.turn()
    assert (cluster.config, cluster.settling.applied.corrects) == ("good", True)
    cluster.act(BREAKS)
    return cluster


def harmed(cluster: ActedCluster) -> Reconciliation:
    """See that the correction has broken the service."""
    done = cluster.settle()
    (ended,) = done.settled
    assert (ended.broken, ended.remedy) == (("httpd",), Remedy.WITHHELD)
    return done


def told(cluster: ActedCluster) -> list[Ref]:
    return [pause.ref for pause in read(cluster.cib).pauses]


def left_alone(cluster: ActedCluster) -> bool:
    """Let somebody edit it again; tells whether an agent corrects that."""
    cluster.drift("good", "drift")
    synced = cluster.turn().objects[HTTPD].condition("Synced")
    assert (cluster.config == "drift") is (synced.reason == "BackingOff"), synced
    return synced.reason == "BackingOff"


def test_the_next_agent_leaves_alone_what_the_last_one_broke(cluster: ActedCluster) -> None:
    done = harmed(cluster)
    (pause,) = read(cluster.cib).pauses
    assert (pause.revision, pause.ref, pause.until - pause.at) == (done.revision, HTTPD, LASTS)
    assert [outcome.ok for outcome in done.outcomes] == [True]
    assert done.applied == ()
    assert cluster.memory.untold == ()
    assert cluster.turn().outcomes == ()
    cluster.memory = Memory(proof=cluster.memory.proof)
    assert left_alone(cluster)
    cluster.want("better")
    cluster.turn()
    assert cluster.config == "better", "a new revision is tried at once"
    cluster.want("good")
    cluster.turn()
    assert cluster.config == "better", "the old one would do the same again"


def test_more_than_the_register_takes_are_no_loop_of_writes(cluster: ActedCluster) -> None:
    done, now = harmed(cluster), int(time.time())
    one = Pause(done.revision, HTTPD, now, now + LASTS + 60, "its last correction broke httpd")
    cluster.memory.untold = tuple(replace(one, ref=Ref("Primitive", f"p{at}")) for at in range(MOST_PAUSES + 7))
    assert [len(cluster.turn().outcomes) for _ in range(3)] == [1, 0, 0]
    assert (len(told(cluster)), len(cluster.memory.untold)) == (MOST_PAUSES, 7)


def test_who_removes_it_from_the_cib_ends_it(cluster: ActedCluster) -> None:
    harmed(cluster)
    patch = patched(cluster.cib, Register())
    assert patch
    run(cluster.file, "cibadmin", "--patch", "--xml-pipe", stdin=patch)
    assert not left_alone(cluster)
    assert told(cluster) == []


RIVAL = """[ -e {0}/once ] || {{ touch {0}/once; cat >{0}/patch
    sed -i 's/ epoch="\\([0-9]*\\)"/ epoch="1\\1"/' "$CIB_file"; exec <{0}/patch; }}"""
"""Changes the configuration once, just before a patch."""


def test_a_lost_race_is_run_again(cluster: ActedCluster) -> None:
    cluster.wrap(RIVAL.format(cluster.place))
    done = harmed(cluster)
    assert (done.refusals, told(cluster)) == (1, [HTTPD])


def test_until_the_register_can_be_written_the_agent_remembers(cluster: ActedCluster) -> None:
    cluster.wrap("cat >/dev/null; echo 'Connection timed out' >&2; exit 124")
    done = harmed(cluster)
    assert (told(cluster), [hold.reason for hold in done.decision.plan.holds]) == ([], [Reason.BACKING_OFF])
    assert left_alone(cluster)
    assert [pause.ref for pause in cluster.memory.untold] == [HTTPD]
    cluster.wrap("true")
    cluster.memory.pace = Pace()
    done = cluster.turn()
    assert (told(cluster), cluster.memory.untold, cluster.config) == ([HTTPD], (), "drift")
    assert done.objects[HTTPD].condition("Synced").reason == "BackingOff"


def test_who_has_lost_the_lead_meanwhile_tells_all_the_same(cluster: ActedCluster) -> None:
    text = cluster.file.read_text()
    cluster.file.write_text(text.replace('dc-uuid="1"', 'dc-uuid="2"', 1))
    done = harmed(cluster)
    assert Reason.NOT_WRITER in [hold.reason for hold in done.decision.plan.holds]
    assert told(cluster) == [HTTPD]


def test_while_it_is_suspended_nothing_is_written(cluster: ActedCluster) -> None:
    def suspend(until: int) -> None:
        patch = patched(cluster.cib, replace(read(cluster.cib), suspended=Suspension(0, until, "root@a", "why")))
        assert patch
        run(cluster.file, "cibadmin", "--patch", "--xml-pipe", stdin=patch)

    suspend(4_000_000_000)
    harmed(cluster)
    assert (told(cluster), len(cluster.memory.untold)) == ([], 1)
    suspend(1)
    cluster.turn()
    assert (told(cluster), cluster.memory.untold) == ([HTTPD], ())


def test_other_changes_come_after_it(tmp_path: Path) -> None:
    need("cibadmin", "crm_simulate", "crm_verify")
    cluster = ran_well_and_broke(tmp_path, "new")
    cluster.turn()
    time.sleep(CALM)
    run(cluster.file, "cibadmin", "--delete", "--xml-text", '<primitive id="new"/>')
    assert "new" not in cluster.cib.by_id
    first, then = cluster.turn(), cluster.turn()
    assert [(outcome.ok, outcome.command.refs) for outcome in first.outcomes] == [(True, ())]
    assert [command.refs for command in first.decision.plan.commands] == [(Ref("Primitive", "new"),)]
    assert [str(change.ref) for change in then.applied] == ["Primitive/new"]
    assert (told(cluster), cluster.memory.untold) == ([HTTPD], ())


def test_a_register_that_cannot_be_written_is_said(cluster: ActedCluster) -> None:
    epoch = cluster.cib.version.epoch
    text = cluster.file.read_text().replace("</resources>", f"{THERE}</resources>")
    cluster.file.write_text(text.replace(f'epoch="{epoch}"', f'epoch="{epoch + 1}"', 1))
    done = harmed(cluster)
    assert [warning for warning in done.decision.plan.warnings if "do not learn what is left alone" in warning]
    assert done.outcomes == ()
    assert left_alone(cluster)


THERE = '<primitive id="reconciler" class="ocf" provider="heartbeat" type="Dummy"/>'
