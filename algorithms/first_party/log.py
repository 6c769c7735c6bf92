"""The log of the first-party images, to the letter of what their metric regexes and users' programs look for."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Mapping
from typing import Any

Number = float | int


class Log:
    """Lines of one host. Times are seconds since the epoch, durations milliseconds."""

    def __init__(self, title: str, host: str) -> None:
        self._title, self._host = title, host
        self._start = time.time()
        self._seen: dict[str, list[int]] = {}

    def info(self, text: str, level: str = "INFO") -> None:
        """`[05/19/2023 21:07:04 INFO 140276281280320] text`"""
        stamp = time.strftime("%m/%d/%Y %H:%M:%S", time.gmtime())
        print(f"[{stamp} {level} {threading.get_ident()}] {text}", flush=True)

    def metrics(
        self, values: Mapping[str, Number], operation: str = "training", since: float | None = None, **dimensions: Any
    ) -> None:
        """A line `#metrics {...}`: each value as sum, count, min and max. `since` is when what they measure began."""
        dimensions = {"Algorithm": self._title, "Host": self._host, "Operation": operation} | dimensions
        shown = {name: {"sum": float(v), "count": 1, "min": v, "max": v} for name, v in values.items()}
        end = time.time()
        line = {
            "StartTime": end if since is None else since,
            "EndTime": end,
            "Dimensions": dimensions,
            "Metrics": shown,
        }
        print(f"#metrics {json.dumps(line)}", flush=True)

    def seen(self, records: int, batches: int, meta: str = "training_data_iter", **dimensions: Any) -> None:
        """What a data iterator has read since the last such line."""
        total = self._seen.setdefault(meta, [0, 0, 0])
        total[0] += records
        total[1] += batches
        total[2] += 1
        self.metrics(
            {
                "Total Records Seen": float(total[0]),
                "Total Batches Seen": float(total[1]),
                "Max Records Seen Between Resets": float(records),
                "Max Batches Seen Between Resets": float(batches),
                "Reset Count": float(total[2]),
                "Number of Records Since Last Reset": float(records),
                "Number of Batches Since Last Reset": float(batches),
            },
            Meta=meta,
            **dimensions,
        )

    def quality(self, split: str, name: str, value: Number, kind: str = "loss", **at: int) -> None:
        """`#quality_metric: host=algo-1, epoch=0, batch=0 train rmse <loss>=72.2`; `kind` is loss or score.

        `at`: epoch, batch. With a batch the comma before the split is missing, as in the images' own lines.
        """
        where = ", ".join([f"host={self._host}", *(f"{word}={number}" for word, number in at.items())])
        comma = "" if "batch" in at else ","
        print(f"#quality_metric: {where}{comma} {split} {name} <{kind}>={value}", flush=True)

    def score(self, split: str, name: str, value: Number) -> None:
        """`#test_score (algo-1) : ('rmse', 68.73)`"""
        self.info(f"#{split}_score ({self._host}) : ('{name}', {value})")

    def progress(self, done: int, total: int) -> None:
        """`#progress_metric: host=algo-1, completed 5.0 % of epochs`"""
        self.info(f"#progress_metric: host={self._host}, completed {100.0 * done / max(total, 1)} % of epochs")

    def throughput(self, records: int, since: float) -> None:
        """`#throughput_metric: host=algo-1, train throughput=105657.87 records/second`"""
        rate = records / max(time.time() - since, 1e-9)
        self.info(f"#throughput_metric: host={self._host}, train throughput={rate} records/second")

    def early_stopping(self, epoch: int, criteria: str, value: Number) -> None:
        self.info(
            f"#early_stopping_criteria_metric: host={self._host}, epoch={epoch}, criteria={criteria}, value={value}"
        )

    def final(self, set_up: float) -> None:
        """`setuptime` and `totaltime`, in milliseconds; `set_up` is when training could begin."""
        end = time.time()
        self.metrics(
            {"setuptime": 1000 * (set_up - self._start), "totaltime": 1000 * (end - self._start)}, since=self._start
        )
