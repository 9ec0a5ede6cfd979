"""Manifests in files that can be read again: none too large, and not too many of them. Pure."""

from collections.abc import Iterator, Mapping

Block = tuple[str, str]
"""What there is to say of an object, and the object."""

Blocks = Mapping[str, list[Block]]
"""Objects by the name of the file that they go to."""

LARGEST = 1 << 16
"""Bytes of a file beyond which the next object goes into another one: some thousand lines are what a person can look
through, and far less than what is read of a manifest."""

MOST = 1000
"""So many files of services there may be; who has more does not look at each one."""


def packed(blocks: Blocks, fixed: frozenset[str]) -> dict[str, list[Block]]:
    """Return the same objects in the same order, in files that a person and the agent can read.

    Services beyond `MOST` are put together by their neighbours in the order of names; what is too large for one file
    goes on in `name-2`, `name-3` …

    Args:
        blocks: the objects.
        fixed: the names of files that stay what they are: those of no service.
    """
    names = sorted(name for name in blocks if name not in fixed)
    together: dict[str, list[Block]] = {name: list(blocks[name]) for name in blocks if name in fixed}
    step = -(-len(names) // MOST)
    for index in range(0, len(names), step or 1):
        some = names[index : index + step]
        name = some[0] if len(some) == 1 else f"services-{index // step + 1}"
        together[_free(name, together)] = [block for one in some for block in blocks[one]]
    result: dict[str, list[Block]] = {}
    for name, found in together.items():
        for part in _parts(found):
            result[_free(name, result, together)] = part
    return result


def _free(name: str, *taken: Mapping[str, object]) -> str:
    """Return the name, or the first with a number that is not taken; a file's own name is its first part's."""
    used = {other.lower() for names in taken[:1] for other in names}
    reserved = {other.lower() for names in taken[1:] for other in names} - {name.lower()}
    number, free = 1, name
    while free.lower() in used | reserved:
        number += 1
        free = f"{name}-{number}"
    return free


def _parts(blocks: list[Block]) -> Iterator[list[Block]]:
    part: list[Block] = []
    size = 0
    for block in blocks:
        length = sum(len(part.encode()) for part in block)
        if part and size + length > LARGEST:
            yield part
            part, size = [], 0
        part.append(block)
        size += length
    yield part
