"""Being first on the processor: for as long as it is asked for, with what is started meanwhile, where it is allowed."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from reconciler.host.realtime import realtime, usual
from reconciler.host.shell import Call, Shell
from tests.programs import need_root

POLICY = Call(("sh", "-c", "cut -d ' ' -f 41 /proc/self/stat"))
"""What a command says of the policy by which it runs (proc_pid_stat(5), field 41)."""


def policies() -> tuple[int, int]:
    """Of this thread, and of a command that it starts."""
    return os.sched_getscheduler(0), int(Shell().run(POLICY).stdout)


def test_it_is_for_as_long_as_it_is_needed_and_for_the_commands() -> None:
    need_root("a real-time priority")
    with realtime(needed=True):
        assert (policies(), os.sched_getparam(0).sched_priority) == ((os.SCHED_RR, os.SCHED_RR), 1)
        with usual():
            assert policies() == (os.SCHED_OTHER, os.SCHED_OTHER)
        assert policies() == (os.SCHED_RR, os.SCHED_RR)
    assert policies() == (os.SCHED_OTHER, os.SCHED_OTHER)


def test_it_ends_with_an_error() -> None:
    need_root("a real-time priority")
    with pytest.raises(ZeroDivisionError), realtime(needed=True):
        raise ZeroDivisionError
    assert policies() == (os.SCHED_OTHER, os.SCHED_OTHER)


def test_nothing_happens_where_it_is_not_needed() -> None:
    with realtime(needed=False), usual():
        assert policies() == (os.SCHED_OTHER, os.SCHED_OTHER)


def test_what_an_administrator_has_set_stays() -> None:
    os.sched_setscheduler(0, os.SCHED_BATCH, os.sched_param(0))
    try:
        with realtime(needed=True):
            assert policies() == (os.SCHED_BATCH, os.SCHED_BATCH)
            with usual():
                assert policies() == (os.SCHED_BATCH, os.SCHED_BATCH)
        assert policies() == (os.SCHED_BATCH, os.SCHED_BATCH)
    finally:
        os.sched_setscheduler(0, os.SCHED_OTHER, os.sched_param(0))


SAY = """
import os
from reconciler.host.realtime import realtime
with realtime(needed=True):
    print(os.sched_getscheduler(0))
"""


def test_who_may_not_have_it_goes_on_without() -> None:
    need_root("to give a capability up")
    words = ["prlimit", "--rtprio=0:0", "setpriv", "--bounding-set=-sys_nice", sys.executable, "-c", SAY]
    said = subprocess.run(words, cwd=Path(__file__).parents[2], capture_output=True, text=True, timeout=20, check=True)
    assert said.stdout.split() == [str(os.SCHED_OTHER)]
