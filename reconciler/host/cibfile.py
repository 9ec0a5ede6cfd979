"""A CIB in a file, read without ever holding its whole text."""

from codecs import getincrementaldecoder
from collections.abc import Callable, Iterator
from pathlib import Path

from reconciler.cib import document
from reconciler.cib.document import Cib
from reconciler.host.directory import explain

_CHUNK = 1 << 16


class UnreadableError(Exception):
    """The file cannot be read, or is not text; the message is for people, and names the file."""


def read(file: Path) -> Cib:
    """Read a CIB.

    Raises:
        UnreadableError: it cannot be read.
        CibError: what was read is no CIB.
    """
    try:
        return document.read(_chunks(file))
    except OSError as error:
        raise UnreadableError(f"{file}: cannot be read: {explain(error)}") from error


def _chunks(file: Path) -> Iterator[str]:
    decoder = getincrementaldecoder("utf-8")()
    begin = 0
    with file.open("rb") as stream:
        while chunk := stream.read(_CHUNK):
            yield _decoded(decoder.decode, chunk, begin - len(decoder.getstate()[0]), file)
            begin += len(chunk)
    yield _decoded(lambda rest: decoder.decode(rest, final=True), b"", begin - len(decoder.getstate()[0]), file)


def _decoded(decode: Callable[[bytes], str], chunk: bytes, begin: int, file: Path) -> str:
    try:
        return decode(chunk)
    except UnicodeDecodeError as error:
        raise UnreadableError(f"{file}: cannot be read: not UTF-8 at byte {begin + error.start}") from error
