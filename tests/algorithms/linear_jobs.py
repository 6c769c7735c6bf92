"""Jobs of Linear Learner for the tests, run in this process: a second less each."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from algorithms.linear_learner import artifact, train
from algorithms.linear_learner.model import Linear
from tests.algorithms.job import Job
from tests.contracts.first_party_contract import csv


@dataclass
class Done:
    """How a job ended: its exit status, its log, its failure, and its model."""

    code: int
    log: str
    failure: str
    folder: Path

    @property
    def model(self) -> Linear:
        return artifact.read((self.folder / "model/model_algo-1").read_bytes(), "model_algo-1")

    def metric(self, name: str) -> float:
        """The value of the last quality metric that ends so: `validation mse <loss>`."""
        [*_, line] = [line for line in self.log.splitlines() if f"{name}=" in line and "quality_metric" in line]
        return float(line.rpartition("=")[2])


class Jobs:
    """Makes jobs below a folder."""

    def __init__(self, folder: Path, patch: pytest.MonkeyPatch, capture: Any) -> None:
        self._folder, self._patch, self._capture, self._number = folder, patch, capture, 0

    def run(self, values: Mapping[str, Any], **channels: Any) -> Done:
        """Channels are (features, labels), or the content of a file."""
        self._number += 1
        job = Job(self._folder / str(self._number), "linear_learner")
        job.prepare({name: str(value) for name, value in values.items()}, **dict.fromkeys(channels, "text/csv"))
        for name, content in channels.items():
            if isinstance(content, tuple):
                content = csv(np.column_stack([content[1], content[0]]))
            job.put(f"{name}/{'model.tar.gz' if name == 'model' else 'data.csv'}", content)
        self._capture.readouterr()
        self._patch.setenv("SAGEMAKER_BASE_DIR", str(job.base))
        code = train.main()
        failure = job.base / "output/failure"
        told = failure.read_text() if failure.exists() else ""
        return Done(code, self._capture.readouterr().out, told, job.base)

    def good(self, values: Mapping[str, Any], **channels: Any) -> Done:
        done = self.run(values, **channels)
        assert done.code == 0, done.failure
        return done
