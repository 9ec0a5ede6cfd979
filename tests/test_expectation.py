"""A forecast is compared with what Pacemaker's simulator makes of it; faults are injected there."""

from dataclasses import replace
from pathlib import Path

import pytest

from reconciler.aftermath import happened
from reconciler.cib import document
from reconciler.cib.cluster import ClusterStatus
from reconciler.cib.document import Cib
from reconciler.cib.simulation import Act, Effect, Simulation, candidate
from reconciler.cib.status import status
from reconciler.expectation import Sort, compare, expect
from reconciler.forecast import Forecast
from tests.aftermaths import WEB, Edit, act_out, acted_out, ask, ban, drop, edited, masters, meta, more, param
from tests.programs import each_of_the_corpus, need, unfit


def web() -> Cib:
    return document.parse(WEB.read_text())


def surprises(cib: Cib, *edits: Edit, faults: tuple[str, ...] = (), touched: str = "") -> list[tuple[Sort, str]]:
    """Return the surprises when an edit is made and the cluster does what it does."""
    need("crm_simulate", "crm_verify")
    configuration = edited(cib, *edits)
    forecast = ask(cib, configuration)
    assert isinstance(forecast, Forecast), forecast
    now = act_out(cib, configuration, *faults)
    assert now
    return said(cib, forecast, now, touched)


def said(cib: Cib, forecast: Forecast, now: ClusterStatus, touched: str = "") -> list[tuple[Sort, str]]:
    found = compare(expect(status(cib.root), forecast), now, touched.split())
    return [(item.sort, item.message) for item in found]


@pytest.mark.parametrize(
    "edits",
    [
        pytest.param((), id="nothing"),
        pytest.param((meta("vip", "target-role", "Stopped"),), id="stop"),
        pytest.param((ban("vip", "vm-node1"),), id="move"),
        pytest.param((param("vip", "ip", "192.168.1.70"),), id="restart"),
        pytest.param((more("new"),), id="start"),
        pytest.param((drop(".//primitive[@id='httpd']"), drop("constraints/*")), id="delete a running resource"),
        pytest.param((ban("cloned-ping-gateway", "vm-node2"),), id="an instance less"),
    ],
)
def test_what_happens_as_forecast_is_no_surprise(edits: tuple[Edit, ...]) -> None:
    assert surprises(web(), *edits, touched="vip") == []


def taken_back(edit: Edit, *faults: str) -> tuple[Cib, Forecast, ClusterStatus]:
    """Return the cluster right after somebody's edit, the forecast of taking that back, and what came of both."""
    need("crm_simulate", "crm_verify")
    good = web()
    bad = document.parse(candidate(good, edited(good, edit)))
    forecast = ask(bad, good.configuration)
    assert isinstance(forecast, Forecast), forecast
    between = document.parse(acted_out(bad.text, *faults))
    after = act_out(between, good.configuration)
    assert after
    return bad, forecast, after


@pytest.mark.parametrize(
    "edit", [param("vip", "ip", "192.168.1.70"), ban("vip", "vm-node1"), meta("httpd", "target-role", "Stopped")]
)
def test_what_an_edit_had_begun_before_it_was_taken_back_is_not_the_patch_s_doing(edit: Edit) -> None:
    bad, forecast, after = taken_back(edit)
    assert forecast.effects == ()
    assert forecast.averted.effects
    assert said(bad, forecast, after) == []
    still = replace(forecast, averted=Simulation())
    assert said(bad, still, after), "without it the patch would be blamed"


def test_what_an_edit_did_not_touch_is_still_compared() -> None:
    bad, forecast, after = taken_back(param("vip", "ip", "192.168.1.70"))
    assert expect(status(bad.root), forecast).begun == {"vip", "httpd"}
    pinger = after.resources["ping-gateway"]
    gone = {name: replace(there, active=False) for name, there in pinger.placements.items()}
    lost = replace(after, resources={**after.resources, "ping-gateway": replace(pinger, placements=gone)})
    assert [sort for sort, _ in said(bad, forecast, lost)] == [Sort.PLACEMENT]


def test_a_resource_that_ends_elsewhere_is_named_with_both_places() -> None:
    cib, elsewhere = web(), act_out(web(), edited(web(), ban("vip", "vm-node1")))
    forecast = ask(cib, edited(cib, param("vip", "ip", "192.168.1.70")))
    assert isinstance(forecast, Forecast)
    assert elsewhere
    messages = dict(item[::-1] for item in said(cib, forecast, elsewhere))
    (vip,) = (message for message in messages if "vip restarts" in message)
    assert vip.startswith("the forecast said: vip restarts on vm-node1")
    assert vip.endswith("; it runs on vm-node2")
    assert set(messages.values()) == {Sort.PLACEMENT}


def test_what_the_forecast_said_nothing_of_and_moved_is_a_surprise() -> None:
    cib, moved = web(), act_out(web(), edited(web(), ban("vip", "vm-node1")))
    assert moved
    assert said(cib, Forecast(), moved) == [
        (Sort.PLACEMENT, f"the forecast let {name} stay as it was, active on vm-node1; it runs on vm-node2")
        for name in ("vip", "httpd")
    ]


def test_an_unforeseen_restart_and_one_that_did_not_come_are_surprises() -> None:
    cib = web()
    restarted = act_out(cib, edited(cib, param("httpd", "configfile", "/etc/other.conf")))
    assert restarted
    assert said(cib, Forecast(), restarted) == [
        (Sort.RESTART, "httpd was restarted or reloaded on vm-node1; the forecast did not say so")
    ]
    forecast = ask(cib, edited(cib, param("httpd", "configfile", "/etc/other.conf")))
    assert isinstance(forecast, Forecast)
    ((sort, message),) = said(cib, forecast, status(cib.root))
    assert sort is Sort.RESTART
    assert message.endswith("it was not restarted on vm-node1")


