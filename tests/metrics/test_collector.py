"""What a scrape shows, against the catalogue and against promtool."""

import math
import subprocess
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from xml.etree import ElementTree as ET

import pytest
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.parser import text_string_to_metric_families

from reconciler.cib.simulation import Act, Effect
from reconciler.cib.status import status
from reconciler.corosync.quorumtool import Quorum, quorum
from reconciler.corosync.rings import RingStatus, rings
from reconciler.expectation import Sort, Surprise
from reconciler.kinds import KINDS
from reconciler.metrics.catalogue import (
    CATALOGUE,
    DOMAINS,
    ENDS,
    PREFIX,
    SERIES,
    Result,
    SourceFailure,
    Type,
    labels_of,
)
from reconciler.metrics.collector import SnapshotCollector, registry
from reconciler.metrics.page import MetricsPage
from reconciler.metrics.snapshot import (
    DesiredReport,
    DomainReport,
    Durations,
    LoopReport,
    MetricsSnapshot,
    SettleReport,
    SourceReport,
    WatcherReport,
)
from reconciler.observation import Source
from reconciler.plan import Reason
from reconciler.settling import Remedy
from reconciler.settling import Result as Ended
from tests.aftermaths import settling
from tests.corosync import samples
from tests.metrics.simulated import SimulatedCluster
from tests.metrics.test_failovers import Agents
from tests.programs import need

Series = tuple[str, tuple[tuple[str, str], ...]]

PERIOD = 30.0
QDEVICE = """\
    Nodeid      Votes    Qdevice Name
         1          1    A,V,NMW a (local)
         2          1    A,V,NMW b
         0          1            Qdevice
"""


def ring_status() -> RingStatus:
    latency = {"latency_samples": 1, "latency_ave": 100, "latency_max": 200}
    found = rings(
        samples.cmap(("a", "b", "c")), samples.stats({(2, 0): latency, (2, 1): latency, (3, 0): latency}), None
    )
    assert isinstance(found, RingStatus)
    return found


def votes() -> Quorum:
    found = quorum(samples.quorumtool(QDEVICE, flags="Quorate Qdevice"))
    assert isinstance(found, Quorum)
    return found


@pytest.fixture
def cluster() -> SimulatedCluster:
    """A cluster with something to tell about everything."""
    cluster = SimulatedCluster()
    cluster.constraints = (
        '<rsc_location id="cli-ban-db-on-c" rsc="db" node="c" score="-INFINITY"/>'
        '<rsc_location id="l" rsc="db"><rule id="r" score="-INFINITY" boolean-op="or"><expression id="e"'
        ' attribute="pingd" operation="lt" value="1000"/></rule></rsc_location>'
    )
    for unit in ("web", "db", "repl"):
        cluster.start(unit, "b")
    cluster.run("b", "ghost", "start")
    cluster.nodes["a"].attributes["pingd"] = "2000"
    cluster.nodes["b"].attributes["pingd"] = "what"
    cluster.nodes["b"].attributes["fail-count-db#start_0"] = "INFINITY"
    cluster.name = "paint"
    return cluster


@pytest.fixture
def snapshot(cluster: SimulatedCluster) -> MetricsSnapshot:
    agents = Agents(cluster)
    agents.look("a")
    cluster.move("db", "a")
    agents.look("a")
    text = cluster.text().replace("<cib ", '<cib cib-last-written="Tue Nov 14 22:13:20 2023" ')
    text = text.replace(
        'type="ping"/>',
        'type="ping"><instance_attributes><nvpair name="host_list" value="x"/></instance_attributes></primitive>',
    )
    sources = {
        source.value: SourceReport().after("", 0.01, 1.0).after(reason.value, 0.02, 2.0)
        for source, reason in zip(Source, SourceFailure, strict=True)
    }
    loop = LoopReport().after(
        {"crm": Result.CHANGED, "net": Result.ERROR},
        [("crm", "Primitive", "update")],
        [("crm", "Location", "create")],
        [("net", "NodeNetwork", "update")],
        (5.0, 0.2),
    )
    return MetricsSnapshot(
        at=1000.0,
        version="0.1.0",
        local_node="a",
        status=status(ET.fromstring(text)),
        rings=ring_status(),
        quorum=votes(),
        failovers=agents.memories["a"],
        sources=sources,
        loop=loop,
        desired=DesiredReport("abc", valid=True, loaded=7.0),
        apply_blocked=frozenset({Reason.NO_QUORUM}),
        watchers={"cib": WatcherReport(1, 2, 3, 4)},
        out_of_band={("Primitive", "update"): 2, ("other", "delete"): 1},
        overrides={("Node", "a", "standby"): 5.0},
    )


