"""Hints from the kernel's network, in a namespace of its own: this file run by itself is the test's body."""

import os
import subprocess
import sys
import time
from pathlib import Path
from threading import Event

import pytest

from reconciler.host.netlink import Netlink
from tests.programs import need_root


@pytest.mark.netns
@pytest.mark.parametrize("body", ["changes", "burst", "stop"])
def test_in_a_namespace(body: str) -> None:
    need_root("makes a network namespace")
    words = ["unshare", "--net", sys.executable, "-W", "error", __file__, body]
    root = str(Path(__file__).parents[2])
    ran = subprocess.run(words, capture_output=True, text=True, env=os.environ | {"PYTHONPATH": root}, check=False)
    assert (ran.returncode, ran.stderr) == (0, "")


def ip(*words: str) -> None:
    subprocess.run(["ip", *words], check=True)


def changes() -> None:
    """Every sort of change is a hint, and it comes at once."""
    hint = Event()
    netlink = Netlink(hint.set)
    netlink.start()
    assert not hint.wait(0.1)
    for words in (
        "link set lo up",
        "addr add 192.0.2.1/24 dev lo",
        "addr add 2001:db8::1/64 dev lo nodad",
        "route add 198.51.100.0/24 dev lo",
        "route add 2001:db8:1::/64 dev lo",
        "route del 198.51.100.0/24",
        "addr del 192.0.2.1/24 dev lo",
        "link set lo mtu 9000",
        "tuntap add tap0 mode tap",
        "link set lo down",
    ):
        ip(*words.split())
        assert hint.wait(1), words
        time.sleep(0.08)
        hint.clear()
    netlink.stop()
    assert netlink.events >= 10


def burst() -> None:
    """Many changes are few hints; messages dropped while nobody read are one more."""
    hints: list[float] = []
    go_on = Event()

    def notify() -> None:
        hints.append(time.monotonic())
        go_on.wait()

    netlink = Netlink(notify)
    ip("link", "set", "lo", "up")
    netlink.start()
    batch = "".join(f"addr add 10.{n // 250}.{n % 250}.1/32 dev lo\n" for n in range(3000))
    subprocess.run(["ip", "-batch", "-"], input=batch, text=True, check=True)
    ended = time.monotonic()
    go_on.set()
    time.sleep(0.4)
    assert hints[-1] > ended
    assert len(hints) < 10
    assert netlink.errors == 1
    netlink.stop()


def stop() -> None:
    """After the end there is nothing more, and nothing is left open."""
    before = len(list(Path("/proc/self/fd").iterdir()))
    hint = Event()
    netlink = Netlink(hint.set)
    netlink.start()
    netlink.stop()
    ip("link", "set", "lo", "up")
    assert not hint.wait(0.1)
    assert len(list(Path("/proc/self/fd").iterdir())) == before


if __name__ == "__main__":
    {"changes": changes, "burst": burst, "stop": stop}[sys.argv[1]]()
