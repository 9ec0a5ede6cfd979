"""What must be watched so that no way of changing a directory goes unseen.

A watch on a symlink sees nothing when the link is turned elsewhere, and a watch on a directory dies with it.
So every link on the way is watched from the directory that holds it, and so is the directory itself.
"""

import os
import stat
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from reconciler.frozen import frozen
from reconciler.host import checkout
from reconciler.host.directory import ignored

_MOST_DIRECTORIES = 1024
_MOST_LINKS = 40

Fingerprint = tuple[int, ...]


@frozen
class Survey:
    """One look at everything that a directory's content depends on.

    Attributes:
        names: full names whose coming, going and changing matters: links, what they lead to, the directory
            itself, the next missing part of a path, git's locks.
        tree: the directories in which every wanted name matters.
        watched: all directories to watch -> (st_dev, st_ino).
        fingerprints: full name -> what `stat` says, for all that matters; empty for what is missing.
    """

    names: frozenset[str]
    tree: frozenset[str]
    watched: Mapping[str, tuple[int, int]]
    fingerprints: Mapping[str, Fingerprint]


def survey(path: str | Path, wanted: Callable[[str], bool], recursive: bool) -> Survey:
    """Look at a directory and at the way to it.

    Args:
        path: the directory, or a link to it; may be missing.
        wanted: whether a file of this name matters.
        recursive: also look at subdirectories and at what links lead to.
    """
    walk = _Walk(wanted, recursive)
    top = walk.follow(Path(path))
    if top:
        walk.directory(top)
    walk.names.update(checkout.markers(str(top or Path(path).resolve())))
    watched = {}
    for place in sorted({str(Path(name).parent) for name in walk.names} | walk.tree):
        status = _stat(place)
        if status and stat.S_ISDIR(status.st_mode):
            watched[place] = (status.st_dev, status.st_ino)
    for name in walk.names:
        walk.fingerprints.setdefault(name, _fingerprint(_stat(name, follow=False)))
    return Survey(frozenset(walk.names), frozenset(walk.tree), watched, walk.fingerprints)


def _stat(name: str | Path | os.DirEntry[str], *, follow: bool = True) -> os.stat_result | None:
    try:
        if isinstance(name, os.DirEntry):
            return name.stat(follow_symlinks=follow)
        return Path(name).stat(follow_symlinks=follow)
    except OSError:
        return None


def _fingerprint(status: os.stat_result | None) -> Fingerprint:
    """Condense `stat`; of a directory only which it is and whose, for its entries speak for themselves."""
    if status is None:
        return ()
    identity = (status.st_dev, status.st_ino, status.st_mode, status.st_uid)
    if stat.S_ISDIR(status.st_mode):
        return identity
    return (*identity, status.st_size, status.st_mtime_ns, status.st_ctime_ns)


@dataclass(slots=True)
class _Walk:
    """One walk along a path and down a directory, noting what is met."""

    wanted: Callable[[str], bool]
    recursive: bool
    names: set[str] = field(default_factory=set)
    tree: set[str] = field(default_factory=set)
    fingerprints: dict[str, Fingerprint] = field(default_factory=dict)

    def follow(self, path: Path) -> Path | None:
        """Resolve a path and note every link on the way; None, with the place noted, if it ends nowhere."""
        here, links = Path("/"), 0
        rest = list(path.absolute().parts[1:])
        while rest:
            part = rest.pop(0)
            there = here.parent if part == ".." else here / part
            status = _stat(there, follow=False)
            if status is None or links > _MOST_LINKS:
                self.names.add(str(there))
                return None
            if not stat.S_ISLNK(status.st_mode):
                here = there
                continue
            self.names.add(str(there))
            links += 1
            target = _target(there)
            rest = [step for step in target.parts if step != "/"] + rest
            here = Path("/") if target.is_absolute() else here
        self.names.add(str(here))
        return here

    def directory(self, real: Path) -> None:
        if str(real) in self.tree or len(self.tree) >= _MOST_DIRECTORIES:
            return
        self.tree.add(str(real))
        status = _stat(real)
        self.fingerprints[str(real)] = _fingerprint(status)
        try:
            with os.scandir(real) as found:
                entries = [entry for entry in found if self.wanted(entry.name) or not ignored(entry.name)]
        except OSError:
            return
        for entry in entries:
            if self.recursive and entry.is_symlink():
                self.link(Path(entry))
            elif self.recursive and entry.is_dir(follow_symlinks=False):
                self.directory(Path(entry))
            elif self.wanted(entry.name):
                self.fingerprints[entry.path] = _fingerprint(_stat(entry))

    def link(self, path: Path) -> None:
        real = self.follow(path)
        if real and real.is_dir():
            self.directory(real)
        elif real:
            self.fingerprints[str(real)] = _fingerprint(_stat(real))


def _target(link: Path) -> Path:
    try:
        return link.readlink()
    except OSError:  # gone since it was looked at: the next look will tell
        return Path()
