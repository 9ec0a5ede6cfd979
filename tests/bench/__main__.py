"""Measure everything that the project promises about speed and size, and print it beside the promise."""

import shutil
import sys
import tempfile
from pathlib import Path

from tests.bench import live, offline
from tests.bench.table import render
from tests.lab import Lab


def main() -> int:
    """Measure; exit code 1 if a figure is not within its bound."""
    with tempfile.TemporaryDirectory(prefix="reconciler-bench-") as place:
        directory = Path(place)
        figures = offline.figures(directory)
        print(render(figures), flush=True)
        with Lab.up() as lab:
            more = live.figures(lab, directory)
        print(render(more), flush=True)
        shutil.rmtree(directory, ignore_errors=True)
        directory.mkdir()
    return 0 if all(figure.good for figure in [*figures, *more]) else 1


if __name__ == "__main__":
    sys.exit(main())
