"""Watching the desired directory: every way of changing it reaches the loader.

The rows are those that were measured to defeat a plain watch: see the names of the tests.
"""

import os
import shutil
import statistics
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from threading import Event, active_count

import pytest

from reconciler.host.directory import Unreadable, read
from reconciler.host.watcher import Watcher
from tests.host.layouts import fill, git, kubelet, link

RESCAN = 4.0
QUIET = 0.12


class Loader:
    """What the agent does: look when hinted, and from time to time anyway.

    `errors` and `found` are what the watcher is to have counted in the end: with both at 0 every change was
    announced by the kernel, not found by comparing.
    """

    def __init__(self, path: Path | str, refresh: float = 600.0) -> None:
        self.path = path
        self.hints: list[float] = []
        self.hint = Event()
        self.errors = 0
        self.found = 0
        self.watcher = Watcher(path, self.notify, refresh=refresh)
        self.watcher.start()

    def notify(self) -> None:
        self.hints.append(time.monotonic())
        self.hint.set()

    def takes(self, wanted: dict[str, str] | str, within: float = RESCAN) -> str:
        """Look until the content, or the reason why there is none, is as wanted; say what led there."""
        began = last = time.monotonic()
        while time.monotonic() - began < within:
            led = "hint" if self.hint.wait(0.01) else "rescan"
            if led == "rescan" and time.monotonic() - last < RESCAN:
                continue
            self.hint.clear()
            last = time.monotonic()
            seen = read(self.path, settle=0.005)
            if seen.reason == wanted if isinstance(seen, Unreadable) else dict(seen.files) == wanted:
                return led
        raise AssertionError(f"still {seen}, watcher {vars(self.watcher)}")

    def quiet(self) -> None:
        """Let the echoes of what was done before pass."""
        time.sleep(QUIET)
        self.hint.clear()

    def hinted(self, within: float) -> bool:
        return self.hint.wait(within)


@pytest.fixture
def load() -> Iterator[Callable[..., Loader]]:
    loaders: list[Loader] = []

    def start(path: Path | str, refresh: float = 600.0) -> Loader:
        loaders.append(Loader(path, refresh))
        return loaders[-1]

    umask = os.umask(0o022)
    yield start
    os.umask(umask)
    for loader in loaders:
        loader.watcher.stop()
        assert loader.watcher.errors == loader.errors
        assert loader.watcher.found == loader.found


@pytest.fixture
def desired(tmp_path: Path) -> Path:
    directory = tmp_path / "desired.d"
    fill(directory, "1")
    return directory


def test_the_kubelets_data_swap(tmp_path: Path, load: Callable[..., Loader]) -> None:
    kubelet(tmp_path, "1", {"web.toml": "1"})
    loader = load(tmp_path)
    for version in ("2", "3"):
        kubelet(tmp_path, version, {"web.toml": version})
        shutil.rmtree(tmp_path / f"..2026_{int(version) - 1}")
        assert loader.takes({"web.toml": version}) == "hint"
        loader.quiet()


def test_the_kubelets_data_swap_behind_a_link(tmp_path: Path, load: Callable[..., Loader]) -> None:
    mount = tmp_path / "mount"
    kubelet(mount, "1", {"web.toml": "1"})
    (tmp_path / "link").symlink_to("mount")
    loader = load(tmp_path / "link")
    kubelet(mount, "2", {"web.toml": "2"})
    assert loader.takes({"web.toml": "2"}) == "hint"


@pytest.mark.parametrize("configured", ["link", "link/", "link/clusters/.."])
def test_the_git_sync_swap_and_later_edits_in_the_new_tree(
    tmp_path: Path, load: Callable[..., Loader], configured: str
) -> None:
    for version in ("1", "2"):
        fill(tmp_path / ".worktrees" / version, version)
        (tmp_path / ".worktrees" / version / "clusters").mkdir()
    link(tmp_path / "link", ".worktrees/1")
    loader = load(f"{tmp_path}/{configured}")
    link(tmp_path / "link", ".worktrees/2")
    assert loader.takes({"web.toml": "2"}) == "hint"
    loader.quiet()
    (tmp_path / ".worktrees" / "2" / "web.toml").write_text("edited")
    assert loader.takes({"web.toml": "edited"}) == "hint"


