"""Linear Learner on data smaller than a mini-batch, with nothing set: 15 epochs are 15 steps then."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn import datasets
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.metrics import accuracy_score, r2_score, roc_auc_score
from sklearn.model_selection import KFold
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from algorithms.linear_learner import candidates
from tests.algorithms.linear_jobs import Jobs


@pytest.fixture
def jobs(tmp_path, monkeypatch, capsys) -> Jobs:
    return Jobs(tmp_path, monkeypatch, capsys)


def oracle_of(kind: str):
    return (
        LinearRegression()
        if kind == "regressor"
        else make_pipeline(StandardScaler(), LogisticRegression(max_iter=3000))
    )


@pytest.mark.parametrize(
    ("data", "kind", "share"),
    [
        (datasets.load_diabetes, "regressor", 0.99),
        (datasets.load_breast_cancer, "binary_classifier", 0.99),
        # One of the 150 irises is 0.7 %; rates that are good for many steps leave one in eight of them wrong.
        (datasets.load_digits, "multiclass_classifier", 0.97),
        (datasets.load_wine, "multiclass_classifier", 0.97),
        (datasets.load_iris, "multiclass_classifier", 0.97),
    ],
)
def test_the_defaults_suit_data_smaller_than_a_batch(jobs: Jobs, data, kind: str, share: float) -> None:
    """The mean of three splits."""
    rows, labels = data(return_X_y=True)
    values = {"predictor_type": kind} | ({"num_classes": labels.max() + 1} if kind.startswith("multi") else {})
    found, wanted = [], []
    for train, test in KFold(3, shuffle=True, random_state=0).split(rows):
        answer = jobs.good(values, train=(rows[train], labels[train])).model.predict(rows[test].astype(np.float32))
        oracle = oracle_of(kind).fit(rows[train], labels[train])
        if kind == "binary_classifier":
            found.append(roc_auc_score(labels[test], answer["score"]))
            wanted.append(roc_auc_score(labels[test], oracle.decision_function(rows[test])))
        else:
            measure = r2_score if kind == "regressor" else accuracy_score
            found.append(measure(labels[test], answer["score" if kind == "regressor" else "predicted_label"]))
            wanted.append(measure(labels[test], oracle.predict(rows[test])))
    assert np.mean(found) >= share * np.mean(wanted)


@pytest.mark.parametrize("optimizer", ["adam", "rmsprop", "sgd"])
def test_a_short_training_has_larger_rates_that_last(optimizer: str) -> None:
    names = ("learning_rate", "l1", "wd", "bias_lr_mult", "bias_wd_mult")
    names += ("lr_scheduler_step", "lr_scheduler_factor", "lr_scheduler_minimum_lr")
    values = dict.fromkeys(names, "auto") | {"optimizer": optimizer, "positive_example_weight_mult": 1.0}
    short, long = (
        candidates.choose(values, 32, steps, 1.0, np.random.default_rng(1)) for steps in (15, candidates.SHORT)
    )
    assert max(one.learning_rate for one in short) > max(one.learning_rate for one in long)
    assert short[0].lr_scheduler_factor ** 15 == pytest.approx(0.01**0.25)
    assert long[0].lr_scheduler_factor ** candidates.SHORT == pytest.approx(0.01)
