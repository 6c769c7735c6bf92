"""What is kept of epochs: the best, those that checkpoint_frequency names, and what a job is resumed from."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from algorithms.common.faults import UserError
from algorithms.first_party.run import Run
from algorithms.image_classification import artifact

if TYPE_CHECKING:
    from algorithms.vision.network import Network

STATE = f"{artifact.PREFIX}-state.json"


class Kept:
    """The epochs of one job; `scores` are of those that are done, also before an interruption."""

    def __init__(self, run: Run, network: Network) -> None:
        self._run, self._network = run, network
        self._folder = run.layout.model
        self._checkpoints = run.layout.checkpoints
        self.scores: list[float] = []
        if self._checkpoints is not None and (self._checkpoints / STATE).is_file():
            self._resume(self._checkpoints)

    @property
    def best(self) -> int:
        """The number, from 1, of the first epoch with the highest score."""
        return self.scores.index(max(self.scores)) + 1

    def take(self, epoch: Any) -> None:
        """Keep what is to be kept of an epoch that has ended."""
        before = self.best if self.scores else 0
        self.scores.append(epoch.watched)
        number = len(self.scores)
        arrays = self._network.arrays() if number == self.best or self._is_kept(number) or self._checkpoints else None
        if number == self.best:
            split = "validation" if epoch.validation else "train"
            self._run.log.info(f"Storing the best model with {split} accuracy: {epoch.watched:.6f}")
            if before and not self._is_kept(before):
                (self._folder / artifact.params_file(before)).unlink(missing_ok=True)
        if number == self.best or self._is_kept(number):
            path = artifact.write(self._folder, number, arrays or {})
            self._run.log.info(f'Saved checkpoint to "{path}"')
        if self._checkpoints is not None:
            self._checkpoint(self._checkpoints, arrays or {})

    def _is_kept(self, number: int) -> bool:
        frequency = self._run.values.get("checkpoint_frequency")
        return bool(frequency) and number % frequency == 0

    def _checkpoint(self, folder: Path, arrays: Any) -> None:
        number = len(self.scores)
        artifact.write(folder, number, arrays)
        beside = folder / f"{STATE}.part"
        beside.write_text(json.dumps({"scores": self.scores}))
        beside.replace(folder / STATE)
        wanted = {artifact.params_file(one) for one in self._wanted()}
        for path in folder.glob(f"{artifact.PREFIX}-*.params"):
            if path.name not in wanted:
                path.unlink()

    def _wanted(self) -> set[int]:
        """The numbers without which a job could not be resumed."""
        done = len(self.scores)
        return {done, self.best, *(number for number in range(1, done + 1) if self._is_kept(number))}

    def _resume(self, folder: Path) -> None:
        try:
            self.scores = [float(score) for score in json.loads((folder / STATE).read_text())["scores"]]
            last = artifact.arrays_of((folder / artifact.params_file(len(self.scores))).read_bytes())
            self._network.put(last)
            self._folder.mkdir(parents=True, exist_ok=True)
            for number in self._wanted() - {len(self.scores)} | {self.best}:
                name = artifact.params_file(number)
                (self._folder / name).write_bytes((folder / name).read_bytes())
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise UserError(
                f"The checkpoint of this job cannot be resumed from: {type(error).__name__}: {error}. Remove its files "
                "from the S3Uri of CheckpointConfig to train from the start."
            ) from error
        self._run.log.info(f"Resumed from the checkpoint of epoch {len(self.scores) - 1}.")