def shown(snapshot: MetricsSnapshot | None, now: float = 1001.0) -> CollectorRegistry:
    collector = SnapshotCollector(PERIOD, lambda: now)
    if snapshot is not None:
        collector.publish(snapshot)
    return registry(collector)


def series(made: CollectorRegistry) -> Iterator[tuple[Series, float]]:
    for family in made.collect():
        for item in family.samples:
            yield (item.name, tuple(sorted(item.labels.items()))), item.value


def values(snapshot: MetricsSnapshot, name: str, now: float = 1001.0) -> dict[tuple[str, ...], float]:
    """The samples of one metric by the values of its labels, which are sorted by name."""
    found = series(shown(snapshot, now))
    return {tuple(value for _, value in labels): v for (got, labels), v in found if got == PREFIX + name}


def test_before_the_first_pass_there_is_nothing() -> None:
    assert generate_latest(shown(None)) == b""


def test_every_metric_of_the_catalogue_is_shown_and_no_other(snapshot: MetricsSnapshot) -> None:
    names = {name for (name, _), _ in series(shown(snapshot))}
    assert names == set(SERIES)


def test_no_series_is_there_twice(snapshot: MetricsSnapshot) -> None:
    counted = Counter(key for key, _ in series(shown(snapshot)))
    assert [key for key, count in counted.items() if count > 1] == []


def test_labels_are_those_of_the_catalogue(snapshot: MetricsSnapshot) -> None:
    for (name, labels), _ in series(shown(snapshot)):
        assert frozenset(label for label, _ in labels) == labels_of(name), name
        for label, value in labels:
            allowed = SERIES[name].labels.get(label)
            assert allowed is None or value in allowed, (name, label, value)


def test_closed_label_sets_are_complete_from_the_start(snapshot: MetricsSnapshot) -> None:
    empty = MetricsSnapshot(at=1000.0, version="0", local_node="a")
    found = dict(series(shown(empty)))
    changes = {labels for name, labels in found if name == f"{PREFIX}changes_total"}
    assert len(changes) == sum(kind.scope in DOMAINS for kind in KINDS.values()) * 3
    assert {found[name, labels] for name, labels in found if name.endswith("_total")} == {0.0}
    assert len(values(empty, "reconcile_total")) == len(DOMAINS) * len(Result)
    assert len(values(snapshot, "source_failures_total")) == len(Source) * len(SourceFailure)


def test_names_follow_prometheus(snapshot: MetricsSnapshot) -> None:
    need("promtool")
    text = generate_latest(shown(snapshot))
    done = subprocess.run(["promtool", "check", "metrics"], input=text, capture_output=True, check=False, timeout=30)
    said = (done.stdout + done.stderr).decode().splitlines()
    # Pacemaker's own word for it, and part of the contract with users
    assert said == [
        f'{PREFIX}resource_fail_count non-histogram and non-summary metrics should not have "_count" suffix'
    ]


def test_types_and_names_agree() -> None:
    for metric in CATALOGUE.values():
        assert metric.name.endswith("_total") is (metric.type is Type.COUNTER), metric.name
        assert metric.name.endswith("_info") is (metric.type is Type.INFO), metric.name
        assert metric.help.endswith("."), metric.name
        assert not {"cluster", "job", "instance", "type", "dc"} & metric.labels.keys(), metric.name


def test_text_can_be_read_back_and_says_nothing_of_creation(snapshot: MetricsSnapshot) -> None:
    text = generate_latest(shown(snapshot)).decode()
    assert "_created" not in text
    assert sum(len(family.samples) for family in text_string_to_metric_families(text)) == len(
        list(series(shown(snapshot)))
    )


def test_a_stale_snapshot_says_nothing_of_the_cluster(snapshot: MetricsSnapshot) -> None:
    names = {name for (name, _), _ in series(shown(snapshot, 1000.0 + 3 * PERIOD + 0.1))}
    assert names == {series for metric in CATALOGUE.values() if metric.lasting for series in metric.series}
    assert f"{PREFIX}source_up" in names


WITHOUT: Mapping[str, Callable[[MetricsSnapshot], MetricsSnapshot]] = {
    "status": lambda snapshot: replace(snapshot, status=None),
    "rings": lambda snapshot: replace(snapshot, rings=None),
    "quorum": lambda snapshot: replace(snapshot, quorum=None),
    "failovers": lambda snapshot: replace(snapshot, failovers=None),
}


