"""The one process that a lab hangs on: `python -m tests.lab.supervisor DIRECTORY OWNER`.

It starts the lab in namespaces of its own and ends it, and removes its directory, when it is told to (SIGTERM), when
the lab's first process dies, or when the process OWNER is no more (0: nobody owns it). When it is killed itself, the
kernel takes the lab down through the parent death signal. It inherits the descriptor that holds the lab's lock.
"""

import contextlib
import os
import select
import shutil
import signal
import subprocess
import sys
from pathlib import Path

from tests.lab.registry import record_process, recorded_process

_NEW_NAMESPACES = ("--mount", "--pid", "--net", "--ipc", "--uts", "--fork", "--kill-child")
_DIES_WITH_ITS_PARENT = ("setpriv", "--pdeathsig", "KILL")
_LAB = (*_DIES_WITH_ITS_PARENT, "unshare", *_NEW_NAMESPACES, "bash", str(Path(__file__).with_name("lab.sh")))


def main(directory: Path, owner: int) -> None:
    """Hold a lab until there is a reason to end it."""
    told, tell = os.pipe()
    signal.signal(signal.SIGTERM, lambda *_: os.write(tell, b"."))
    record_process(directory / "supervisor.pid")
    reasons = [told]
    try:
        if owner:
            reasons.append(os.pidfd_open(owner))
        with (directory / "lab.log").open("ab") as log:
            lab = subprocess.Popen([*_LAB, str(directory)], stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        reasons.append(os.pidfd_open(lab.pid))
        select.select(reasons, [], [])
        _end(lab, directory)
    except ProcessLookupError:
        pass  # the owner was gone before anything was started
    shutil.rmtree(directory, ignore_errors=True)  # a new lab may be reaping it by now


def _end(lab: "subprocess.Popen[bytes]", directory: Path) -> None:
    first = recorded_process(directory / "lab.pid")
    with contextlib.suppress(ProcessLookupError):
        # The first process ends only after everything else in its PID namespace has, and unshare after that.
        os.kill(first or lab.pid, signal.SIGKILL)
    lab.wait()


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]))
