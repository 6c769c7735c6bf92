"""How fast training data are read and written: recordio-protobuf against what is demanded and bare files, CSV against
numpy. Each is one thread on files in memory, so that the seconds are those of the processor."""

from __future__ import annotations

import contextlib
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from benchmarks.rows import Figures

DEMANDED = 150.0
"""MB/s."""
MEGABYTES = 64
CSV_ROWS = 20_000


class Formats:
    """Files of each form, and how each side reads or writes them."""

    def __init__(self, stack: contextlib.ExitStack) -> None:
        import numpy
        from scipy.sparse import csr_matrix

        from algorithms.common import recordio

        self.folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        chance = numpy.random.default_rng(0)
        self.wide, self.narrow = (chance.normal(size=(MEGABYTES * 250_000 // w, w)).astype("f4") for w in (100, 10))
        counts = chance.integers(1, 100, MEGABYTES * 3000)
        starts = numpy.concatenate([[0], numpy.cumsum(counts)])
        columns = chance.integers(0, 10_000, starts[-1])
        self.sparse = csr_matrix((chance.normal(size=starts[-1]).astype("f4"), columns, starts), (len(counts), 10_000))
        for name in ("wide", "narrow", "sparse"):
            rows = getattr(self, name)
            (self.folder / name).write_bytes(recordio.write_features(rows, numpy.arange(rows.shape[0], dtype="f4")))
        numbers = chance.normal(size=(CSV_ROWS, 40))
        (self.folder / "text").write_text("".join(",".join(map(repr, row)) + "\n" for row in numbers.tolist()))

    def rates(self) -> list[Figures]:
        """MB/s of reading and writing records, and those that are demanded."""
        from algorithms.common import recordio

        reads = [self._rate(name, lambda path: recordio.load([path])) for name in ("wide", "narrow", "sparse")]
        writes = [self._rate(name, self._write(name)) for name in ("wide", "narrow", "sparse")]
        return [(rate, DEMANDED) for rate in reads + writes]

    def ratios(self) -> list[Figures]:
        """MB/s of records and of the bare bytes, of CSV and of numpy's reader."""
        import numpy

        from algorithms.common import csv_table, recordio

        with contextlib.redirect_stdout(None):
            csv = self._rate("text", lambda path: csv_table.read([path]))
        return [
            (
                self._rate("wide", lambda path: recordio.load([path])),
                self._rate("wide", lambda path: numpy.frombuffer(path.read_bytes(), "f4").copy()),
            ),
            (csv, self._rate("text", lambda path: numpy.loadtxt(path, delimiter=","))),
        ]

    def _write(self, name: str) -> Callable[[Path], None]:
        from algorithms.common import recordio

        rows = getattr(self, name)
        labels = rows[:, [0]].toarray() if name == "sparse" else rows[:, 0]

        def write(_: Path) -> None:
            with (self.folder / "written").open("wb") as stream:
                for block in recordio.feature_blocks(rows, labels):
                    stream.write(block)

        return write

    def _rate(self, name: str, work: Callable[[Path], Any]) -> float:
        path = self.folder / name
        began = time.process_time()
        work(path)
        return path.stat().st_size / 1e6 / (time.process_time() - began)
