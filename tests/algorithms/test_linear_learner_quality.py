"""Linear Learner against scikit-learn in the same run, on data sets that come with it; and how long it takes."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.sparse import csr_matrix
from sklearn import datasets
from sklearn.linear_model import (
    Lasso,
    LinearRegression,
    LogisticRegression,
    QuantileRegressor,
    Ridge,
    SGDRegressor,
)
from sklearn.metrics import mean_pinball_loss, r2_score, roc_auc_score
from sklearn.model_selection import KFold, train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import LinearSVC

from algorithms.common.hyperparameters import defaults
from algorithms.linear_learner.hyperparameters import DECLARED, resolved
from algorithms.linear_learner.training import Records, Training
from tests.algorithms.linear_jobs import Jobs


@pytest.fixture
def jobs(tmp_path, monkeypatch, capsys) -> Jobs:
    return Jobs(tmp_path, monkeypatch, capsys)


def parts(data) -> tuple:
    """Features and labels to train with, to validate with, to test with."""
    rows, labels = data
    rest, test, rest_labels, test_labels = train_test_split(rows, labels, test_size=0.25, random_state=3)
    train, validation, own, other = train_test_split(rest, rest_labels, test_size=0.25, random_state=4)
    return (train, own), (validation, other), (test, test_labels)


CANCER = parts(datasets.load_breast_cancer(return_X_y=True))
DIGITS = parts(datasets.load_digits(return_X_y=True))
WINE = parts(datasets.load_wine(return_X_y=True))
FRIEDMAN = parts(datasets.make_friedman1(3000, 12, noise=1, random_state=0))


@pytest.mark.parametrize("optimizer", ["auto", "sgd", "rmsprop"])
def test_regression_is_as_good_as_least_squares(jobs: Jobs, optimizer: str) -> None:
    """The mean of five splits: what is left out of so few records makes more of a difference than the method."""
    rows, labels = datasets.load_diabetes(return_X_y=True)
    values = {"predictor_type": "regressor", "mini_batch_size": 32, "epochs": 30, "optimizer": optimizer}
    values["early_stopping_patience"] = 31
    found, wanted = [], []
    for train, test in KFold(5, shuffle=True, random_state=0).split(rows):
        model = jobs.good(values, train=(rows[train], labels[train])).model
        found.append(r2_score(labels[test], model.predict(rows[test].astype(np.float32))["score"]))
        wanted.append(LinearRegression().fit(rows[train], labels[train]).score(rows[test], labels[test]))
    assert np.mean(found) >= 0.99 * np.mean(wanted)


@pytest.mark.parametrize("optimizer", ["auto", "sgd", "rmsprop"])
def test_the_model_that_validation_chooses_is_as_good(jobs: Jobs, optimizer: str) -> None:
    train, validation, test = FRIEDMAN
    values = {"predictor_type": "regressor", "mini_batch_size": 100, "optimizer": optimizer}
    model = jobs.good(values, train=train, validation=validation).model
    oracle = LinearRegression().fit(*train).score(*test)
    assert r2_score(test[1], model.predict(test[0].astype(np.float32))["score"]) >= 0.99 * oracle


def test_the_default_batch_is_good_enough_for_ten_thousand_records(jobs: Jobs) -> None:
    train, validation, test = parts(datasets.make_regression(12000, 50, n_informative=20, noise=60, random_state=1))
    model = jobs.good({"predictor_type": "regressor"}, train=train, validation=validation).model
    oracle = LinearRegression().fit(*train).score(*test)
    assert r2_score(test[1], model.predict(test[0].astype(np.float32))["score"]) >= 0.99 * oracle


@pytest.mark.parametrize("criterion", ["accuracy", "f_beta", "loss_function"])
def test_a_binary_classifier_has_the_area_of_logistic_regression(jobs: Jobs, criterion: str) -> None:
    train, validation, test = CANCER
    values = {"predictor_type": "binary_classifier", "mini_batch_size": 32, "epochs": 30}
    values |= {"binary_classifier_model_selection_criteria": criterion}
    model = jobs.good(values, train=train, validation=validation).model
    found = model.predict(test[0].astype(np.float32))
    oracle = make_pipeline(StandardScaler(), LogisticRegression()).fit(*train)
    assert roc_auc_score(test[1], found["score"]) >= 0.99 * roc_auc_score(test[1], oracle.decision_function(test[0]))
    assert (found["predicted_label"] == test[1]).mean() >= oracle.score(*test) - 0.02


def test_hinge_loss_makes_a_support_vector_classifier(jobs: Jobs) -> None:
    train, validation, test = CANCER
    values = {"predictor_type": "binary_classifier", "loss": "hinge_loss", "mini_batch_size": 32, "epochs": 30}
    model = jobs.good(values, train=train, validation=validation).model
    score = model.predict(test[0].astype(np.float32))["score"]
    oracle = make_pipeline(StandardScaler(), LinearSVC(loss="hinge", max_iter=100000)).fit(*train)
    assert roc_auc_score(test[1], score) >= 0.99 * roc_auc_score(test[1], oracle.decision_function(test[0]))
    assert score.min() < 0 and score.max() > 1, "raw scores, no probabilities"


@pytest.mark.parametrize(("data", "classes"), [(DIGITS, 10), (WINE, 3)], ids=["digits", "wine"])
def test_several_classes_are_told_apart_as_by_softmax_regression(jobs: Jobs, data, classes: int) -> None:
    train, validation, test = data
    values = {"predictor_type": "multiclass_classifier", "num_classes": classes, "mini_batch_size": 32, "epochs": 30}
    model = jobs.good(values, train=train, validation=validation).model
    found = model.predict(test[0].astype(np.float32))
    oracle = make_pipeline(StandardScaler(), LogisticRegression(max_iter=2000)).fit(*train)
    assert (found["predicted_label"] == test[1]).mean() >= oracle.score(*test) - 0.01
    assert found["score"].sum(axis=1) == pytest.approx(np.ones(len(test[1])), abs=1e-5)


@pytest.mark.parametrize("quantile", [0.1, 0.5, 0.9])
def test_quantile_loss_is_that_of_the_quantile_regressor(jobs: Jobs, quantile: float) -> None:
    train, _, _ = FRIEDMAN
    values = {"predictor_type": "regressor", "loss": "quantile_loss", "quantile": quantile, "mini_batch_size": 100}
    model = jobs.good(values, train=train).model
    found = model.predict(train[0].astype(np.float32))["score"]
    oracle = QuantileRegressor(quantile=quantile, alpha=0).fit(*train).predict(train[0])
    wanted = mean_pinball_loss(train[1], oracle, alpha=quantile)
    assert mean_pinball_loss(train[1], found, alpha=quantile) <= 1.01 * wanted
    assert (train[1] < found).mean() == pytest.approx(quantile, abs=0.03), "labels below the prediction"


ROBUST = {
    "huber_loss": ("huber", 0.5, {"huber_delta": 0.5}),
    "absolute_loss": ("epsilon_insensitive", 0, {}),
    "eps_insensitive_absolute_loss": ("epsilon_insensitive", 0.2, {"loss_insensitivity": 0.2}),
    "eps_insensitive_squared_loss": ("squared_epsilon_insensitive", 0.2, {"loss_insensitivity": 0.2}),
    "squared_loss": ("squared_error", 0, {}),
}


def loss_of(name: str, error: np.ndarray, width: float) -> float:
    size = np.abs(error)
    return {
        "huber": np.where(size <= width, size**2 / 2, width * (size - width / 2)),
        "epsilon_insensitive": np.maximum(size - width, 0),
        "squared_epsilon_insensitive": np.maximum(size - width, 0) ** 2,
        "squared_error": size**2,
    }[name].mean()


@pytest.mark.parametrize("loss", ROBUST)
def test_each_loss_is_as_small_as_scikit_learn_makes_it(jobs: Jobs, loss: str) -> None:
    """On standardised data, where widths mean the same to both; one label in twenty is far off."""
    rows, labels = FRIEDMAN[0]
    draw = np.random.default_rng(0)
    rows = StandardScaler().fit_transform(rows)
    labels = labels + np.where(draw.random(len(labels)) < 0.05, 30, 0)
    labels = (labels - labels.mean()) / labels.std()
    name, width, more = ROBUST[loss]
    values = {"predictor_type": "regressor", "loss": loss, "mini_batch_size": 100, "epochs": 30, **more}
    done = jobs.good(values, train=(rows, labels))
    found = loss_of(name, labels - done.model.predict(rows.astype(np.float32))["score"], width)
    oracle = SGDRegressor(loss=name, epsilon=width, alpha=0, max_iter=3000, tol=1e-6, average=True, random_state=0)
    assert found <= 1.01 * loss_of(name, labels - oracle.fit(rows, labels).predict(rows), width)
    assert done.metric(f"train {'mse' if loss == 'squared_loss' else loss}_objective <loss>") == pytest.approx(
        found, rel=1e-3
    )


def penalised(l1: float, wd: float, optimizer: str) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Rows, labels, and the weights of one model trained until nothing changes."""
    rows, labels = (array.astype(np.float32) for array in datasets.load_diabetes(return_X_y=True))
    rows, labels = StandardScaler().fit_transform(rows), (labels - labels.mean()) / labels.std()
    given = {"predictor_type": "regressor", "num_models": 1, "l1": l1, "wd": wd, "optimizer": optimizer}
    given |= {"mini_batch_size": 442, "epochs": 1500, "learning_rate": 0.1, "_tuning_objective_metric": ""}
    training = Training(resolved(defaults(DECLARED) | given), Records(rows, labels), np.random.default_rng(1))
    for _ in range(1500):
        training.epoch()
    return rows, labels, training.model(0).weights[0]


