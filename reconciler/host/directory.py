"""Reading the desired directory: a consistent set of texts, or a named reason why there is none.

People, editors, `git pull`, git-sync and the kubelet all write such directories, each in its own way and
none of them in one step. So the directory is opened once and everything is read relative to that; it is
read twice, `settle` seconds apart, and only what was the same both times counts; and while git is at work
in the checkout nothing counts. Texts are not parsed here.

Facts used: `open(2)` (O_PATH opens nothing, so neither a FIFO blocks nor a device starts),
`proc(5)` (/proc/self/fd reopens exactly what was examined), git-sync's README (`link -> .worktrees/<sha>`),
Kubernetes' atomic writer (`x.toml -> ..data/x.toml`, `..data -> ..2026_01_02`).
"""

import errno
import os
import stat
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from types import MappingProxyType
from typing import Literal

from reconciler.frozen import frozen
from reconciler.host import checkout
from reconciler.state import Rejected

Reason = Literal["Missing", "NotADirectory", "Unreadable", "Unstable", "Empty", "Damaged"]


@frozen
class Limits:
    """What is still read.

    Attributes:
        file_bytes: the largest manifest.
        total_bytes: the largest sum of all manifests.
        files: the most manifests.
        entries: the most directory entries looked at, manifests or not, in all subdirectories.
        strict: refuse files and directories that somebody else than root or this process's user owns or may
            write. Turn it off only where nothing is applied, as for offline validation in a checkout.
    """

    file_bytes: int = 1 << 20
    total_bytes: int = 16 << 20
    files: int = 4096
    entries: int = 16384
    strict: bool = True


@frozen
class Texts:
    """All manifests of one moment.

    With `rejected` not empty the set is incomplete and nothing may be applied or deleted because of it;
    `files` then holds the readable ones, so that all faults can be named at once.

    Attributes:
        files: path relative to the directory -> decoded text, sorted by path.
        revision: sha256 in hex over `files` and `rejected`.
        path: the real path of the directory that was read.
        rejected: what could not be taken, sorted.
    """

    files: Mapping[str, str] = field(repr=False)
    revision: str
    path: str
    rejected: tuple[Rejected, ...] = ()


@frozen
class Unreadable:
    """No set of texts, which is never the same as a set of none.

    Attributes:
        reason: Missing, NotADirectory, Unreadable (no permission or the disk fails), Unstable (it kept changing,
            or git is at work in it), Empty (no manifest at all), Damaged (a remembered set that is not intact).
        message: the same for people, with the path.
    """

    reason: Reason
    message: str


DEFAULT_LIMITS = Limits()
_REPLACED = Unreadable("Unstable", "the directory was replaced while it was read")
_ATTEMPTS = 6
_DEEPEST = 32
_OPEN = os.O_RDONLY | os.O_CLOEXEC | os.O_NOCTTY | os.O_NONBLOCK
_Inode = tuple[int, int]


def ignored(name: str) -> bool:
    """Tell whether an entry is never looked at: hidden, put aside, or an editor's dropping."""
    return name.startswith((".", "_", "#")) or name.endswith("~")


def is_manifest(name: str) -> bool:
    """Tell whether a file of this name is read."""
    return name.endswith(".toml") and not ignored(name)


def read(
    path: str | Path, limits: Limits = DEFAULT_LIMITS, settle: float = 0.075, known: str = ""
) -> Texts | Unreadable:
    """Read all manifests below a directory.

    Args:
        path: the directory, or a symlink to it.
        limits: what is still read.
        settle: seconds for which the content must hold still before it counts; at most six times this is
            waited.
        known: the revision returned last. Content that is still that is returned at once.

    Returns:
        The texts, if they held still and git was not in the middle of changing them; otherwise why not.
        Nothing about the content raises or blocks.
    """
    seen, settled = begin(path, limits, settle)
    return seen if isinstance(seen, Texts) and seen.revision == known else settled()


def begin(
    path: str | Path, limits: Limits = DEFAULT_LIMITS, settle: float = 0.075
) -> tuple[Texts | Unreadable, Callable[[], Texts | Unreadable]]:
    """Read as `read` does, and use the time: return what is seen now, and what waits until that held still.

    What is seen now may be half of something. It is what counts if the other returns the same.
    """
    seen = _look(path, limits)
    looked, trace = time.monotonic(), _trace(seen)
    return seen, lambda: _held_still(path, limits, settle, trace, looked)


