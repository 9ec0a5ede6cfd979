"""Plays the scenes and judges how they went."""

import time
from collections.abc import Sequence

from tests.demo import result
from tests.demo.metrics import Expected, Move, Scrapes, moves
from tests.demo.result import Done, Result
from tests.demo.scenes import HOME, Act, Scene
from tests.demo.screen import Screen
from tests.demo.stage import DESIRED, PAGE, Stage
from tests.lab import CommandFailedError, Lab, TooLateError, until

_LOOK = 0.05
_METRICS_WITHIN = 45.0
"""A status that changes without a hint is seen with the next resync, at the latest after 30 s."""


def prepare(screen: Screen, lab: Lab, took: float) -> Stage:
    """Set the stage: git and the agents; ends when the service is at home and the metrics are there."""
    screen.done(f"two nodes form a cluster: {', '.join(lab.nodes)}", took)
    start = time.monotonic()
    stage = Stage(lab)
    screen.done(f"a git repository; each node has a checkout in {DESIRED}", time.monotonic() - start)
    screen.quote([" ".join(stage.repository.files)])

    screen.heading("The plan")
    screen.command(HOME, "reconciler plan")
    screen.plan(stage.reconciler(HOME, "plan"))

    screen.heading("The agents start")
    start = time.monotonic()
    for name in lab.nodes:
        stage.start_agent(name)
    with screen.waiting(f"the page at {PAGE}"):
        until(lambda: stage.is_served_by(HOME), f"the service on {HOME}", 60, _LOOK)
    screen.done(f"a client reads {PAGE}, which comes from {HOME}", time.monotonic() - start)
    with screen.waiting("both agents"):
        until(lambda: len(stage.scrape()) == len(lab.nodes), "the metrics of both agents", 10, _LOOK)
        until(lambda: _is_in_sync(stage), "both agents to be in sync", _METRICS_WITHIN, _LOOK)
    screen.done("both agents say that all is in sync and healthy", time.monotonic() - start)
    return stage


def _is_in_sync(stage: Stage) -> bool:
    return all("In sync" in stage.reconciler(name, "plan") for name in stage.lab.nodes)


class Play:
    """The scenes on a stage."""

    def __init__(self, stage: Stage, screen: Screen) -> None:
        self._stage = stage
        self._screen = screen
        self._history: list[Scrapes] = []
        self._faults: list[str] = []

    def scene(self, number: int, scene: Scene) -> Result:
        """Play one scene."""
        self._screen.heading(f"{number}  {scene.title}")
        self._history = [self._stage.scrape()]
        self._faults = []
        logged = self._stage.agent_logs()
        done: list[Done] = []
        try:
            for act in scene.acts:
                done.append(self._act(act))  # noqa: PERF401 - those before one that fails are kept
        except (TooLateError, CommandFailedError) as error:
            self._fault(str(error))
        troubles = self._stage.agent_troubles()
        for trouble in troubles:
            self._fault(trouble)
        expected = [expected for act in scene.acts for expected in act.tells]
        moved = moves(self._history, [*(item.series for item in expected), *scene.shows])
        for index, move in enumerate(moved):
            label = "" if index else "metrics"
            self._screen.detail(label, f"{', '.join(move.nodes)}  {move.series}  {move.course}")
        if self._faults:
            self._screen.quote(line for line in self._stage.agent_logs() if line not in logged)
        is_last = bool(troubles) or len(done) < len(scene.acts)
        return Result(number, scene.title, tuple(done), _telling(moved, expected), tuple(self._faults), is_last)

    def _act(self, act: Act) -> Done:
        stage, screen = self._stage, self._screen
        screen.says(act.happens)
        if act.command:
            screen.command(*act.command)
        start = time.monotonic()
        since = act.do(stage)
        said = self._await_outcome(act)
        took = time.monotonic() - since
        first, *more = said.splitlines()
        screen.done(first, took)
        screen.quote(more)
        self._await_metrics(act.tells)
        stage.watch.settle()
        away = result.time_away(stage.watch.outages(start), start, time.monotonic())
        screen.detail("page", f"away for {result.seconds(away)}" if away else "never away")
        if away > act.away:
            self._fault(f"the page was away for {away:.1f} s; at most {act.away:g} s would do")
        if not stage.is_served_by(act.service):
            self._fault(f"the service is not on {act.service}")
        return Done(took, away)

    def _await_outcome(self, act: Act) -> str:
        stage = self._stage
        where = f"the service is {'back' if act.service == HOME else 'now'} on {act.service}"
        said = ""

        def is_so() -> bool:
            nonlocal said
            said = act.outcome(stage) if act.outcome else where
            return bool(said) and stage.is_served_by(act.service)

        awaited = act.awaits or f"the service on {act.service}"
        with self._screen.waiting(awaited):
            until(is_so, awaited, act.within, _LOOK, seen=stage.lab.view)
        return said

    def _await_metrics(self, tells: Sequence[Expected]) -> None:
        before: Scrapes = {}
        for scrapes in self._history:
            before = {**before, **scrapes}
        deadline = time.monotonic() + _METRICS_WITHIN
        with self._screen.waiting("the metrics to tell"):
            while True:
                now = self._stage.scrape()
                unmet = [expected for expected in tells if not expected.is_met(before, now)]
                if not unmet or time.monotonic() > deadline:
                    break
                time.sleep(_LOOK)
        self._history.append(now)
        for expected in unmet:
            self._fault(f"expected {expected}")

    def _fault(self, text: str) -> None:
        self._faults.append(text.splitlines()[0])
        self._screen.failed(text)


def _telling(moved: Sequence[Move], expected: Sequence[Expected]) -> Move | None:
    """Of what moved the first that was expected to."""
    names = [item.series.name for item in expected]
    return min(
        moved, key=lambda move: names.index(move.series.name) if move.series.name in names else len(names), default=None
    )
