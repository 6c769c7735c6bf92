"""The files and pipes of a channel as streams of bytes, unpacked where they begin as gzip does."""

from __future__ import annotations

import contextlib
import gzip
import io
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, cast

from algorithms.common.faults import UserError

GZIP = b"\x1f\x8b"
CHUNK = 256 << 10
"""Bytes of a packed stream that are unpacked at once."""


@contextlib.contextmanager
def reading(path: Path) -> Iterator[BinaryIO]:
    """The content of a file or a pipe; UserError when it is gzip, but broken."""
    with path.open("rb") as packed:
        try:
            yield plain(packed)
        except (EOFError, zlib.error, gzip.BadGzipFile) as error:
            what = "pipe" if path.is_fifo() else "file"
            raise UserError(f"The gzip data of {what} '{path.name}' cannot be unpacked: {error}") from error


def plain(stream: io.BufferedReader) -> BinaryIO:
    """The stream, or what gzip has packed in it: one object, or several behind each other."""
    begins = stream.peek(len(GZIP))[: len(GZIP)]
    if not begins or not GZIP.startswith(begins):  # A pipe may hold no more than one byte yet.
        return stream
    return io.BufferedReader(cast(io.RawIOBase, gzip.GzipFile(fileobj=stream)), CHUNK)
