"""Jobs in this process: PyTorch takes seconds to import, and is imported once then."""

from __future__ import annotations

import contextlib
import importlib
import io
import os
import threading
from collections.abc import Mapping

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