@pytest.mark.parametrize("optimizer", ["adam", "sgd", "rmsprop"])
def test_wd_is_ridge_regression(optimizer: str) -> None:
    rows, labels, found = penalised(0.0, 0.1, optimizer)
    wanted = Ridge(alpha=0.1 * len(labels)).fit(rows, labels).coef_
    assert found == pytest.approx(wanted, abs=2e-3)


@pytest.mark.parametrize("optimizer", ["adam", "sgd", "rmsprop"])
def test_l1_is_the_lasso_with_its_zeros(optimizer: str) -> None:
    rows, labels, found = penalised(0.1, 0.0, optimizer)
    wanted = Lasso(alpha=0.1).fit(rows, labels).coef_
    assert found == pytest.approx(wanted, abs=2e-3)
    assert ((found == 0) == (wanted == 0)).all() and (found == 0).any()


def test_rare_positives_count_when_they_are_balanced(jobs: Jobs) -> None:
    rows, labels = datasets.make_classification(4000, 8, weights=[0.95], flip_y=0.02, class_sep=0.8, random_state=5)
    values = {"predictor_type": "binary_classifier", "mini_batch_size": 200}
    values["binary_classifier_model_selection_criteria"] = "loss_function"
    recall = {}
    for mult in ("1.0", "balanced"):
        done = jobs.good(values | {"positive_example_weight_mult": mult}, train=(rows, labels))
        recall[mult] = done.metric("train recall <score>")
    train = StandardScaler().fit_transform(rows)
    oracle = LogisticRegression(class_weight="balanced").fit(train, labels)
    wanted = oracle.predict(train)[labels == 1].mean()
    assert recall["balanced"] == pytest.approx(wanted, abs=0.05) and recall["balanced"] > recall["1.0"] + 0.2


