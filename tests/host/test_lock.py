"""The lock of the agent: one at a time, and whoever only asks is in nobody's way."""

import fcntl
import threading
from pathlib import Path

import pytest

from reconciler.host import lock
from reconciler.host.lock import LOCK, AlreadyRunningError, agent_runs


def test_one_agent_at_a_time(tmp_path: Path) -> None:
    runtime = tmp_path / "run"
    assert not agent_runs(runtime)
    with lock.hold(runtime):
        assert agent_runs(runtime)
        with pytest.raises(AlreadyRunningError, match=r"agent\.lock"):
            lock.hold(runtime)
    assert not agent_runs(runtime)
    with lock.hold(runtime):
        assert len((runtime / LOCK).read_text().splitlines()) == 1, "the last one's id, and not both"


def test_nobody_else_may_open_it(tmp_path: Path) -> None:
    (tmp_path / LOCK).touch(0o644)
    with lock.hold(tmp_path):
        assert (tmp_path / LOCK).stat().st_mode & 0o777 == 0o600


def test_somebody_who_asks_at_the_wrong_moment_keeps_no_agent_from_starting(tmp_path: Path) -> None:
    (tmp_path / LOCK).touch()
    with (tmp_path / LOCK).open() as asking:
        fcntl.flock(asking, fcntl.LOCK_SH)
        done = threading.Timer(0.1, lambda: fcntl.flock(asking, fcntl.LOCK_UN))
        done.start()
        with lock.hold(tmp_path):
            assert agent_runs(tmp_path)
        done.join()
