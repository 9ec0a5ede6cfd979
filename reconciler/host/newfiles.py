"""A directory of new files: all of them or none, and nothing that was there is ever overwritten."""

import os
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from tempfile import mkdtemp


def write(directory: Path, texts: Mapping[str, str]) -> str:
    """Make a directory with these files, which only its owner may read; return what went wrong, empty if nothing did.

    The directory must be new or empty. The files are written beside it and it takes their place in one step, so that
    there is never half of them.

    Args:
        directory: where; its parents must exist.
        texts: the files' names, without directories, and what is in them.
    """
    if trouble := _occupied(directory):
        return trouble
    place = directory.resolve()
    try:
        fresh = Path(mkdtemp(prefix=f".{place.name}.", dir=place.parent))
    except OSError as error:
        return f"{directory}: cannot be written: {error.strerror}"
    try:
        for name, text in texts.items():
            _write(fresh / name, text)
        fresh.rename(place)
    except OSError as error:
        _discard(fresh, texts)
        return f"{directory}: cannot be written: {error.strerror}"
    return ""


def _occupied(directory: Path) -> str:
    try:
        if any(directory.iterdir()):
            return f"{directory}: is not empty, and nothing is overwritten: name a new or an empty directory"
    except FileNotFoundError:
        return ""
    except OSError as error:
        return f"{directory}: {error.strerror}"
    return ""


def _write(path: Path, text: str) -> None:
    opened = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    with os.fdopen(opened, "w", encoding="utf-8") as stream:
        stream.write(text)
        stream.flush()
        os.fsync(stream.fileno())


def _discard(directory: Path, names: Mapping[str, str]) -> None:
    with suppress(OSError):
        for name in names:
            (directory / name).unlink(missing_ok=True)
        directory.rmdir()
