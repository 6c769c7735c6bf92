"""CBOR, as far as the protocol smithy-rpc-v2-cbor uses it: requests of SDKs that prefer it (CloudWatch, tagging).

moto speaks JSON to these services, so bodies are translated; `Instant` marks what must be written as a timestamp.
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from typing import Any

DEEPEST = 64
_BREAK = object()
_FLOATS = {25: ">e", 26: ">f", 27: ">d"}
_SIMPLE = {20: False, 21: True, 22: None, 23: None}


class Instant(float):
    """Seconds since the epoch, written with CBOR's tag 1."""


class Malformed(ValueError):
    """The bytes are not CBOR that this reader knows."""


def decode(data: bytes) -> Any:
    """The value in `data`; a timestamp becomes an `Instant`."""
    reader = _Reader(data)
    try:
        value = reader.item(0)
    except (IndexError, struct.error, UnicodeDecodeError) as error:
        raise Malformed(str(error)) from error
    if value is _BREAK or reader.at != len(data):
        raise Malformed("trailing bytes")
    return value


class _Reader:
    def __init__(self, data: bytes) -> None:
        self.data = data
        self.at = 0

    def take(self, count: int) -> bytes:
        piece = self.data[self.at : self.at + count]
        if len(piece) != count:
            raise Malformed("the body ends too early")
        self.at += count
        return piece

    def item(self, depth: int) -> Any:
        if depth > DEEPEST:
            raise Malformed("nested too deeply")
        initial = self.take(1)[0]
        major, info = initial >> 5, initial & 31
        if major == 7:
            return self._simple(info)
        size = None if info == 31 else self._size(info)
        readers: tuple[Callable[[int | None, int], Any], ...] = (
            lambda n, _: n,
            lambda n, _: -1 - (n or 0),
            self._string,
            lambda n, d: self._string(n, d).decode(),
            self._list,
            self._map,
            self._tagged,
        )
        return readers[major](size, depth + 1)

    def _size(self, info: int) -> int:
        if info < 24:
            return info
        if info > 27:
            raise Malformed(f"length {info}")
        return int.from_bytes(self.take(1 << (info - 24)), "big")

    def _simple(self, info: int) -> Any:
        if info == 31:
            return _BREAK
        if info in _SIMPLE:
            return _SIMPLE[info]
        if info in _FLOATS:
            return struct.unpack(_FLOATS[info], self.take(1 << (info - 24)))[0]
        raise Malformed(f"simple value {info}")

    def _string(self, size: int | None, depth: int) -> bytes:
        if size is not None:
            return self.take(size)
        pieces = []
        while (piece := self.item(depth)) is not _BREAK:
            pieces.append(piece.encode() if isinstance(piece, str) else piece)
        return b"".join(pieces)

    def _list(self, size: int | None, depth: int) -> list[Any]:
        if size is not None:
            return [self.item(depth) for _ in range(min(size, len(self.data)))]
        items = []
        while (item := self.item(depth)) is not _BREAK:
            items.append(item)
        return items

    def _map(self, size: int | None, depth: int) -> dict[str, Any]:
        found: dict[str, Any] = {}
        while (size is None or len(found) < size) and (key := self.item(depth)) is not _BREAK:
            if not isinstance(key, str) or key in found:
                raise Malformed("a key is no text, or is there twice")
            found[key] = self.item(depth)
        return found

    def _tagged(self, tag: int | None, depth: int) -> Any:
        value = self.item(depth)
        return Instant(value) if tag == 1 and isinstance(value, (int, float)) else value


def encode(value: Any) -> bytes:
    """`value` (None, booleans, numbers, Instants, text, bytes, lists, maps with text keys) as CBOR."""
    out = bytearray()
    _write(out, value)
    return bytes(out)


def _head(out: bytearray, major: int, size: int) -> None:
    if size < 24:
        out.append(major << 5 | size)
        return
    power = next(p for p in range(4) if size < 1 << (8 << p))
    out.append(major << 5 | (24 + power))
    out.extend(size.to_bytes(1 << power, "big"))


def _write(out: bytearray, value: Any) -> None:
    if value is None or isinstance(value, bool):
        out.append({None: 0xF6, True: 0xF5, False: 0xF4}[value])
    elif isinstance(value, int):
        _head(out, 0 if value >= 0 else 1, value if value >= 0 else -1 - value)
    elif isinstance(value, float):
        if isinstance(value, Instant):
            out.append(0xC1)
        out.append(0xFB)
        out.extend(struct.pack(">d", value))
    elif isinstance(value, (bytes, str)):
        raw = value.encode() if isinstance(value, str) else value
        _head(out, 3 if isinstance(value, str) else 2, len(raw))
        out.extend(raw)
    elif isinstance(value, dict):
        _head(out, 5, len(value))
        for key, member in value.items():
            _write(out, key)
            _write(out, member)
    else:
        _head(out, 4, len(value))
        for member in value:
            _write(out, member)
