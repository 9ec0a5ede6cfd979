"""The demo's judgement, without a cluster: outages, metrics, git, the table, and that the scenes are sound."""

import io
from pathlib import Path

import pytest

from reconciler.metrics.catalogue import SERIES
from tests.demo.gitops import Repository
from tests.demo.metrics import Move, Scrapes, Series, becomes, moves, number, parse, rises
from tests.demo.result import Done, Result, seconds, table, time_away
from tests.demo.scenes import HOME, SCENES, Scene
from tests.demo.screen import Screen
from tests.demo.stage import MANIFESTS
from tests.lab import CommandFailedError, Outage

TEXT = """\
# HELP x_moves_total Moves.
# TYPE x_moves_total counter
x_moves_total{resource="httpd",cause="planned"} 2.0
x_moves_total{resource="httpd",cause="unplanned"} 1.0
# TYPE x_fail_count gauge
x_fail_count{node="a",resource="httpd"} +Inf
# TYPE x_up gauge
x_up 1
"""
MOVES = Series("x_moves_total", (("cause", "unplanned"), ("resource", "httpd")))
UP = Series("x_up")


def test_the_text_format_is_read() -> None:
    scrape = parse(TEXT)
    assert scrape[MOVES] == 1
    assert scrape[Series("x_fail_count", (("node", "a"), ("resource", "httpd")))] == float("inf")
    assert str(MOVES) == 'x_moves_total{cause="unplanned",resource="httpd"}'
    assert str(UP) == "x_up"


def test_a_rise_is_exact_and_adds_up_what_is_not_asked_for() -> None:
    before = {"a": parse(TEXT), "b": parse(TEXT)}
    after = {"a": {**before["a"], MOVES: 2.0}, "b": before["b"]}
    assert rises("x_moves_total", resource="httpd").is_met(before, after)
    assert rises("x_moves_total", "a", cause="unplanned").is_met(before, after)
    assert not rises("x_moves_total", "b", resource="httpd").is_met(before, after)
    assert not rises("x_moves_total", "a", cause="planned").is_met(before, after)
    twice = {"a": after["a"], "b": {**before["b"], MOVES: 2.0}}
    assert not rises("x_moves_total", resource="httpd").is_met(before, twice)
    assert rises("x_moves_total", resource="httpd", by=2).is_met(before, twice)


def test_what_nobody_says_is_not_met() -> None:
    scrape = {"a": parse(TEXT)}
    assert not rises("x_moves_total", "b").is_met(scrape, scrape)
    assert not rises("x_none_total", by=0).is_met(scrape, scrape)
    assert not becomes(0, "x_none").is_met(scrape, scrape)
    assert not becomes(1, "x_up").is_met({}, {})


def test_a_gauge_must_be_so_for_every_agent_asked() -> None:
    one, other = {"a": {UP: 1.0}, "b": {UP: 0.0}}, {"a": {UP: 0.0}, "b": {UP: 0.0}}
    assert not becomes(0, "x_up").is_met({}, one)
    assert becomes(0, "x_up", "b").is_met({}, one)
    assert becomes(0, "x_up").is_met(one, other)
    assert str(becomes(0, "x_up", "b", ring="0")) == 'x_up{ring="0"} on b to become 0'


def test_moves_follow_a_series_over_the_time_an_agent_is_off() -> None:
    history: list[Scrapes] = [
        {"a": {UP: 1.0, MOVES: 4.0}, "b": {UP: 1.0, MOVES: 0.0}},
        {"b": {UP: 0.0, MOVES: 1.0}},
        {"a": {UP: 1.0, MOVES: 5.0}, "b": {UP: 1.0, MOVES: 1.0}},
    ]
    assert moves(history, [UP, Series("x_moves_total", (("resource", "httpd"),))]) == [
        Move(MOVES, ("a",), (4.0, 5.0)),
        Move(MOVES, ("b",), (0.0, 1.0)),
        Move(UP, ("b",), (1.0, 0.0, 1.0)),
    ]
    assert moves(history, [Series("x_moves_total", (("resource", "vip"),))]) == []


