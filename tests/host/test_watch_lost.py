"""Watching when the kernel reports nothing any more: what was lost is found by comparing."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.host.layouts import fill
from tests.programs import absent

OTHER = """
import json, sys, threading
from reconciler.host.directory import Texts, read
from reconciler.host.watcher import Watcher
hint = threading.Event()
watcher = Watcher(sys.argv[1], hint.set)
watcher.start()
hint.set()
while hint.wait():
    hint.clear()
    seen = read(sys.argv[1], settle=0.005)
    counts = [watcher.events, watcher.found, watcher.rebuilds, watcher.errors]
    print(json.dumps([dict(seen.files) if isinstance(seen, Texts) else seen.reason, *counts]), flush=True)
"""


@pytest.fixture
def other() -> Iterator[Callable[..., "Other"]]:
    running: list[Other] = []

    def start(path: Path, prefix: list[str] | None = None) -> Other:
        running.append(Other(path, prefix or []))
        return running[-1]

    yield start
    for each in running:
        each.process.kill()
        each.process.communicate()


class Other:
    """A loader in another process, which tells what it takes."""

    def __init__(self, path: Path, prefix: list[str]) -> None:
        words = [*prefix, sys.executable, "-c", OTHER, str(path)]
        self.process = subprocess.Popen(words, stdout=subprocess.PIPE, text=True, cwd=Path(__file__).parents[2])

    def takes(self, wanted: dict[str, str]) -> list[int]:
        """Read on until the content is as wanted; return events, found, rebuilds, errors."""
        assert self.process.stdout is not None
        for line in self.process.stdout:
            content, *counts = json.loads(line)
            if content == wanted:
                return list(counts)
        raise AssertionError("ended early")


def test_an_overflown_queue_and_a_final_write(tmp_path: Path, other: Callable[..., Other]) -> None:
    desired = tmp_path / "desired.d"
    fill(desired, "1")
    loader = other(desired)
    loader.takes({"web.toml": "1"})
    queue = int(Path("/proc/sys/fs/inotify/max_queued_events").read_text())
    os.kill(loader.process.pid, signal.SIGSTOP)
    for number in range(queue // 2):  # each is created, closed and deleted
        noise = desired / f"noise{number}"
        noise.touch()
        noise.unlink()
    (desired / "web.toml").write_text("final")
    os.kill(loader.process.pid, signal.SIGCONT)
    began = time.monotonic()
    events, found, _, _ = loader.takes({"web.toml": "final"})
    assert time.monotonic() - began < 4
    assert (events, found) == (0, 1)
    (desired / "web.toml").write_text("later")
    assert loader.takes({"web.toml": "later"})[0] > 0


STARVED = 'echo 0 > /proc/sys/user/max_inotify_instances && exec "$@"'
FED = "echo 9 > /proc/sys/user/max_inotify_instances"


def test_no_inotify_instance_left(tmp_path: Path, other: Callable[..., Other]) -> None:
    prefix = ["unshare", "--user", "--map-root-user", "sh", "-c", STARVED, "sh"]
    probe = subprocess.run([*prefix, "true"], capture_output=True, text=True, check=False)
    if probe.returncode:
        absent(f"no user namespaces here: {probe.stderr.strip()}")
    desired = tmp_path / "desired.d"
    fill(desired, "1")
    loader = other(desired, prefix)
    loader.takes({"web.toml": "1"})
    (desired / "web.toml").write_text("2")
    _, found, rebuilds, errors = loader.takes({"web.toml": "2"})
    assert (found, rebuilds) == (1, 0)
    assert errors > 0
    target = ["nsenter", f"--user=/proc/{loader.process.pid}/ns/user", "sh", "-c", FED]
    subprocess.run(target, check=True)
    time.sleep(1.2)
    (desired / "web.toml").write_text("3")
    events, found, rebuilds, _ = loader.takes({"web.toml": "3"})
    assert (found, rebuilds) == (1, 1)
    assert events > 0
