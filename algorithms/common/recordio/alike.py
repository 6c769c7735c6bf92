"""Records that have the same fields in the same order, found and taken apart together, as arrays.

A `Layout` is learned from one record. It is a list of steps: bytes that must be the same, and lengths that may differ;
a length leads over a leaf (a `Span`, the part of a tensor that is wanted, or nothing of interest) or into a message.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from algorithms.common.recordio import protobuf, varints
from algorithms.common.recordio.blocks import Block
from algorithms.common.recordio.places import Span, anywhere, strided
from algorithms.common.recordio.protobuf import FEATURES, KEY, LABEL, LENGTH, STORED, VALUE, VALUES, Field

if TYPE_CHECKING:
    from numpy.typing import NDArray

SAME, OVER, INTO, OUT = "same bytes", "a length, over its content", "a length, into its message", "the message's end"
LABELS = 0
"""The part of a record that holds its label; the parts of its features are VALUES, KEYS and SHAPE."""
Step = tuple[str, bytes, "int | None"]
"""What it is, the bytes of SAME, and the part of OVER (None for what is not wanted)."""


@dataclass(frozen=True)
class Layout:
    """What records look like, and how the numbers of their features and labels are stored (0: there are none)."""

    steps: tuple[Step, ...]
    kind: int
    label_kind: int

    def match(self, block: Block, rows: NDArray[Any]) -> tuple[NDArray[Any], dict[int, Span]]:
        """Which of the rows look so, and the parts of each row (of those that do not: anything)."""
        import numpy

        step = block.starts[rows[0] + 1] - block.starts[rows[0]] if len(rows) == len(block) > 1 else 0
        if step and (numpy.diff(block.starts) == step).all():
            found = self._match_even(block, int(step))
            if found is not None:
                return found
        return self._walk(block.buffer, block.starts[rows], block.ends[rows])

    def _match_even(self, block: Block, step: int) -> tuple[NDArray[Any], dict[int, Span]] | None:
        """Of records that follow each other evenly, if all are like the first in everything but the wanted parts."""
        import numpy

        count, start, end = len(block), int(block.starts[0]), int(block.ends[0])
        good, first = self._walk(block.buffer, block.starts[:1], block.ends[:1])
        if not good[0] or (block.ends - block.starts != end - start).any():
            return None
        wanted = sorted((int(at[0]), int(at[0] + size[0])) for at, size in first.values())
        for begin, stop in zip([start, *(stop for _, stop in wanted)], [*(at for at, _ in wanted), end], strict=True):
            columns = strided(block.buffer, begin, (count, stop - begin), step)
            if (columns != columns[0]).any():
                return None
        places = numpy.arange(count, dtype=numpy.int64) * step
        spans = {part: (at + places, numpy.repeat(size, count)) for part, (at, size) in first.items()}
        return numpy.ones(count, dtype=bool), spans

    def _walk(self, buffer: NDArray[Any], starts: NDArray[Any], ends: NDArray[Any]) -> Any:
        """All records at once, step by step. Where one goes wrong it goes on somewhere, and does not end at its end."""
        import numpy

        at, good = starts.copy(), numpy.ones(len(starts), dtype=bool)
        spans: dict[int, Span] = {}
        inside: list[NDArray[Any]] = []
        for what, text, part in self.steps:
            if what == SAME:
                good &= _read_text(buffer, at, len(text)) == text
                at += len(text)
            elif what == OUT:
                good &= at == inside.pop()
            else:
                length, at = _read_length(buffer, at, good)
                if what == INTO:
                    inside.append(at + length)
                else:
                    if part is not None:
                        spans[part] = at, length
                    at = at + length
        return good & (at == ends), spans


def learn(data: bytes, name: str) -> Layout | None:
    """The layout of a record with these features; None when it is too odd to be told from one record."""
    records = list(protobuf.fields(data, 0, len(data)))
    label = _label_of(data, records)
    found = _Learned(data, {FEATURES: name.encode(), LABEL: label})
    try:
        for field in records:
            found.field(field)
    except _Odd:
        return None
    return Layout(tuple(found.steps), found.kinds[FEATURES], found.kinds[LABEL]) if found.kinds[FEATURES] else None


class _Odd(Exception):
    """Something that other records are not likely to have as well."""


class _Learned:
    """The steps through a record."""

    def __init__(self, data: bytes, wanted: Mapping[int, bytes | None]) -> None:
        self._data = data
        self._wanted = wanted
        self.steps: list[Step] = []
        self.kinds = {FEATURES: 0, LABEL: 0}

    def field(self, field: Field) -> None:
        number, _, at, end = field
        if number not in self._wanted:
            self._leaf(field)
            return
        entry = self._fields(at, end)
        if [one[:2] for one in entry] != [(KEY, LENGTH), (VALUE, LENGTH)]:
            raise _Odd
        (_, _, start, stop), values = entry
        name = self._data[start:stop]
        self._into(field)
        self._same(bytes([KEY << 3 | LENGTH]) + varints.one(len(name)) + name)
        self._value(number, values, name == self._wanted[number])
        self.steps.append((OUT, b"", None))

    def _value(self, number: int, field: Field, wanted: bool) -> None:
        content = self._fields(*field[2:])
        if not wanted:
            self._leaf(field)
            return
        if len(content) != 1 or content[0][0] not in STORED or content[0][1] != LENGTH or self.kinds[number]:
            raise _Odd
        self.kinds[number] = content[0][0]
        self._into(field)
        self._into(content[0])
        parts = self._fields(*content[0][2:])
        if len({part[0] for part in parts}) < len(parts):
            raise _Odd
        for part in parts:
            known = part[0] in (protobuf.VALUES, protobuf.KEYS, protobuf.SHAPE)
            self._leaf(
                part, (part[0] if number == FEATURES else LABELS if part[0] == VALUES else None) if known else None
            )
        self.steps += [(OUT, b"", None)] * 2

    def _leaf(self, field: Field, part: int | None = None) -> None:
        if field[1] != LENGTH:
            raise _Odd
        self._tag(field)
        self.steps.append((OVER, b"", part))

    def _into(self, field: Field) -> None:
        if field[1] != LENGTH:
            raise _Odd
        self._tag(field)
        self.steps.append((INTO, b"", None))

    def _tag(self, field: Field) -> None:
        self._same(varints.one(field[0] << 3 | LENGTH))

    def _same(self, text: bytes) -> None:
        """Neighbours are one step. None ends with a zero, at which numpy's comparison of texts would not look."""
        if self.steps and self.steps[-1][0] == SAME:
            text = self.steps.pop()[1] + text
        self.steps.append((SAME, text, None))

    def _fields(self, at: int, end: int) -> list[Field]:
        return list(protobuf.fields(self._data, at, end))


