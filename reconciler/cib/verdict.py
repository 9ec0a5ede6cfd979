"""What Pacemaker's own check, crm_verify(8), thinks of a CIB: errors and warnings, told apart by what it says. Pure.

Its exit code cannot tell them apart: Pacemaker 2.1.5 leaves with 78 (CRM_EX_CONFIG) for errors and for some warnings,
and with 0 for other warnings; which ones changes from release to release. The words before the colon do not lie.
"""

import re
from collections import Counter
from collections.abc import Hashable, Iterable, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import field
from typing import TypeVar
from xml.parsers import expat

from reconciler.cib.document import NAMED_BY_ID
from reconciler.frozen import frozen

VERIFY = ("crm_verify", "-VV")
"""With `--xml-file FILE`: checks that CIB. One -V shows errors only; the second one warnings too."""

_SAID = re.compile(r"(?:\(\w+\)\s*)?(?P<level>emerg|alert|crit|critical|error|warning):\s+(?P<text>.+)", re.IGNORECASE)
"""`(unpack_resources) error: …` in 2.1.5, `error: …` later."""

_INVALID = re.compile(
    r"(?:.*?:\s?(?:line )?(?P<line>\d+): )?(?P<where>element \S+: )?.*?validity error ?: (?P<text>.+)"
)
"""libxml2 of what breaks the schema: `Entity: line 2: element bogus: Relax-NG validity error : …`."""

_INVALID_AT_ALL = "CIB did not pass schema validation"
"""What crm_verify adds to that."""

DANGLING = "IDREF attribute "
"""In what libxml2 says of a reference to what is not there."""

_DANGLING = re.compile(rf'.*{DANGLING}\S+ references an unknown ID "(?P<name>[^"]*)"')

_SUMMARY = "crm_verify: "


class VerifyError(ValueError):
    """crm_verify failed without saying what it found."""


@frozen
class Invalid:
    """Something that breaks the schema, in libxml2's words.

    `path` are the elements around it and the one that it is about, outermost first, as tag and id (empty without one);
    empty if libxml2 does not say where. Equal by the words.
    """

    text: str
    path: tuple[tuple[str, str], ...] = field(default=(), compare=False)

    def __str__(self) -> str:
        return self.text


@frozen
class Verdict:
    """What is wrong with a CIB: `errors` that Pacemaker ignores settings for, and mere `warnings`.

    `invalid` is what breaks the schema: the cluster would refuse all of it. Texts are Pacemaker's own, in its order.
    What breaks the schema is said once for each place, as the texts name an element but not which; all else once,
    however often the scheduler came past it. `remedy` is what would make the schema allow it, if anything is known to.
    """

    errors: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
    invalid: tuple[Invalid, ...] = ()
    remedy: str = ""

    def beyond(self, baseline: "Verdict") -> "Verdict":
        """Return what is said here and not of `baseline`: what was wrong already is nobody's doing now.

        What is said twice here and once there remains once.
        """
        return Verdict(
            _beyond(self.errors, baseline.errors),
            _beyond(self.warnings, baseline.warnings),
            _beyond(self.invalid, baseline.invalid),
            self.remedy,
        )


CLEAN = Verdict()


def verify(stdout: str, stderr: str, code: int, checked: str = "") -> Verdict:
    """Read what `VERIFY` printed and how it left; `checked` is the document's text, one tag a line, to find places in.

    Raises:
        VerifyError: it left with an error and named neither an error nor a warning: killed, crashed, a stranger's tool.
    """
    invalid: list[tuple[str, int]] = []
    errors: dict[str, None] = {}
    warnings: dict[str, None] = {}
    lines = [line.strip() for line in (*stdout.splitlines(), *stderr.splitlines())]
    for line in lines:
        if said := _SAID.fullmatch(line):
            (warnings if said["level"].lower() == "warning" else errors)[said["text"]] = None
        elif breaks := _INVALID.fullmatch(line):
            invalid.append((f"{breaks['where'] or ''}{breaks['text']}", int(breaks["line"] or 0)))
    if invalid:
        errors.pop(_INVALID_AT_ALL, None)
    if code and not invalid and not errors and not warnings:
        said_last = next((line for line in reversed(lines) if line), "").removeprefix(_SUMMARY)
        raise VerifyError(f"crm_verify failed with exit code {code}" + (f": {said_last[:300]}" if said_last else ""))
    places: Mapping[int, tuple[tuple[str, str], ...]] = {}
    if invalid and checked:
        places, ids = _places(checked, {line for _, line in invalid})
        invalid = _causes(invalid, ids)
    return Verdict(tuple(errors), tuple(warnings), tuple(Invalid(text, places.get(line, ())) for text, line in invalid))


def _causes(invalid: list[tuple[str, int]], ids: AbstractSet[str]) -> list[tuple[str, int]]:
    """Leave out references to what is there, where something else is wrong.

    Of an element that the schema does not know it does not know either that its `id` is an ID.
    """
    if all(_DANGLING.fullmatch(text) for text, _ in invalid):
        return invalid
    return [(text, line) for text, line in invalid if not ((said := _DANGLING.fullmatch(text)) and said["name"] in ids)]


def _places(text: str, lines: set[int]) -> tuple[Mapping[int, tuple[tuple[str, str], ...]], AbstractSet[str]]:
    """Find the elements that begin in these lines, and all ids that elements have of their own."""
    found: dict[int, tuple[tuple[str, str], ...]] = {}
    ids: set[str] = set()
    inside: list[tuple[str, str]] = []
    parser = expat.ParserCreate()

    def start(tag: str, attributes: Mapping[str, str]) -> None:
        inside.append((tag, attributes.get("id", "")))
        if tag not in NAMED_BY_ID:
            ids.add(attributes.get("id", ""))
        if parser.CurrentLineNumber in lines:
            found[parser.CurrentLineNumber] = tuple(inside)

    def end(tag: str) -> None:  # noqa: ARG001
        inside.pop()

    parser.StartElementHandler = start
    parser.EndElementHandler = end
    parser.Parse(text, True)
    return found, ids


_SaidT = TypeVar("_SaidT", bound=Hashable)


def _beyond(said: Iterable[_SaidT], known: Iterable[_SaidT]) -> tuple[_SaidT, ...]:
    left = Counter(known)
    new: list[_SaidT] = []
    for item in said:
        if left[item] > 0:
            left[item] -= 1
        else:
            new.append(item)
    return tuple(new)