def test_rare_classes_count_when_they_are_balanced(jobs: Jobs) -> None:
    draw = np.random.default_rng(3)
    labels = draw.choice(3, 3000, p=[0.9, 0.07, 0.03])
    rows = draw.normal(size=(3000, 4)) + labels[:, None] * 0.7
    values = {"predictor_type": "multiclass_classifier", "num_classes": 3, "mini_batch_size": 200}
    recall = {}
    for balanced in ("false", "true"):
        done = jobs.good(values | {"balance_multiclass_weights": balanced}, train=(rows, labels))
        recall[balanced] = done.metric("train macro_recall <score>")
    oracle = LogisticRegression(class_weight="balanced").fit(rows, labels).predict(rows)
    wanted = np.mean([(oracle[labels == one] == one).mean() for one in range(3)])
    assert recall["true"] == pytest.approx(wanted, abs=0.03) and recall["true"] > recall["false"] + 0.1


def test_sparse_rows_give_the_model_of_dense_ones() -> None:
    draw = np.random.default_rng(6)
    rows = (draw.random((500, 40)) < 0.1).astype(np.float32) * draw.normal(3, 1, (500, 40)).astype(np.float32)
    labels = (rows @ draw.normal(size=40) > 0).astype(np.float32)
    values = resolved(
        defaults(DECLARED) | {"predictor_type": "binary_classifier", "mini_batch_size": 100, "num_models": 3}
    )
    found = []
    for features in (rows, csr_matrix(rows)):
        training = Training(values, Records(features, labels), np.random.default_rng(1))
        for _ in range(5):
            training.epoch()
        found.append(training.model(2))
    assert found[0].weights == pytest.approx(found[1].weights, abs=1e-3)
    assert found[0].bias == pytest.approx(found[1].bias, abs=1e-3)
    assert found[0].raw(csr_matrix(rows[:9])) == pytest.approx(found[0].raw(rows[:9]), abs=1e-6)


def test_32_models_of_10000_records_go_through_all_epochs(jobs: Jobs) -> None:
    rows, labels = datasets.make_classification(10000, 50, n_informative=10, random_state=2)
    given = {"predictor_type": "binary_classifier", "early_stopping_patience": 100}
    done = jobs.good(given, train=(rows, labels))
    assert '"model": 31' in done.log and "epoch=14, train binary_classification_cross_entropy_objective" in done.log
