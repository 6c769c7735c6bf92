"""fastText's binary file, version 12, written and read without fastText: `model.bin`, `vectors.bin`.

https://github.com/facebookresearch/fastText/tree/v0.9.2/src: saveModel in fasttext.cc, args.cc, dictionary.cc,
densematrix.cc.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

if TYPE_CHECKING:
    from numpy.typing import NDArray

MAGIC, VERSION = 793712314, 12
ARGUMENTS = "<12id"
CBOW, SKIPGRAM, SUPERVISED = 1, 2, 3
NEGATIVE_SAMPLING, SOFTMAX, ONE_VS_ALL = 2, 3, 4
WORD, LABEL = 0, 1


class Malformed(ValueError):
    """The file is none of fastText's, or of a kind that is not read here."""


@dataclass(frozen=True)
class Arguments:
    """How a model was trained; the order of the fields is that of the file."""

    dim: int
    ws: int
    epoch: int
    min_count: int
    neg: int
    word_ngrams: int
    loss: int
    model: int
    bucket: int
    minn: int
    maxn: int
    update_rate: int = 100
    t: float = 1e-4


@dataclass(frozen=True)
class Stored:
    """A model: `input` (words + buckets, dim), `output` (labels or words, dim), as float32; words and labels with how
    often they occurred, the most frequent first."""

    arguments: Arguments
    words: Sequence[str]
    word_counts: Sequence[int]
    labels: Sequence[str]
    label_counts: Sequence[int]
    input: NDArray[Any]
    output: NDArray[Any]


def write(path: Path, stored: Stored) -> None:
    """The file of a model."""
    given = stored.arguments
    counts = [*stored.word_counts, *stored.label_counts]
    with path.open("wb") as file:
        file.write(struct.pack("<ii", MAGIC, VERSION))
        file.write(struct.pack(ARGUMENTS, *(getattr(given, name) for name in Arguments.__dataclass_fields__)))
        file.write(struct.pack("<iiiqq", len(counts), len(stored.words), len(stored.labels), sum(counts), -1))
        kinds = [WORD] * len(stored.words) + [LABEL] * len(stored.labels)
        for text, count, kind in zip([*stored.words, *stored.labels], counts, kinds, strict=True):
            file.write(text.encode() + b"\0" + struct.pack("<qb", count, kind))
        for matrix in (stored.input, stored.output):
            file.write(struct.pack("<?qq", False, *matrix.shape))
            matrix.astype("<f4", copy=False).tofile(file)


def read(path: Path) -> Stored:
    """The model of a file; Malformed when it is something else."""
    with path.open("rb") as file:
        try:
            return _read(file)
        except (struct.error, UnicodeDecodeError, ValueError) as error:
            raise Malformed(f"'{path.name}' is no model of fastText: {error}") from error


def _read(file: BinaryIO) -> Stored:
    magic, version = _take(file, "<ii")
    if (magic, version) != (MAGIC, VERSION):
        raise Malformed("it does not begin as one of version 12")
    arguments = Arguments(*_take(file, ARGUMENTS))
    size, words, _, _, pruned = _take(file, "<iiiqq")
    if pruned >= 0:
        raise Malformed("its dictionary is pruned, as that of quantized models is")
    texts, counts = [], []
    for _ in range(size):
        texts.append(_text(file))
        counts.append(_take(file, "<qb")[0])
    matrices = [_matrix(file) for _ in range(2)]
    return Stored(arguments, texts[:words], counts[:words], texts[words:], counts[words:], *matrices)


def _take(file: BinaryIO, form: str) -> tuple[Any, ...]:
    return struct.unpack(form, file.read(struct.calcsize(form)))


def _text(file: BinaryIO) -> str:
    found = bytearray()
    while (byte := file.read(1)) != b"\0":
        if not byte:
            raise Malformed("it ends within its dictionary")
        found += byte
    return found.decode("utf-8", "replace")


def _matrix(file: BinaryIO) -> NDArray[Any]:
    import numpy

    quantized, rows, columns = _take(file, "<?qq")
    if quantized:
        raise Malformed("it is quantized")
    values = numpy.fromfile(file, "<f4", rows * columns)
    return values.reshape(rows, columns)
