"""The answer as a record of the package `aialgs.data`: features `target`, all chances, and `shape`, (1, C, H, W)."""

from __future__ import annotations

from typing import Any

from algorithms.common.recordio import varints
from algorithms.common.recordio.protobuf import FEATURES, FLOAT32, INT32, KEY, LENGTH, VALUE, VALUES


def write(chances: Any) -> bytes:
    """One record of the chances (classes, height, width)."""
    shape = b"".join(varints.one(side) for side in (1, *chances.shape))
    return _feature("target", FLOAT32, chances.astype("<f4").tobytes()) + _feature("shape", INT32, shape)


def _feature(name: str, kind: int, values: bytes) -> bytes:
    value = _part(kind, _part(VALUES, values))
    return _part(FEATURES, _part(KEY, name.encode()) + _part(VALUE, value))


def _part(number: int, content: bytes) -> bytes:
    return varints.one(number << 3 | LENGTH) + varints.one(len(content)) + content
