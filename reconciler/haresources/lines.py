"""The text of `haresources` -> its lines. Pure.

Each is the name of a node and words of resources; a backslash at its end continues it, and `#` begins a comment. Words
are `SCRIPT::ARGUMENT::ARGUMENT`, or an address alone. Source: the comments in Heartbeat's own `haresources`.
"""

import re
from collections.abc import Iterator

from reconciler.frozen import frozen

_COMMENT = re.compile(r"(?:^|(?<=\s))#.*")


@frozen
class Line:
    """A line with the lines that continue it.

    Attributes:
        number: of the first one, counted from 1.
        text: the line as it stands there, without comments.
        node: the preferred node.
        words: the resources.
    """

    number: int
    text: str
    node: str
    words: tuple[str, ...]


def lines(text: str) -> Iterator[Line]:
    """Yield the lines that say something."""
    parts: list[str] = []
    first = 0
    physical = text.removeprefix("\ufeff").split("\n")
    for number, line in enumerate(physical, 1):
        first = first or number
        said = _COMMENT.sub("", line).strip()
        parts.append(said.removesuffix("\\"))
        if said.endswith("\\") and number < len(physical):
            continue
        words = " ".join(parts).split()
        if words:
            yield Line(first, " ".join(words), words[0], tuple(words[1:]))
        parts, first = [], 0
