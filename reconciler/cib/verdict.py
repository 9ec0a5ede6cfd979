"""What Pacemaker's own check, crm_verify(8), thinks of a CIB: errors and warnings, told apart by what it says. Pure.

Its exit code cannot tell them apart: Pacemaker 2.1.5 leaves with 78 (CRM_EX_CONFIG) for errors and for some warnings,
and with 0 for other warnings; which ones changes from release to release. The words before the colon do not lie.
"""

import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

VERIFY = ("crm_verify", "-VV")
"""With `--xml-file FILE`: checks that CIB. One -V shows errors only; the second one warnings too."""

_SAID = re.compile(r"(?:\(\w+\)\s*)?(?P<level>emerg|alert|crit|critical|error|warning):\s+(?P<text>.+)", re.IGNORECASE)
"""`(unpack_resources) error: …` in 2.1.5, `error: …` later."""

_INVALID = re.compile(r"(?:.*?:\s?(?:line )?\d+: )?(?P<where>element \S+: )?.*?validity error ?: (?P<text>.+)")
"""libxml2 of what breaks the schema: `Entity: line 2: element bogus: Relax-NG validity error : …`. The line's number
says nothing about a document that nobody sees, and changes with every edit above it."""

_SUMMARY = "crm_verify: "


class VerifyError(ValueError):
    """crm_verify failed without saying what it found."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What is wrong with a CIB: `errors` that Pacemaker rejects or ignores settings for, and mere `warnings`.

    Texts are Pacemaker's own, in its order. What breaks the schema is said once for each place, as the texts name an
    element but not which; all else once, however often the scheduler came past it.
    """

    errors: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()

    def beyond(self, baseline: "Verdict") -> "Verdict":
        """Return what is said here and not of `baseline`: what was wrong already is nobody's doing now.

        What is said twice here and once there remains once.
        """
        return Verdict(_beyond(self.errors, baseline.errors), _beyond(self.warnings, baseline.warnings))


CLEAN = Verdict()


def verify(stdout: str, stderr: str, code: int) -> Verdict:
    """Read what `VERIFY` printed and how it left.

    Raises:
        VerifyError: it left with an error and named neither an error nor a warning: killed, crashed, a stranger's tool.
    """
    invalid: list[str] = []
    errors: dict[str, None] = {}
    warnings: dict[str, None] = {}
    lines = [line.strip() for line in (*stdout.splitlines(), *stderr.splitlines())]
    for line in lines:
        if said := _SAID.fullmatch(line):
            (warnings if said["level"].lower() == "warning" else errors)[said["text"]] = None
        elif breaks := _INVALID.fullmatch(line):
            invalid.append(f"{breaks['where'] or ''}{breaks['text']}")
    if code and not invalid and not errors and not warnings:
        said_last = next((line for line in reversed(lines) if line), "").removeprefix(_SUMMARY)
        raise VerifyError(f"crm_verify failed with exit code {code}" + (f": {said_last[:300]}" if said_last else ""))
    return Verdict((*invalid, *errors), tuple(warnings))


def _beyond(said: Iterable[str], known: Iterable[str]) -> tuple[str, ...]:
    left = Counter(known)
    new: list[str] = []
    for text in said:
        if left[text] > 0:
            left[text] -= 1
        else:
            new.append(text)
    return tuple(new)
