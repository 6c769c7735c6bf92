"""Epochs of training until the last or until they get no better, and the checkpoint from which a job goes on."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, Protocol

from algorithms.common import ndarray_list
from algorithms.common.faults import UserError
from algorithms.first_party.run import Run
from algorithms.vision.stopping import EarlyStopping

STATE = "state.json"
Arrays = dict[str, Any]


class Network(Protocol):
    """What has arrays by name."""

    def arrays(self) -> Arrays: ...

    def put(self, arrays: Arrays) -> None: ...


def best(run: Run, network: Network, fitting: Any, tell: Callable[[Any], None]) -> Arrays:
    """The arrays of the best epoch; `tell` is called behind each. `fitting.epochs(n)` gives them from the n-th on."""
    values, folder = run.values, run.layout.checkpoints
    stops = EarlyStopping(
        values["early_stopping_min_epochs"], values["early_stopping_patience"], values["early_stopping_tolerance"]
    )
    scores, found = _resumed(run, folder, network)
    ended = [stops.ends(number, score) for number, score in enumerate(scores)]
    if values["early_stopping"] and any(ended[-1:]):
        return found
    for epoch in fitting.epochs(len(scores)):
        tell(epoch)
        scores.append(epoch.watched)
        if len(scores) == 1 or epoch.watched > max(scores[:-1]):
            found = network.arrays()
        if folder is not None:
            _keep(folder, scores, network.arrays(), found)
        if stops.ends(epoch.number, epoch.watched) and values["early_stopping"]:
            run.log.info(f"Early stopping behind epoch {epoch.number}: it gets no better.")
            break
    return found


def _keep(folder: Path, scores: list[float], last: Arrays, found: Arrays) -> None:
    """One file in the place of the one before, so that an interruption leaves one of them whole."""
    folder.mkdir(parents=True, exist_ok=True)
    both = {f"last:{name}": value for name, value in last.items()}
    both |= {f"best:{name}": value for name, value in found.items()}
    number = len(scores)
    (folder / f"epoch-{number:04d}.params").write_bytes(ndarray_list.write(both))
    beside = folder / f"{STATE}.part"
    beside.write_text(json.dumps({"scores": scores}))
    beside.replace(folder / STATE)
    for path in folder.glob("epoch-*.params"):
        if path.name != f"epoch-{number:04d}.params":
            path.unlink()


def _resumed(run: Run, folder: Path | None, network: Network) -> tuple[list[float], Arrays]:
    """The scores of the epochs that are done, and the arrays of the best of them; the network has the last ones."""
    if folder is None or not (folder / STATE).is_file():
        return [], network.arrays()
    try:
        scores = [float(score) for score in json.loads((folder / STATE).read_text())["scores"]]
        both = dict(ndarray_list.read((folder / f"epoch-{len(scores):04d}.params").read_bytes()))
        network.put({str(name)[5:]: value for name, value in both.items() if str(name).startswith("last:")})
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise UserError(
            f"The checkpoint of this job cannot be resumed from: {type(error).__name__}: {error}. Remove its files "
            "from the S3Uri of CheckpointConfig to train from the start."
        ) from error
    run.log.info(f"Resumed from the checkpoint of epoch {len(scores) - 1}.")
    return scores, {str(name)[5:]: value for name, value in both.items() if str(name).startswith("best:")}
