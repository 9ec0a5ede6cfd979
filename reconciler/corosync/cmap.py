"""The lines of `corosync-cmapctl`: `key (type) = value`, in the map and in the statistics (`-m stats`). Pure."""

import re
from collections.abc import Mapping

from reconciler.frozen import frozen

_LINE = re.compile(r"^(\S+) \((\w+)\) = (.*)$", re.MULTILINE)
_NODE = re.compile(r"nodelist\.node\.(\d+)\.(nodeid|name|ring(\d+)_addr)")
_MEMBER = re.compile(r"runtime\.(?:totem\.pg\.mrp\.srp\.)?members\.(\d+)\.(ip|status)")
_RING_ADDRESS = re.compile(r"r\((\d+)\) ip\(([^)]*)\)")


@frozen
class ParseFailure:
    """A text that is not what its source prints; the source's name and why."""

    source: str
    message: str


@frozen
class ConfiguredNode:
    """One entry of the nodelist: its position, id, name (an address where it has none) and address per ring."""

    position: int
    id: int
    name: str
    addresses: Mapping[int, str]


def entries(text: str) -> dict[str, str]:
    """Read the keys and values; lines in any other shape (hints, errors) are passed over."""
    return {match[1]: match[3] for match in _LINE.finditer(text)}


def whole(values: Mapping[str, str], key: str) -> int | None:
    """Return a key's value as a whole number, None where it is missing or none."""
    text = values.get(key, "")
    return int(text) if text.isdigit() else None


def nodes(values: Mapping[str, str]) -> tuple[ConfiguredNode, ...]:
    """Return the cluster's nodes by id: those of the nodelist, without one (Corosync 2) the members seen so far."""
    fields: dict[int, dict[str, str]] = {}
    rings: dict[int, dict[int, str]] = {}
    for key, value in values.items():
        if (match := _NODE.fullmatch(key)) is not None:
            position = int(match[1])
            fields.setdefault(position, {})[match[2]] = value
            if match[3] is not None:
                rings.setdefault(position, {})[int(match[3])] = value
    seen = _seen(values)
    # Corosync 2 may derive the id from the address, so that only the members tell it
    ids = {member.name: member.id for member in seen}
    listed = [_listed(position, said, rings.get(position, {}), ids) for position, said in fields.items()]
    return tuple(sorted(listed or seen, key=lambda node: (node.id, node.position)))


def _listed(
    position: int, said: Mapping[str, str], addresses: Mapping[int, str], ids: Mapping[str, int]
) -> ConfiguredNode:
    first = addresses[min(addresses)] if addresses else ""
    number = int(said["nodeid"]) if said.get("nodeid", "").isdigit() else ids.get(first, 0)
    return ConfiguredNode(position, number, said.get("name", first), addresses)


def _seen(values: Mapping[str, str]) -> list[ConfiguredNode]:
    found: list[ConfiguredNode] = []
    for key, value in values.items():
        match = _MEMBER.fullmatch(key)
        if match is not None and match[2] == "ip":
            addresses = {int(ring): address for ring, address in _RING_ADDRESS.findall(value)}
            first = addresses[min(addresses)] if addresses else ""
            found.append(ConfiguredNode(len(found), int(match[1]), first, addresses))
    return found


def joined(values: Mapping[str, str]) -> frozenset[int]:
    """Return the ids of the nodes that are in the membership."""
    return frozenset(
        int(match[1])
        for key, value in values.items()
        if (match := _MEMBER.fullmatch(key)) is not None and match[2] == "status" and value == "joined"
    )


def local_node(values: Mapping[str, str], known: tuple[ConfiguredNode, ...]) -> ConfiguredNode | None:
    """Return the node that was asked: by its position in the nodelist, else by its id."""
    position = whole(values, "nodelist.local_node_pos")
    number = whole(values, "runtime.votequorum.this_node_id")
    for node in known:
        if (position is not None and node.position == position) or (position is None and node.id == number):
            return node
    return None
