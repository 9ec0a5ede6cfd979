"""Measure everything that the project promises about speed and size, and print it beside the promise."""

import argparse
import os
import sys
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path

from tests.bench import growth, live, offline, sizes
from tests.bench.process import compiled_in
from tests.bench.table import Figure, render
from tests.lab import Lab


def main() -> int:
    """Measure; exit code 1 if a figure is not within its bound."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    parser.add_argument("parts", nargs="*", metavar="PART", help=f"only these: {', '.join(_PARTS)}")
    parser.add_argument("--output", type=Path, help="an existing directory for the chart of the planner's growth")
    options = parser.parse_args()
    if unknown := set(options.parts) - set(_PARTS):
        parser.error(f"no part is called {min(unknown)}; there are {', '.join(_PARTS)}")
    with tempfile.TemporaryDirectory(prefix="reconciler-bench-") as compiled:
        os.environ.update(compiled_in(Path(compiled)))
        return _measure(options.parts or list(_PARTS), options.output)


def _measure(parts: Sequence[str], output: Path | None) -> int:
    good = True
    for name in parts:
        with tempfile.TemporaryDirectory(prefix="reconciler-bench-") as place:
            figures = _PARTS[name](output if name == "growth" and output else Path(place))
        print(render(figures), flush=True)
        good = good and all(figure.good for figure in figures)
    return 0 if good else 1


def _live(directory: Path) -> list[Figure]:
    with Lab.up() as lab:
        return live.figures(lab, directory)


_PARTS: dict[str, Callable[[Path], list[Figure]]] = {
    "offline": offline.figures,
    "sizes": sizes.figures,
    "growth": growth.figures,
    "live": _live,
}


if __name__ == "__main__":
    sys.exit(main())
