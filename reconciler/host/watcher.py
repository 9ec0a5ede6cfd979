"""Hints that a directory's content may have changed; the only place where `watchfiles` is used.

A hint says "look again" and nothing else. Watches get lost without a word (the kernel's queue overflows, the
watched directory is renamed, a link is turned elsewhere), so the watch is rebuilt whenever what it stands on
has changed, and about once a second what `stat` says is compared with what it said before: cheap, and it works
with no inotify at all. Whoever uses this still looks by itself from time to time.

watchfiles.watch() is a lazy generator that begins to watch with its first item, so RustNotify is used as it
is: it watches from the moment it exists. Its `ignore_permission_denied` stays off, because with it no error
at all is reported when a path is missing or the kernel has no watch left (seen with watchfiles 1.3.0).
"""

import time
from collections.abc import Callable
from pathlib import Path
from threading import Event, Thread

from watchfiles._rust_notify import RustNotify

from reconciler.host.directory import ignored, is_manifest
from reconciler.host.survey import Survey, survey

_STEP_MS = 50
_DEBOUNCE_MS = 100
_SHARE = 200
_PAUSE = 0.1
_ATTEMPTS = 3
_POLL_MS = 300  # only where the kernel has no inotify at all


class Watcher:
    """Calls `notify` soon after the content of a directory may have changed.

    The directory may be a link, be replaced, vanish and come back, or not exist yet. Bursts are merged:
    `notify` comes 50 to 100 ms after a change, and about every 100 ms while changes go on.

    Attributes:
        events: changes that the kernel reported and that matter.
        found: changes that no event had announced, found by comparing.
        rebuilds: how often the watch was built anew.
        errors: how often it could not be built, or broke.
    """

    def __init__(  # noqa: PLR0913 - each is a choice of its own
        self,
        path: str | Path,
        notify: Callable[[], None],
        *,
        wanted: Callable[[str], bool] = is_manifest,
        recursive: bool = True,
        refresh: float = 600.0,
        tick: float = 1.0,
    ) -> None:
        """Prepare a watch.

        Args:
            path: the directory, or a link to it.
            notify: called from the watcher's own thread; must return soon and not raise.
            wanted: whether a file of this name matters.
            recursive: also watch subdirectories and what links in the directory lead to.
            refresh: seconds after which the watch is built anew in any case.
            tick: seconds between two looks for what no event announced.
        """
        self.events = 0
        self.found = 0
        self.rebuilds = 0
        self.errors = 0
        self._path = Path(path).absolute()
        self._notify = notify
        self._wanted = wanted
        self._recursive = recursive
        self._refresh = refresh
        self._tick = tick
        self._stopping = Event()
        self._thread = Thread(target=self._run, name=f"watch {path}", daemon=True)
        self._watch: RustNotify | None = None
        self._last = self._survey()

    def start(self) -> None:
        """Begin to watch; every change after the return is noticed."""
        self._establish()
        self._thread.start()

    def stop(self) -> None:
        """End, and wait for the thread; `notify` is not called any more afterwards."""
        self._stopping.set()
        self._thread.join()
        self._watch = None

    def _survey(self) -> Survey:
        return survey(self._path, self._wanted, self._recursive)

    def _establish(self) -> bool:
        """Build the watch, looking before and after: what it stands on may move meanwhile."""
        for _ in range(_ATTEMPTS):
            places = self._survey()
            self._watch = _build(places)
            self._last = self._survey()
            if self._watch is not None and self._last.watched == places.watched:
                return True
        self.errors += self._watch is None
        return self._watch is not None

    def _run(self) -> None:
        built = due = time.monotonic()
        while True:
            events = self._relevant(self._events())
            if self._stopping.is_set():
                return
            began = time.monotonic()
            if not events and self._watch is not None and began < due:
                continue
            before, self._last = self._last, self._survey()
            due = began + max(self._tick, _SHARE * (time.monotonic() - began))
            lost = self._watch is None or self._last.watched != before.watched
            fresh = False
            if lost or events & before.watched.keys() or began > built + self._refresh:
                fresh, built = self._establish(), began
                self.rebuilds += fresh
            differs = self._last.fingerprints != before.fingerprints
            self.events += len(events)
            self.found += differs and not events
            if events or differs or fresh:
                self._notify()

    def _events(self) -> set[str]:
        """Wait for changes, at most until the next look is due; return the full names."""
        if self._watch is None:
            self._stopping.wait(self._tick)
            return set()
        try:
            changes = self._watch.watch(_DEBOUNCE_MS, _STEP_MS, int(self._tick * 1000), self._stopping)
        except (OSError, RuntimeError):  # whatever it was, a new watch and a look repair it
            self.errors += 1
            self._watch = None
            self._stopping.wait(_PAUSE)
            return set()
        return {name for _, name in changes} if isinstance(changes, set) else set()

    def _relevant(self, names: set[str]) -> set[str]:
        return {name for name in names if self._matters(name)}

    def _matters(self, name: str) -> bool:
        if name in self._last.names or name in self._last.watched:
            return True
        path = Path(name)
        if str(path.parent) not in self._last.tree:
            return False
        if self._wanted(path.name):
            return True
        return self._recursive and not ignored(path.name) and (path.is_dir() or path.is_symlink())


def _build(places: Survey) -> RustNotify | None:
    try:
        return RustNotify(list(places.watched), False, False, _POLL_MS, False, False)
    except (OSError, RuntimeError):  # no inotify instance or watch left, or a directory has just gone
        return None