@pytest.mark.parametrize("part", WITHOUT)
def test_what_could_not_be_seen_takes_nothing_else_along(snapshot: MetricsSnapshot, part: str) -> None:
    whole = {key for key, _ in series(shown(snapshot))}
    left = {key for key, _ in series(shown(WITHOUT[part](snapshot)))}
    gone = {name for name, _ in whole - left}
    prefixes: Mapping[str, tuple[str, ...]] = {
        "rings": (
            "corosync_ring",
            "corosync_link",
            "corosync_m",
            "corosync_t",
            "corosync_r",
            "corosync_c",
            "corosync_n",
            "cluster_info",
        ),
        "quorum": ("corosync_quor", "corosync_expected", "corosync_total", "corosync_member_votes", "corosync_qdevice"),
        "failovers": ("failover", "recoveries", "dc_elections"),
        "status": ("cluster", "dc_", "cib_", "maint", "fencing", "node_", "resource_", "cli_", "ping_", "override_"),
    }
    assert gone
    assert all(name.removeprefix(PREFIX).startswith(prefixes[part]) for name in gone)


def test_without_an_answer_pacemaker_is_down(snapshot: MetricsSnapshot) -> None:
    assert values(snapshot, "pacemaker_up") == {(): 1}
    assert values(replace(snapshot, status=None), "pacemaker_up") == {(): 0}


def test_resources_have_a_state_on_every_node(snapshot: MetricsSnapshot) -> None:
    found = values(snapshot, "resource_state")
    assert {key: found[key] for key in found if key[1] in ("web", "st")} == {
        ("a", "web"): 0,
        ("b", "web"): 1,
        ("c", "web"): 0,
        ("a", "st"): 0,
        ("b", "st"): 2,
        ("c", "st"): 0,
    }
    assert values(snapshot, "resource_removed")["ghost",] == 1


def test_infinite_failures_are_infinite_and_ban(snapshot: MetricsSnapshot) -> None:
    assert values(snapshot, "resource_fail_count")["b", "db"] == math.inf
    assert values(snapshot, "resource_fail_count")["a", "db"] == 0
    assert values(snapshot, "resource_banned")["b", "db"] == 1
    assert values(snapshot, "resource_migration_threshold")["db",] == math.inf


def test_ping_scores(snapshot: MetricsSnapshot) -> None:
    assert values(snapshot, "ping_score") == {("pingd", "a"): 2000}
    assert values(snapshot, "ping_score_present") == {("pingd", "a"): 1, ("pingd", "b"): 1, ("pingd", "c"): 0}
    assert values(snapshot, "ping_score_expected") == {("pingd", name): 1 for name in "abc"}
    assert values(snapshot, "ping_score_required") == {("pingd", "db"): 1000}


def test_rings_and_failovers(snapshot: MetricsSnapshot) -> None:
    assert values(snapshot, "corosync_ring_up") == {("0",): 1, ("1",): 0}
    assert values(snapshot, "corosync_rings_faulty") == {(): 1}
    assert values(snapshot, "corosync_link_connected")["c", "1"] == 0
    found = values(snapshot, "failovers_total")
    assert len(found) == 9
    assert found["unknown", "db"] + found["unplanned", "db"] == 1
    assert sum(found.values()) == 1
    assert values(snapshot, "failover_last_info") == {("db", "b", "a"): 1}


def test_what_others_changed_and_what_they_may_have_forgotten(snapshot: MetricsSnapshot) -> None:
    found = values(snapshot, "out_of_band_changes_total")
    assert {key: value for key, value in found.items() if value} == {("update", "Primitive"): 2, ("delete", "other"): 1}
    assert ("create", "Location") in found, "a counter that is born at 1 is never seen to rise"
    assert values(snapshot, "override_since_timestamp_seconds") == {("Node", "a", "standby"): 5}


def test_who_may_change_the_cluster(snapshot: MetricsSnapshot) -> None:
    assert values(snapshot, "apply_allowed") == {(): 0}
    assert values(snapshot, "apply_blocked")["NoQuorum",] == 1
    assert values(replace(snapshot, apply_blocked=frozenset()), "apply_allowed") == {(): 1}


def test_the_histogram_adds_up() -> None:
    durations = Durations()
    for seconds in (0.05, 0.06, 3.0, 99.0):
        durations = durations.after(seconds)
    shot = MetricsSnapshot(1000.0, "0", "a", loop=LoopReport(durations=durations))
    found = values(shot, "reconcile_duration_seconds_bucket")
    assert (found["0.05",], found["0.1",], found["2.5",], found["5.0",], found["+Inf",]) == (1, 2, 2, 3, 4)
    assert values(shot, "reconcile_duration_seconds_count") == {(): 4}
    assert values(shot, "reconcile_duration_seconds_sum")[()] == pytest.approx(102.11)


