"""Train CatBoost."""

from __future__ import annotations

from typing import Any

from common import model
from common.failing import Refused
from tabular.training import Work

AUTO = {"eval_metric": "auto", "boosting_type": "Auto", "max_bin": "Auto"}
"""Values with which CatBoost decides by itself, when it is told nothing."""


def fit(work: Work) -> None:
    """Train with early stopping on the validation data, and save CatBoost's own file."""
    import catboost

    made = catboost.CatBoostRegressor if work.labels is None else catboost.CatBoostClassifier
    training, validation = (
        catboost.Pool(features, targets(work, label), cat_features=work.categorical)
        for features, label in (work.training, work.validation)
    )
    rounds = work.hyperparameters["early_stopping_rounds"]
    try:
        fitted = made(**settings(work))
        fitted.fit(training, eval_set=validation, early_stopping_rounds=rounds if rounds > 0 else None)
    except (catboost.CatBoostError, TypeError) as error:
        raise Refused(f"CatBoost refuses the hyperparameters or the data: {error}") from error
    fitted.save_model(str(model.folder() / "model"))


def settings(work: Work) -> dict[str, Any]:
    """The parameters of CatBoost: without those that the grow policy or the number of labels does not have."""
    given = dict(work.hyperparameters)
    found = {
        name: value for name, value in given.items() if AUTO.get(name) != value and name != "early_stopping_rounds"
    }
    if given["grow_policy"] != "Lossguide":
        found.pop("max_leaves")
    elif given["sampling_frequency"] == "PerTreeLevel":
        print("sampling_frequency: Lossguide has PerTree alone.", flush=True)
        found["sampling_frequency"] = "PerTree"
    if given["grow_policy"] == "SymmetricTree":
        found.pop("min_data_in_leaf")
    if work.labels is None or len(work.labels) > 2:
        found.pop("scale_pos_weight", None)
    if "max_bin" in found:
        found["max_bin"] = _bins(found["max_bin"])
    return {**found, "loss_function": _loss(work), "allow_writing_files": False}


def targets(work: Work, label: Any) -> Any:
    """Labels as they are in the data: the model answers with them."""
    return label if work.labels is None else [work.labels[place] for place in label]


def _loss(work: Work) -> str:
    if work.labels is None:
        return "RMSE"
    return "Logloss" if len(work.labels) == 2 else "MultiClass"


def _bins(text: str) -> int:
    if not text.isdigit() or not 1 <= int(text) <= 65535:
        raise Refused(f"The hyperparameter max_bin is {text!r}; it has to be Auto or an integer from 1 to 65535.")
    return int(text)
