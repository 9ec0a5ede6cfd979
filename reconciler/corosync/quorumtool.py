"""`corosync-quorumtool -p`: quorum, votes and members, in the shapes of Corosync 2 and 3. Pure.

Read from tools/corosync-quorumtool.c. The exit code means opposite things in 2.x and 3.x; only the text counts. A row
of the member table that does not look like one fails the whole text: garbage rows have been seen in the field.
"""

import re

from reconciler.corosync.cmap import ParseFailure
from reconciler.frozen import frozen

SOURCE = "quorumtool"

_FIELD = re.compile(r"^([A-Z][A-Za-z ]+):[ \t]*(.*?)[ \t]*$", re.MULTILINE)
_HEADER = re.compile(r"^\s+Nodeid\s+Votes(\s+Qdevice)?\s+Name\s*\n", re.MULTILINE)
_ROW = re.compile(
    r"\s*(?P<id>0x[0-9a-fA-F]+|\d+)\s+(?P<votes>\d+)"
    r"(?:\s+(?P<qdevice>NR|N?A,N?V,N?MW))?"
    r"\s+(?P<name>[^\s()]+)(?P<local> \(local\))?(?: \(votes (?P<withheld>\d+)\))?\s*"
)
_QDEVICE = "Qdevice"


@frozen
class Member:
    """A node in the membership; `name` is an address where the nodelist has no name."""

    id: int
    name: str
    votes: int
    local: bool


@frozen
class Qdevice:
    """The quorum device as the local node sees it; `votes` is what it has, cast (`voting`) or not."""

    registered: bool
    alive: bool
    voting: bool
    votes: int


@frozen
class Quorum:
    """What `corosync-quorumtool` says. Votes are None where no votequorum provider is configured.

    `blocked` is "Activity blocked". `flags` are as printed: 2Node, Quorate, WaitForAll, LastManStanding,
    AutoTieBreaker, AllowDownscale, Qdevice. `qdevice` is None where no quorum device is configured.
    """

    quorate: bool
    provider: str
    local_id: int
    ring_id: str
    expected_votes: int | None
    highest_expected: int | None
    total_votes: int | None
    quorum_votes: int | None
    blocked: bool
    flags: tuple[str, ...]
    members: tuple[Member, ...]
    qdevice: Qdevice | None


def quorum(text: str) -> Quorum | ParseFailure:
    """Read the text."""
    fields = {match[1]: match[2] for match in _FIELD.finditer(text)}
    if fields.get("Quorate") not in ("Yes", "No"):
        return ParseFailure(SOURCE, f"no word on quorum in {text[:80]!r}")
    rows = _rows(text)
    if isinstance(rows, ParseFailure):
        return rows
    devices = [row for row in rows if int(row["id"], 0) == 0]
    members = tuple(
        Member(int(row["id"], 0), row["name"], int(row["votes"]), row["local"] is not None)
        for row in rows
        if int(row["id"], 0) != 0
    )
    wrong = _inconsistency(fields.get("Nodes", ""), members, devices)
    if wrong:
        return ParseFailure(SOURCE, wrong)
    threshold, _, remark = fields.get("Quorum", "").partition(" ")
    flags = tuple(fields.get("Flags", "").split())
    return Quorum(
        quorate=fields["Quorate"] == "Yes",
        provider=fields.get("Quorum provider", ""),
        local_id=_whole(fields.get("Node ID", "")) or 0,
        ring_id=fields.get("Ring ID", ""),
        expected_votes=_whole(fields.get("Expected votes", "")),
        highest_expected=_whole(fields.get("Highest expected", "")),
        total_votes=_whole(fields.get("Total votes", "")),
        quorum_votes=_whole(threshold),
        blocked="blocked" in remark,
        flags=flags,
        members=members,
        qdevice=_qdevice(flags, rows, devices),
    )


def _rows(text: str) -> list[re.Match[str]] | ParseFailure:
    header = _HEADER.search(text)
    if header is None:
        return ParseFailure(SOURCE, "no table of members")
    rows = []
    for line in text[header.end() :].splitlines():
        if not line.strip():
            break
        row = _ROW.fullmatch(line)
        if row is None or (int(row["id"], 0) != 0 and (row["qdevice"] is None) is not (header[1] is None)):
            return ParseFailure(SOURCE, f"unexpected member {line!r}")
        rows.append(row)
    return rows


def _inconsistency(announced: str, members: tuple[Member, ...], devices: list[re.Match[str]]) -> str:
    ids = [member.id for member in members]
    if len(set(ids)) < len(ids) or len(devices) > 1:
        return f"two members with one id among {ids}"
    if announced.isdigit() and int(announced) != len(members):
        return f"{announced} nodes announced, {len(members)} listed"
    if any(device["name"] != _QDEVICE for device in devices):
        return f"unexpected member {devices[0].string!r}"
    return ""


def _whole(text: str) -> int | None:
    try:
        return int(text, 0)
    except ValueError:
        return None


def _qdevice(flags: tuple[str, ...], rows: list[re.Match[str]], devices: list[re.Match[str]]) -> Qdevice | None:
    if not devices and _QDEVICE not in flags:
        return None
    states = next((row["qdevice"] for row in rows if row["local"] is not None and row["qdevice"] is not None), "NR")
    words = states.split(",")
    device = devices[0] if devices else None
    withheld = device["withheld"] if device is not None else None
    votes = int(withheld or device["votes"]) if device is not None else 0
    return Qdevice(states != "NR", "A" in words, "V" in words and withheld is None, votes)