def _held_still(path: str | Path, limits: Limits, settle: float, before: object, looked: float) -> Texts | Unreadable:
    """Look again until the content is what it was `settle` seconds before; `before` tells what it was when `looked`."""
    why = ""
    for _ in range(_ATTEMPTS):
        # Between the looks, not around them: if both see the same half of a checkout then git holds its lock
        # for the whole time between them, so this one question finds it.
        why = checkout.busy(os.path.realpath(path))
        time.sleep(max(0.0, looked + settle - time.monotonic()))
        again = _look(path, limits)
        if _trace(again) == before and again != _REPLACED and not why:
            return again
        before, looked = _trace(again), time.monotonic()
    return Unreadable("Unstable", f"{path}: {why or 'kept changing while it was read'}")


def _trace(seen: Texts | Unreadable) -> object:
    """Return what tells whether it is still the same, without keeping all the texts."""
    return (seen.revision, seen.path) if isinstance(seen, Texts) else seen


def compose(files: Mapping[str, str], path: str, rejected: Iterable[Rejected] = ()) -> Texts:
    """Put a set together: sorted, immutable, with its revision."""
    ordered = dict(sorted(files.items()))
    faults = tuple(sorted(rejected))
    digest = sha256()
    rows: list[tuple[str, ...]] = list(ordered.items())
    rows += [(fault.file, fault.object, fault.field, fault.message) for fault in faults]
    for row in rows:
        for part in (str(len(row)), *row):
            data = part.encode()
            digest.update(len(data).to_bytes(8, "big"))
            digest.update(data)
    return Texts(MappingProxyType(ordered), digest.hexdigest(), path, faults)


def _look(path: str | Path, limits: Limits) -> Texts | Unreadable:
    """Read once, relative to one open directory; `_REPLACED` if another one stands there afterwards."""
    try:
        real = os.path.realpath(path, strict=True)
        with _entry(real, None) as opened:
            before = os.fstat(opened)
            if not stat.S_ISDIR(before.st_mode):
                return Unreadable("NotADirectory", f"{path}: not a directory")
            scan = _Scan(str(path), limits)
            scan.directory(opened, "", ())
            if os.path.realpath(path) != real or not os.path.samestat(before, Path(path).stat()):
                return _REPLACED
    except FileNotFoundError:
        return Unreadable("Missing", f"{path}: {_missing(Path(path))}")
    except NotADirectoryError:
        return Unreadable("NotADirectory", f"{path}: part of the path is not a directory")
    except OSError as error:
        return Unreadable("Unreadable", f"{path}: {explain(error)}")
    if not scan.files and not scan.rejected:
        return Unreadable("Empty", f"{path}: no manifest (*.toml) in it")
    return compose(scan.files, real, scan.rejected)


def _missing(path: Path) -> str:
    return f"the link leads to {path.readlink()}, which does not exist" if path.is_symlink() else "does not exist"


def explain(error: OSError) -> str:
    """Say why a file or directory cannot be opened."""
    known = {
        errno.ENOENT: "does not exist, or is a link that leads nowhere",
        errno.ELOOP: "links lead in a circle",
        errno.EACCES: "permission denied",
    }
    return known.get(error.errno or 0, error.strerror or str(error))


@contextmanager
def _entry(name: str, parent: int | None) -> Iterator[int]:
    """Take hold of what a name stands for, through links, without opening it."""
    held = os.open(name, os.O_PATH | os.O_CLOEXEC, dir_fd=parent)
    try:
        yield held
    finally:
        os.close(held)


