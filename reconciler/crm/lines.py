"""A text in crm's language -> statements, and a statement -> words. Pure.

As crmsh 4.4.1 does it: a backslash at the end of a line continues it, a line that begins with `#` is a comment on the
statement after it, and words are those of a POSIX shell. What people's files have besides is passed over: the words
`sudo crm configure` or a prompt before a statement, `commit` and the like after it, colours and messages that crm
printed.
A quoted value may run over several lines, as crm prints one (and cannot read it).
"""

import re
from collections.abc import Container, Iterator

from reconciler.cib.rule_tokens import Token
from reconciler.frozen import frozen
from reconciler.reading import StatementError, check_characters

_PIECE = re.compile(r"""([^ \t\r\n"'\\]+)|"((?:\\[\s\S]|[^"\\])*)"|'([^']*)'|\\([\s\S])""")
_BLANK = re.compile(r"[ \t\r\n]*")
_IN_QUOTES = re.compile(r'\\(["\\])')
_COLOUR = re.compile(r"\x1b\[[0-9;]*m")
_MESSAGE = re.compile(r"(?:WARNING|INFO|ERROR|NOTICE): ")
_BEFORE = re.compile(
    r"""(?:crm\([^)\s]*\)\S*[#>]\s*)?                               # crm's prompt
    (?:(?:\$\s+)?(?:sudo\s+)?crm\s+(?:-\S+\s+)*(?=configure\b))?   # a command for the shell
    (?:configure\s+)?""",
    re.VERBOSE,
)
_AROUND = frozenset({"configure", "commit", "verify", "end", "up", "cd", "back", "quit", "exit", "bye"})
_MASK = "\0"


@frozen
class Statement:
    """One statement, its lines joined.

    Attributes:
        line: the number of its first line, counted from 1.
        text: what it says.
        comments: the comments before it, without their signs.
    """

    line: int
    text: str
    comments: tuple[str, ...]


def statements(text: str, keywords: Container[str]) -> Iterator[Statement]:
    """Cut a text into statements; comments after the last one come with an empty statement.

    Args:
        text: any text.
        keywords: the words that statements begin with; where a line begins with one, a quote left open has ended.
    """
    lines = _COLOUR.sub("", text.removeprefix("\ufeff")).split("\n")
    comments: list[str] = []
    number = 0
    while number < len(lines):
        first = number
        joined, number = _join(lines, first, keywords)
        if joined.startswith("#"):
            comments.append(joined.lstrip("#").strip())
            continue
        said = joined[_before(joined) :]
        words = said.split(maxsplit=1)
        if not words or words[0] in _AROUND or _MESSAGE.match(said):
            continue
        yield Statement(first + 1, said, tuple(filter(None, comments)))
        comments = []
    if comments:
        yield Statement(len(lines), "", tuple(filter(None, comments)))


def _before(joined: str) -> int:
    match = _BEFORE.match(joined)
    return match.end() if match else 0


def _join(lines: list[str], number: int, keywords: Container[str]) -> tuple[str, int]:
    """Return the lines from this one on that are one statement, joined, and the number of the line after them."""
    parts: list[str] = []
    inside = ""
    while True:
        piece = lines[number].rstrip() if inside else lines[number].strip()
        number += 1
        continued = piece.endswith("\\")
        parts.append(piece.rstrip("\\") if continued else piece)
        if number == len(lines):
            break
        if continued:
            inside = ""
            continue
        joined = "".join(parts)
        inside = "" if joined.startswith(("#", "xml")) else _open_quote(joined)
        if not inside or len(parts) > 2 * _MOST_LINES or not _closes(lines, number, inside, keywords):
            break
        parts.append("\n")
    return "".join(parts).strip(), number


_MOST_LINES = 200


def _closes(lines: list[str], number: int, quote: str, keywords: Container[str]) -> bool:
    for line in lines[number : number + _MOST_LINES]:
        words = line.split(maxsplit=1)
        if words and (words[0] in keywords or words[0].startswith("#")):
            return False
        if quote in line:
            return True
    return False


def _open_quote(text: str) -> str:
    """Return the quote that is left open at the end of a text, if one is."""
    position = 0
    while position < len(text):
        match = _PIECE.match(text, position) or _BLANK.match(text, position)
        if match is None or match.end() == position:
            return text[position] if text[position] in "\"'" else ""
        position = match.end()
    return ""


def split(text: str) -> list[Token]:
    """Cut a statement into words as a POSIX shell does.

    Raises:
        StatementError: a quote is not closed, a backslash is the last character, a character has no place in XML.
    """
    check_characters(text)
    tokens = []
    position = _skip(text, 0)
    while position < len(text):
        token, position = _word(text, position)
        tokens.append(token)
        position = _skip(text, position)
    return tokens


def _skip(text: str, position: int) -> int:
    match = _BLANK.match(text, position)
    return match.end() if match else position


def _word(text: str, start: int) -> tuple[Token, int]:
    value = mask = ""
    position = start
    quoted = False
    while position < len(text) and text[position] not in " \t\r\n":
        match = _PIECE.match(text, position)
        if match is None:
            if text[position] == "\\":
                raise StatementError("ends with a backslash")
            raise StatementError(f"has a quote {text[position]} that is not closed")
        bare, double, single, escaped = match.groups()
        if bare is not None:
            value += bare
            mask += bare
        else:
            inner = _IN_QUOTES.sub(r"\1", double) if double is not None else single if single is not None else escaped
            value += inner
            mask += _MASK * len(inner)
            quoted = True
        position = match.end()
    return Token(value, mask, start + 1, quoted), position
