"""Pacemaker's old CIBs, as it leaves them in its directory."""

import os
from pathlib import Path

from reconciler.host.archive import versions
from tests.observations import DUMMY, cib


def keep(directory: Path, number: int, epoch: int, text: str = "", *, at: int = 0) -> None:
    file = directory / f"cib-{number}.raw"
    file.write_text(text or cib(DUMMY, epoch=str(epoch)), encoding="utf-8")
    os.utime(file, (at or number, at or number))


def epochs(directory: Path, wanted: set[tuple[int, int]] | None = None) -> list[int]:
    return [found.version.epoch for found in versions(directory, wanted)]


def test_the_newest_come_first_even_where_the_numbers_began_anew(tmp_path: Path) -> None:
    for number in (8, 9, 10):
        keep(tmp_path, number, number + 20)
    keep(tmp_path, 0, 31, at=11)
    for other in ("cib-10.raw.sig", "cib.xml", "cib.last", "cib-x.raw"):
        (tmp_path / other).write_text("rubbish", encoding="utf-8")
    assert epochs(tmp_path) == [31, 30, 29, 28]
    assert epochs(tmp_path, {(0, 29), (0, 31), (1, 28)}) == [31, 29]


def test_what_cannot_be_read_is_passed_over(tmp_path: Path) -> None:
    assert epochs(tmp_path / "nowhere") == []
    keep(tmp_path, 1, 1)
    keep(tmp_path, 2, 2, cib(DUMMY, epoch="2")[:-30])
    keep(tmp_path, 3, 3, "\udcff".encode("utf-8", "surrogateescape").decode("latin-1"))
    keep(tmp_path, 4, 4)
    (tmp_path / "cib-5.raw").mkdir()
    assert epochs(tmp_path) == [4, 1]
    assert epochs(tmp_path, {(0, 1), (0, 2), (0, 3)}) == [1]


def test_not_without_end(tmp_path: Path) -> None:
    large = cib(f"{DUMMY}<!--{'x' * 1_500_000}-->", epoch="7")
    for number in range(1, 5):
        keep(tmp_path, number, number, large)
    assert len(epochs(tmp_path)) == 2, "4 MB and no more"
    for number in range(10, 250):
        keep(tmp_path, number, number)
    assert len(epochs(tmp_path)) == 100
