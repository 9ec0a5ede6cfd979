"""The client beside the cluster: one more machine on the last ring, to whom the service matters."""

import json
import re
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

from tests.lab.namespaces import Namespaces, Process
from tests.lab.waiting import until

_ROOT = str(Path(__file__).parents[2])
_TAGS = re.compile(r"<[^>]*>|\s+")


@dataclass(frozen=True, slots=True)
class Sample:
    """One question of the client: when it was asked (monotonic clock), and the page's words, None if there was none."""

    asked: float
    answer: str | None


@dataclass(frozen=True, slots=True)
class Outage:
    """A time without the page.

    Attributes:
        start: When the first question that went unanswered was asked (monotonic clock).
        duration: Seconds to the next question that was answered, or to the last question if `over` is false.
        over: Whether the page came back.
    """

    start: float
    duration: float
    over: bool


def outages(samples: Sequence[Sample]) -> list[Outage]:
    """The outages in what a client saw, in the order of time."""
    found: list[Outage] = []
    began: float | None = None
    ordered = sorted(samples, key=lambda sample: sample.asked)
    for sample in ordered:
        if sample.answer is None:
            began = sample.asked if began is None else began
        elif began is not None:
            found.append(Outage(began, sample.asked - began, over=True))
            began = None
    if began is not None:
        found.append(Outage(began, ordered[-1].asked - began, over=False))
    return found


class Watch:
    """A client that asks for a page all the time; a context manager that ends it."""

    def __init__(self, process: Process, timeout: float) -> None:
        self._process = process
        self._timeout = timeout

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def samples(self, since: float = 0) -> list[Sample]:
        """Everything asked since then (monotonic clock) whose end is known, in the order of time."""
        text = self._process.log.read_text(encoding="utf-8")
        lines = text[: text.rfind("\n") + 1].splitlines()
        found = [Sample(asked, _words(page)) for asked, page in map(json.loads, lines)]
        return sorted((s for s in found if s.asked >= since), key=lambda sample: sample.asked)

    def outages(self, since: float = 0) -> list[Outage]:
        """The outages since then."""
        return outages(self.samples(since))

    def settle(self) -> None:
        """Wait until the end of every question asked so far is known."""
        now = time.monotonic()
        until(
            lambda: any(sample.asked > now + self._timeout for sample in self.samples(now)),
            "the client's answers",
            self._timeout * 3 + 5,
        )

    def stop(self) -> None:
        """End it; what it saw stays readable."""
        self._process.stop()


class Client:
    """The machine.

    Attributes:
        namespaces: Where its programs run: its own network, and this machine's files.
        directory: Where its logs are.
    """

    def __init__(self, pid: int, directory: Path) -> None:
        self.namespaces = Namespaces(pid, ("-n", "-p"))
        self.directory = directory
        self._watches: list[Watch] = []

    def run(self, argv: Sequence[str], *, timeout: float = 60) -> subprocess.CompletedProcess[str]:
        """Run a program on it to its end."""
        return self.namespaces.run(argv, timeout=timeout)

    def get(self, url: str, timeout: float = 2) -> str | None:
        """The words of a page, None if it is not there within so many seconds."""
        done = self.run(["curl", "-sf", "-m", f"{timeout:g}", url])
        return _words(done.stdout) if done.returncode == 0 else None

    def watch(self, url: str, interval: float = 0.05, timeout: float = 1) -> Watch:
        """Begin to ask for a page every `interval` seconds, each time with a connection and `timeout` of its own."""
        argv = [sys.executable, "-m", "tests.lab.poll", url, f"{interval:g}", f"{timeout:g}"]
        log = self.directory / f"watch{len(self._watches)}.jsonl"
        watch = Watch(self.namespaces.start(argv, log, cwd=_ROOT), timeout)
        self._watches.append(watch)
        return watch

    def stop(self) -> None:
        """End all its watches."""
        for watch in self._watches:
            watch.stop()


def _words(page: str | None) -> str | None:
    return None if page is None else _TAGS.sub(" ", page).strip()
