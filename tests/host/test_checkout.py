"""Reading a git checkout while git is at work in it."""

import subprocess
import sys
from pathlib import Path

import pytest

from reconciler.host import checkout
from reconciler.host.directory import DEFAULT_LIMITS, Texts, Unreadable, read
from tests.host.layouts import git, meanwhile

SETTLE = 0.01


@pytest.fixture
def desired(tmp_path: Path) -> Path:
    (tmp_path / "web.toml").write_text("a = 1")
    return tmp_path


def good(path: Path) -> Texts:
    seen = read(path, DEFAULT_LIMITS, SETTLE)
    assert isinstance(seen, Texts), seen
    return seen


def bad(path: Path) -> Unreadable:
    seen = read(path, DEFAULT_LIMITS, SETTLE)
    assert isinstance(seen, Unreadable), seen
    return seen


def test_a_held_lock_is_unstable_and_names_itself(tmp_path: Path) -> None:
    git(tmp_path, "init", "-q")
    below = tmp_path / "clusters" / "web"
    below.mkdir(parents=True)
    (below / "web.toml").write_text("a = 1")
    known = good(below)
    for name in ("index.lock", "HEAD.lock", "MERGE_HEAD", "rebase-merge"):
        marker = tmp_path / ".git" / name
        marker.touch()
        seen = bad(below)
        assert (seen.reason, str(marker) in seen.message) == ("Unstable", True)
        assert read(below, settle=SETTLE, known=known.revision) == known
        marker.unlink()
    assert good(below) == known


def test_the_locks_of_a_linked_worktree_are_its_own(tmp_path: Path) -> None:
    main = tmp_path / "main"
    main.mkdir()
    git(main, "init", "-q")
    (main / "web.toml").write_text("a = 1")
    git(main, "add", ".")
    git(main, "commit", "-qm", "one")
    git(main, "worktree", "add", "-q", "../linked")
    (main / ".git" / "index.lock").touch()
    assert list(good(tmp_path / "linked").files) == ["web.toml"]
    (main / ".git" / "worktrees" / "linked" / "index.lock").touch()
    assert bad(tmp_path / "linked").reason == "Unstable"


@pytest.mark.parametrize("content", ["", "no pointer", "gitdir: nowhere"])
def test_a_strange_git_file_is_no_obstacle(desired: Path, content: str) -> None:
    (desired / ".git").write_text(content)
    assert checkout.busy(str(desired)) == ""
    assert list(good(desired).files) == ["web.toml"]


SLOW_GIT = """
import os, sys, time
lock, names, text = sys.argv[1], sys.argv[3:], sys.argv[2]
os.close(os.open(lock, os.O_CREAT | os.O_EXCL))
for name in names:
    with open(name, "w") as stream:
        stream.write(text)
    time.sleep(0.12)
os.unlink(lock)
"""


def test_a_pull_slower_than_the_settling_time_is_never_taken_by_half(desired: Path) -> None:
    git(desired, "init", "-q")
    names = [f"{number}.toml" for number in range(6)]
    for name in names:
        (desired / name).write_text("old")
    (desired / "web.toml").unlink()
    words = [sys.executable, "-c", SLOW_GIT, ".git/index.lock", "new", *names]
    seen = []
    with subprocess.Popen(words, cwd=desired) as pull:
        while pull.poll() is None:
            seen.append(read(desired, settle=0.01))
    seen.append(good(desired))
    contents = [set(each.files.values()) for each in seen if isinstance(each, Texts)]
    assert all(len(content) == 1 for content in contents)
    assert contents[-1] == {"new"}
    assert "index.lock" in "".join(each.message for each in seen if isinstance(each, Unreadable))


def test_real_checkouts_back_and_forth_never_give_a_mixture(tmp_path: Path) -> None:
    git(tmp_path, "init", "-q")
    for text in ("one", "two"):
        for number in range(300):
            (tmp_path / f"{number}.toml").write_text(text)
        git(tmp_path, "add", ".")
        git(tmp_path, "commit", "-qm", text)
        git(tmp_path, "tag", text)
    with meanwhile(lambda count: git(tmp_path, "checkout", "-q", ["one", "two"][count % 2]), 0.03):
        seen = [read(tmp_path, settle=0.001) for _ in range(12)]
    taken = [each for each in seen if isinstance(each, Texts)]
    assert all(len(each.files) == 300 and len(set(each.files.values())) == 1 for each in taken)
    assert len(good(tmp_path).files) == 300
