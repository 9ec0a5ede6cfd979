"""`corosync-cfgtool -s` in all the shapes that releases from 2.0 to 3.1 print. Pure.

Read from tools/corosync-cfgtool.c at the releases; the exit code says different things in each and is of no use.
"""

import re
from collections.abc import Mapping

from reconciler.corosync.cmap import ParseFailure
from reconciler.frozen import frozen

SOURCE = "cfgtool"
_CONNECTED_BIT = 2

_LOCAL = re.compile(r"^Local node ID (\d+)(?:, transport (\S+))?", re.MULTILINE)
_BLOCK = re.compile(r"^(?:RING|Ring|LINK|Link) ID (\d+)(?: (\S+))?[^\n]*\n((?:[\t ].*\n?|\*\*.*\n?)*)", re.MULTILINE)
_ADDRESS = re.compile(r"^\s+(?:id|addr)\s*= *(\S*)", re.MULTILINE)
_STATUS = re.compile(r"^\s+status\s*= *(.*?) *$", re.MULTILINE)
_BY_ID = re.compile(r"^\s+nodeid:?\s*(\d+):\s*(.*?) *$", re.MULTILINE)
_BY_POSITION = re.compile(r"^\s+node (\d+):\s*link enabled:(\d)\s*link connected:(\d)", re.MULTILINE)
_BRIEF = re.compile(r"[n?d0-7]+")


@frozen
class Link:
    """One ring or link as printed.

    `whole` is the verdict on the link where one is printed for all peers together. `by_id` and `by_position` say per
    peer whether it is connected, by node id or by position in the nodelist; they lack the peers that were not printed.
    """

    number: int
    address: str
    transport: str
    whole: bool | None
    by_id: Mapping[int, bool]
    by_position: Mapping[int, bool]


@frozen
class Printed:
    """The local node's id, the transport where it is printed (3.1.1 and later), and the links by number."""

    local_id: int
    transport: str
    links: Mapping[int, Link]


def parse(text: str) -> Printed | ParseFailure:
    """Read the text; one without a local node or with a link whose state makes no sense is a failure."""
    local = _LOCAL.search(text)
    if local is None:
        return ParseFailure(SOURCE, f"no local node id in {text[:80]!r}")
    links: dict[int, Link] = {}
    for match in _BLOCK.finditer(text):
        link = _link(int(match[1]), match[2] or "", match[3])
        if link is None:
            return ParseFailure(SOURCE, f"no state of link {match[1]} in {match[0][:80]!r}")
        links[link.number] = link
    if not links:
        return ParseFailure(SOURCE, f"no links in {text[:80]!r}")
    return Printed(int(local[1]), local[2] or "", links)


def _link(number: int, transport: str, body: str) -> Link | None:
    address = _ADDRESS.search(body)
    status = _STATUS.search(body)
    by_id = {int(node): state.startswith(("localhost", "connected")) for node, state in _BY_ID.findall(body)}
    by_position = {int(node): connected == "1" for node, _, connected in _BY_POSITION.findall(body)}
    whole = None
    if status is not None and status[1] not in ("", ":"):
        if _BRIEF.fullmatch(status[1]) is not None:
            by_position = {place: _connected(letter) for place, letter in enumerate(status[1])}
        else:
            whole = _verdict(status[1])
    if whole is None and not by_id and not by_position:
        return None
    return Link(number, address[1] if address is not None else "", transport, whole, by_id, by_position)


def _connected(letter: str) -> bool:
    return letter == "n" or (letter.isdigit() and bool(int(letter) & _CONNECTED_BIT))


def _verdict(status: str) -> bool | None:
    if "FAULTY" in status:
        return False
    return True if status == "OK" or "active with no faults" in status else None
