"""The directories of labs, and who is still alive. A lab lives as long as its supervisor holds the lock in there."""

import contextlib
import fcntl
import os
import shutil
import time
import uuid
from pathlib import Path

# Not $TMPDIR: everybody has to find the same labs, and a node has a /var and a /run of its own in front of this one's.
_ROOT = Path("/tmp")
_PREFIX = "reconciler-lab-"
_UNFINISHED = ".new"
_UNFINISHED_SECONDS = 60


def directory(name: str) -> Path:
    """Where the lab of this name is, if it is."""
    return _ROOT / f"{_PREFIX}{name}"


def create(name: str) -> tuple[Path, int]:
    """Make the directory of a new lab.

    Returns:
        The directory and the descriptor that holds its lock.

    Raises:
        FileExistsError: There is a lab of this name.
    """
    reap()
    final = directory(name)
    # Locked before it has its name, so that nobody takes it for the leftover of a dead lab in between.
    fresh = final.with_name(f"{final.name}.{uuid.uuid4().hex[:8]}{_UNFINISHED}")
    fresh.mkdir(mode=0o700)
    lock = os.open(fresh / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    fcntl.flock(lock, fcntl.LOCK_EX)
    try:
        fresh.rename(final)
    except OSError as error:
        os.close(lock)
        shutil.rmtree(fresh)
        raise FileExistsError(f"a lab called {name} is up already") from error
    return final, lock


def living() -> list[str]:
    """The names of the labs that are up."""
    return sorted(path.name.removeprefix(_PREFIX) for path in _directories() if _is_locked(path))


def reap() -> list[str]:
    """Remove what is left of labs whose supervisor was killed; gives their names.

    Their processes need no reaping: the kernel ended them with the supervisor.
    """
    dead = [path for path in _directories() if not _is_locked(path)]
    for path in _ROOT.glob(f"{_PREFIX}*{_UNFINISHED}"):
        with contextlib.suppress(FileNotFoundError):
            if path.stat().st_mtime < time.time() - _UNFINISHED_SECONDS:
                dead.append(path)
    for path in dead:
        shutil.rmtree(path, ignore_errors=True)
    return [path.name.removeprefix(_PREFIX) for path in dead]


def record_process(path: Path) -> None:
    """Write down this process, so that `recorded_process` finds it."""
    stat = Path("/proc/self/stat").read_text(encoding="ascii")
    path.write_text(f"{os.getpid()} {_start_time(stat)}\n", encoding="ascii")


def recorded_process(path: Path) -> int | None:
    """The process that a file names by id and start time (clock ticks since boot), None if it is no more."""
    try:
        pid, started = path.read_text(encoding="ascii").split()
        stat = Path(f"/proc/{pid}/stat").read_text(encoding="ascii")
    except (OSError, ValueError):
        return None
    is_dead = stat.rpartition(")")[2].split()[0] in ("Z", "X")
    return int(pid) if _start_time(stat) == started and not is_dead else None


def _start_time(stat: str) -> str:
    # Field 22, counted from behind the program's name, which may itself contain blanks: proc_pid_stat(5).
    return stat.rpartition(")")[2].split()[19]


def _directories() -> list[Path]:
    found = _ROOT.glob(f"{_PREFIX}*")
    return [path for path in found if path.is_dir() and path.suffix != _UNFINISHED]


def _is_locked(path: Path) -> bool:
    try:
        lock = os.open(path / "lock", os.O_RDWR | os.O_CLOEXEC)
    except FileNotFoundError:
        return False
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(lock)
    return False