def test_nobody_can_tell_whether_what_was_under_way_was_restarted() -> None:
    """The forecast restarts what is just starting; a start that has ended meanwhile can be reloaded."""
    cib = web()
    forecast = ask(cib, edited(cib, param("httpd", "configfile", "/etc/other.conf")))
    assert isinstance(forecast, Forecast)
    now = status(cib.root)
    httpd = now.resources["httpd"]
    starting = {name: replace(there, pending="start") for name, there in httpd.placements.items()}
    then = replace(now, resources={**now.resources, "httpd": replace(httpd, placements=starting)})
    assert compare(expect(then, forecast), now) == ()
    assert compare(expect(now, forecast), now) != ()


def test_a_reload_is_in_the_history_as_a_start_and_is_told_by_its_forecast() -> None:
    cib = web()
    started = act_out(cib, edited(cib, param("httpd", "configfile", "/etc/other.conf")))
    assert started
    reload = Effect(Act.RELOAD, "httpd", "vm-node1", "vm-node1")
    assert said(cib, Forecast(Simulation((reload,))), started) == []
    assert happened(status(cib.root), started, [reload]) == (reload,)
    assert happened(status(cib.root), started) == (Effect(Act.RESTART, "httpd", "vm-node1", "vm-node1"),)


def test_a_start_that_fails_is_a_surprise() -> None:
    found = surprises(web(), more("new"), faults=("--op-fail=new_start_0@vm-node2=1",))
    assert (Sort.FAILURE, "new has failed since then: once on vm-node2") in found


def test_failures_of_a_resource_of_that_name_that_was_there_before_are_none_of_the_new_one() -> None:
    pingd = '<nvpair id="status-1-pingd"'
    count = '<nvpair id="old" name="fail-count-new#start_0" value="INFINITY"/>'
    before = document.parse(WEB.read_text().replace(pingd, count + pingd))
    now = act_out(before, edited(before, more("new")))
    assert now
    assert now.resources["new"].failures["vm-node1"].count == 1_000_000
    assert compare(expect(status(before.root), Forecast()), now) == ()


def test_a_node_that_leaves_is_a_surprise_and_a_fenced_one_is_not() -> None:
    found = surprises(web(), more("new"), faults=("--node-fail=vm-node2",))
    assert (Sort.NODE, "vm-node2 was online and is not any more; the forecast did not say so") in found


def test_promotions_are_compared() -> None:
    cib = masters()
    swapped = masters("start", "promote")
    assert surprises(cib, ban("dbs", "n1")) == []
    ((sort, message),) = said(cib, Forecast(), status(swapped.root))
    assert (sort, message.partition("; ")[2]) == (Sort.ROLE, "it is promoted on n2")
    assert happened(status(cib.root), status(swapped.root)) == (
        Effect(Act.DEMOTE, "db", "n1", "n1"),
        Effect(Act.PROMOTE, "db", "n2", "n2"),
    )


def test_an_instance_that_is_promoted_later_is_as_declared() -> None:
    before = masters("start")
    assert said(before, Forecast(), status(masters().root)) == []


def test_what_is_to_run_and_starts_later_than_the_forecast_looks_is_as_declared() -> None:
    """A start that waits for a ping score comes in a later transition."""
    stopped = act_out(web(), edited(web(), drop(".//primitive[@id='httpd']"), drop("constraints/*")))
    assert stopped
    assert not stopped.resources["httpd"].active_on
    assert compare(expect(stopped, Forecast()), status(web().root)) == ()


def test_what_is_not_as_declared_is_said_of_what_was_changed() -> None:
    before = status(web().root)
    params = '<instance_attributes id="httpd-params">'
    stop = '<meta_attributes id="m"><nvpair id="m1" name="target-role" value="Stopped"/></meta_attributes>'
    wanted = status(document.parse(WEB.read_text().replace(params, stop + params)).root)
    found = compare(expect(before, Forecast()), wanted, ["httpd"])
    assert [item.message for item in found] == ["httpd is declared Stopped; it runs on vm-node1"]
    assert compare(expect(before, Forecast()), wanted, []) == ()


def test_too_few_promotions_are_not_as_declared() -> None:
    none = masters("start")
    found = compare(expect(status(none.root), Forecast()), status(none.root), ["dbs"])
    assert [item.message for item in found] == ["dbs is to be promoted on 1 of 2 nodes; it is on 0"]


@pytest.mark.slow
@each_of_the_corpus("forecasts are NOT compared with what comes of them", largest=60_000)
def test_no_surprise_where_the_cluster_does_what_its_scheduler_says(file: Path) -> None:
    need("crm_simulate", "crm_verify")
    cib = document.parse(file.read_text())
    first = next((item.get("id", "") for item in cib.objects("resources") if item.tag != "template"), "")
    compared = 0
    for edits in ((more("unheard-of"),), (meta(first, "target-role", "Stopped"),) if first else ()):
        configuration = edited(cib, *edits)
        forecast, now = ask(cib, configuration), act_out(cib, configuration)
        if isinstance(forecast, Forecast) and now is not None:
            compared += 1
            assert said(cib, forecast, now) == []
    if not compared:
        unfit(file, "crm_simulate cannot carry it out")
