"""Request bodies as files that end where the body ends, and that notice when the client stopped in the middle."""

from __future__ import annotations

import io
from typing import BinaryIO

from emulator.errors import CallerFault

CHUNK = 64 * 1024
LINE_LIMIT = 8 * 1024


def incomplete(message: str) -> CallerFault:
    """The error for a body that ends too early, by the name that S3 has for it."""
    return CallerFault(message, code="IncompleteBody")


class KnownBody(io.RawIOBase):
    """A body of `length` bytes (Content-Length)."""

    def __init__(self, source: BinaryIO, length: int) -> None:
        super().__init__()
        self._source = source
        self._left = self.length = length

    def readable(self) -> bool:
        return True

    def read(self, size: int | None = -1) -> bytes:
        """Up to `size` bytes, or all that is left; never fewer than that while the client still sends."""
        wanted = self._left if size is None or size < 0 else min(size, self._left)
        if wanted == 0:
            return b""
        found = _read(self._source, wanted)
        self._left -= len(found)
        if len(found) < wanted:
            left, self._left = self._left, 0
            raise incomplete(f"The body ended {left} bytes before the {self.length} of its Content-Length.")
        return found

    def readinto(self, buffer: bytearray) -> int:  # type: ignore[override]
        found = self.read(len(buffer))
        buffer[: len(found)] = found
        return len(found)


class ChunkedBody(io.RawIOBase):
    """A body in the chunked transfer coding. A chunk is never held whole, however large the client makes it."""

    def __init__(self, source: BinaryIO) -> None:
        super().__init__()
        self._source = source
        self._left = 0
        self._first = True
        self._ended = False

    def readable(self) -> bool:
        return True

    def read(self, size: int | None = -1) -> bytes:
        """Up to `size` bytes, or all that is left; fewer only at the end."""
        parts: list[bytes] = []
        wanted = -1 if size is None or size < 0 else size
        while wanted != 0 and not self._ended:
            if self._left == 0 and not self._next_chunk():
                break
            found = _read(self._source, min(self._left, CHUNK) if wanted < 0 else min(self._left, wanted))
            if not found:
                self._fail("in the middle of a chunk")
            self._left -= len(found)
            wanted -= len(found) if wanted > 0 else 0
            parts.append(found)
        return b"".join(parts)

    def readinto(self, buffer: bytearray) -> int:  # type: ignore[override]
        found = self.read(len(buffer))
        buffer[: len(found)] = found
        return len(found)

    def _next_chunk(self) -> bool:
        if not self._first and self._line():
            self._fail("where a chunk should end")
        self._first = False
        digits = self._line().partition(b";")[0].strip()
        try:
            self._left = int(digits, 16)
        except ValueError:
            self._fail(f"with the chunk size {digits[:20]!r}")
        if self._left < 0:
            self._fail("with a negative chunk size")
        if self._left:
            return True
        while self._line():  # trailers
            pass
        self._ended = True
        return False

    def _line(self) -> bytes:
        line = self._source.readline(LINE_LIMIT)
        if not line.endswith(b"\n"):
            self._fail("in the middle of a line")
        return line.strip()

    def _fail(self, where: str) -> None:
        self._ended = True
        raise incomplete(f"The chunked body is broken off or malformed {where}.")


def _read(source: BinaryIO, size: int) -> bytes:
    try:
        return source.read(size)
    except OSError as error:  # hung up, or silent for too long
        raise incomplete(f"The body did not come whole ({error}).") from None


def drain(body: BinaryIO) -> None:
    """Read the rest away: a client that is still sending does not see the answer before it is done."""
    while body.read(CHUNK):
        pass
