"""Reasons to look again, from any thread, for the one loop that looks."""

from threading import Condition
from time import monotonic


class Hints:
    """Collects hints; a hint says only that something may have changed, so many are as good as one."""

    def __init__(self) -> None:
        self._changed = Condition()
        self._reasons: set[str] = set()
        self.stopping = False

    def give(self, reason: str) -> None:
        """Say that it is worth looking; `reason` is for the log."""
        with self._changed:
            self._reasons.add(reason)
            self._changed.notify_all()

    def stop(self) -> None:
        """Say that no further look is wanted."""
        with self._changed:
            self.stopping = True
            self._changed.notify_all()

    def wait(self, seconds: float) -> frozenset[str]:
        """Wait for hints at most so long and take them; empty if there were none."""
        deadline = monotonic() + seconds
        with self._changed:
            while not self._reasons and not self.stopping and (left := deadline - monotonic()) > 0:
                self._changed.wait(left)
            taken, self._reasons = frozenset(self._reasons), set()
            return taken
