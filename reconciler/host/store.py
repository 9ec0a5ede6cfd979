"""Small files that outlive the agent: written in one step, read with suspicion."""

import json
import os
import stat
from pathlib import Path
from typing import Any


def save(path: Path, content: Any, *, mode: int = 0o600) -> str:
    """Write JSON; return what went wrong, empty if nothing did."""
    return write(path, json.dumps(content), mode=mode)


def write(path: Path, text: str, *, mode: int | None = None) -> str:
    """Write a file so that there is always the old one or the new one; return what went wrong, empty if nothing did.

    Without a mode the file keeps its own (0600 if it is new).
    """
    fresh = path.with_name(f".{path.name}.new")
    try:
        path.parent.mkdir(mode=0o755, parents=True, exist_ok=True)
        if mode is None:
            mode = stat.S_IMODE(path.stat().st_mode) if path.exists() else 0o600
        fresh.unlink(missing_ok=True)
        opened = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        with os.fdopen(opened, "w", encoding="utf-8") as stream:
            os.fchmod(stream.fileno(), mode)
            stream.write(text)
            stream.flush()
            os.fsync(stream.fileno())
        fresh.replace(path)
    except OSError as error:
        return f"{path}: cannot be written: {error.strerror}"
    return ""


def load(path: Path) -> Any:
    """Return what was saved; None if there is nothing, or nothing that can be read."""
    try:
        return json.loads(path.read_bytes())
    except (OSError, ValueError, RecursionError):
        return None


INVENTORY = "network.json"


def inventory(state_dir: Path) -> frozenset[tuple[str, str]]:
    """Return the addresses that the agent added to this node: device and address."""
    kept = load(state_dir / INVENTORY)
    pairs = [item for item in kept if isinstance(item, list) and len(item) == 2] if isinstance(kept, list) else []  # noqa: PLR2004
    return frozenset((str(dev), str(address)) for dev, address in pairs)
