"""The folder from which a job with CheckpointConfig goes on. Imports PyTorch: to be imported when it is needed.

Network and optimizer go on as they were, so that an interrupted job ends with the model of one that was not. New files
are written before the state names them, and old ones go after it: an interruption leaves one of both whole.
"""

from __future__ import annotations

import io
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch

from algorithms.common import ndarray_list
from algorithms.common.faults import UserError
from algorithms.first_party.run import Run
from algorithms.vision.epochs import Arrays, Checkpoint, Fitting

STATE = "state.json"


class Nothing:
    """Of a job without CheckpointConfig: it begins anew."""

    def resume(self, fitting: Fitting) -> list[float]:
        return []

    def arrays(self, number: int) -> Arrays:
        raise KeyError(number)

    def keep(self, fitting: Fitting, scores: Sequence[float], numbers: set[int]) -> None:
        """Keeps nothing."""


class Folder:
    """Checkpoints of a run in a folder: `epoch-0004.params`, `epoch-0004.optimizer` of the last one, and the state."""

    def __init__(self, run: Run, folder: Path) -> None:
        self._run, self._folder = run, folder

    def resume(self, fitting: Fitting) -> list[float]:
        if not (self._folder / STATE).is_file():
            return []
        try:
            told = json.loads((self._folder / STATE).read_text())
            scores = [float(score) for score in told["scores"]]
            fitting.network.put(self.arrays(len(scores)))
            self._continue(fitting, told["optimizer"], len(scores))
        except (OSError, ValueError, KeyError, TypeError, RuntimeError) as error:
            raise UserError(
                f"The checkpoint of this job cannot be resumed from: {type(error).__name__}: {error}. Remove its files "
                "from the S3Uri of CheckpointConfig to train from the start."
            ) from error
        self._run.log.info(f"Resumed from the checkpoint of epoch {len(scores) - 1}.")
        return scores

    def arrays(self, number: int) -> Arrays:
        return {str(name): value for name, value in dict(ndarray_list.read(self._params(number).read_bytes())).items()}

    def keep(self, fitting: Fitting, scores: Sequence[float], numbers: set[int]) -> None:
        last = len(scores)
        self._folder.mkdir(parents=True, exist_ok=True)
        self._params(last).write_bytes(ndarray_list.write(fitting.network.arrays()))
        torch.save(fitting.optimizer.state_dict(), self._moments(last))
        beside = self._folder / f"{STATE}.part"
        beside.write_text(json.dumps({"scores": list(scores), "optimizer": self._optimizer}))
        beside.replace(self._folder / STATE)
        wanted = {self._moments(last), *(self._params(number) for number in {last, *numbers})}
        for path in set(self._folder.glob("epoch-*")) - wanted:
            path.unlink()

    def _continue(self, fitting: Fitting, optimizer: Any, number: int) -> None:
        if optimizer != self._optimizer:
            self._run.log.info(f"The checkpoint is of the optimizer {optimizer}: {self._optimizer} begins anew.")
            return
        content = self._moments(number).read_bytes()
        fitting.optimizer.load_state_dict(torch.load(io.BytesIO(content), weights_only=True))

    @property
    def _optimizer(self) -> str:
        return str(self._run.values["optimizer"])

    def _params(self, number: int) -> Path:
        return self._folder / f"epoch-{number:04d}.params"

    def _moments(self, number: int) -> Path:
        return self._folder / f"epoch-{number:04d}.optimizer"


def of(run: Run) -> Checkpoint:
    """The checkpoints that the job asked for."""
    folder = run.layout.checkpoints
    return Nothing() if folder is None else Folder(run, folder)
