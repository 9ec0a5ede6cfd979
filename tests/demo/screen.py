"""What the audience sees: calm prose, colour and a moving line while it waits on a terminal, plain text elsewhere."""

import os
import textwrap
import threading
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import TextIO

from tests.demo.result import seconds

_BOLD, _DIM, _GREEN, _RED, _CYAN = "1", "2", "32", "31", "36"
_PLAN = {"+": _GREEN, "~": "33", "-": _RED}
_FRAMES = "⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏"
_EVERY = 0.1
_WIDTH = 100


class Screen:
    """Writes to one stream."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._moves = stream.isatty() and os.environ.get("TERM", "dumb") != "dumb"
        self._colour = self._moves and "NO_COLOR" not in os.environ

    def title(self, text: str) -> None:
        """The name of the play."""
        self._line(self._paint(text, _BOLD))

    def heading(self, text: str) -> None:
        """The beginning of a part."""
        self._line("")
        self._line(self._paint(text, _BOLD))

    def says(self, text: str) -> None:
        """A sentence."""
        for line in textwrap.wrap(text, _WIDTH - 4):
            self._line(f"    {line}")

    def command(self, node: str, text: str) -> None:
        """A command that somebody gives on a node."""
        self._line(f"    {self._paint(f'{node}$', _DIM)} {self._paint(text, _CYAN)}")

    def quote(self, lines: Iterable[str]) -> None:
        """What a program printed."""
        for line in lines:
            self._line(self._paint(f"      {line}".rstrip(), _DIM))

    def plan(self, text: str) -> None:
        """What `reconciler plan` printed, in the colours that it has on a terminal."""
        for line in text.splitlines():
            self._line(self._paint(f"      {line}".rstrip(), _PLAN.get(line[:1], "")))

    def done(self, text: str, took: float) -> None:
        """Something came about."""
        self._line(f"    {self._paint('✓', _GREEN)} {seconds(took):>7}  {text}")

    def detail(self, label: str, text: str) -> None:
        """Something more about what came about."""
        self._line(f"      {self._paint(f'{label:>7}', _DIM)}  {text}")

    def failed(self, text: str) -> None:
        """Something is not as it must be."""
        for line in text.splitlines():
            self._line(f"    {self._paint('✗', _RED)} {line}")

    def table(self, lines: Sequence[str]) -> None:
        """Lines of which the first is a heading."""
        for index, line in enumerate(lines):
            code = _BOLD if index == 0 else _RED if line.endswith("FAILED") or line.lstrip().startswith("!") else ""
            self._line(self._paint(f"  {line}", code))

    @contextmanager
    def waiting(self, what: str) -> Iterator[None]:
        """Show, on a terminal, what is waited for and for how long."""
        over = threading.Event()
        ticker = threading.Thread(target=self._tick, args=(what, over), daemon=True)
        if self._moves:
            ticker.start()
        try:
            yield
        finally:
            over.set()
            if self._moves:
                ticker.join()
                self._write("\r\x1b[K")

    def _tick(self, what: str, over: threading.Event) -> None:
        start = time.monotonic()
        number = 0
        while not over.wait(_EVERY):
            frame = _FRAMES[number % len(_FRAMES)]
            text = f"{frame} {seconds(time.monotonic() - start):>7}  waiting for {what} …"
            self._write(f"\r    {self._paint(text[: _WIDTH - 4], _DIM)}\x1b[K")
            number += 1

    def _line(self, text: str) -> None:
        self._write(f"{text}\n")

    def _write(self, text: str) -> None:
        self._stream.write(text)
        self._stream.flush()

    def _paint(self, text: str, code: str) -> str:
        return f"\x1b[{code}m{text}\x1b[0m" if self._colour and code else text
