"""The last good set of manifests, kept on disk so that a restart during a broken checkout does not lose it."""

import json
from pathlib import Path

from reconciler.host import store
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
    content = {"revision": texts.revision, "path": texts.path, "files": dict(texts.files)}
    trouble = store.save(Path(state_dir) / _NAME, content)
    return f"cannot keep the last good state: {trouble}" if trouble else ""


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