def test_the_git_sync_swap_above_the_directory(tmp_path: Path, load: Callable[..., Loader]) -> None:
    for version in ("1", "2"):
        fill(tmp_path / ".worktrees" / version / "clusters" / "web", version)
    link(tmp_path / "link", ".worktrees/1")
    loader = load(tmp_path / "link" / "clusters" / "web")
    link(tmp_path / "link", ".worktrees/2")
    assert loader.takes({"web.toml": "2"}) == "hint"


def test_an_old_worktree_swept_away_is_no_deletion(tmp_path: Path, load: Callable[..., Loader]) -> None:
    for version in ("1", "2"):
        fill(tmp_path / ".worktrees" / version, version)
    link(tmp_path / "link", ".worktrees/1")
    loader = load(tmp_path / "link")
    link(tmp_path / "link", ".worktrees/2")
    shutil.rmtree(tmp_path / ".worktrees" / "1")
    assert loader.takes({"web.toml": "2"}) == "hint"
    loader.quiet()
    (tmp_path / ".worktrees" / "2" / "more.toml").write_text("3")
    assert loader.takes({"web.toml": "2", "more.toml": "3"}) == "hint"


def test_removed_and_made_again(desired: Path, load: Callable[..., Loader]) -> None:
    loader = load(desired)
    shutil.rmtree(desired)
    assert loader.takes("Missing") == "hint"
    loader.quiet()
    fill(desired, "2")
    assert loader.takes({"web.toml": "2"}) == "hint"
    loader.quiet()
    (desired / "web.toml").write_text("3")
    assert loader.takes({"web.toml": "3"}) == "hint"


def test_removed_and_made_again_at_once(desired: Path, load: Callable[..., Loader]) -> None:
    loader = load(desired)
    for version in ("2", "3"):
        shutil.rmtree(desired)
        fill(desired, version)
        assert loader.takes({"web.toml": version}) == "hint"
        loader.quiet()
        (desired / "web.toml").write_text(f"{version} edited")
        assert loader.takes({"web.toml": f"{version} edited"}) == "hint"


def test_moved_away_and_another_in_its_place(desired: Path, load: Callable[..., Loader]) -> None:
    loader = load(desired)
    fill(desired.with_name("new"), "2")
    desired.rename(desired.with_name("old"))
    desired.with_name("new").rename(desired)
    assert loader.takes({"web.toml": "2"}) == "hint"
    loader.quiet()
    (desired / "web.toml").write_text("3")
    assert loader.takes({"web.toml": "3"}) == "hint"
    loader.quiet()
    (desired.with_name("old") / "web.toml").write_text("of no interest")
    assert not loader.hinted(QUIET)


def test_moved_away_and_back(desired: Path, load: Callable[..., Loader]) -> None:
    loader = load(desired)
    desired.rename(desired.with_name("old"))
    assert loader.takes("Missing") == "hint"
    (desired.with_name("old") / "web.toml").write_text("2")
    desired.with_name("old").rename(desired)
    assert loader.takes({"web.toml": "2"}) == "hint"
    loader.quiet()
    (desired / "web.toml").write_text("3")
    assert loader.takes({"web.toml": "3"}) == "hint"


def test_the_parent_moved_away_and_made_again(tmp_path: Path, load: Callable[..., Loader]) -> None:
    desired = tmp_path / "a" / "b" / "c"
    fill(desired, "1")
    loader = load(desired)
    loader.found = 1
    (tmp_path / "a").rename(tmp_path / "old")
    assert loader.takes("Missing") == "hint"
    fill(desired, "2")
    assert loader.takes({"web.toml": "2"}) == "hint"


def test_a_linked_subdirectory_edited_and_turned_elsewhere(desired: Path, load: Callable[..., Loader]) -> None:
    for name in ("one", "two"):
        fill(desired.with_name(name), name)
    link(desired / "sub", "../one")
    loader = load(desired)
    (desired.with_name("one") / "web.toml").write_text("edited")
    assert loader.takes({"web.toml": "1", "sub/web.toml": "edited"}) == "hint"
    loader.quiet()
    link(desired / "sub", "../two")
    assert loader.takes({"web.toml": "1", "sub/web.toml": "two"}) == "hint"
    loader.quiet()
    (desired.with_name("two") / "web.toml").write_text("again")
    assert loader.takes({"web.toml": "1", "sub/web.toml": "again"}) == "hint"


