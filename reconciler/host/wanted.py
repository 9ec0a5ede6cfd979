"""What is wanted now: the newest good set of manifests, and what is wrong with a newer one."""

from dataclasses import replace
from pathlib import Path

from reconciler.host.directory import DEFAULT_LIMITS, Texts, read
from reconciler.host.lastgood import last_good, remember
from reconciler.manifests import load
from reconciler.reconciliation import Wanted
from reconciler.state import Rejected


class WantedSource:
    """Reads the directory again and again and remembers what was good."""

    def __init__(self, directory: Path, state_dir: Path, settle: float) -> None:
        self._directory = directory
        self._state_dir = state_dir
        self._settle = settle
        self._texts: Texts | None = None
        self._good = Wanted()
        kept = last_good(state_dir)
        if isinstance(kept, Texts):
            desired = load(kept.files, kept.revision)
            # Another release of the agent may see faults in what an older one accepted.
            self._good = Wanted() if desired.rejected else Wanted(desired)
        self._last = self._good

    def look(self, now: float) -> Wanted:
        """Return what is wanted; parses only when the texts have changed."""
        known = self._texts.revision if self._texts else ""
        found = read(self._directory, DEFAULT_LIMITS, self._settle, known)
        if not isinstance(found, Texts):
            self._texts = None
            self._last = _instead(self._good, found.reason, found.message)
        elif found.revision != known:
            self._texts = found
            self._last = self._understand(found, now)
        elif self._last.reason == "NotKept":
            self._last = self._kept(found)
        return self._last

    def _understand(self, texts: Texts, now: float) -> Wanted:
        desired = load(texts.files, texts.revision, texts.rejected)
        if desired.rejected:
            count = len(desired.rejected)
            message = f"{self._directory}: {count} fault{'s' * (count > 1)} in the manifests"
            return _instead(self._good, "Rejected", message, desired.rejected)
        if not desired.state:
            return _instead(self._good, "Empty", f"{self._directory}: the manifests hold no object")
        self._good = Wanted(desired, loaded=now)
        return self._kept(texts)

    def _kept(self, texts: Texts) -> Wanted:
        """Keep the good state for the next start; while that fails it is tried again in every look."""
        trouble = remember(self._state_dir, texts)
        return replace(self._good, problem=trouble, reason="NotKept" if trouble else "")


def _instead(good: Wanted, reason: str, message: str, rejected: tuple[Rejected, ...] = ()) -> Wanted:
    stays = "the last good state stays in force" if good.desired else "nothing is applied"
    return Wanted(good.desired, f"{message} ({stays})", reason, rejected, good.loaded)
