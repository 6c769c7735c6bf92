"""The aws-chunked encoding: `hex-size[;chunk-signature=...]CRLF bytes CRLF ... 0 CRLF trailers CRLF`.

Signatures are read over: a local S3 has no secret to verify them with.
"""

from __future__ import annotations

from typing import BinaryIO

from emulator.errors import CallerFault

_LONGEST_LINE = 8192
_MOST_TRAILERS = 32


class Unchunked:
    """The bytes inside, as a stream; `trailers` (lower-case names) are there once it has ended."""

    def __init__(self, source: BinaryIO) -> None:
        self._source = source
        self._left = 0
        self._first = True
        self._ended = False
        self.trailers: dict[str, str] = {}

    def read(self, size: int) -> bytes:
        """Up to `size` bytes; none at the end. `EOFError` when the body ends before its last chunk."""
        while not self._ended and not self._left:
            self._next()
        if self._ended:
            return b""
        data = self._source.read(min(size, self._left))
        if not data:
            raise EOFError
        self._left -= len(data)
        return data

    def _next(self) -> None:
        if not self._first and self._line():
            raise malformed()
        self._first = False
        size = self._line().partition(b";")[0].strip()
        try:
            self._left = int(size, 16)
        except ValueError as broken:
            raise malformed() from broken
        if self._left < 0:
            raise malformed()
        if not self._left:
            self._read_trailers()
            self._ended = True

    def _read_trailers(self) -> None:
        for _ in range(_MOST_TRAILERS):
            # Some clients end the body right behind the last chunk's line.
            line = self._source.readline(_LONGEST_LINE).strip()
            if not line:
                return
            name, _, value = line.decode("latin-1").partition(":")
            self.trailers[name.strip().lower()] = value.strip()
        raise malformed()

    def _line(self) -> bytes:
        line = self._source.readline(_LONGEST_LINE)
        if not line:
            raise EOFError
        if not line.endswith(b"\n"):
            raise malformed()
        return line.strip()


def malformed() -> CallerFault:
    """The body is not in chunks though its headers say so."""
    return CallerFault("The aws-chunked encoding of the request body is malformed", "InvalidChunkSizeError")