def test_a_link_to_a_file_elsewhere(desired: Path, load: Callable[..., Loader]) -> None:
    elsewhere = desired.with_name("elsewhere")
    elsewhere.write_text("e")
    (desired / "e.toml").symlink_to(elsewhere)
    loader = load(desired)
    elsewhere.write_text("edited")
    assert loader.takes({"web.toml": "1", "e.toml": "edited"}) == "hint"


def test_new_subdirectories_with_their_files(desired: Path, load: Callable[..., Loader]) -> None:
    loader = load(desired)
    fill(desired / "a" / "b" / "c", "deep")
    assert loader.takes({"web.toml": "1", "a/b/c/web.toml": "deep"}) == "hint"
    loader.quiet()
    (desired / "a" / "b" / "c" / "web.toml").write_text("edited")
    assert loader.takes({"web.toml": "1", "a/b/c/web.toml": "edited"}) == "hint"
    loader.quiet()
    shutil.rmtree(desired / "a")
    assert loader.takes({"web.toml": "1"}) == "hint"


def test_replaced_with_the_same_size_and_time(desired: Path, load: Callable[..., Loader]) -> None:
    loader = load(desired)
    status = (desired / "web.toml").stat()
    fresh = desired / ".fresh"
    fresh.write_text("2")
    os.utime(fresh, ns=(status.st_atime_ns, status.st_mtime_ns))
    fresh.rename(desired / "web.toml")
    assert loader.takes({"web.toml": "2"}) == "hint"


@pytest.mark.parametrize("depth", [0, 1, 3])
def test_missing_at_the_start(tmp_path: Path, load: Callable[..., Loader], depth: int) -> None:
    desired = tmp_path.joinpath(*"abc"[:depth], "desired.d")
    loader = load(desired)
    fill(desired, "1")
    assert loader.takes({"web.toml": "1"}) == "hint"
    loader.quiet()
    (desired / "web.toml").write_text("2")
    assert loader.takes({"web.toml": "2"}) == "hint"


def test_a_link_that_leads_nowhere_at_the_start(tmp_path: Path, load: Callable[..., Loader]) -> None:
    (tmp_path / "link").symlink_to("later/tree")
    loader = load(tmp_path / "link")
    fill(tmp_path / "later" / "tree", "1")
    assert loader.takes({"web.toml": "1"}) == "hint"


def test_nothing_is_lost_right_after_the_start(desired: Path, load: Callable[..., Loader]) -> None:
    for version in range(3):
        loader = load(desired)
        (desired / "web.toml").write_text(str(version))
        assert loader.hinted(2)


def test_below_a_directory_named_git(tmp_path: Path, load: Callable[..., Loader]) -> None:
    desired = tmp_path / ".git" / "worktrees" / "x"
    fill(desired, "1")
    loader = load(desired)
    (desired / "web.toml").write_text("2")
    assert loader.takes({"web.toml": "2"}) == "hint"


def test_an_editors_droppings_are_no_hint_and_its_save_is(desired: Path, load: Callable[..., Loader]) -> None:
    loader = load(desired)
    for name in (".web.toml.swp", "4913", "#web.toml#", "web.tmp", ".#web.toml"):
        (desired / name).write_text("x")
        (desired / name).unlink()
    assert not loader.hinted(QUIET)
    (desired / "web.toml").rename(desired / "web.toml~")
    (desired / "web.toml").write_text("2")
    (desired / "web.toml~").unlink()
    assert loader.takes({"web.toml": "2"}) == "hint"


def test_a_change_of_mode_alone(desired: Path, load: Callable[..., Loader]) -> None:
    loader = load(desired)
    (desired / "web.toml").chmod(0o666)
    assert loader.takes({}) == "hint"
    loader.quiet()
    (desired / "web.toml").chmod(0o644)
    assert loader.takes({"web.toml": "1"}) == "hint"