def _label_of(data: bytes, records: Iterable[Field]) -> bytes | None:
    """The label that counts: `values`, else the first."""
    names = []
    for number, wire, at, end in records:
        if (number, wire) == (LABEL, LENGTH):
            names += [data[f[2] : f[3]] for f in protobuf.fields(data, at, end) if f[:2] == (KEY, LENGTH)]
    return b"values" if b"values" in names else names[0] if names else None


def _read_text(buffer: NDArray[Any], at: NDArray[Any], size: int) -> NDArray[Any]:
    import numpy

    if len(buffer) < size:
        return numpy.zeros(len(at), dtype="S1")
    return anywhere(buffer, f"S{size}")[numpy.minimum(at, len(buffer) - size)]


def _read_length(buffer: NDArray[Any], at: NDArray[Any], good: NDArray[Any]) -> tuple[NDArray[Any], NDArray[Any]]:
    """The lengths that stand at `at`, and where their contents begin; what has too many bytes is no longer good."""
    import numpy

    length = numpy.zeros(len(at), dtype=numpy.int64)
    open_ = numpy.ones(len(at), dtype=bool)
    for shift in range(0, 35, 7):
        byte = buffer[numpy.minimum(at, len(buffer) - 1)]
        length += numpy.where(open_, (byte & 127).astype(numpy.int64) << shift, 0)
        at = at + open_
        open_ = open_ & (byte > 127)
        if not open_.any():
            break
    good &= ~open_
    return length, at
