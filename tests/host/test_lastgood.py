"""Keeping the last good set over a restart."""

import stat
from collections.abc import Callable
from pathlib import Path

import pytest

from reconciler.host.directory import Texts, Unreadable, read
from reconciler.host.lastgood import last_good, remember


@pytest.fixture
def desired(tmp_path: Path) -> Path:
    directory = tmp_path / "desired.d"
    directory.mkdir()
    (directory / "web.toml").write_text("kind = 'Primitive'\n")
    return directory


def good(path: Path) -> Texts:
    seen = read(path, settle=0)
    assert isinstance(seen, Texts), seen
    return seen


def test_the_last_good_set_comes_back_as_it_was(desired: Path, tmp_path: Path) -> None:
    state = tmp_path / "state" / "deep"
    kept = good(desired)
    assert remember(state, kept) == ""
    assert last_good(state) == kept
    assert stat.S_IMODE((state / "last-good.json").stat().st_mode) == 0o600
    assert stat.S_IMODE(state.stat().st_mode) == 0o700
    (desired / "b.toml").write_text("b = 'ü\\u0000'")
    later = good(desired)
    assert remember(state, later) == ""
    assert last_good(state) == later
    assert list(state.iterdir()) == [state / "last-good.json"]


def test_nothing_kept_is_missing(tmp_path: Path) -> None:
    seen = last_good(tmp_path)
    assert isinstance(seen, Unreadable)
    assert seen.reason == "Missing"


@pytest.mark.parametrize(
    "damage",
    [
        lambda data: data[:-20],
        lambda _: b"",
        lambda data: b"\xff" + data,
        lambda data: data.replace(b"Primitive", b"Primitiwe"),
        lambda data: data.replace(b'"web.toml"', b'"wet.toml"'),
        lambda _: b"[]",
        lambda _: b'{"revision": "x", "path": 3, "files": {"a": 1}}',
        lambda _: b"[" * 100_000,
    ],
)
def test_a_damaged_store_is_said_and_never_used(
    desired: Path, tmp_path: Path, damage: Callable[[bytes], bytes]
) -> None:
    assert remember(tmp_path, good(desired)) == ""
    store = tmp_path / "last-good.json"
    store.write_bytes(damage(store.read_bytes()))
    seen = last_good(tmp_path)
    assert isinstance(seen, Unreadable)
    assert seen.reason == "Damaged"


def test_a_store_that_cannot_be_written_is_said_and_the_old_one_stays(desired: Path, tmp_path: Path) -> None:
    old = good(desired)
    assert remember(tmp_path, old) == ""
    (desired / "web.toml").write_text("new")
    (tmp_path / ".last-good.json.new").mkdir()
    assert "cannot keep the last good state" in remember(tmp_path, good(desired))
    assert last_good(tmp_path) == old


def test_what_an_earlier_attempt_left_is_no_obstacle(desired: Path, tmp_path: Path) -> None:
    (tmp_path / ".last-good.json.new").write_text("half")
    assert remember(tmp_path, good(desired)) == ""
    assert last_good(tmp_path) == good(desired)


def test_an_incomplete_set_is_never_kept(desired: Path, tmp_path: Path) -> None:
    (desired / "bad.toml").write_bytes(b"\0")
    with pytest.raises(ValueError, match=r"bad\.toml"):
        remember(tmp_path, good(desired))
