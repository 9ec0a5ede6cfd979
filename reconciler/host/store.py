"""Small files that outlive the agent: written in one step, read with suspicion."""

import json
import os
from pathlib import Path
from typing import Any


def save(path: Path, content: Any, *, mode: int = 0o600) -> str:
    """Write JSON so that there is always the old file or the new one; return what went wrong, empty if nothing did."""
    fresh = path.with_name(f".{path.name}.new")
    try:
        path.parent.mkdir(mode=0o755, parents=True, exist_ok=True)
        with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, mode), "w") as stream:
            json.dump(content, stream)
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
