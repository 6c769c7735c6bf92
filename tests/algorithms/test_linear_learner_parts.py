"""The parts of Linear Learner by themselves: losses, thresholds, scores, scaling, candidates, threads."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.sparse import csr_matrix
from sklearn import metrics

from algorithms.common import threads
from algorithms.common.hyperparameters import defaults
from algorithms.linear_learner import candidates, losses, scores, thresholds
from algorithms.linear_learner.hyperparameters import DECLARED, resolved
from algorithms.linear_learner.model import Linear
from algorithms.linear_learner.scaling import Scaling
from algorithms.linear_learner.thresholds import Counts

DRAW = np.random.default_rng(7)


def values(kind: str = "binary_classifier", **more) -> dict:
    return resolved(defaults(DECLARED) | {"predictor_type": kind} | more)


# --- losses ---------------------------------------------------------------------------------------------------------

ALL = [(kind, name) for kind, names in losses.BY_PREDICTOR.items() for name in names]


@pytest.mark.parametrize(("kind", "name"), ALL)
def test_slopes_are_those_of_the_values(kind: str, name: str) -> None:
    loss = losses.of(values(kind, loss=name, quantile=0.3, huber_delta=0.7, loss_insensitivity=0.2))
    softmax = kind == "multiclass_classifier"
    labels = DRAW.integers(0, 4 if softmax else 2, 50).astype(float) if kind != "regressor" else DRAW.normal(size=50)
    found = DRAW.normal(0, 2, (50, 3, 4) if softmax else (50, 3))
    slope, step = loss.slope(found, labels), 1e-6
    for part in range(4 if softmax else 1):
        moved = np.zeros_like(found)
        moved[(..., part) if softmax else ...] = step
        wanted = (loss.value(found + moved, labels) - loss.value(found - moved, labels)) / (2 * step)
        own = slope[..., part] if softmax else slope
        scale = 2 if name in ("squared_loss", "eps_insensitive_squared_loss") else 1  # theirs are halves, as in MXNet
        assert scale * own == pytest.approx(wanted, abs=1e-4)


def test_losses_are_scikit_learns() -> None:
    labels = DRAW.integers(0, 2, 80).astype(float)
    found = DRAW.normal(size=(80, 1))
    logistic = losses.of(values()).value(found, labels).mean()
    assert logistic == pytest.approx(metrics.log_loss(labels, 1 / (1 + np.exp(-found[:, 0]))))
    hinge = losses.of(values(loss="hinge_loss")).value(found, labels).mean()
    assert hinge == pytest.approx(metrics.hinge_loss(labels, found[:, 0]))


def test_large_scores_do_not_overflow() -> None:
    labels = np.array([0.0, 1.0], np.float32)
    logistic = losses.of(values())
    assert logistic.value(np.array([[800], [800]], np.float32), labels).ravel().tolist() == [800, 0]
    softmax = losses.of(values("multiclass_classifier"))
    assert softmax.value(np.array([[[800, 0, 0]], [[0, 800, 0]]], np.float32), labels).ravel().tolist() == [0, 0]


# --- thresholds -----------------------------------------------------------------------------------------------------


def brute(found, labels, measure) -> float:
    """The best that any threshold does."""
    edges = np.unique(found)
    cuts = [edges[0] - 1, *((edges[1:] + edges[:-1]) / 2), edges[-1] + 1]
    return max(measure(labels, found > cut) for cut in cuts)


def kept(labels, predicted, measure, other, target) -> float:
    return measure(labels, predicted, zero_division=0) if other(labels, predicted, zero_division=0) >= target else 0.0


MEASURES = {
    "accuracy": metrics.accuracy_score,
    "f_beta": lambda y, p: metrics.fbeta_score(y, p, beta=2, zero_division=0),
    "precision_at_target_recall": lambda y, p: kept(y, p, metrics.precision_score, metrics.recall_score, 0.7),
    "recall_at_target_precision": lambda y, p: kept(y, p, metrics.recall_score, metrics.precision_score, 0.6),
}


@pytest.mark.parametrize("criterion", MEASURES)
@pytest.mark.parametrize("tied", [False, True])
def test_the_threshold_is_the_best_by_the_criterion(criterion: str, tied: bool) -> None:
    labels = DRAW.integers(0, 2, 120)
    found = DRAW.normal(labels * 0.8 - 0.5, 1)
    found = np.round(found, 1) if tied else found
    given = values(
        binary_classifier_model_selection_criteria=criterion, f_beta=2, target_recall=0.7, target_precision=0.6
    )
    cut, value = thresholds.calibrate(Counts.of(found, labels), given)
    assert value == pytest.approx(brute(found, labels, MEASURES[criterion]))
    assert MEASURES[criterion](labels, found > cut) == pytest.approx(value), "the value is that of its own threshold"


def test_former_names_of_criteria_mean_the_newer_ones() -> None:
    labels, found = DRAW.integers(0, 2, 90), DRAW.normal(size=90)
    former = values(binary_classifier_model_selection_criteria="f1", f_beta=5)
    newer = values(binary_classifier_model_selection_criteria="f_beta", f_beta=1)
    counts = Counts.of(found, labels)
    assert thresholds.calibrate(counts, former) == thresholds.calibrate(counts, newer)
    assert (
        thresholds.criterion(values(binary_classifier_model_selection_criteria="cross_entropy_loss")) == "loss_function"
    )


def test_a_precision_that_nothing_reaches_counts_nothing() -> None:
    given = values(binary_classifier_model_selection_criteria="recall_at_target_precision", target_precision=0.9)
    labels, found = np.array([0, 1, 0, 0]), np.array([3.0, 2.0, 1.0, 0.0])
    cut, value = thresholds.calibrate(Counts.of(found, labels), given)
    assert value == 0 and (found > cut).sum() == 2, "the cut of the highest precision"


def test_one_kind_of_records_is_no_trouble() -> None:
    for label in (0, 1):
        counts = Counts.of(np.array([0.3, -2.0]), np.array([label, label]))
        for criterion in thresholds.CRITERIA:
            cut, value = thresholds.calibrate(counts, values(binary_classifier_model_selection_criteria=criterion))
            assert np.isfinite(cut) and 0 <= value <= 1
        assert np.isnan(counts.area())


# --- scores ---------------------------------------------------------------------------------------------------------


def table(model: Linear, rows, labels, **more) -> dict[str, float]:
    kind = model.predictor_type
    return {one.name: one.value for one in scores.of(model, rows, labels, values(kind, **more))}


def test_scores_of_two_classes_are_scikit_learns() -> None:
    rows = DRAW.normal(size=(200, 3)).astype(np.float32)
    labels = (rows[:, 0] + DRAW.normal(size=200) > 0.4).astype(np.float32)
    model = Linear("binary_classifier", "logistic", np.array([[1, 0.1, 0]], np.float32), np.zeros(1, np.float32), 0.2)
    raw = model.raw(rows)[:, 0]
    predicted = raw > 0.2
    assert table(model, rows, labels, f_beta=2.0) == pytest.approx({
        "binary_classification_accuracy": metrics.accuracy_score(labels, predicted),
        "binary_f_2.000": metrics.fbeta_score(labels, predicted, beta=2),
        "precision": metrics.precision_score(labels, predicted),
        "recall": metrics.recall_score(labels, predicted),
        "roc_auc_score": metrics.roc_auc_score(labels, raw),
    })  # fmt: skip


def test_scores_of_several_classes_are_scikit_learns() -> None:
    rows = DRAW.normal(size=(300, 4)).astype(np.float32)
    model = Linear(
        "multiclass_classifier", "softmax_loss", DRAW.normal(size=(4, 4)).astype(np.float32), np.zeros(4, np.float32)
    )
    raw = model.raw(rows)
    labels = (raw + DRAW.normal(0, 2, raw.shape)).argmax(axis=1)
    predicted = raw.argmax(axis=1)
    shares = model.predict(rows)["score"].astype(float)
    gains = np.eye(4)[labels]
    assert table(model, rows, labels.astype(np.float32), accuracy_top_k=2) == pytest.approx({
        "multiclass_accuracy": metrics.accuracy_score(labels, predicted),
        "multiclass_top_k_accuracy_2": metrics.top_k_accuracy_score(labels, raw, k=2),
        "dcg": metrics.dcg_score(gains, raw),
        "macro_recall": metrics.recall_score(labels, predicted, average="macro"),
        "macro_precision": metrics.precision_score(labels, predicted, average="macro"),
        "macro_f_1.000": metrics.f1_score(labels, predicted, average="macro"),
        "multiclass_balanced_accuracy": metrics.balanced_accuracy_score(labels, predicted),
        "multiclass_log_loss": metrics.log_loss(labels, shares / shares.sum(axis=1, keepdims=True)),
    }, rel=1e-5)  # fmt: skip


def test_scores_of_a_regression_are_scikit_learns() -> None:
    rows, labels = DRAW.normal(size=(60, 2)).astype(np.float32), DRAW.normal(size=60).astype(np.float32)
    model = Linear("regressor", "squared_loss", np.array([[0.3, 1]], np.float32), np.ones(1, np.float32))
    found = model.raw(rows)[:, 0]
    square, size = metrics.mean_squared_error(labels, found), metrics.mean_absolute_error(labels, found)
    wanted = {
        "mse": square,
        "absolute_loss": size,
        "rmse": square**0.5,
        "r2": metrics.r2_score(labels, found),
        "mae": size,
    }
    assert table(model, rows, labels) == pytest.approx(wanted)


# --- scaling --------------------------------------------------------------------------------------------------------

ROWS = DRAW.normal([5, -3, 0], [2, 0.1, 1], (100, 3)).astype(np.float32)
LABELS = (ROWS[:, 0] * 3 + 40).astype(np.float32)


def test_scaling_looks_at_the_first_records_only() -> None:
    scaling = Scaling.of(ROWS, LABELS, values("regressor", num_point_for_scaler=10))
    assert scaling.mean == pytest.approx(ROWS[:10].mean(axis=0), rel=1e-5)
    assert scaling.spread == pytest.approx(ROWS[:10].std(axis=0), rel=1e-5)
    assert scaling.label_mean == pytest.approx(LABELS[:10].mean())
    sparse = Scaling.of(csr_matrix(ROWS), LABELS, values("regressor", num_point_for_scaler=10))
    assert sparse.spread == pytest.approx(scaling.spread, rel=1e-4)


@pytest.mark.parametrize("kind", ["regressor", "binary_classifier"])
def test_switches_of_scaling_do_what_they_say(kind: str) -> None:
    plain = Scaling.of(
        ROWS, LABELS, values(kind, normalize_data=False, unbias_data=False, normalize_label=False, unbias_label=False)
    )
    assert plain.mean.any() == 0 and (plain.spread == 1).all() and (plain.label_mean, plain.label_spread) == (0, 1)
    unbiased = Scaling.of(ROWS, LABELS, values(kind, normalize_data=False))
    assert unbiased.mean.all() and (unbiased.spread == 1).all()
    without = Scaling.of(ROWS, LABELS, values(kind, use_bias=False, unbias_data=True))
    assert not without.mean.any() and without.label_mean == 0, "without a bias nothing could take up the shift"
    assert (unbiased.label_spread == 1) == (kind != "regressor")


def test_folding_changes_no_prediction() -> None:
    scaling = Scaling.of(ROWS, LABELS, values("regressor"))
    weights, bias = DRAW.normal(size=(3, 1)).astype(np.float32), np.array([0.3], np.float32)
    folded = Linear("regressor", "squared_loss", *scaling.fold(weights, bias))
    wanted = (scaling.view(ROWS).scores(weights) + bias) * scaling.label_spread + scaling.label_mean
    assert folded.raw(ROWS) == pytest.approx(wanted, rel=1e-4)


def test_constant_columns_are_left_as_they_are() -> None:
    rows = np.column_stack([ROWS[:, 0], np.full(100, 0.1, np.float32)])
    for features in (rows, csr_matrix(rows)):
        assert Scaling.of(features, LABELS, values("regressor")).spread[1] == 1


# --- candidates and threads -----------------------------------------------------------------------------------------


def test_what_is_given_holds_for_all_models() -> None:
    given = values(learning_rate=0.3, l1=0.5, wd=0.0, bias_lr_mult=2.0, lr_scheduler_step=7)
    found = candidates.choose(given, 40, 1000, 1.0, np.random.default_rng(1))
    assert {(one.learning_rate, one.l1, one.wd, one.bias_lr_mult, one.lr_scheduler_step) for one in found} == {
        (0.3, 0.5, 0.0, 2.0, 7)
    }


def test_auto_makes_models_that_differ() -> None:
    found = candidates.choose(values(), 50, 1000, 1.0, np.random.default_rng(1))
    assert len({(one.learning_rate, one.l1, one.wd, one.bias_lr_mult) for one in found}) == 50
    assert candidates.count(values(), 50, 1) == 32 and candidates.count(values(num_models=3), 50, 1) == 3
    assert candidates.count(values(), 10**9, 1) == 1, "as many as the memory of a machine is to hold"
    assert candidates.count(values(), 10, 4000) == 4


def test_weights_of_positives() -> None:
    def found(given) -> set[float]:
        chosen = candidates.choose(values(positive_example_weight_mult=given), 6, 10, 9.0, np.random.default_rng(1))
        return {one.positive_weight for one in chosen}

    assert found(2.5) == {2.5} and found("balanced") == {9.0} and found("auto") == {1.0, 3.0, 9.0}


def test_small_products_take_one_thread() -> None:
    from threadpoolctl import threadpool_info

    def used() -> set[int]:
        return {pool["num_threads"] for pool in threadpool_info() if pool["user_api"] == "blas"}

    before = used()
    with threads.suited(1000):
        assert used() == {1}
    with threads.suited(threads.LARGE):
        assert used() == before
    assert used() == before
