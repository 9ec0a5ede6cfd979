"""Reasons to look again, from any thread or signal handler, for the one loop that looks."""

import os
import select
from queue import Empty, SimpleQueue
from time import monotonic, sleep

URGENT = frozenset({"desired", "signal"})
"""Reasons that come from people: they have changed the manifests, or they have asked."""

_SLICE = 0.05


class Hints:
    """Collects hints; a hint says only that something may have changed, so many are as good as one.

    `give` and `stop` may be called from a signal handler at any moment: they take no lock that the interrupted code may
    hold, and what they say is not lost however close it comes to a `wait`.
    """

    def __init__(self) -> None:
        self.stopping = False
        self._urgent = False
        self._reasons: SimpleQueue[str] = SimpleQueue()
        self._waker = os.eventfd(0, os.EFD_CLOEXEC | os.EFD_NONBLOCK)

    def give(self, reason: str) -> None:
        """Say that it is worth looking, and why."""
        self._urgent = self._urgent or reason in URGENT
        self._reasons.put(reason)
        os.eventfd_write(self._waker, 1)

    def stop(self) -> None:
        """Say that no further look is wanted."""
        self.stopping = True
        os.eventfd_write(self._waker, 1)

    def wait(self, seconds: float, also: int | None = None) -> frozenset[str]:
        """Wait for hints at most so long and take them; empty if there were none, or if it is time to stop.

        Args:
            seconds: how long.
            also: a descriptor of corosync's; that it can be read is the hint `peers`.
        """
        deadline = monotonic() + seconds
        descriptors = [self._waker] if also is None else [self._waker, also]
        while not self.stopping:
            ready = select.select(descriptors, [], [], max(0.0, deadline - monotonic()))[0]
            taken = self._take() | ({"peers"} if also in ready else set())
            if taken or not ready:
                return frozenset(taken)
        return frozenset()

    def rest(self, seconds: float) -> None:
        """Let hints wait for so long; a person's do not wait, and that it is time to stop does not."""
        deadline = monotonic() + seconds
        while not (self.stopping or self._urgent) and (left := deadline - monotonic()) > 0:
            sleep(min(left, _SLICE))

    def _take(self) -> set[str]:
        """Take what there is; the waker first, so that what comes meanwhile wakes again."""
        try:
            os.eventfd_read(self._waker)
        except BlockingIOError:
            return set()
        self._urgent = False
        taken = set()
        while True:
            try:
                taken.add(self._reasons.get_nowait())
            except Empty:
                return taken
