"""Sets of resources in crm's words: `a ( b c:promote ) [ d e ]`. Pure.

`( )` is a set without an order among its resources, `[ ]` one of which one resource is enough. Without brackets,
resources are one set until the action or role changes.
"""

from collections.abc import Iterable, Iterator
from xml.etree import ElementTree as ET

from reconciler.cib.values import boolean
from reconciler.crm.resources import known_role
from reconciler.reading import StatementError

PLACEHOLDER = "_rsc_set_"
"""The word that crm prints before a set that would otherwise read as a pair."""

_CLOSING = {"(": ")", "[": "]"}
_ACTIONS = ("start", "stop", "promote", "demote")


def action(text: str) -> str:
    """Return the action that a word means.

    Raises:
        StatementError: it is none.
    """
    if text.lower() not in _ACTIONS:
        raise StatementError(f"{text!r} is not an action: expected one of {', '.join(_ACTIONS)}")
    return text.lower()


def split_brackets(words: Iterable[str]) -> list[str]:
    """Return the words with brackets that stand close to a name on their own."""
    return [part for word in words for part in _parts(word)]


def _parts(word: str) -> Iterator[str]:
    if len(word) > 1 and word[0] in _CLOSING:
        yield word[0]
        yield from _parts(word[1:])
    elif len(word) > 1 and word[-1] in _CLOSING.values():
        yield from _parts(word[:-1])
        yield word[-1]
    else:
        yield word


def resource_sets(words: Iterable[str], qualifier: str) -> list[ET.Element]:
    """Return the sets that words say; `qualifier` is what may stand behind a name's colon, `role` or `action`.

    Raises:
        StatementError: brackets do not match, a set is empty, or a word is no resource.
    """
    reader = _Sets(qualifier)
    for word in split_brackets(words):
        if word != PLACEHOLDER:
            reader.take(word)
    return reader.end()


class _Sets:
    """The sets read so far, and the one that is being read."""

    def __init__(self, qualifier: str) -> None:
        self._qualifier = qualifier
        self._found: list[ET.Element] = []
        self._members: list[str] = []
        self._said = ""
        self._open = ""
        self._options: dict[str, str] = {}

    def take(self, word: str) -> None:
        if word in _CLOSING:
            self._begin(word)
        elif word in _CLOSING.values():
            self._close(word)
        elif "=" in word:
            self._set(word)
        else:
            self._add(word)

    def end(self) -> list[ET.Element]:
        if self._open:
            raise StatementError(f"has no {_CLOSING[self._open]!r} for its {self._open!r}")
        self._save()
        return self._found

    def _begin(self, bracket: str) -> None:
        if self._open:
            raise StatementError(f"has {bracket!r} inside {self._open!r}: sets are not nested")
        self._save()
        self._open = bracket
        self._options = {"sequential": "false"}
        if bracket == "[":
            self._options["require-all"] = "false"

    def _close(self, bracket: str) -> None:
        if _CLOSING.get(self._open) != bracket:
            raise StatementError(f"has {bracket!r} where none is open")
        if not self._members:
            raise StatementError("has an empty set")
        self._save()
        self._open = ""
        self._options = {}

    def _set(self, word: str) -> None:
        name, _, text = word.partition("=")
        if name not in ("sequential", "require-all"):
            raise StatementError(f"{word!r} is not expected there: a set takes sequential= and require-all=")
        try:
            self._options[name] = boolean(text)
        except ValueError as error:
            raise StatementError(str(error)) from error

    def _add(self, word: str) -> None:
        name, _, said = word.partition(":")
        if not name:
            raise StatementError(f"{word!r} is not a resource")
        said = (action(said) if self._qualifier == "action" else known_role(said)) if said else ""
        if said != self._said:
            self._save()
            self._said = said
        self._members.append(name)

    def _save(self) -> None:
        if self._members:
            found = ET.Element("resource_set")
            for name in ("sequential", "require-all"):
                if self._options.get(name) == "false":
                    found.set(name, "false")
            if self._said:
                found.set(self._qualifier, self._said)
            found.extend(ET.Element("resource_ref", {"id": name}) for name in self._members)
            self._found.append(found)
        self._members, self._said = [], ""
