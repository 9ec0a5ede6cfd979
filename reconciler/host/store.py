"""Files that have to survive a power cut: written in one step, and what the agent keeps is read with suspicion."""

import json
import os
import stat
from pathlib import Path
from typing import Any

from reconciler.cib.register import Suspension
from reconciler.suspension import restored


def save(path: Path, content: Any, *, mode: int = 0o600) -> str:
    """Write JSON; return what went wrong, empty if nothing did."""
    return write(path, json.dumps(content), mode=mode)


def write(path: Path, text: str, *, mode: int | None = None) -> str:
    """Write a file so that after a power cut there is the old one or the new one.

    Without a mode, whoever had it has it still: it keeps its owner and mode (0600 if it is new), and a link leads where
    it led. A directory that is missing is made, for this user only.

    Returns:
        What went wrong, empty if nothing did; then what was there before is there still.
    """
    try:
        final = path if mode is not None else path.resolve()
        fresh = final.with_name(f".{final.name}.new")
        final.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        before = final.stat() if mode is None and final.exists() else None
        fresh.unlink(missing_ok=True)
        opened = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        with os.fdopen(opened, "w", encoding="utf-8") as stream:
            if before is not None:
                os.fchown(opened, before.st_uid, before.st_gid)
            os.fchmod(opened, mode or (stat.S_IMODE(before.st_mode) if before else 0o600))
            stream.write(text)
            stream.flush()
            os.fsync(opened)
        fresh.replace(final)
        _sync(final.parent)
    except OSError as error:
        return f"{path}: cannot be written: {error.strerror}"
    return ""


def _sync(directory: Path) -> None:
    opened = os.open(directory, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(opened)
    finally:
        os.close(opened)


def load(path: Path) -> Any:
    """Return what was saved; None if there is nothing, or nothing that can be read."""
    try:
        return json.loads(path.read_bytes())
    except (OSError, ValueError, RecursionError):
        return None


STATUS = "status.json"
INVENTORY = "network.json"


def inventory(state_dir: Path) -> frozenset[tuple[str, str]]:
    """Return the addresses that the agent added to this node: device and address."""
    kept = load(state_dir / INVENTORY)
    pairs = [item for item in kept if isinstance(item, list) and len(item) == 2] if isinstance(kept, list) else []  # noqa: PLR2004
    return frozenset((str(dev), str(address)) for dev, address in pairs)


SUSPENSION = "suspended.json"
"""The suspension of this node alone."""

LAST_SUSPENSION = "suspended-cluster.json"
"""The cluster's, as it was last seen."""


def suspension(path: Path) -> Suspension | None:
    """Return the suspension that a file keeps; None if there is none. One that cannot be read has no end."""
    return restored(load(path), str(path)) if os.path.lexists(path) else None


def remove(path: Path) -> str:
    """Remove a file, if it is there; return what went wrong, empty if nothing did."""
    try:
        path.unlink(missing_ok=True)
    except OSError as error:
        return f"{path}: cannot be removed: {error.strerror}"
    return ""
