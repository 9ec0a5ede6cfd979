"""Values that are known and never shown: where one comes from, what it is, how it prints. Pure.

A `Secret` is a text to everything that handles texts, and that text is its digest. So whoever knows nothing of secrets
prints, logs, serialises or joins the digest; the value itself comes out only where `reveal` asks for it.
"""

import hmac
import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, NoReturn, Self

from reconciler.cib.document import LOST
from reconciler.frozen import frozen

HIDDEN = "(hidden)"
"""Shown instead of a value that is no `Secret` but has the name of one."""


class Place(StrEnum):
    """Where a secret may lie; also the key by which a manifest says so."""

    FILE = "file"
    CREDENTIAL = "credential"


@dataclass(frozen=True, slots=True, order=True)
class Source:
    """Where a secret comes from: a file by its path, or a systemd credential by its name (systemd.exec(5))."""

    place: Place
    name: str

    def __str__(self) -> str:
        return f"{self.place} {self.name}"


@frozen
class Unavailable:
    """Why a secret cannot be read, for people."""

    why: str


Reading = str | Unavailable
"""What a source gave."""


class Secret(str):
    """A value that is never shown. As a text it is `(secret 1f3a9c2e)`; compared it is its value.

    It equals the same value in whatever form, another Secret or a plain text. One that is not known yet, or cannot be
    read, equals nothing but another such of the same source; `problem` says why.
    """

    __slots__ = ("_value", "problem", "source")

    _value: str | None
    problem: str
    source: Source | None

    def __new__(cls, text: str, value: str | None, source: Source | None = None, problem: str = "") -> Self:
        """Make one that prints as `text`; see `unread` and `Seal.close`."""
        made = super().__new__(cls, text)
        for name, part in (("_value", value), ("source", source), ("problem", problem)):
            object.__setattr__(made, name, part)
        return made

    @property
    def known(self) -> bool:
        """True if there is a value."""
        return self._value is not None

    def reveal(self) -> str:
        """Return the value.

        Raises:
            ValueError: it is not known.
        """
        if self._value is None:
            raise ValueError(f"{self} is not known: {self.problem}")
        return self._value

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Secret):
            return self.known and self.reveal() == other
        if self.known and other.known:
            return self.reveal() == other.reveal()
        return self.known == other.known and self.source == other.source

    def __ne__(self, other: object) -> bool:
        return not self == other

    def __hash__(self) -> int:
        return hash(self.source if self._value is None else self._value)

    def __repr__(self) -> str:
        return str(self)

    def __setattr__(self, name: str, value: Any) -> NoReturn:
        raise AttributeError(f"{name}: a secret does not change")

    def __delattr__(self, name: str) -> NoReturn:
        raise AttributeError(f"{name}: a secret does not change")

    def __copy__(self) -> Self:
        return self

    def __deepcopy__(self, memo: Any) -> Self:
        return self

    def __reduce__(self) -> NoReturn:
        raise TypeError("a secret is not to be written down")

    def __getstate__(self) -> NoReturn:
        raise TypeError("a secret is not to be written down")


def unread(source: Source, problem: str = "has not been read") -> Secret:
    """Return a secret of which only its source is known."""
    return Secret(f"(secret of {source})", None, source, f"{source} {problem}")


@frozen
class Seal:
    """Closes values. With its key, which nobody else knows, a digest tells a change and nothing else.

    Without a key the digest of a short password would be found by trying them all.
    """

    key: bytes = field(repr=False)

    def take(self, source: Source, reading: Reading) -> Secret:
        """Return the secret that a source gave, or one that says why it gave none."""
        return unread(source, reading.why) if isinstance(reading, Unavailable) else self.close(reading, source)

    def close(self, value: str, source: Source | None = None) -> Secret:
        """Return the value as a secret; equal values have equal digests, and others the same once in four milliards."""
        digest = hmac.digest(self.key, value.encode(errors="surrogatepass"), "sha256").hex()[:8]
        return Secret(f"(secret {digest})", value, source)


_DIGEST = re.compile(r"\(secret [0-9a-f]{8}\)")


def is_digest(text: str) -> bool:
    """Tell whether a text is what a secret prints as."""
    return _DIGEST.fullmatch(text) is not None


def without_digests(text: str) -> str:
    """Return the text with one word for every secret: digests are different on every node."""
    return _DIGEST.sub("(secret)", text)


def reveal(text: str) -> str:
    """Return the value of a secret, and any other text as it is; of a secret that is not known, what it prints as."""
    return text.reveal() if isinstance(text, Secret) and text.known else str(text)


def looks_secret(name: str) -> bool:
    """Tell whether what has this name, or this path, had better not be shown."""
    return _NAMES.search(name) is not None


_NAMES = re.compile(r"passw|passphrase|secret|token|credential|auth_?key|api_?key|private|community", re.IGNORECASE)
"""Names of parameters that hold secrets in the agents of resource-agents and fence-agents."""


def shown(path: str, value: str | None) -> str | None:
    """Say a value, but no password that somebody wrote into a manifest or the CIB; an empty text is visible.

    A secret's text is its digest, which may be shown.
    """
    if value is None:
        return None
    if looks_secret(path) and not is_digest(value):
        return HIDDEN
    return value or '""'


def redacted(text: str, secrets: Iterable[Secret]) -> str:
    """Return the text of a program that knew the secrets without their values, bare or as XML writes them.

    A value of one to three characters is taken out only where it stands alone: it is in every other word.
    """
    forms = {form: secret for secret in secrets if secret.known for form in _forms(secret.reveal())}
    if not any(form in text for form in forms):
        return text
    longest = sorted(forms, key=len, reverse=True)
    pattern = "|".join(
        re.escape(form) if len(form) > _SHORT else rf"(?<!\w){re.escape(form)}(?!\w)" for form in longest
    )
    return re.sub(pattern, lambda match: str(forms[match[0]]), text)


_SHORT = 3


_QUOTES: tuple[Mapping[str, str], ...] = (
    {},
    {'"': "&quot;"},
    {'"': "&quot;", "'": "&apos;"},
    {'"': "&#34;", "'": "&#39;"},
)
# Not xml.sax.saxutils, which brings the whole of urllib and ssl along.
_IN_XML = tuple(str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;", **quotes}) for quotes in _QUOTES)


def _forms(value: str) -> set[str]:
    """Return how a value may be written: bare, in XML by us or by libxml2, as a literal."""
    literals = (repr(value)[1:-1], json.dumps(value)[1:-1], value.encode("unicode_escape").decode("ascii"))
    return {form for form in (value, *literals, *(value.translate(table) for table in _IN_XML)) if form}


MOST_BYTES = 4096
"""The longest secret; what is larger is not a password but some other file."""


def understand(data: bytes) -> Reading:
    """Read the content of a secret's file: one line, of which the line break at the end is no part."""
    if len(data) > MOST_BYTES:
        return Unavailable(f"has more than {MOST_BYTES} bytes")
    try:
        text = data.decode()
    except UnicodeDecodeError:
        return Unavailable("is not UTF-8 text")
    text = text.removesuffix("\n")
    if not text:
        return Unavailable("is empty")
    if text.startswith("\ufeff"):
        return Unavailable("begins with a byte order mark; save it as plain UTF-8")
    if LOST.search(text):
        return Unavailable("has a line break, tab or control character inside, which Pacemaker does not keep")
    return text