def test_domains_remember_success_failures_and_drift() -> None:
    report = DomainReport().after(Result.ERROR, 1.0, drifted=True).after(Result.ERROR, 2.0, drifted=True)
    assert (report.last_success, report.consecutive_failures, report.drift_since) == (0.0, 2, 1.0)
    assert report.after(Result.BLOCKED, 3.0, drifted=True).consecutive_failures == 2, "it waits for its next attempt"
    report = report.after(Result.CHANGED, 3.0, drifted=False)
    assert (report.last_success, report.consecutive_failures, report.drift_since) == (3.0, 0, 0.0)
    assert report.results == {Result.ERROR: 2, Result.CHANGED: 1}


def test_a_source_counts_its_failures() -> None:
    report = SourceReport().after("timeout", 20.0, 5.0).after("", 0.1, 6.0)
    assert (report.up, report.seconds, report.last_success, report.failures) == (True, 0.1, 6.0, {"timeout": 1})
    with pytest.raises(ValueError, match="weather"):
        report.after("weather", 1.0, 7.0)


def get(page: MetricsPage) -> bytes:
    answers: list[str] = []
    body = b"".join(page({"PATH_INFO": "/metrics"}, lambda status, _: answers.append(status)))
    assert answers == ["200 OK"]
    return body


def test_the_page_shows_what_was_published_last_until_it_is_stale(snapshot: MetricsSnapshot) -> None:
    now = [1001.0]
    page = MetricsPage(PERIOD, lambda: now[0])
    assert get(page) == b""
    page.publish(snapshot)
    assert get(page) == generate_latest(shown(snapshot))
    page.publish(replace(snapshot, version="0.2.0"))
    assert b'version="0.2.0"' in get(page)
    now[0] += 4 * PERIOD
    stale = get(page)
    assert b"reconciler_source_up{" in stale
    assert b"reconciler_node_state" not in stale


def test_a_scrape_takes_less_than_5_ms_however_large_the_cluster() -> None:
    resources = "".join(f'<primitive id="r{n}" class="ocf" provider="pacemaker" type="Dummy"/>' for n in range(1000))
    nodes = '<node id="1" uname="a"/><node id="2" uname="b"/>'
    text = f"<cib><configuration><nodes>{nodes}</nodes><resources>{resources}</resources></configuration></cib>"
    page = MetricsPage(PERIOD, lambda: 1001.0)
    page.publish(MetricsSnapshot(1000.0, "0", "a", status=status(ET.fromstring(text))))
    times = []
    for _ in range(9):
        begun = time.perf_counter()
        assert len(get(page)) > 500_000
        times.append(time.perf_counter() - begun)
    assert sorted(times)[4] < 0.005


def test_what_became_of_patches_is_counted() -> None:
    move = Effect(Act.MOVE, "httpd", "vm-node1", "vm-node2")
    surprises = [Surprise(Sort.PLACEMENT, name, "elsewhere") for name in ("vip", "httpd")]
    first = settling()
    assert first.applied.expectation
    foreseen = replace(first.applied, expectation=replace(first.applied.expectation, effects=(move, move)))
    under_way = replace(first, applied=foreseen, seconds=3.0)
    done = replace(under_way, result=Ended.SURPRISED, surprises=tuple(surprises), effects=(move,), lost=("b",))
    before = SettleReport().after(under_way, ())
    report = before.after(replace(done, remedy=Remedy.REVERTED), [replace(done, remedy=Remedy.REVERTED)])
    for report_now, observed, going in ((before, 0, 1), (report, 1, 0)):
        shot = MetricsSnapshot(1000.0, "0", "a", settles=report_now)
        assert values(shot, "forecast_effects")["move",] == 2
        assert values(shot, "observed_effects")["move",] == observed
        assert values(shot, "settling")[()] == going
    shot = MetricsSnapshot(1000.0, "0", "a", settles=report.after(done, ()))
    assert values(shot, "observed_effects")["fence",] == 1
    assert values(shot, "surprises_total")["placement",] == 2
    assert values(shot, "settled_total") == {(end,): float(end == "Surprised") for end in ENDS}
    assert values(shot, "harmful_changes_total") == {("reverted",): 1, ("withheld",): 0}
    assert values(shot, "settle_duration_seconds")[()] == 3
