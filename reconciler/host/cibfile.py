"""A CIB in a file, read without ever holding its whole text.

Pacemaker's tools read what its scheduler keeps of each transition, `pe-input-7.bz2`, as it stands; so does this.
"""

from codecs import getincrementaldecoder
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from reconciler.cib import document
from reconciler.cib.document import Cib
from reconciler.host.directory import explain

if TYPE_CHECKING:
    from bz2 import BZ2File

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
        why = explain(error) if error.errno else "what is called .bz2 is not compressed with bzip2, or is damaged"
        raise UnreadableError(f"{file}: cannot be read: {why}") from error
    except EOFError as error:
        raise UnreadableError(f"{file}: cannot be read: it is cut short") from error


def is_packed(file: Path) -> bool:
    """Tell whether it is one that is only read: Pacemaker's tools go by the name too."""
    return file.suffix == ".bz2"


def _opened(file: Path) -> "BinaryIO | BZ2File":
    if not is_packed(file):
        return file.open("rb")
    from bz2 import BZ2File  # noqa: PLC0415  only for these

    return BZ2File(file)


def _chunks(file: Path) -> Iterator[str]:
    decoder = getincrementaldecoder("utf-8")()
    begin = 0
    with _opened(file) as stream:
        while chunk := stream.read(_CHUNK):
            yield _decoded(decoder.decode, chunk, begin - len(decoder.getstate()[0]), file)
            begin += len(chunk)
    yield _decoded(lambda rest: decoder.decode(rest, final=True), b"", begin - len(decoder.getstate()[0]), file)


def _decoded(decode: Callable[[bytes], str], chunk: bytes, begin: int, file: Path) -> str:
    try:
        return decode(chunk)
    except UnicodeDecodeError as error:
        raise UnreadableError(f"{file}: cannot be read: not UTF-8 at byte {begin + error.start}") from error
