"""The entries of a channel in order, on disk: whatever their number, memory is eight bytes for each (sixteen while
they are shuffled)."""

from __future__ import annotations

import random
import tempfile
from array import array
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

SMALL = 1 << 20
"""Bytes that are kept in memory before there is a file."""


class Roll:
    """Byte strings, written once and read in many orders. For one thread."""

    def __init__(self, entries: Iterable[bytes], folder: Path) -> None:
        """`folder` is where the (nameless) file is."""
        self._file = tempfile.SpooledTemporaryFile(max_size=SMALL, dir=str(folder))  # noqa: SIM115 closed by `close`
        self._ends = array("Q", [0])
        try:
            for entry in entries:
                self._file.write(entry)
                self._ends.append(self._ends[-1] + len(entry))
        except BaseException:
            self.close()
            raise

    def __len__(self) -> int:
        return len(self._ends) - 1

    def order(self, seed: int | None, epoch: int) -> Sequence[int]:
        """The numbers of the entries as an epoch has them: the same for the same seed, on every host."""
        if seed is None:
            return range(len(self))
        shuffled = array("Q", range(len(self)))
        random.Random(f"{seed}/{epoch}").shuffle(shuffled)
        return shuffled

    def read(self, numbers: Iterable[int]) -> Iterator[bytes]:
        """These entries."""
        for number in numbers:
            self._file.seek(self._ends[number])
            yield self._file.read(self._ends[number + 1] - self._ends[number])

    def close(self) -> None:
        """Remove the file. Idempotent."""
        self._file.close()
