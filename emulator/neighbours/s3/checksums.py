"""S3's additional checksums: computed while bytes pass, compared with what the caller sent, combined over parts.

CRC32, MD5 and the SHAs are the standard library's. The others are verified where `awscrt` is installed, and kept as
the caller sent them where it is not.
"""

from __future__ import annotations

import base64
import hashlib
import zlib
from collections.abc import Callable, Iterable, Mapping
from functools import lru_cache
from typing import Any, Protocol

ALGORITHMS = (
    "CRC32", "CRC32C", "CRC64NVME", "SHA1", "SHA256", "SHA512", "MD5", "XXHASH64", "XXHASH3", "XXHASH128",
)  # fmt: skip
COMPOSITE, FULL_OBJECT = "COMPOSITE", "FULL_OBJECT"
_CRCS: Mapping[str, tuple[int, int]] = {
    "CRC32": (32, 0xEDB88320),
    "CRC32C": (32, 0x82F63B78),
    "CRC64NVME": (64, 0x9A6C9329AC4BC9B5),
}


class Hasher(Protocol):
    """Like hashlib's."""

    def update(self, data: bytes, /) -> None:
        """Take more bytes."""
        ...

    def digest(self) -> bytes:
        """The checksum of all of them."""
        ...


class _Crc:
    """A CRC from a function (data, so far) -> so far."""

    def __init__(self, function: Callable[[bytes, int], int], width: int) -> None:
        self._function, self._width, self._value = function, width, 0

    def update(self, data: bytes) -> None:
        self._value = self._function(data, self._value)

    def digest(self) -> bytes:
        return self._value.to_bytes(self._width // 8, "big")


def member(algorithm: str) -> str:
    """The member that holds a checksum: `ChecksumCRC32`."""
    return "Checksum" + algorithm


def hasher(algorithm: str) -> Hasher | None:
    """Something that computes the checksum; None where nothing here can."""
    if algorithm == "CRC32":
        return _Crc(zlib.crc32, 32)
    if algorithm in ("SHA1", "SHA256", "SHA512", "MD5"):
        return hashlib.new(algorithm.lower(), usedforsecurity=False)
    if algorithm in _CRCS:
        try:
            from awscrt import checksums  # type: ignore[import-not-found, import-untyped, unused-ignore]
        except ImportError:
            return None
        return _Crc(getattr(checksums, algorithm.lower()), _CRCS[algorithm][0])
    return None


def encode(digest: bytes) -> str:
    """A checksum as S3 writes it."""
    return base64.b64encode(digest).decode()


def sent(params: Mapping[str, Any]) -> dict[str, str]:
    """The checksums among the parameters: algorithm -> value."""
    return {name: params[member(name)] for name in ALGORITHMS if params.get(member(name))}


def recorded(values: Mapping[str, str], kind: str = FULL_OBJECT) -> dict[str, str]:
    """Checksums as an object's facts keep them; nothing when there are none."""
    return {**{member(name): value for name, value in values.items()}, "ChecksumType": kind} if values else {}


def described(checks: Mapping[str, Any]) -> dict[str, Any]:
    """What lists tell about recorded checksums: which, not their values."""
    names = [name for name in ALGORITHMS if member(name) in checks]
    return {"ChecksumAlgorithm": names, "ChecksumType": checks["ChecksumType"]} if names else {}


def composite(algorithm: str, parts: Iterable[str]) -> str | None:
    """The checksum of the parts' checksums, with their number; None where nothing here can compute it."""
    function, raw = hasher(algorithm), [base64.b64decode(part) for part in parts]
    if function is None:
        return None
    function.update(b"".join(raw))
    return f"{encode(function.digest())}-{len(raw)}"


def whole(algorithm: str, parts: Iterable[tuple[str, int]]) -> str | None:
    """A CRC of the whole object from (CRC, size) of its parts; None for what is no CRC."""
    if algorithm not in _CRCS:
        return None
    width, polynomial = _CRCS[algorithm]
    value = 0
    for text, size in parts:
        crc = int.from_bytes(base64.b64decode(text), "big")
        value = _multiply(_shift(8 * size, width, polynomial), value, width, polynomial) ^ crc
    return encode(value.to_bytes(width // 8, "big"))


@lru_cache(maxsize=64)
def _shift(bits: int, width: int, polynomial: int) -> int:
    """x^bits modulo the polynomial, bits reflected: what `bits` zeros behind it do to a CRC (zlib's crc32_combine)."""
    power, square = 1 << (width - 1), 1 << (width - 2)
    while bits:
        if bits & 1:
            power = _multiply(square, power, width, polynomial)
        square = _multiply(square, square, width, polynomial)
        bits >>= 1
    return power


def _multiply(left: int, right: int, width: int, polynomial: int) -> int:
    product, bit = 0, 1 << (width - 1)
    while bit:
        if left & bit:
            product ^= right
        bit >>= 1
        right = (right >> 1) ^ polynomial if right & 1 else right >> 1
    return product
