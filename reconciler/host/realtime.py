"""Being first on the processor for a moment (sched(7), sched_setscheduler(2)).

Both ways only do something in a thread that runs as programs usually do: what an administrator has set otherwise stays.
Whoever may not have a real-time priority (RLIMIT_RTPRIO and CAP_SYS_NICE say so) goes on as before.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress

_FIRST = os.SCHED_RR, os.sched_param(1)
"""Before all ordinary processes, and after all others of a real-time priority: corosync has 99."""
_USUAL = os.SCHED_OTHER, os.sched_param(0)


@contextmanager
def realtime(needed: bool) -> Iterator[None]:
    """Let this thread, and the commands that it starts meanwhile, run before all ordinary processes, if needed."""
    with _scheduled(_USUAL, _FIRST if needed else _USUAL):
        yield


@contextmanager
def usual() -> Iterator[None]:
    """Let this thread, and the commands that it starts meanwhile, run as others do although it is within `realtime`."""
    with _scheduled(_FIRST, _USUAL):
        yield


@contextmanager
def _scheduled(before: tuple[int, os.sched_param], now: tuple[int, os.sched_param]) -> Iterator[None]:
    if (os.sched_getscheduler(0), os.sched_getparam(0)) != before:
        yield
        return
    try:
        with suppress(OSError):
            os.sched_setscheduler(0, *now)
        yield
    finally:
        with suppress(OSError):
            os.sched_setscheduler(0, *before)
