"""The text of a document, kept small: of a large one much is held, and little is ever read again. Pure."""

import re
import zlib
from codecs import getincrementaldecoder
from collections.abc import Iterable, Iterator

_CHUNK = 1 << 14
_LONGEST = 64


class Source:
    """A text that is kept compressed, a CIB to a twentieth."""

    def __init__(self, text: str = "") -> None:
        self._packed: list[bytes] = []
        if text:
            for _ in self.taking(in_chunks(text)):
                pass

    def taking(self, chunks: Iterable[str]) -> Iterator[str]:
        """Let a text go by, and keep it once it has gone by to its end."""
        packer, packed = zlib.compressobj(1), []
        for chunk in chunks:
            packed.append(packer.compress(chunk.encode("utf-8", "surrogatepass")))
            yield chunk
        packed.append(packer.flush())
        self._packed = [part for part in packed if part]

    def __bool__(self) -> bool:
        return bool(self._packed)

    @property
    def text(self) -> str:
        """The whole of it."""
        return "".join(self.chunks())

    def chunks(self) -> Iterator[str]:
        """Yield it piece by piece."""
        unpacker, decoder = zlib.decompressobj(), getincrementaldecoder("utf-8")("surrogatepass")
        for part in self._packed:
            packed = part
            while packed:
                yield decoder.decode(unpacker.decompress(packed, _CHUNK))
                packed = unpacker.unconsumed_tail
        yield decoder.decode(unpacker.flush(), final=True)

    def has(self, pattern: re.Pattern[str]) -> bool:
        """Tell whether something of at most 64 characters is in it."""
        before = ""
        for chunk in self.chunks():
            if pattern.search(before + chunk):
                return True
            before = chunk[-_LONGEST:]
        return False

    def count(self, word: str) -> int:
        """Return how often a word is in it."""
        found, before = 0, ""
        for chunk in self.chunks():
            window = before + chunk
            found += window.count(word)
            before = window[len(window) - len(word) + 1 :] if len(word) > 1 else ""
        return found


def in_chunks(text: str) -> Iterator[str]:
    """Yield a text piece by piece."""
    yield from (text[begin : begin + _CHUNK] for begin in range(0, len(text), _CHUNK))
