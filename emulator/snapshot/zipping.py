"""A zip that is made piece by piece, so that nothing larger than a piece is ever held."""

from __future__ import annotations

import io
import zipfile
import zlib
from collections.abc import Iterable, Iterator
from typing import IO, cast

PIECE = 1024 * 1024
LEVEL = 1
"""Of compression: the archive is mostly objects that cannot be compressed, and somebody waits for it."""

WORTH = 0.9
"""What the beginning of a file must shrink to, for the file to be compressed at all."""


class _Sink(io.RawIOBase):
    """Where the zip is written to; `take` gives what has come since."""

    def __init__(self) -> None:
        super().__init__()
        self._parts: list[bytes] = []
        self.size = 0

    def writable(self) -> bool:
        return True

    def write(self, data: bytes) -> int:  # type: ignore[override]
        self._parts.append(bytes(data))
        self.size += len(data)
        return len(data)

    def take(self) -> bytes:
        found, self._parts, self.size = b"".join(self._parts), [], 0
        return found


class Zipping:
    """Members are added one after the other; each addition gives the pieces that are ready by then."""

    def __init__(self) -> None:
        self._sink = _Sink()
        self._zip = zipfile.ZipFile(cast(IO[bytes], self._sink), "w", zipfile.ZIP_DEFLATED, compresslevel=LEVEL)

    def add(self, name: str, content: Iterable[bytes]) -> Iterator[bytes]:
        """A member of this content."""
        chunks = iter(content)
        first = next(chunks, b"")
        info = zipfile.ZipInfo(name)
        info.external_attr = 0o100600 << 16
        info.compress_type = zipfile.ZIP_DEFLATED if _shrinks(first) else zipfile.ZIP_STORED
        info._compresslevel = LEVEL  # type: ignore[attr-defined]
        with self._zip.open(info, "w", force_zip64=True) as member:
            member.write(first)
            yield from self._ready()
            for chunk in chunks:
                member.write(chunk)
                yield from self._ready()

    def finish(self) -> Iterator[bytes]:
        """The directory, without which it is no zip: whoever was broken off before notices."""
        self._zip.close()
        yield self._sink.take()

    def _ready(self) -> Iterator[bytes]:
        if self._sink.size >= PIECE:
            yield self._sink.take()


def _shrinks(beginning: bytes) -> bool:
    probe = beginning[: PIECE // 16]
    return len(zlib.compress(probe, LEVEL)) < WORTH * len(probe) if probe else False
