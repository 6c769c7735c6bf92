"""Functions that run as jobs, by `@remote` of either SDK. They are nested, so that they are pickled by value."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

IMAGE = "683313688378.dkr.ecr.us-east-1.amazonaws.com/sagemaker-base-python-310:1.0"


def function(remote: Any, given: dict[str, Any]) -> None:
    """A function with arguments, an answer of numpy, and the caller's packages and Python."""
    import numpy as np

    @remote(image_uri=IMAGE, **given)
    def multiply(matrix, by, *, plus=0):
        import os
        import sys

        return matrix * by + plus, os.environ["TRAINING_JOB_NAME"], sys.version_info[:3]

    answer, job, version = multiply(np.eye(2), 3, plus=1)
    assert (answer == np.eye(2) * 3 + 1).all() and job.startswith("multiply-"), (answer, job)
    assert version == sys.version_info[:3], version


def workspace(remote: Any, given: dict[str, Any]) -> None:
    """The working folder goes along, and commands run before."""
    Path("beside.py").write_text("WORD = 'beside'\n")
    more = {"include_local_workdir": True, "pre_execution_commands": ["echo ready > /tmp/ready"]}

    @remote(image_uri=IMAGE, **more, **given)
    def look():
        import beside

        return beside.WORD, Path("/tmp/ready").read_text()

    assert look() == ("beside", "ready\n")


def executor(made: Any, given: dict[str, Any]) -> None:
    """Two at once, through futures; what a function raises is raised here."""

    def invert(number):
        return 1 / number

    with made(image_uri=IMAGE, max_parallel_jobs=2, **given) as pool:
        futures = [pool.submit(invert, number) for number in (4, 0)]
        assert futures[0].result() == 0.25
        assert isinstance(futures[1].exception(), ZeroDivisionError), futures[1].exception()
