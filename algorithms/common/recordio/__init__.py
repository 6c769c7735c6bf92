"""recordio-protobuf: RecordIO frames around records of the proto2 package `aialgs.data`, read and written by hand.

`read` gives each record as it is, `tables` blocks of rows as arrays, `together` joins these, `load` does all that for
files and pipes. `write_features` (in blocks: `feature_blocks`) writes rows as the SDK uploads them, `write` answers as
the algorithms give them, `write_sequences` features of any length by name.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import BinaryIO

from algorithms.common.recordio import protobuf
from algorithms.common.recordio.framing import MAGIC, Malformed, frames
from algorithms.common.recordio.protobuf import Record, Tensor
from algorithms.common.recordio.reading import Table, tables
from algorithms.common.recordio.whole import load, together
from algorithms.common.recordio.writing import feature_blocks, write, write_features, write_sequences

__all__ = [
    "MAGIC", "Malformed", "Record", "Table", "Tensor", "feature_blocks", "frames", "load", "read", "tables",
    "together", "write", "write_features", "write_sequences",
]  # fmt: skip


def read(data: bytes | BinaryIO) -> Iterator[Record]:
    """Each record, as soon as it has come; Malformed names the one that is none."""
    for number, payload in enumerate(frames(data, joint=b"")):
        try:
            record = protobuf.record(payload)
        except ValueError as error:
            raise Malformed(f"record {number} is not a protobuf record of aialgs.data: {error}") from error
        yield record
