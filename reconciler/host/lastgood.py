"""The last good set of manifests, kept on disk so that a restart during a broken checkout does not lose it."""

import json
import os
from pathlib import Path

from reconciler.host.directory import Texts, Unreadable, compose

_NAME = "last-good.json"


def remember(state_dir: str | Path, texts: Texts) -> str:
    """Keep a set for `last_good`, in one step: after a power cut there is the old one or the new one.

    Args:
        state_dir: the agent's state directory; made, for this user only, if it is missing.
        texts: the set, with nothing rejected in it.

    Returns:
        What went wrong, empty when it is on disk. The set kept before stays then.

    Raises:
        ValueError: something in the set was rejected, so it is not a good one.
    """
    if texts.rejected:
        raise ValueError(f"not a good set: {texts.rejected[0]}")
    final = Path(state_dir) / _NAME
    fresh = final.with_suffix(".new")
    content = {"revision": texts.revision, "path": texts.path, "files": dict(texts.files)}
    try:
        final.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        fresh.unlink(missing_ok=True)
        opened = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        with os.fdopen(opened, "w", encoding="utf-8") as stream:
            json.dump(content, stream)
            stream.flush()
            os.fsync(opened)
        fresh.replace(final)
        _sync(final.parent)
    except OSError as error:
        return f"{final}: cannot keep the last good state: {error.strerror}"
    return ""


def last_good(state_dir: str | Path) -> Texts | Unreadable:
    """Return the set that `remember` kept, or why there is none.

    Returns:
        The set exactly as it was kept; or `Missing` (none was ever kept), `Damaged` (it is not what was kept)
        or `Unreadable`. Nothing about the file raises.
    """
    path = Path(state_dir) / _NAME
    try:
        content = json.loads(path.read_bytes())
        kept = compose(content["files"], content["path"])
        if kept.revision == content["revision"]:
            return kept
    except FileNotFoundError:
        return Unreadable("Missing", f"{path}: no good state was ever kept")
    except OSError as error:
        return Unreadable("Unreadable", f"{path}: {error.strerror}")
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        pass
    return Unreadable("Damaged", f"{path}: not what was written there; ignored")


def _sync(directory: Path) -> None:
    opened = os.open(directory, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(opened)
    finally:
        os.close(opened)
