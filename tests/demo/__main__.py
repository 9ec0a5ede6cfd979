"""`python -m tests.demo --help`."""

import argparse
import os
import shlex
import shutil
import signal
import sys
import time
from collections.abc import Sequence

from tests.demo.driver import Play, prepare
from tests.demo.result import Result, seconds, table
from tests.demo.scenes import HOME, SCENES
from tests.demo.screen import Screen
from tests.demo.stage import PROGRAM, ROOT, Stage
from tests.lab import CommandFailedError, Lab, TooLateError
from tests.lab.needs import missing

_NAME = "demo"
_INTERRUPTED = 130


def main(argv: Sequence[str] | None = None) -> int:
    """Play; 0 if all went as it must."""
    options = _parser().parse_args(argv)
    if lacking := missing() + ([] if shutil.which("git") else ["git"]):
        print(f"demo: needs {', '.join(lacking)}", file=sys.stderr)
        return 1
    # An agent takes no manifests that others than root may write, and git makes files as the umask says.
    os.umask(0o022)
    for number in (signal.SIGTERM, signal.SIGHUP):
        if signal.getsignal(number) is signal.SIG_DFL:
            signal.signal(number, signal.default_int_handler)
    try:
        return _play(Screen(sys.stdout), options)
    except FileExistsError as error:
        print(f"demo: {error}; end it with: {_lab('down')}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("demo: interrupted; nothing is left behind", file=sys.stderr)
        return _INTERRUPTED


def _parser() -> argparse.ArgumentParser:
    titles = "".join(f"\n  {number}  {scene.title}" for number, scene in enumerate(SCENES, 1))
    parser = argparse.ArgumentParser(
        prog="python -m tests.demo",
        formatter_class=argparse.RawDescriptionHelpFormatter,
        description="Two agents on a real two-node cluster keep a web service as a git repository says.",
        epilog=f"scenes:{titles}\n\nexit status: 0 if all went as it must, 1 if not, 130 if it was interrupted",
    )
    parser.add_argument("--keep", action="store_true", help=f"leave the lab up as {_NAME!r} and say how to look around")
    parser.add_argument(
        "--scene",
        type=int,
        action="append",
        choices=range(1, len(SCENES) + 1),
        metavar="N",
        help="play this scene only; may be given several times",
    )
    return parser


def _play(screen: Screen, options: argparse.Namespace) -> int:
    began = time.monotonic()
    screen.title("Reconciler: two nodes, an address, a web server, a git repository")
    screen.heading("The stage")
    lab = None
    kept = False
    try:
        with screen.waiting("two nodes to form a cluster"):
            lab = Lab.up(name=_NAME if options.keep else None, owned=not options.keep)
        stage = prepare(screen, lab, time.monotonic() - began)
        results = _scenes(Play(stage, screen), options.scene or range(1, len(SCENES) + 1))
        stage.watch.stop()
        screen.heading("How it went")
        screen.table(table(results))
        well = _judge(screen, results, len(options.scene or SCENES), time.monotonic() - began)
        kept = options.keep
    except (CommandFailedError, TooLateError) as error:
        screen.failed(str(error))
        screen.quote(lab.report(12).splitlines() if lab else ())
        well = False
    finally:
        if lab and not kept:
            _take_down(screen, lab)
    if kept:
        _say_how_to_look(screen, stage)
    return 0 if well else 1


def _scenes(play: Play, numbers: Sequence[int]) -> list[Result]:
    results: list[Result] = []
    for number in numbers:
        results.append(play.scene(number, SCENES[number - 1]))
        if results[-1].is_last:
            break
    return results


def _judge(screen: Screen, results: Sequence[Result], planned: int, took: float) -> bool:
    failed = sum(bool(result.faults) for result in results)
    screen.says("")
    if not failed:
        screen.done("all went as it must", took)
        return True
    unplayed = f"; {planned - len(results)} not played" if planned > len(results) else ""
    screen.failed(f"{failed} of {planned} scenes did not go as they must{unplayed} ({seconds(took)} in all)")
    return False


def _take_down(screen: Screen, lab: Lab) -> None:
    # A second Ctrl-C would leave something behind.
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    with screen.waiting("the lab to be taken down"):
        lab.down()


def _say_how_to_look(screen: Screen, stage: Stage) -> None:
    verb = shlex.join(PROGRAM)
    screen.heading("The lab stays up")
    screen.quote(
        [
            _lab("status"),
            _lab("run", HOME, "sh", "-c", f"cd {ROOT}; {verb} status"),
            _lab("run", HOME, "curl", "-s", "http://127.0.0.1:9977/metrics"),
            _lab("shell", HOME),
            f"git clone {stage.repository.origin}",
            _lab("down"),
        ]
    )


def _lab(*argv: str) -> str:
    return shlex.join([sys.executable, "-m", "tests.lab", "--lab", _NAME, *argv])


if __name__ == "__main__":
    sys.exit(main())
