"""The old versions of the CIB that Pacemaker keeps: `cib-N.raw` beside `cib.xml`, without the status section.

Each time that Pacemaker writes the CIB it first keeps the file that was there, under the next number
(`cib_file_backup` in `lib/cib/cib_file.c`). Changes that follow each other very fast share a file.
"""

import re
from collections.abc import Collection, Iterator
from pathlib import Path

from reconciler.cib.document import Cib, CibError, parse

_NAME = re.compile(r"cib-(\d+)\.raw")
_EPOCH = re.compile(r'\b(admin_epoch|epoch)="(\d+)"')
_HEAD = 2000
_MOST_FILES = 100
_MOST_BYTES = 4_000_000


def versions(directory: Path, wanted: Collection[tuple[int, int]] | None = None) -> Iterator[Cib]:
    """Yield kept versions, the newest first; nothing where none can be read.

    Args:
        directory: Pacemaker's, `/var/lib/pacemaker/cib`.
        wanted: only versions with these admin_epochs and epochs; None for all. At most 4 MB are read in all.
    """
    left = _MOST_BYTES
    for path in _newest(directory):
        text = _read(path, wanted, left)
        if text is None:
            continue
        left -= len(text)
        if left < 0:
            return
        try:
            yield parse(text)
        except CibError:
            continue


def _newest(directory: Path) -> list[Path]:
    """Return the kept files by when they were written: the numbers begin anew at some time."""
    dated = []
    try:
        for path in directory.iterdir():
            number = _NAME.fullmatch(path.name)
            if number:
                dated.append((path.stat().st_mtime_ns, int(number[1]), path))
    except OSError:
        return []
    return [path for _, _, path in sorted(dated, reverse=True)[:_MOST_FILES]]


def _read(path: Path, wanted: Collection[tuple[int, int]] | None, most: int) -> str | None:
    try:
        with path.open(encoding="utf-8", errors="replace") as file:
            head = file.read(_HEAD)
            found = {name: int(number) for name, number in _EPOCH.findall(head.partition(">")[0])}
            if wanted is not None and (found.get("admin_epoch", 0), found.get("epoch", 0)) not in wanted:
                return None
            return head + file.read(most + 1)
    except OSError:
        return None
