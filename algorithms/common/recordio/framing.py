"""RecordIO: a magic number, a word with the length, the payload, zeros up to a multiple of four bytes.

The upper three bits of that word say which part of a record a frame holds. Payloads are not looked into.
"""

from __future__ import annotations

import io
import struct
from collections.abc import Iterator
from typing import BinaryIO

MAGIC = 0xCED7230A
LENGTH_BITS = (1 << 29) - 1
LONGEST = LENGTH_BITS
"""Bytes of a record that are written as one frame."""
WHOLE, BEGIN, MIDDLE, END = 0, 1, 2, 3
HEAD = struct.Struct("<II")
MXNET = struct.pack("<I", MAGIC)
"""What stands between the parts of a record that MXNet has written: it cuts where the magic number is data, and leaves
it out (`RecordIOWriter::WriteRecord` of https://github.com/dmlc/dmlc-core)."""


class Malformed(ValueError):
    """The bytes are not recordio-protobuf; says where."""


def frames(data: bytes | BinaryIO, joint: bytes = MXNET) -> Iterator[bytes]:
    """The payload of each record, one at a time; `joint` goes between the parts of one that lies in several frames."""
    stream = io.BytesIO(data) if isinstance(data, bytes) else data
    parts: list[bytes] = []
    at = number = 0
    while head := stream.read(8):
        if len(head) < 8:
            raise cut_off(at, number)
        magic, word = HEAD.unpack(head)
        length = word & LENGTH_BITS
        if magic != MAGIC:
            raise no_frame(at, number)
        payload = stream.read(length)
        if len(payload) < length:
            raise cut_off(at, number)
        if completes(word >> 29, bool(parts), number):
            yield joint.join([*parts, payload]) if parts else payload
            parts, number = [], number + 1
        else:
            parts.append(payload)
        stream.read(-length % 4)
        at += 8 + length + (-length % 4)
    if parts:
        raise cut_off(at, number)


def framed(payload: bytes) -> list[bytes]:
    """What a record is written as: one frame, or several where it is too long for one."""
    if len(payload) <= LONGEST:
        return [head(len(payload)), payload, bytes(-len(payload) % 4)]
    step = LONGEST & ~3
    out = []
    for start in range(0, len(payload), step):
        part = payload[start : start + step]
        flag = BEGIN if not start else END if start + step >= len(payload) else MIDDLE
        out += [head(len(part), flag), part, bytes(-len(part) % 4)]
    return out


def head(length: int, flag: int = WHOLE) -> bytes:
    """What stands before a payload."""
    return HEAD.pack(MAGIC, flag << 29 | length)


def completes(flag: int, begun: bool, number: int) -> bool:
    """Whether a frame is the last one of its record."""
    if flag not in ((MIDDLE, END) if begun else (WHOLE, BEGIN)):
        raise Malformed(f"record {number} lies in several frames, and not all of them follow each other")
    return flag in (WHOLE, END)


def aligned(length: int) -> int:
    return length + 3 & ~3


def cut_off(at: int, number: int) -> Malformed:
    return Malformed(f"the frame at byte {at} is cut off (record {number})")


def no_frame(at: int, number: int) -> Malformed:
    return Malformed(f"no RecordIO frame begins at byte {at}, where record {number} should be")
