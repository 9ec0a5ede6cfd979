"""Measures passes where they happen: run on a node of the lab, prints one JSON object.

`python -m tests.bench.on_node DESIRED [CIB_FILE]`: median seconds of a warm pass, and of the same reads by a shell.
"""

import json
import subprocess
import sys
import tempfile
from pathlib import Path

from reconciler.host.observer import COMMANDS, Observer
from reconciler.host.peers import Peers
from reconciler.host.shell import Shell
from reconciler.host.wanted import WantedSource
from reconciler.settings import Settings
from reconciler.turn import Memory, Turner
from tests.bench.table import alternating

_TIMES = 15
_ROUNDS = 3


def warm(desired: Path, cib_file: str) -> dict[str, float]:
    """Compare a pass that finds nothing to do with its read commands run one after another by a shell."""
    extra = {"CIB_file": cib_file} if cib_file else {}
    with tempfile.TemporaryDirectory() as state:
        settings = Settings(desired=desired, state_dir=Path(state))
        shell, peers = Shell(extra=extra), Peers()
        source = WantedSource(settings.desired, settings.state_dir, settings.settle)
        turner, memory = Turner(settings, shell, Observer(shell, peers, settings.command_timeout), source), Memory()
        turner.turn(memory)
        done = turner.turn(memory)
        reads = "; ".join(" ".join(argv) + " >/dev/null 2>&1" for argv in COMMANDS.values())
        script = f"for i in $(seq {_ROUNDS}); do {reads}; done"
        environment = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL": "C", **extra}
        ours, bare = alternating(
            lambda: turner.turn(memory),
            lambda: subprocess.run(["/bin/sh", "-c", script], env=environment, check=False),
            _TIMES,
        )
        peers.close()
    left = len(done.decision.plan.changes)
    return {"pass": ours, "bare": bare / _ROUNDS, "changes": left, "objects": len(done.objects)}


def main() -> None:
    """Measure and print."""
    desired, cib_file = Path(sys.argv[1]), sys.argv[2] if len(sys.argv) > 2 else ""
    print(json.dumps(warm(desired, cib_file)))


if __name__ == "__main__":
    main()
