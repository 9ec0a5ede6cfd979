"""What one would type into `crm configure` for an object. Pure. Syntax: crmsh's manual, section `configure`."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Protocol


class _Set(Protocol):
    @property
    def values(self) -> Mapping[str, str]: ...
    @property
    def rule(self) -> "_Rule | None": ...
    @property
    def score(self) -> str | None: ...


class _Rule(Protocol):
    @property
    def score(self) -> str | None: ...
    @property
    def score_attribute(self) -> str | None: ...
    @property
    def role(self) -> str | None: ...
    @property
    def expression(self) -> str: ...


class _Operation(Protocol):
    @property
    def name(self) -> str: ...
    def model_dump(self) -> dict[str, object]: ...


_BARE = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-.:/@%+,*")


def quote(value: str) -> str:
    """Quote a value where crm would otherwise split it."""
    if value and set(value) <= _BARE:
        return value
    return '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'


def line(*words: str) -> str:
    """Return one command, continued over indented lines before each of its sections as crm itself shows it."""
    text = ""
    for word in words:
        if not text:
            text = word
        else:
            text += (" \\\n    " if word in _SECTIONS else " ") + word
    return text


_SECTIONS = frozenset({"params", "meta", "utilization", "op"})


def description(text: str | None) -> Iterable[str]:
    """Return the words that set a description."""
    return (f"description={quote(text)}",) if text else ()


def pairs(values: Mapping[str, str]) -> list[str]:
    """Return name=value words."""
    return [f"{name}={quote(value)}" for name, value in values.items()]


def sets(word: str, items: Sequence[_Set]) -> list[str]:
    """Return the words that say attribute sets: `params ip=192.0.2.1`."""
    words: list[str] = []
    for item in items:
        words.append(word)
        if item.score:
            words.append(f"{item.score}:")
        if item.rule:
            words += ["rule", *rule(item.rule)]
        words += pairs(item.values)
    return words


def rule(item: _Rule) -> list[str]:
    """Return the words behind `rule`."""
    words = [f"$role={item.role}"] if item.role else []
    score = item.score_attribute or item.score
    return [*words, *([f"{short_score(score)}:"] if score else []), item.expression]


def short_score(score: str) -> str:
    """Return a score as crm writes it: `inf`, `-inf`, `100`."""
    return score.replace("INFINITY", "inf")


def operation(item: _Operation) -> list[str]:
    """Return the words that say an operation."""
    fields = {
        name.replace("_", "-"): str(value)
        for name, value in item.model_dump().items()
        if name not in {"name", "params", "meta"} and value is not None
    }
    if fields.get("interval") == "0s":
        del fields["interval"]
    return ["op", item.name, *pairs(fields)]
