"""The words of a rule's text: blanks separate them, parentheses stand alone, quotes hold together what they enclose."""

import re

from reconciler.cib.rule_expressions import RuleError
from reconciler.frozen import frozen

_BLANK = re.compile(r"\s*")
_BARE = re.compile(r"[^\s()\"']+")
_QUOTED = re.compile(r"""(["'])((?:\\[\s\S]|(?!\1)[^\\])*)\1""")
_ESCAPED = re.compile(r"\\(.)", re.DOTALL)
_NEEDS_QUOTES = re.compile(r"[\s()\"'\\{}=]|\A\$|\A\Z")

# What stands for a quoted character in a mask: it equals no character that has a meaning in the grammar.
_MASKED = "\0"


@frozen
class Token:
    """One word or parenthesis.

    Attributes:
        text: the word without its quotes.
        mask: the text with every quoted character masked, so that only bare characters show.
        column: where it begins, counted from 1.
        quoted: whether it has a quoted part, which may be empty.
    """

    text: str
    mask: str
    column: int
    quoted: bool = False

    def keyword(self) -> str:
        """The word in lower case if all of it is bare, else nothing."""
        return "" if self.quoted else self.text.lower()

    def part(self, start: int, stop: int | None = None) -> "Token":
        """A piece of the word, to be looked at for itself."""
        return Token(self.text[start:stop], self.mask[start:stop], self.column, quoted=_MASKED in self.mask[start:stop])


def tokenize(text: str) -> list[Token]:
    """Cut a rule's text into tokens.

    Raises:
        RuleError: a quote is not closed.
    """
    tokens = []
    position = _end(_BLANK, text, 0)
    while position < len(text):
        if text[position] in "()":
            token, end = Token(text[position], text[position], position + 1), position + 1
        else:
            token, end = _word(text, position)
        tokens.append(token)
        position = _end(_BLANK, text, end)
    return tokens


def _word(text: str, start: int) -> tuple[Token, int]:
    value, mask, position, quoted = "", "", start, False
    while position < len(text):
        if bare := _BARE.match(text, position):
            value += bare[0]
            mask += bare[0]
            position = bare.end()
        elif text[position] in "\"'":
            match = _QUOTED.match(text, position)
            if match is None:
                raise RuleError(f"the quote {text[position]} is not closed", position + 1)
            inner = _ESCAPED.sub(r"\1", match[2])
            value += inner
            mask += _MASKED * len(inner)
            position, quoted = match.end(), True
        else:
            break
    return Token(value, mask, start + 1, quoted), position


def _end(pattern: re.Pattern[str], text: str, position: int) -> int:
    match = pattern.match(text, position)
    return position if match is None else match.end()


def quote(text: str, reserved: frozenset[str] = frozenset()) -> str:
    """Write a word so that it is read back as the same text and never as one of the reserved words."""
    if _NEEDS_QUOTES.search(text) is None and text.lower() not in reserved and _MASKED not in text:
        return text
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'
