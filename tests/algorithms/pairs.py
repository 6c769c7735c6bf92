"""Pairs of sequences with labels that are known to follow from something: for the tests of Object2Vec."""

from __future__ import annotations

import contextlib
import importlib.util
import io
import json
import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any
from unittest import mock

import numpy as np
import pytest

from algorithms.object2vec import train as object2vec
from tests.algorithms.job import Ended, Job

JSONLINES = "application/jsonlines"
WITH_TORCH = pytest.mark.skipif(importlib.util.find_spec("torch") is None, reason="pip install 'sagelet[torch]'")


def lines(records: Iterable[Any]) -> str:
    return "".join(json.dumps(record) + "\n" for record in records)


def pair(first: Any, second: Any, label: float) -> dict[str, Any]:
    return {"in0": np.atleast_1d(first).tolist(), "in1": np.atleast_1d(second).tolist(), "label": label}


def drawn(count: int, seed: int, tokens: int = 20, longest: int = 10, classes: int = 3) -> list[dict[str, Any]]:
    """Of no meaning, but that the class is one of the first token of each side."""
    draw = np.random.default_rng(seed)
    sides = [[draw.integers(0, tokens, draw.integers(1, longest + 1)) for _ in range(count)] for _ in range(2)]
    return [pair(a, b, int(a[0] + b[0]) % classes) for a, b in zip(*sides, strict=True)]


def ordered(count: int, seed: int) -> list[dict[str, Any]]:
    """`in0` holds 0 and 1 beside each other, and the order of both, or with `in1` the other order, is the class: who
    only counts tokens knows nothing."""
    draw = np.random.default_rng(seed)
    found = []
    for _ in range(count):
        tokens = draw.integers(2, 12, draw.integers(2, 7)).tolist()
        at, kind, query = int(draw.integers(0, len(tokens) + 1)), int(draw.integers(0, 2)), int(draw.integers(0, 2))
        tokens[at:at] = [0, 1] if kind else [1, 0]
        found.append(pair(tokens, query, kind ^ query))
    return found


def rated(count: int, seed: int, noise: float = 0.3) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Users, objects, what their hidden traits make of each other, and that with noise."""
    known = np.random.default_rng(0)
    users, objects = known.normal(size=(50, 3)), known.normal(size=(60, 3))
    draw = np.random.default_rng(seed)
    user, thing = draw.integers(0, 50, count), draw.integers(0, 60, count)
    exact = (users[user] * objects[thing]).sum(1) / 3**0.5
    return user, thing, exact, exact + noise * draw.normal(size=count)


def train(
    folder: Path, values: dict[str, str], auxiliary: dict[str, str] | None = None, **channels: Any
) -> tuple[Job, Ended]:
    """A job of such records, which must succeed. It runs in this process, for PyTorch takes seconds to import."""
    job, told = prepared(folder, values, auxiliary, **channels), io.StringIO()
    environment = mock.patch.dict(os.environ, SAGEMAKER_BASE_DIR=str(folder))
    with contextlib.redirect_stdout(told), contextlib.redirect_stderr(told), environment:
        code = object2vec.main()
    assert code == 0, told.getvalue()
    return job, job.ended(code, told.getvalue())


def prepared(folder: Path, values: dict[str, str], auxiliary: dict[str, str] | None = None, **channels: Any) -> Job:
    job = Job(folder, "object2vec")
    more = {"auxiliary": "application/json"} if auxiliary else {}
    job.prepare(values, **dict.fromkeys(channels, JSONLINES), **more)
    for name, records in channels.items():
        job.put(f"{name}/a.jsonl", records if isinstance(records, str | bytes) else lines(records))
    for name, text in (auxiliary or {}).items():
        job.put(f"auxiliary/{name}", text)
    return job