@dataclass(slots=True)
class _Scan:
    """One walk through the directory, collecting texts and faults."""

    top: str
    limits: Limits
    files: dict[str, str] = field(default_factory=dict)
    rejected: list[Rejected] = field(default_factory=list)
    entries: int = 0
    size: int = 0

    def refuse(self, where: str, message: str) -> None:
        self.rejected.append(Rejected(where or self.top, "", "", message))

    def full(self) -> bool:
        return self.entries > self.limits.entries or self.size > self.limits.total_bytes

    def directory(self, held: int, where: str, above: tuple[_Inode, ...]) -> None:
        """Take all manifests of one directory and those below it.

        Args:
            held: an O_PATH descriptor of it.
            where: its path relative to the top, empty for the top.
            above: the directories that led here, outermost first.
        """
        status = os.fstat(held)
        self.trust(status, where)
        inode = (status.st_dev, status.st_ino)
        if inode in above:
            return self.refuse(where, "links lead in a circle")
        if len(above) > _DEEPEST:
            return self.refuse(where, f"more than {_DEEPEST} directories deep")
        opened = os.open(f"/proc/self/fd/{held}", _OPEN | os.O_DIRECTORY)
        try:
            names = self.names(opened)
            for name in names:
                self.entry(name, opened, f"{where}/{name}" if where else name, (*above, inode))
        finally:
            os.close(opened)
        return None

    def names(self, opened: int) -> list[str]:
        """List what can be a manifest or lead to some, sorted."""
        names = []
        with os.scandir(opened) as entries:
            for entry in entries:
                self.entries += 1
                if self.entries > self.limits.entries:
                    self.refuse("", f"more than {self.limits.entries} directory entries")
                    break
                leads = entry.is_symlink() or entry.is_dir(follow_symlinks=False)
                if not ignored(entry.name) and (is_manifest(entry.name) or leads):
                    names.append(entry.name)
        return sorted(names)

    def entry(self, name: str, parent: int, where: str, above: tuple[_Inode, ...]) -> None:
        if self.full():
            return
        if not name.isprintable():
            self.refuse(ascii(where)[1:-1], "the name is not printable UTF-8")
            return
        try:
            with _entry(name, parent) as held:
                status = os.fstat(held)
                if stat.S_ISDIR(status.st_mode):
                    self.directory(held, where, above)
                elif is_manifest(name):
                    self.file(held, where, status)
        except OSError as error:
            self.refuse(where, explain(error))

    def file(self, held: int, where: str, status: os.stat_result) -> None:
        if len(self.files) >= self.limits.files:
            self.refuse(where, f"more than {self.limits.files} manifests")
            return
        if not stat.S_ISREG(status.st_mode):
            self.refuse(where, f"not a regular file but {_sort(status.st_mode)}")
            return
        if not self.trust(status, where):
            return
        if status.st_size > self.limits.file_bytes:
            self.refuse(where, f"{status.st_size} bytes; at most {self.limits.file_bytes} are read")
            return
        opened = os.open(f"/proc/self/fd/{held}", _OPEN)
        try:
            data = os.read(opened, status.st_size + 1)
        finally:
            os.close(opened)
        if len(data) != status.st_size:
            self.refuse(where, "its size changed while it was read")
            return
        self.size += len(data)
        if self.size > self.limits.total_bytes:
            self.refuse("", f"the manifests have more than {self.limits.total_bytes} bytes in all")
            return
        self.text(data, where)

    def text(self, data: bytes, where: str) -> None:
        if (at := data.find(b"\0")) >= 0:
            self.refuse(where, f"not text: a zero byte at offset {at}")
        elif data.startswith(b"\xef\xbb\xbf"):
            self.refuse(where, "begins with a byte order mark; save it as plain UTF-8")
        else:
            try:
                self.files[where] = data.decode()
            except UnicodeDecodeError as error:
                line = data.count(b"\n", 0, error.start) + 1
                self.refuse(where, f"not UTF-8: byte 0x{data[error.start]:02x} in line {line}")

    def trust(self, status: os.stat_result, where: str) -> bool:
        """Tell whether only root and this process's user decide what is in it; refuse it otherwise."""
        faults = []
        if self.limits.strict and status.st_uid not in (0, os.geteuid()):
            faults.append(f"owned by user {status.st_uid}; must be root's")
        if self.limits.strict and status.st_mode & (stat.S_IWGRP | stat.S_IWOTH):
            mode = f"{stat.S_IMODE(status.st_mode):04o}"
            faults.append(f"mode {mode} lets others than the owner write; take it away (chmod go-w)")
        for fault in faults:
            self.refuse(where, fault)
        return not faults


def _sort(mode: int) -> str:
    if stat.S_ISFIFO(mode):
        return "a FIFO"
    return "a socket" if stat.S_ISSOCK(mode) else "a device"
