"""Tables -> TOML in the compact style of manifests: dotted keys, inline tables for what is short. Pure.

Only what manifests hold: texts, whole numbers, booleans, arrays and tables of these. Nothing that is read back may
differ from what was written; the tests hold this against tomli. Grammar: https://toml.io/en/v1.0.0.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from typing import Any

WIDTH = 120
_INDENT = "  "
_LONG = 80
"""An array of so many characters is not left on a line that is too long."""
_BARE = re.compile(r"[A-Za-z0-9_-]+")
_LITERAL = re.compile(r"[^'\x00-\x1f\x7f\ud800-\udfff]*")
_ESCAPED = re.compile('["\\\\\x00-\x1f\x7f]')
_SHORT_ESCAPES = {'"': '\\"', "\\": "\\\\", "\n": "\\n", "\t": "\\t", "\r": "\\r", "\b": "\\b", "\f": "\\f"}


class Branch(dict[str, Any]):
    """A table of which a single key is written dotted: `rule.expression = …`, not `rule = { expression = … }`."""


@lru_cache(maxsize=200)
def key(name: str) -> str:
    """Write a key, quoted where it must be."""
    return name if _BARE.fullmatch(name) else text(name)


def text(value: str) -> str:
    """Write a text on one line; one with quotes or backslashes as it is, between apostrophes, where that can be."""
    quotes = '"' in value or "\\" in value
    if not quotes and value.isprintable():
        return f'"{value}"'
    if quotes and _LITERAL.fullmatch(value):
        return f"'{value}'"
    return f'"{_ESCAPED.sub(_escape, value)}"'


def _escape(match: re.Match[str]) -> str:
    return _SHORT_ESCAPES.get(match[0]) or f"\\u{ord(match[0]):04X}"


def inline(value: Any) -> str:
    """Write a value on one line."""
    match value:
        case bool():
            return "true" if value else "false"
        case int():
            return str(value)
        case str():
            return text(value)
        case dict() | Mapping():
            pairs = ", ".join(f"{path} = {inline(inner)}" for path, inner in _leaves(value))
            return f"{{ {pairs} }}" if pairs else "{}"
        case _:
            return f"[{', '.join(map(inline, value))}]"


def _leaves(table: Mapping[str, Any]) -> Iterable[tuple[str, Any]]:
    for name, value in table.items():
        if isinstance(value, Branch) and len(value) == 1:
            yield from ((f"{key(name)}.{path}", inner) for path, inner in _leaves(value))
        else:
            yield key(name), value


def assign(path: str, value: Any) -> list[str]:
    """Return the lines that give a path a value: one if it is short and of one piece.

    Tables that are too long for a line become dotted keys; of an array of several tables each has its line, or several
    where it holds arrays and is too long.
    """
    if isinstance(value, Branch) and len(value) == 1:
        return _dotted(path, value)
    if isinstance(value, Mapping) and len(value) > WIDTH:
        return _dotted(path, value)  # no need to write it first to see that it is too long
    tables = _has_tables(value)
    line = f"{path} = {inline(value)}"
    if not tables and len(line) <= WIDTH:
        return [line]
    match value:
        case Mapping() if value:
            return _dotted(path, value)
        case str() | int() | Mapping() | [] | [_]:
            return [line]
        case _ if tables:
            return [f"{path} = [", *(line for item in value for line in _element(item, _INDENT)), "]"]
        case _:
            return [f"{path} = [", *_filled(map(inline, value)), "]"]


def _dotted(path: str, table: Mapping[str, Any]) -> list[str]:
    return [line for name, inner in table.items() for line in assign(f"{path}.{key(name)}", inner)]


def _has_tables(value: Any) -> bool:
    return (
        not isinstance(value, str) and isinstance(value, Sequence) and len(value) > 1 and isinstance(value[0], Mapping)
    )


def _element(item: Any, indent: str) -> list[str]:
    """Return the lines of what is in an array: one, but for the long arrays of a table that is too long for it."""
    line = f"{indent}{inline(item)},"
    if len(line) <= WIDTH or not isinstance(item, Mapping):
        return [line]
    lines: list[str] = []
    begun, inner = f"{indent}{{", f"{indent}{_INDENT}"
    for path, value in _leaves(item):
        begun += f" {path} = "
        if _has_tables(value):
            lines += [f"{begun}[", *(part for element in value for part in _element(element, inner))]
            begun = f"{indent}],"
        elif isinstance(value, Sequence) and not isinstance(value, str) and len(inline(value)) > _LONG:
            lines += [f"{begun}[", *_filled(map(inline, value), inner)]
            begun = f"{indent}],"
        else:
            begun += f"{inline(value)},"
    return [*lines, f"{begun.removesuffix(',')} }},"]


def _filled(words: Iterable[str], indent: str = _INDENT) -> list[str]:
    lines: list[str] = []
    for word in words:
        if lines and len(lines[-1]) + len(word) + 2 <= WIDTH:
            lines[-1] += f" {word},"
        else:
            lines.append(f"{indent}{word},")
    return lines


def comment(sentence: str) -> list[str]:
    """Return a sentence as comment lines; what no comment may hold is left out."""
    lines: list[str] = []
    for word in re.sub("[\x00-\x1f\x7f\ud800-\udfff]+", " ", sentence).split(" "):
        if lines and len(lines[-1]) + len(word) < WIDTH:
            lines[-1] += f" {word}"
        elif word:
            lines.append(f"# {word}")
    return lines
