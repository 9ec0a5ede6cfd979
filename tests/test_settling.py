"""What becomes of a patch, look by look."""

from dataclasses import replace

import pytest

from reconciler.cib import document
from reconciler.cib.cluster import ClusterStatus
from reconciler.cib.controller import IDLE
from reconciler.cib.document import Cib
from reconciler.cib.status import status
from reconciler.expectation import expect
from reconciler.forecast import Forecast
from reconciler.health import of_resource
from reconciler.settling import Applied, Result, Settling, begin, broken, told, unrest, withheld
from reconciler.state import Ref
from reconciler.status import Health
from tests.aftermaths import WEB, act_out, ask, ban, edited, masters, meta, more, param
from tests.programs import need

HTTPD, NEW = Ref("Primitive", "httpd"), Ref("Primitive", "new")


def web(old: str = "", new: str = "") -> Cib:
    text = WEB.read_text()
    assert old in text
    return document.parse(text.replace(old, new))


def crippled() -> ClusterStatus:
    """The reference case with an httpd that may run nowhere."""
    cib = web()
    now = act_out(cib, edited(cib, ban("httpd", "vm-node1"), ban("httpd", "vm-node2")))
    assert now
    return now


def applied(revision: str = "abc", *, changed: tuple[Ref, ...] = (HTTPD,), approved: bool = False) -> Applied:
    cib = web()
    now = status(cib.root)
    return Applied(revision, 0.0, changed, now, cib, cib.configuration, expect(now, Forecast()), approved=approved)


def started(patch: Applied | None = None) -> Settling:
    return begin(patch or applied(), None, 100.0, 60.0, untouched=True)


CALM = status(web().root)
BUSY = status(web('call-id="2" rc-code="0" op-status="0"', 'call-id="-1" rc-code="193" op-status="-1"').root)
JOINING = replace(CALM, nodes={**CALM.nodes, "vm-node2": replace(CALM.nodes["vm-node2"], pending=True)})


def test_it_is_over_when_the_cluster_was_at_rest_for_a_while() -> None:
    settling = started()
    for now, state, over in ((100.0, IDLE, False), (100.5, IDLE, False), (101.0, IDLE, True)):
        settling = settling.after(CALM, state, now)
        assert settling.over is over
    assert (settling.result, settling.seconds, settling.surprises) == (Result.AS_FORECAST, 1.0, ())
    assert settling.after(None, None, 999.0) is settling


def test_what_is_under_way_starts_the_wait_anew() -> None:
    settling = started().after(CALM, IDLE, 100.0).after(CALM, "S_TRANSITION_ENGINE", 100.9)
    settling = settling.after(CALM, IDLE, 101.5)
    assert not settling.over
    settling = settling.after(BUSY, IDLE, 102.4).after(CALM, IDLE, 103.0)
    assert not settling.over
    assert settling.after(CALM, None, 104.0).over


@pytest.mark.parametrize(
    ("now", "state", "said"),
    [
        (CALM, IDLE, ""),
        (CALM, None, ""),
        (CALM, "S_POLICY_ENGINE", "the DC is in state S_POLICY_ENGINE"),
        (BUSY, IDLE, "start of vip is under way on vm-node1"),
        (JOINING, IDLE, "vm-node2 is joining"),
    ],
)
def test_unrest_has_a_name(now: ClusterStatus, state: str | None, said: str) -> None:
    assert unrest(now, state) == said


def test_after_the_time_limit_it_says_what_still_goes_on() -> None:
    settling = started().after(BUSY, IDLE, 159.0)
    assert not settling.over
    settling = settling.after(BUSY, IDLE, 160.0)
    assert (settling.result, settling.why) == (Result.TIMED_OUT, "start of vip is under way on vm-node1")
    blind = started().after(None, None, 160.0)
    assert (blind.result, blind.why) == (Result.TIMED_OUT, "the cluster could not be seen")


def test_without_a_forecast_nothing_is_compared_but_health_is() -> None:
    settling = started(replace(applied(), expectation=None))
    ended = settling.after(crippled(), IDLE, 100.0).after(crippled(), IDLE, 102.0)
    assert (ended.result, ended.surprises, ended.broken) == (Result.NOT_COMPARED, (), ("httpd",))


def test_what_was_healthy_and_is_not_is_broken() -> None:
    before = status(web().root)
    assert broken(before, before) == ()
    assert broken(before, crippled()) == ("httpd",)
    assert broken(crippled(), crippled()) == (), "it was not healthy before"
    assert broken(before, status(web('<primitive id="httpd"', '<primitive id="other"').root)) == (), "it is gone"


def test_what_a_manifest_stops_is_not_broken() -> None:
    need("crm_simulate", "crm_verify")
    cib = web()
    stopped = act_out(cib, edited(cib, meta("httpd", "target-role", "Stopped")))
    assert stopped
    assert broken(status(cib.root), stopped) == ()


