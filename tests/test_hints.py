"""Hints from threads and signal handlers, none of which is lost."""

import signal
import threading
import time
from pathlib import Path

from reconciler.hints import Hints


def test_there_is_none() -> None:
    began = time.monotonic()
    assert Hints().wait(0.05) == frozenset()
    assert time.monotonic() - began >= 0.05


def test_many_are_as_good_as_one() -> None:
    hints = Hints()
    for reason in ("cib", "cib", "desired"):
        hints.give(reason)
    assert hints.wait(5) == {"cib", "desired"}
    assert hints.wait(0) == frozenset()


def test_one_wakes_who_waits() -> None:
    hints = Hints()
    threading.Timer(0.05, hints.give, ["network"]).start()
    assert hints.wait(5) == {"network"}


def test_stopping_wakes_who_waits_and_nobody_waits_any_more() -> None:
    hints = Hints()
    threading.Timer(0.05, hints.stop).start()
    began = time.monotonic()
    assert hints.wait(5) == frozenset()
    assert hints.wait(5) == frozenset()
    assert time.monotonic() - began < 2


def test_a_descriptor_that_can_be_read_is_a_hint() -> None:
    hints = Hints()
    with Path("/dev/zero").open("rb") as readable:
        assert hints.wait(5, readable.fileno()) == {"peers"}
        hints.give("cib")
        assert hints.wait(5, readable.fileno()) == {"peers", "cib"}


def test_none_is_lost_whoever_gives_it_and_when() -> None:
    hints = Hints()
    taken: set[str] = set()

    def give(name: int) -> None:
        for number in range(2000):
            hints.give(f"{name} {number}")

    givers = [threading.Thread(target=give, args=[name]) for name in range(4)]
    for giver in givers:
        giver.start()
    while any(giver.is_alive() for giver in givers):
        taken |= hints.wait(0.01)
    taken |= hints.wait(0)
    assert len(taken) == 8000


def test_a_signal_handler_may_give_at_any_moment() -> None:
    hints, given = Hints(), 0

    def handle(*_: object) -> None:
        nonlocal given
        given += 1
        hints.give(str(given))

    before = signal.signal(signal.SIGALRM, handle)
    signal.setitimer(signal.ITIMER_REAL, 0.0005, 0.0005)
    try:
        taken: set[str] = set()
        deadline = time.monotonic() + 1
        while time.monotonic() < deadline:
            taken |= hints.wait(0.01)
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
    taken |= hints.wait(0)
    assert given > 100
    assert taken == {str(number + 1) for number in range(given)}


def test_hints_of_the_machine_rest_and_those_of_people_do_not() -> None:
    hints = Hints()
    hints.give("network")
    began = time.monotonic()
    hints.rest(0.2)
    assert time.monotonic() - began >= 0.2
    assert hints.wait(0) == {"network"}
    for reason in ("desired", "signal"):
        threading.Timer(0.05, hints.give, [reason]).start()
        began = time.monotonic()
        hints.rest(5)
        assert hints.wait(5) == {reason}
        assert time.monotonic() - began < 2
    threading.Timer(0.05, hints.stop).start()
    began = time.monotonic()
    hints.rest(5)
    assert time.monotonic() - began < 2
