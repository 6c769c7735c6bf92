"""An object as a stream of records, and records as request bodies that fit the payload limit.

Records are bytes: a line without its end, or a whole frame of RecordIO or TFRecord.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import BinaryIO

RECORDIO_MAGIC = 0xCED7230A
MEGABYTE = 1 << 20
UNLIMITED = 100 * MEGABYTE
"""What a batch of records may weigh when the job sets no limit (MaxPayloadInMB 0)."""

TOO_MUCH = "Too much data for max payload size"


class BadInput(Exception):
    """The object cannot be cut into records; the message goes to the data log."""


@dataclass(frozen=True)
class Record:
    """One record as it was in the object, and as the model is to see it."""

    given: bytes
    shown: bytes


def lines(stream: BinaryIO, limit: int) -> Iterator[bytes]:
    """Lines without their ends; blank ones are left out."""
    while line := stream.readline(limit + 2):
        text = line.rstrip(b"\r\n")
        if len(text) > limit:
            raise BadInput(TOO_MUCH)
        if text.strip():
            yield text


def recordio(stream: BinaryIO, limit: int) -> Iterator[bytes]:
    """Frames of RecordIO; a record that was written in several parts stays together."""
    parts: list[bytes] = []
    while head := stream.read(8):
        magic, word = struct.unpack("<II", _exactly(head, 8))
        if magic != RECORDIO_MAGIC:
            raise BadInput("The object is not RecordIO: a record does not begin with the magic number")
        flag, length = word >> 29, word & 0x1FFFFFFF
        if length > limit:
            raise BadInput(TOO_MUCH)
        padded = (length + 3) // 4 * 4
        parts.append(head + _exactly(stream.read(padded), padded))
        if flag in (0, 3):
            yield b"".join(parts)
            parts = []
    if parts:
        raise BadInput("The object is not RecordIO: its last record is not complete")


def tfrecord(stream: BinaryIO, limit: int) -> Iterator[bytes]:
    """Frames of TFRecord (length, its checksum, data, their checksum)."""
    while head := stream.read(12):
        (length,) = struct.unpack("<Q", _exactly(head, 12)[:8])
        if length > limit:
            raise BadInput(TOO_MUCH)
        yield head + _exactly(stream.read(length + 4), length + 4)


def _exactly(data: bytes, size: int) -> bytes:
    if len(data) != size:
        raise BadInput("The object ends in the middle of a record")
    return data


SPLITTERS: dict[str, Callable[[BinaryIO, int], Iterator[bytes]]] = {
    "Line": lines,
    "RecordIO": recordio,
    "TFRecord": tfrecord,
}
"""By SplitType."""

SEPARATORS = {"Line": b"\n", "RecordIO": b"", "TFRecord": b""}
"""What stands between the records of one request."""


def packed(records: Iterable[Record], separator: bytes, limit: int, single: bool) -> Iterator[list[Record]]:
    """Groups of whole records whose bodies fit the limit: one record each, or as many as there is room for."""
    group: list[Record] = []
    size = 0
    for record in records:
        if len(record.shown) > limit:
            raise BadInput(TOO_MUCH)
        if group and (single or size + len(separator) + len(record.shown) > limit):
            yield group
            group, size = [], 0
        size += len(record.shown) + (len(separator) if group else 0)
        group.append(record)
    if group:
        yield group
