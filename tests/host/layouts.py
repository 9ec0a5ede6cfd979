"""Ways in which a desired directory gets written."""

import subprocess
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path


def fill(directory: Path, text: str) -> None:
    """Make a directory with one manifest."""
    directory.mkdir(parents=True)
    (directory / "web.toml").write_text(text)


def link(name: Path, target: str) -> None:
    """Turn a link elsewhere in one step, as git-sync and the kubelet do."""
    fresh = name.with_name(f"{name.name}_tmp")
    fresh.symlink_to(target)
    fresh.rename(name)


def kubelet(mount: Path, version: str, files: dict[str, str]) -> None:
    """Write as the kubelet does: a new hidden directory, one rename, links with the users' names."""
    fresh = mount / f"..2026_{version}"
    fresh.mkdir(parents=True)
    for name, text in files.items():
        (fresh / name).write_text(text)
    link(mount / "..data", fresh.name)
    for name in files:
        if not (mount / name).is_symlink():
            (mount / name).symlink_to(f"..data/{name}")


def git(where: Path, *words: str) -> None:
    """Run git as somebody, without this machine's settings for who that is."""
    identity = ["-c", "user.name=t", "-c", "user.email=t@localhost", "-c", "init.defaultBranch=main"]
    subprocess.run(["git", *identity, *words], cwd=where, check=True, capture_output=True)


@contextmanager
def meanwhile(step: Callable[[int], None], pause: float = 0.0) -> Iterator[None]:
    """Do something again and again in another thread."""
    ended = threading.Event()

    def turn() -> None:
        count = 0
        while not ended.is_set():
            step(count)
            count += 1
            ended.wait(pause)

    worker = threading.Thread(target=turn)
    worker.start()
    try:
        yield
    finally:
        ended.set()
        worker.join()
