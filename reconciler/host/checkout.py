"""Whether git is in the middle of changing the checkout that a directory belongs to.

git writes a working tree file by file. While it does it holds `index.lock` (gitrepository-layout(5) and
git's lockfile API); between the steps of a longer operation (rebase, merge with conflicts, autostash) one of
the other markers stands. A git that was killed without cleaning up leaves `index.lock` behind: the checkout
then is half changed, and stays refused until a person has looked.
"""

import os
from pathlib import Path

_MARKERS = {
    "index.lock": "git is changing the checkout, or died while it did",
    "HEAD.lock": "git is moving HEAD, or died while it did",
    "MERGE_HEAD": "a merge is not finished",
    "MERGE_AUTOSTASH": "a merge is not finished",
    "CHERRY_PICK_HEAD": "a cherry-pick is not finished",
    "REVERT_HEAD": "a revert is not finished",
    "rebase-merge": "a rebase is not finished",
    "rebase-apply": "a rebase is not finished",
    "sequencer": "a series of commits is not finished",
}
_POINTER_BYTES = 4096


def markers(directory: str) -> tuple[str, ...]:
    """Return the paths whose existence says that git is at work, none if it is no checkout.

    Args:
        directory: the real path of the desired directory; the checkout may begin above it.
    """
    git = _git_directory(Path(directory))
    return tuple(f"{git}/{name}" for name in _MARKERS) if git else ()


def busy(directory: str) -> str:
    """Say what git is doing to the checkout at this moment, empty if nothing."""
    for marker in map(Path, markers(directory)):
        if os.path.lexists(marker):
            return f"{_MARKERS[marker.name]} ({marker} exists)"
    return ""


def _git_directory(directory: Path) -> str:
    """Find the git directory of the working tree: `.git`, or where a linked worktree's `.git` file points."""
    for place in (directory, *directory.parents):
        candidate = place / ".git"
        try:
            if candidate.is_dir():
                return str(candidate)
            if not candidate.is_file():
                continue
            with candidate.open("rb") as stream:
                pointer = stream.read(_POINTER_BYTES)
        except OSError:
            continue
        if pointer.startswith(b"gitdir:"):
            return os.path.realpath(place / os.fsdecode(pointer.removeprefix(b"gitdir:").strip()))
    return ""