def test_agents_that_agree_are_shown_together() -> None:
    history: list[Scrapes] = [{"a": {UP: 1.0}, "b": {UP: 1.0}}, {"a": {UP: 0.0}, "b": {UP: 0.0}}, {"a": {}, "b": {}}]
    (move,) = moves(history, [UP])
    assert move.nodes == ("a", "b")
    assert move.course == "1 → 0 → absent"


def test_numbers_and_times_are_written_for_people() -> None:
    assert [number(value) for value in (1000.0, 0.25, float("inf"), float("-inf"))] == ["1000", "0.25", "Inf", "-Inf"]
    assert [seconds(time) for time in (0.04, 9.96, 150)] == ["0.0 s", "10.0 s", "2.5 min"]


def test_an_outage_belongs_to_the_act_in_which_it_began() -> None:
    outages = [Outage(1, 0.5, over=True), Outage(3, 2, over=True), Outage(6, 4, over=False)]
    assert time_away(outages, 0, 3) == 0.5
    assert time_away(outages, 1, 6) == 2.5
    assert time_away(outages, 6, 7) == 4
    assert time_away(outages, 10, 20) == 0


def test_the_table_says_what_went_wrong_below_its_scene() -> None:
    good = Result(1, "A cable", (Done(0.5, 0), Done(1.25, 0)), Move(UP, ("a",), (1.0, 0.0)), ())
    bad = Result(2, "A fire", (Done(3, 2.5), Done(4, 0)), None, ("it was hot", "it was loud"))
    assert table([good, bad]) == [
        "   scene    took          page away     what the metrics say",
        "1  A cable  0.5 s, 1.2 s  never         x_up 1 → 0            ok",
        "2  A fire   3.0 s, 4.0 s  2.5 s, 0.0 s                        FAILED",
        "   ! it was hot",
        "   ! it was loud",
    ]


def test_a_stream_that_is_no_terminal_gets_plain_text() -> None:
    stream = io.StringIO()
    screen = Screen(stream)
    screen.heading("1  A cable")
    with screen.waiting("nothing"):
        screen.command("vm-node1", "true")
    screen.done("it is so", 1.5)
    screen.failed("one\ntwo")
    assert stream.getvalue() == "\n1  A cable\n    vm-node1$ true\n    ✓   1.5 s  it is so\n    ✗ one\n    ✗ two\n"


def test_the_repository_takes_a_change_and_takes_it_back(tmp_path: Path) -> None:
    repository = Repository(tmp_path, MANIFESTS)
    web = tmp_path / "workstation" / "web.toml"
    before = web.read_text(encoding="utf-8")
    assert repository.files["web.toml"] == before
    repository.change("web.toml", "score = 100", "score = 200", "More")
    assert "score = 200" in web.read_text(encoding="utf-8")
    repository.revert()
    assert web.read_text(encoding="utf-8") == before
    with pytest.raises(ValueError, match=r"web\.toml has 'spec\.agent' 2 times"):
        repository.change("web.toml", "spec.agent", "spec.agnet", "A mistake")
    with pytest.raises(CommandFailedError, match="nothing to commit"):
        Repository(tmp_path / "origin.git", tmp_path)


@pytest.mark.parametrize("scene", SCENES, ids=lambda scene: scene.title)
def test_a_scene_ends_at_home_and_expects_something(scene: Scene) -> None:
    assert scene.acts[-1].service == HOME
    assert all(act.tells for act in scene.acts)
    assert all(bool(act.awaits) == bool(act.outcome) for act in scene.acts)


@pytest.mark.parametrize("scene", SCENES, ids=lambda scene: scene.title)
def test_a_scene_asks_for_metrics_that_exist(scene: Scene) -> None:
    for series in [*scene.shows, *(expected.series for act in scene.acts for expected in act.tells)]:
        known = SERIES[series.name].labels
        for label, value in series.labels:
            assert value in (known[label] or [value])