def test_a_git_pull_in_place(tmp_path: Path, load: Callable[..., Loader]) -> None:
    origin, clone = tmp_path / "origin", tmp_path / "clone"
    fill(origin, "1")
    git(origin, "init", "-q")
    git(origin, "add", ".")
    git(origin, "commit", "-qm", "one")
    git(tmp_path, "clone", "-q", "origin", "clone")
    loader = load(clone)
    (origin / "web.toml").write_text("2")
    (origin / "more.toml").write_text("2")
    git(origin, "add", ".")
    git(origin, "commit", "-qm", "two")
    git(clone, "pull", "-q")
    assert loader.takes({"web.toml": "2", "more.toml": "2"}) == "hint"


def test_a_lock_given_back_is_a_hint(desired: Path, load: Callable[..., Loader]) -> None:
    (desired / ".git").mkdir()
    lock = desired / ".git" / "index.lock"
    loader = load(desired)
    lock.touch()
    assert loader.takes("Unstable") == "hint"
    loader.quiet()
    lock.unlink()
    assert loader.takes({"web.toml": "1"}) == "hint"


def test_a_name_that_is_not_utf_8_breaks_nothing(desired: Path, load: Callable[..., Loader]) -> None:
    loader = load(desired)
    strange = Path(os.fsdecode(os.fsencode(desired) + b"/\xff.toml"))
    strange.write_text("x")
    assert loader.hinted(RESCAN)
    strange.unlink()
    loader.quiet()
    (desired / "web.toml").write_text("2")
    assert loader.takes({"web.toml": "2"}) == "hint"
    loader.errors, loader.found = loader.watcher.errors, loader.watcher.found
    assert loader.errors > 0
    assert loader.watcher.rebuilds >= loader.errors


def test_a_burst_gives_few_hints(desired: Path, load: Callable[..., Loader]) -> None:
    loader = load(desired)
    began = time.monotonic()
    for number in range(1000):
        (desired / f"n{number % 50}.toml").write_text(str(number))
    took = time.monotonic() - began
    loader.quiet()
    assert 1 <= len(loader.hints) <= took / 0.04 + 2
    assert loader.watcher.events >= 50


def test_hints_come_soon(desired: Path, load: Callable[..., Loader]) -> None:
    loader = load(desired)
    took = []
    for number in range(5):
        loader.hint.clear()
        began = time.monotonic()
        (desired / "web.toml").write_text(str(number))
        assert loader.hinted(2)
        took.append(loader.hints[-1] - began)
        time.sleep(0.05)
    assert statistics.median(took) < 0.2


def test_a_watch_built_anew_now_and_then_loses_nothing(desired: Path, load: Callable[..., Loader]) -> None:
    loader = load(desired, refresh=0.0)
    for number in range(5):
        (desired / "web.toml").write_text(f"now {number}")
        assert loader.takes({"web.toml": f"now {number}"}) == "hint"
    assert loader.watcher.rebuilds >= 3
    assert loader.watcher.errors == 0


def test_stopping_ends_the_thread_and_gives_everything_back(desired: Path) -> None:
    def instances() -> int:
        files = [os.path.realpath(file) for file in Path("/proc/self/fd").iterdir()]
        return sum(file.endswith("inotify") for file in files)

    threads, hint = active_count(), Event()
    watcher = Watcher(desired, hint.set)
    watcher.start()
    assert instances() >= 1
    watcher.stop()
    (desired / "web.toml").write_text("2")
    assert not hint.wait(QUIET)
    assert active_count() == threads
    assert instances() == 0


def test_the_cib_replaced_by_a_rename(tmp_path: Path) -> None:
    hint = Event()
    (tmp_path / "cib.xml").write_text("<cib/>")
    watcher = Watcher(tmp_path, hint.set, wanted=lambda name: name == "cib.xml", recursive=False)
    watcher.start()
    try:
        for version in range(2):
            (tmp_path / "cib.xml.sig").write_text("x")
            (tmp_path / f"cib-{version}.raw").write_text("x")
            assert not hint.wait(QUIET)
            (tmp_path / "cib.Xa1b2c").write_text(f"<cib epoch='{version}'/>")
            (tmp_path / "cib.Xa1b2c").rename(tmp_path / "cib.xml")
            assert hint.wait(2)
            time.sleep(QUIET)
            hint.clear()
    finally:
        watcher.stop()
    assert watcher.events >= 2
