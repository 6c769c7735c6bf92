"""A training job of one of JumpStart's models for the tests: the scripts out of the bucket, and tables to learn."""

from __future__ import annotations

import contextlib
import io
import json
import tarfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from algorithms import catalog
from tests.algorithms.job import Ended, Server
from tests.algorithms.script import Script

BUCKET = catalog.JUMPSTART + "us-east-1"


def objects() -> dict[str, bytes]:
    return dict(catalog.published(BUCKET))


def spec(model_id: str) -> dict:
    listed = {row["model_id"]: row["spec_key"] for row in json.loads(objects()["models_manifest.json"])}
    return json.loads(objects()[listed[model_id]])


def table(task: str, rows: int = 600, seed: int = 7, labels: int = 2) -> np.ndarray:
    """Target and four features, of which the fourth is a category that matters; features to four digits."""
    draw = np.random.default_rng(seed)
    features = draw.uniform(-1, 1, (rows, 3)).round(4)
    kind = draw.integers(0, 5, rows)
    score = 2 * features[:, 0] - features[:, 1] ** 2 + np.where(np.isin(kind, (1, 4)), 1.5, -0.5)
    noisy = score + draw.normal(0, 0.1, rows)
    if task == "regression":
        return np.column_stack([noisy.round(4), features, kind])
    cuts = np.quantile(score, np.linspace(0, 1, labels + 1)[1:-1])
    return np.column_stack([np.searchsorted(cuts, noisy), features, kind])


def text(rows: np.ndarray) -> str:
    return "\n".join(",".join(f"{value:g}" for value in row) for row in rows) + "\n"


class Tabular(Script):
    """A job whose code is what the bucket has for a model."""

    variables: dict[str, str] = {}
    """Of the job's environment."""

    def __init__(self, base: Path, model_id: str) -> None:
        self.spec = spec(model_id)
        image = self.spec["training_instance_type_variants"]["variants"]["m5"]["properties"]["image_uri"]
        super().__init__(base, catalog.find(image).name)
        with tarfile.open(fileobj=io.BytesIO(objects()[self.spec["training_script_key"]])) as tar:
            tar.extractall(self.code, filter="data")

    def fit(self, hyperparameters: dict | None = None, *channels: str) -> Ended:
        self.ask(hyperparameters, *channels)
        return self.train(TMPDIR=str(self.temporary), OMP_NUM_THREADS="1", **self.variables)

    def ask(self, hyperparameters: dict | None = None, *channels: str) -> None:
        """Configure the job."""
        given = {"sagemaker_program": "transfer_learning.py", "sagemaker_submit_directory": str(self.code)}
        self.prepare({**given, **(hyperparameters or {})}, **dict.fromkeys(channels or ("training",), "text/csv"))

    @contextlib.contextmanager
    def served(self) -> Iterator[Server]:
        with self.serve(TMPDIR=str(self.temporary)) as server:
            yield server


class Network(Tabular):
    """A job of a network, which may begin from scratch."""

    variables = {"SAGELET_TRAIN_FROM_SCRATCH": "true"}
