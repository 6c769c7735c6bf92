"""Jobs in this process: PyTorch takes seconds to import, and is imported once then."""

from __future__ import annotations

import contextlib
import importlib
import io
import os
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from algorithms import catalog
from tests.algorithms.job import Ended, Job


def here(job: Job) -> Ended:
    """The job that was prepared."""
    module, _, function = catalog.get(job.algorithm).train.partition(":")
    output = io.StringIO()
    with pytest.MonkeyPatch.context() as patch, contextlib.redirect_stdout(output):
        patch.setenv("SAGEMAKER_BASE_DIR", str(job.base))
        code = getattr(importlib.import_module(module), function)()
    return job.ended(code, output.getvalue())


def from_pipe(job: Job, values: Mapping[str, str], content: bytes, media: str) -> Ended:
    """A job whose channel `train` is a pipe with this content."""
    job.prepare(values)
    told = {"TrainingInputMode": "Pipe", "S3DistributionType": "FullyReplicated", "ContentType": media}
    job.configure("inputdataconfig", {"train": told})
    pipe = job.base / "input/data/train_0"
    pipe.parent.mkdir(parents=True, exist_ok=True)
    os.mkfifo(pipe)
    threading.Thread(target=lambda: pipe.write_bytes(content), daemon=True).start()
    return here(job)


def resumed(folder: Path, name: str, values: Mapping[str, str], contract: Any) -> None:
    """A job of four epochs gives what one of two and another that goes on from its checkpoint give, to the last bit."""

    def run(number: int, epochs: str, checkpoints: Path) -> tuple[Job, Ended]:
        job = Job(folder / str(number), name)
        job.prepare({**values, "epochs": epochs}, train=contract.formats[0])
        contract.put(job, "train", contract.formats[0])
        job.configure("checkpointconfig", {"LocalPath": str(checkpoints)})
        return job, here(job)

    whole, _ = run(1, "4", folder / "one")
    run(2, "2", folder / "two")
    rest, ended = run(3, "4", folder / "two")
    assert ended.code == 0, ended.output
    assert "Resumed from the checkpoint of epoch 1." in ended.output
    assert {path.name: path.read_bytes() for path in rest.model.iterdir()} == {
        path.name: path.read_bytes() for path in whole.model.iterdir()
    }
    left = {path.name for path in (folder / "two").iterdir()}
    assert {"epoch-0004.params", "epoch-0004.optimizer", "state.json"} <= left and "epoch-0002.optimizer" not in left
    again, ended = run(4, "4", folder / "two")
    assert "Epoch[" not in ended.output and "#quality_metric" not in ended.output, "there is nothing left to train"
    assert {path.name: path.read_bytes() for path in again.model.iterdir()} == {
        path.name: path.read_bytes() for path in whole.model.iterdir()
    }
    (folder / "two/state.json").write_text("{}")
    _, broken = run(5, "4", folder / "two")
    assert "The checkpoint of this job cannot be resumed from" in broken.failure
