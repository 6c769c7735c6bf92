"""Loaded XGBoost models: from any file that plain xgboost or the container of any version left, one or several."""

from __future__ import annotations

import os
import pickle
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from algorithms.common.contract import log
from algorithms.common.faults import UserError
from algorithms.xgboost.data import first_line
from algorithms.xgboost.library import xgboost

if TYPE_CHECKING:
    from numpy.typing import NDArray

VOTED = ("multi:softmax", "binary:hinge")
"""Objectives that predict classes: an ensemble votes; for the others it takes the mean."""
PICKLE = b"\x80"


class Ensemble:
    """One or several boosters that answer as one. `predict` may be called from several threads at once."""

    def __init__(self, boosters: Sequence[Any]) -> None:
        import json

        self._boosters = [(booster, _trees(booster)) for booster in boosters]
        learner = json.loads(boosters[0].save_config())["learner"]
        self.objective: str = learner["objective"]["name"]
        self.num_class = int(learner["learner_model_param"].get("num_class", 0))
        self.num_features: int = boosters[0].num_features()
        self._in_place = all(_kind(booster) != "gblinear" for booster in boosters)

    def predict(self, rows: Any) -> NDArray[Any]:
        """Predictions for rows of features: a numpy array, or a CSR matrix where what is not stored is missing."""
        import numpy

        found = [self._one(booster, trees, rows) for booster, trees in self._boosters]
        if len(found) == 1:
            return found[0]
        if self.objective in VOTED:
            votes = numpy.array(found, dtype=int)
            return numpy.array([float(numpy.bincount(column).argmax()) for column in votes.T])
        return numpy.asarray(numpy.mean(found, axis=0))

    def _one(self, booster: Any, trees: tuple[int, int], rows: Any) -> NDArray[Any]:
        if self._in_place:
            return booster.inplace_predict(rows, iteration_range=trees, validate_features=False)
        return booster.predict(xgboost.DMatrix(rows), iteration_range=trees, validate_features=False)


def load(folder: Path, ensemble: bool = True) -> Ensemble:
    """All models of the folder (or the first only); UserError in one sentence when there is none or one is broken."""
    files = []
    for path in sorted(folder.iterdir()) if folder.is_dir() else []:
        if path.is_file() and path.name.startswith("."):
            log(f"Ignoring dotfile '{path}' found in model directory - please exclude it from the archive", "WARNING")
        elif path.is_file():
            files.append(path)
    if not files:
        raise UserError(
            f"No model file was found in {folder}: the model archive must hold a file such as 'xgboost-model' "
            "at its top, written by Booster.save_model."
        )
    boosters = [booster(path, path.read_bytes()) for path in (files if ensemble else files[:1])]
    features = {each.num_features() for each in boosters}
    if len(features) > 1:
        raise UserError(f"The models in {folder} differ in their number of features: {sorted(features)}.")
    loaded = Ensemble(boosters)
    log(f"Model objective : {loaded.objective}")
    return loaded


def booster(path: Path, content: bytes) -> Any:
    """The model of a file; UserError in one sentence when it is none."""
    log(f"Loading the model from {path}")
    try:
        with xgboost.config_context(verbosity=0):  # It warns of each format but its own.
            found = xgboost.Booster(model_file=bytearray(content))
    except xgboost.core.XGBoostError as problem:
        if not content.startswith(PICKLE):
            said = first_line(problem)
            raise UserError(f"Model {path} cannot be loaded: it is no model of XGBoost: {said}") from problem
        found = _unpickle(path, content)
    found.set_param({"nthread": 1})
    return found


def _unpickle(path: Path, content: bytes) -> Any:
    """Images up to 1.2-2 saved a pickled Booster. A pickle is a program: it runs here, as it does in the container."""
    try:
        booster = pickle.loads(content)
    except Exception as problem:
        raise UserError(f"Model {path} cannot be loaded: Pickle load error={problem}") from problem
    booster = booster.get_booster() if hasattr(booster, "get_booster") else booster
    if not isinstance(booster, xgboost.Booster):
        raise UserError(f"Model {path} cannot be loaded: it holds a {type(booster).__name__}, not a Booster.")
    return booster


def _trees(booster: Any) -> tuple[int, int]:
    """The rounds to predict with: up to `best_ntree_limit` where an older xgboost left one, else all."""
    limit = booster.attr("best_ntree_limit") or "0"
    if not limit.isdigit() or int(limit) == 0:
        return (0, 0)
    import json

    gradient = json.loads(booster.save_config())["learner"]["gradient_booster"]
    tree = gradient.get("gbtree", gradient).get("gbtree_model_param", {})
    groups = max(int(tree.get("num_parallel_tree", 1)), 1)
    return (0, max(int(limit) // groups, 1))


def _kind(booster: Any) -> str:
    import json

    return str(json.loads(booster.save_config())["learner"]["gradient_booster"]["name"])


def wants_ensemble() -> bool:
    """SAGEMAKER_INFERENCE_ENSEMBLE, on unless it says otherwise."""
    return os.environ.get("SAGEMAKER_INFERENCE_ENSEMBLE", "true") == "true"