def test_a_promotable_resource_that_is_promoted_nowhere_is_broken_unless_that_is_wanted() -> None:
    one, none = (status(masters(role).root) for role in ("promote", "start"))
    assert of_resource(one.resources["dbs"]) == Health(True, "Running", "on n1")
    assert of_resource(none.resources["dbs"]) == Health(False, "NotPromoted", "active on n1 and n2, promoted nowhere")
    assert broken(one, none) == ("dbs",)
    wanted = replace(none.resources["dbs"], target_role="Unpromoted")
    assert of_resource(wanted).healthy


def test_what_its_agent_refuses_to_run_says_why() -> None:
    running = status(web().root).resources["httpd"]
    (node, there), *_ = running.placements.items()
    probe = there.operations[-1]._replace(task="monitor", interval_ms=0, rc=5, status=7)
    stopped = replace(there, active=False, operations=(*there.operations, probe))
    assert of_resource(replace(running, placements={node: stopped})) == Health(
        False, "NotRunning", f"monitor on {node}: not installed"
    )
    quiet = replace(stopped, operations=(probe._replace(rc=7, status=0),))
    assert of_resource(replace(running, placements={node: quiet})) == Health(False, "NotRunning", "active on no node")


def test_what_fails_again_and_again_is_broken_only_if_there_is_no_rest() -> None:
    cib = web()
    fails = status(
        web(
            'name="pingd" value="1000"/>',
            'name="pingd" value="1000"/><nvpair id="f" name="fail-count-httpd#monitor_10000" value="7"/>',
        ).root
    )
    assert broken(status(cib.root), fails) == ()
    assert broken(status(cib.root), fails, restless=True) == ("httpd",)


def test_the_next_patch_of_the_revision_is_judged_from_where_the_first_began() -> None:
    first = started()
    then = replace(applied(changed=(NEW,)), at=1.0)
    chained = begin(then, first, 101.0, 60.0, untouched=True)
    assert (chained.applied, chained.baseline) == (then, first.applied)
    settled = first.after(CALM, IDLE, 100.0).after(CALM, IDLE, 101.0)
    for previous, patch, untouched in (
        (settled, then, True),
        (first, then, False),
        (first, replace(then, revision="def"), True),
        (first, replace(then, takes_back=True), True),
        (None, then, True),
    ):
        assert begin(patch, previous, 101.0, 60.0, untouched=untouched).baseline is patch


def test_what_is_superseded_is_not_compared() -> None:
    ended = started().superseded("revision def")
    assert (ended.over, ended.result, ended.why) == (True, Result.SUPERSEDED, "revision def")
    settled = started().after(CALM, IDLE, 100.0).after(CALM, IDLE, 101.0)
    assert settled.superseded("revision def") is settled


def test_a_revert_needs_a_reason_and_leave() -> None:
    healthy = started().after(CALM, IDLE, 100.0).after(CALM, IDLE, 101.0)
    assert (healthy.broken, withheld(healthy, revert=True)) == ((), "")
    bad = replace(healthy, broken=("httpd",))
    assert withheld(bad, revert=True) == ""
    assert withheld(bad, revert=False) == "revert = false"
    assert "quarantine" in withheld(replace(bad, applied=applied(approved=True)), revert=True)
    assert "vm-node2 left" in withheld(replace(bad, lost=("vm-node2",)), revert=True)
    correction = replace(bad, applied=replace(bad.applied, corrects=True))
    assert "had run well before" in withheld(correction, revert=False)
    assert "vm-node2 left" in withheld(replace(correction, lost=("vm-node2",)), revert=True)
    assert "itself" in withheld(replace(bad, applied=replace(bad.applied, takes_back=True)), revert=True)


def test_health_is_unknown_of_what_was_touched_until_it_has_settled() -> None:
    need("crm_simulate", "crm_verify")
    cib = web()
    configuration = edited(cib, more("new"), param("vip", "ip", "192.168.1.70"))
    forecast = ask(cib, configuration)
    assert isinstance(forecast, Forecast)
    before = status(cib.root)
    settling = started(replace(applied(changed=(NEW,)), expectation=expect(before, forecast)))
    vip, ping, tag = Ref("Primitive", "vip"), Ref("Clone", "cloned-ping-gateway"), Ref("Tag", "t")
    known = {ref: Health(True, "Running", "on vm-node1") for ref in (vip, HTTPD, ping)}
    known_now = told(known, settling, [*known, NEW, tag])
    assert {ref for ref, health in known_now.items() if health.reason == "Settling" and health.healthy is None} == {
        vip,
        HTTPD,
        NEW,
    }
    ended = replace(settling, result=Result.SURPRISED, broken=("httpd",))
    sick = Health(False, "NotRunning", "active on no node")
    assert told({**known, HTTPD: sick}, ended, known)[HTTPD].message == (
        "active on no node; it was healthy before revision abc"
    )
    assert told(known, ended, known) == known
    assert told(known, None, known) == known
