"""The lock that says that an agent runs on this node; it ends with the process, however that ends."""

import fcntl
import os
import time
from pathlib import Path
from typing import IO

LOCK = "agent.lock"

_TRIES = 20
_PAUSE = 0.02


class AlreadyRunningError(RuntimeError):
    """Another agent runs on this node."""


def hold(runtime_dir: Path) -> IO[str]:
    """Take the lock, and write down who has it; closing the file lets go of it.

    Only root may open the file: whoever can, can hold a lock on it. Somebody who just asks whether an agent runs has
    it for a moment; that is no agent.

    Raises:
        AlreadyRunningError: another agent has it.
    """
    runtime_dir.mkdir(mode=0o755, parents=True, exist_ok=True)
    lock = os.fdopen(os.open(runtime_dir / LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600), "r+")
    os.fchmod(lock.fileno(), 0o600)
    for _ in range(_TRIES):
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            time.sleep(_PAUSE)
            continue
        lock.truncate(0)
        lock.write(f"{os.getpid()}\n")
        lock.flush()
        return lock
    lock.close()
    raise AlreadyRunningError(f"another agent holds {runtime_dir / LOCK}")


def agent_runs(runtime_dir: Path) -> bool:
    """Tell whether an agent runs on this node.

    Raises:
        PermissionError: this user may not ask.
    """
    try:
        with (runtime_dir / LOCK).open() as lock:
            fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except FileNotFoundError:
        return False
    except BlockingIOError:
        return True
    return False
