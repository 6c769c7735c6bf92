"""Frames found in large pieces of a stream: many at once, where they stand as records of one kind do.

Numbers of bytes and records are those of the whole stream.
"""

from __future__ import annotations

import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, BinaryIO

from algorithms.common.recordio.framing import HEAD, LENGTH_BITS, MAGIC, aligned, completes, cut_off, no_frame

if TYPE_CHECKING:
    from numpy.typing import NDArray

BLOCK = 2 << 20
"""Bytes of a stream that are looked at together."""


@dataclass(frozen=True)
class Block:
    """Whole records of a stream: where their payloads lie in `buffer`, which changes when the next block is read."""

    buffer: NDArray[Any]
    starts: NDArray[Any]
    ends: NDArray[Any]
    first: int
    """The number of the first record in the stream."""

    def __len__(self) -> int:
        return len(self.starts)

    def payload(self, row: int) -> bytes:
        return bytes(self.buffer[self.starts[row] : self.ends[row]])


def blocks(data: bytes | BinaryIO) -> Iterator[Block]:
    """The records of a stream, as many at once as fit into BLOCK bytes; parts of a record are joined without a joint.

    That is how Amazon's own reader joins them (`core_instance_reader.cc` of https://github.com/awslabs/ml-io).
    """
    window = _Window(data)
    number = 0
    while len(window.seen):
        if not _begins(window.seen):
            raise no_frame(window.at, number)
        found, after = _boundaries(window.seen, number)
        if found is None and window.grow():
            continue
        if found is None:
            raise cut_off(window.at, number)
        number += len(found)
        yield found
        window.take(after)


class _Window:
    """The part of a stream that is being looked at. It begins with a frame."""

    def __init__(self, data: bytes | BinaryIO) -> None:
        import numpy

        self._stream = io.BytesIO(data) if isinstance(data, bytes) else data
        self._buffer = numpy.empty(BLOCK, dtype=numpy.uint8)
        self._filled = 0
        self.at = 0
        """Bytes of the stream before it."""
        self._fill()

    @property
    def seen(self) -> NDArray[Any]:
        return self._buffer[: self._filled]

    def take(self, size: int) -> None:
        """Go on behind the first `size` bytes."""
        rest = self._buffer[size : self._filled]
        self.at += min(size, self._filled)
        self._buffer[: len(rest)] = rest
        self._filled = len(rest)
        self._fill()

    def grow(self) -> bool:
        """See twice as much; False when there is no more."""
        import numpy

        if self._filled < len(self._buffer):
            return False
        larger = numpy.empty(2 * len(self._buffer), dtype=numpy.uint8)
        larger[: self._filled] = self._buffer
        self._buffer = larger
        return self._fill()

    def _fill(self) -> bool:
        before = self._filled
        room = memoryview(self._buffer)
        while self._filled < len(room) and (size := self._stream.readinto(room[self._filled :])):
            self._filled += size
        return self._filled > before


def _boundaries(seen: NDArray[Any], number: int) -> tuple[Block | None, int]:
    """The whole records at the beginning of `seen`, None if there is none, and where they end."""
    starts, lengths, flags = _even(seen) or _chained(seen) or _walked(seen)
    if not len(starts):
        return None, 0
    if flags.any():
        return _joined(seen, list(zip(starts.tolist(), lengths.tolist(), flags.tolist(), strict=True)), number)
    after = int(starts[-1]) + aligned(int(lengths[-1]))
    return Block(seen, starts, starts + lengths, number), after


Frames = tuple["NDArray[Any]", "NDArray[Any]", "NDArray[Any]"]
"""Where payloads start, their lengths, their flags."""


def _even(seen: NDArray[Any]) -> Frames | None:
    """Frames of one length; None when they are not."""
    import numpy

    if len(seen) < 16:
        return None
    words = _words(seen)
    step = 8 + aligned(int(words[1]) & LENGTH_BITS)
    count = len(seen) // step
    heads = words[: count * step // 4].reshape(count, step // 4)[:, :2]
    if count < 2 or (heads[1] != heads[0]).any():
        return None
    same = (heads == heads[0]).all(axis=1)
    if not same.all():
        count = int(same.argmin())
        if count * step < len(seen) // 2:
            return None
    starts = numpy.arange(8, 8 + count * step, step, dtype=numpy.int64)
    return starts, numpy.full(count, int(words[1]) & LENGTH_BITS), numpy.full(count, int(words[1]) >> 29)


def _chained(seen: NDArray[Any]) -> Frames | None:
    """Frames that begin wherever the magic number is found; None when it is found elsewhere, or not where it should."""
    import numpy

    words = _words(seen)
    found = numpy.flatnonzero(words[:-1] == MAGIC)
    if not len(found) or found[0]:
        return None
    starts = found * 4 + 8
    lengths = (words[found + 1] & LENGTH_BITS).astype(numpy.int64)
    if not numpy.array_equal((starts + (lengths + 3 & ~3))[:-1], starts[1:] - 8):
        return None
    if starts[-1] + lengths[-1] > len(seen):
        starts, lengths, found = starts[:-1], lengths[:-1], found[:-1]
    return starts, lengths, (words[found + 1] >> 29).astype(numpy.int64)


def _walked(seen: NDArray[Any]) -> Frames:
    """Frames one after the other, up to what is none."""
    import numpy

    found, at = [], 0
    while at + 8 <= len(seen):
        magic, word = HEAD.unpack_from(seen, at)
        length = word & LENGTH_BITS
        if magic != MAGIC or at + 8 + length > len(seen):
            break
        found.append((at + 8, length, word >> 29))
        at += 8 + aligned(length)
    starts, lengths, flags = numpy.array(found, dtype=numpy.int64).reshape(-1, 3).T
    return starts, lengths, flags


def _joined(seen: NDArray[Any], found: Sequence[tuple[int, int, int]], number: int) -> tuple[Block | None, int]:
    """The whole records with their parts next to each other."""
    import numpy

    joined: list[NDArray[Any]] = []
    ends, length, done, after = [], 0, 0, 0
    parts = 0
    for start, size, flag in found:
        joined.append(seen[start : start + size])
        length += size
        if completes(flag, parts > 0, number + len(ends)):
            ends.append(length)
            done, after, parts = len(joined), start + aligned(size), 0
        else:
            parts += 1
    if not ends:
        return None, 0
    behind = numpy.array(ends, dtype=numpy.int64)
    return Block(numpy.concatenate(joined[:done]), numpy.concatenate([[0], behind[:-1]]), behind, number), after


def _words(seen: NDArray[Any]) -> NDArray[Any]:
    return seen[: len(seen) & ~3].view("<u4")


def _begins(seen: NDArray[Any]) -> bool:
    """Whether it begins with a frame, as far as one can see."""
    return len(seen) < 8 or int(_words(seen)[0]) == MAGIC
