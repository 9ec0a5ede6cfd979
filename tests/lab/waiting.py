"""Wait for something to become so, with a deadline."""

import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")


class TooLateError(AssertionError):
    """Something did not become so in time; the message says what, and what was seen last."""


def until(
    condition: Callable[[], T],
    what: str,
    timeout: float = 30,
    every: float = 0.1,
    seen: Callable[[], object] | None = None,
) -> T:
    """Ask again and again until the answer is true.

    Args:
        condition: The question.
        what: What is waited for, in words that complete "waited in vain for …".
        timeout: Seconds.
        every: Pause between two questions in seconds.
        seen: Tells, after the deadline, what there is instead; the last answer if None.

    Returns:
        The first true answer.

    Raises:
        TooLateError: There was none in time.
    """
    deadline = time.monotonic() + timeout
    while True:
        answer = condition()
        if answer:
            return answer
        if time.monotonic() >= deadline:
            there_is = seen() if seen else answer
            raise TooLateError(f"waited in vain for {what} for {timeout:g} s; there is {there_is}")
        time.sleep(every)
