"""Linear Learner: what all first-party algorithms owe, its log, artifact and answers, and going on from a model."""

from __future__ import annotations

import io
import json
import re
import zipfile
from pathlib import Path

import numpy as np
import pytest
from sklearn import datasets

from algorithms.common import ndarray_list
from algorithms.common.serving import Invocation
from algorithms.first_party.serve import Service
from algorithms.linear_learner import artifact, serve
from algorithms.linear_learner.model import Linear
from tests.algorithms.linear_jobs import Jobs
from tests.contracts.first_party_contract import FirstPartyContract, csv

REGRESSOR = {"predictor_type": "regressor", "mini_batch_size": "50"}
BINARY = {"predictor_type": "binary_classifier", "mini_batch_size": "50"}
MULTICLASS = {"predictor_type": "multiclass_classifier", "num_classes": "3", "mini_batch_size": "50"}
DIABETES = datasets.load_diabetes(return_X_y=True)
CANCER = datasets.load_breast_cancer(return_X_y=True)
WINE = datasets.load_wine(return_X_y=True)


@pytest.fixture
def jobs(tmp_path, monkeypatch, capsys) -> Jobs:
    return Jobs(tmp_path, monkeypatch, capsys)


class TestLinearLearner(FirstPartyContract):
    name = "linear_learner"
    images = ("382416733822.dkr.ecr.us-east-1.amazonaws.com/linear-learner:1",)
    values = {"feature_dim": "4", "predictor_type": "binary_classifier", "mini_batch_size": "50", "epochs": "3"}
    labelled = True
    metrics = (
        "train:progress", "train:throughput", "train:objective_loss", "train:objective_loss:final",
        "train:binary_classification_accuracy", "train:binary_f_beta", "train:precision", "train:recall",
        "test:objective_loss", "test:binary_classification_accuracy", "test:binary_f_beta", "test:precision",
        "test:recall", "test:roc_auc_score",
    )  # fmt: skip
    fields = ("score", "predicted_label")

    @classmethod
    def rows(cls):
        draw = np.random.default_rng(2)
        rows = draw.normal(size=(150, 4)).astype(np.float32)
        return rows, (rows[:, 0] + 0.3 * draw.normal(size=150) > 0).astype(np.float32)

    def test_labels_are_whole_numbers_in_json_and_scores_are_probabilities(self, server) -> None:
        reply = self.ask(server, self.rows()[0][:20])
        assert re.search(r'"predicted_label": [01]}', reply.text) and "1.0}" not in reply.text
        assert all(0 <= one["score"] <= 1 for one in reply.json()["predictions"])

    def test_an_accept_that_it_does_not_write_is_answered_in_json(self, server) -> None:
        reply = server.post(csv(self.rows()[0][:1]), "text/csv", "text/csv")
        assert (reply.status, reply.content_type) == (200, "application/json")

    def test_the_endpoint_answers_as_the_model_of_the_artifact(self, trained, server) -> None:
        rows = self.rows()[0]
        model = artifact.read((trained[0].model / "model_algo-1").read_bytes(), "model_algo-1")
        found = self.ask(server, rows).json()["predictions"]
        logits = rows.astype(np.float64) @ model.weights[0] + model.bias[0]
        assert [one["score"] for one in found] == pytest.approx((1 / (1 + np.exp(-logits))).tolist(), abs=1e-6)
        assert [one["predicted_label"] for one in found] == (logits > model.threshold).astype(int).tolist()


# --- artifact -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("values", "data", "shape", "operator"),
    [
        (REGRESSOR, DIABETES, (1, 10), "LinearRegressionOutput"),
        (BINARY, CANCER, (1, 30), "LogisticRegressionOutput"),
        (MULTICLASS, WINE, (3, 13), "SoftmaxOutput"),
    ],
    ids=["regressor", "binary", "multiclass"],
)
def test_the_artifact_is_a_zip_of_an_mxnet_module(jobs: Jobs, values, data, shape, operator: str) -> None:
    done = jobs.good(values | {"epochs": 2}, train=data)
    with zipfile.ZipFile(done.folder / "model/model_algo-1") as archive:
        members = {info.filename: archive.read(info) for info in archive.infolist()}
        assert all(info.compress_type == zipfile.ZIP_STORED for info in archive.infolist())
    assert list(members) == ["additional-params.json", "manifest.json", "mx-mod-symbol.json", "mx-mod-0000.params"]
    arrays = ndarray_list.read(members["mx-mod-0000.params"])
    assert {name: array.shape for name, array in arrays.items()} == {"arg:fc0_weight": shape, "arg:fc0_bias": shape[:1]}
    graph = json.loads(members["mx-mod-symbol.json"])
    names = [node["name"] for node in graph["nodes"]]
    assert {"data", "fc0_weight", "fc0_bias", "fc0", "out_label", "out"} <= set(names)
    assert graph["nodes"][graph["heads"][0][0]]["op"] == operator
    assert [names[index] for index in graph["arg_nodes"]] == ["data", "fc0_weight", "fc0_bias", "out_label"]


def test_coefficients_are_those_of_the_data_as_they_came(jobs: Jobs) -> None:
    """Scaling is folded back: a line through points far from zero is found as it is."""
    draw = np.random.default_rng(0)
    rows = draw.normal([1000, -5], [50, 0.01], (2000, 2)).astype(np.float32)
    labels = 3 * rows[:, 0] - 200 * rows[:, 1] + 7
    model = jobs.good({**REGRESSOR, "early_stopping_patience": 20}, train=(rows, labels)).model
    assert model.weights[0] == pytest.approx([3, -200], rel=1e-2)
    assert model.predict(rows)["score"] == pytest.approx(labels, rel=1e-3)


def test_what_is_no_artifact_is_refused_in_a_sentence() -> None:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        archive.writestr("additional-params.json", "{}")
    for content in (b"x", stream.getvalue()):
        with pytest.raises(Exception, match="'m' is no model of Linear Learner: it is to be a ZIP with"):
            artifact.read(content, "m")


# --- answers --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("model", "answer"),
    [
        (("regressor", "squared_loss", [[1, 2]], [0.5], 0.0), {"score": 5.5}),
        (("binary_classifier", "hinge_loss", [[1, 2]], [0.5], 6.0), {"score": 5.5, "predicted_label": 0}),
        (("binary_classifier", "logistic", [[0, 0]], [0], -1.0), {"score": 0.5, "predicted_label": 1}),
        (("multiclass_classifier", "softmax_loss", [[0, 0]] * 4, [0] * 4, 0.0),
         {"score": [0.25] * 4, "predicted_label": 0}),
    ],
)  # fmt: skip
def test_answers_have_the_members_of_their_predictor(tmp_path: Path, model, answer) -> None:
    kind, loss, weights, bias, threshold = model
    own = Linear(kind, loss, np.array(weights, np.float32), np.array(bias, np.float32), threshold)
    (tmp_path / "model_algo-1").write_bytes(artifact.write(own))
    reply = Service(serve.load(tmp_path), serve.FORM).answer(Invocation(b"1,2\n", "text/csv", ""))
    assert json.loads(reply.body) == {"predictions": [answer]}


# --- log ------------------------------------------------------------------------------------------------------------


FACTS = json.loads((Path(__file__).parents[1] / "facts/first_party.json").read_text())
NUMBER = r"[-0-9.e]+"


def lines(log: str, pattern: str) -> list[str]:
    return re.findall(rf"^(?:\[[^]]*\] )?{pattern}$", log, re.MULTILINE)


def fact(cause: str) -> str:
    """What was seen in a real job's log."""
    [text] = [one["text"] for one in FACTS if (one["algorithm"], one["cause"]) == ("linear-learner", cause)]
    return text


def names(cause: str) -> list[str]:
    """The names of the scores that were seen."""
    return re.findall(r"\('([^']+)', ", fact(cause))


def test_the_log_of_a_regression_is_that_of_the_image(jobs: Jobs) -> None:
    given = REGRESSOR | {"epochs": 15, "early_stopping_patience": 20}
    done = jobs.good(given, train=DIABETES, validation=DIABETES, test=DIABETES)
    told = lines(done.log, rf"#validation_score \(algo-1\) : \('(\w+)', {NUMBER}\)")
    assert told == [*names("score of a regression"), "rmse", "r2", "mae"]
    assert (
        lines(done.log, rf"#test_score \(algo-1\) : \('(\w+)', {NUMBER}\)") == told and "#train_score" not in done.log
    )
    for split in ("validation", "test"):
        for name in told:
            kind = "score" if name == "r2" else "loss"
            assert lines(done.log, f"#quality_metric: host=algo-1, {split} {name} <{kind}>={NUMBER}")
    *measured, stale = fact("epoch").split("|")
    for line in measured:
        assert len(lines(done.log, f"{re.escape(line.rpartition('=')[0])}={NUMBER}")) == 1, line
    assert lines(done.log, re.sub("[0-9]+", "[0-9]+", stale))
    assert lines(done.log, "Epoch 0: Loss improved. Updating best model")
    assert lines(done.log, r"#progress_metric: host=algo-1, completed 100.0 % of epochs")
    [best] = lines(done.log, "Best model found for hyperparameters: ({.*})")
    assert list(json.loads(best)) == list(json.loads(fact("best model").partition(": ")[2]))


def test_every_model_tells_its_loss_of_every_epoch(jobs: Jobs) -> None:
    done = jobs.good(BINARY | {"epochs": 2, "num_models": 5}, train=CANCER, validation=CANCER)
    told = [json.loads(line[9:]) for line in done.log.splitlines() if line.startswith("#metrics ")]
    for split in ("train", "validation"):
        name = f"{split}_binary_classification_cross_entropy_objective"
        found = [line["Dimensions"] for line in told if name in line["Metrics"]]
        assert [(one["epoch"], one["model"]) for one in found] == [(e, m) for e in range(2) for m in range(5)]
    assert "criteria=sampled_accuracy, value=0.9" in done.log


def test_scores_of_classes_have_the_images_names(jobs: Jobs) -> None:
    two = jobs.good(BINARY | {"epochs": 2}, train=CANCER, test=CANCER).log
    assert lines(two, rf"#test_score \(algo-1\) : \('(.*)', {NUMBER}\)") == names("score of two classes")
    assert re.search(re.sub("12|[0-9.]+$", NUMBER, fact("selection"), flags=re.MULTILINE), two)
    several = jobs.good(MULTICLASS | {"epochs": 2, "accuracy_top_k": 2}, train=WINE).log
    assert lines(several, rf"#train_score \(algo-1\) : \('(.*)', {NUMBER}\)") == [
        "multiclass_cross_entropy_objective", "multiclass_accuracy", "multiclass_top_k_accuracy_2", "dcg",
        "macro_recall", "macro_precision", "macro_f_1.000", "multiclass_balanced_accuracy", "multiclass_log_loss",
    ]  # fmt: skip


def test_training_ends_early_and_keeps_the_best_epoch(jobs: Jobs) -> None:
    given = REGRESSOR | {"epochs": 50, "early_stopping_patience": 2, "num_models": 2, "learning_rate": 0.5}
    done = jobs.good(given, train=DIABETES, validation=DIABETES)
    assert "Early stop condition met. Stopping training." in done.log and "epoch=49" not in done.log
    epochs = [float(v) for v in lines(done.log, rf"#early_stopping_criteria_metric: .* value=({NUMBER})")]
    assert done.metric("validation mse_objective <loss>") == pytest.approx(min(epochs), rel=1e-4) and epochs[-1] > min(
        epochs
    )


def test_a_tuning_job_trains_one_model(jobs: Jobs) -> None:
    given = {"_tuning_objective_metric": "validation:mse", "num_models": "8", "epochs": 1}
    assert "trained in parallel: 1\n" in jobs.good(REGRESSOR | given, train=DIABETES).log


# --- bad input ------------------------------------------------------------------------------------------------------

FEW = (np.arange(40, dtype=np.float32).reshape(10, 4) % 7, np.arange(10) % 3)


@pytest.mark.parametrize(
    ("values", "said"),
    [
        (
            {"predictor_type": "multiclass_classifier"},
            "No value(s) were specified for 'num_classes' which are required",
        ),
        (MULTICLASS | {"num_classes": "2"}, "a multiclass_classifier has 3 classes or more"),
        (
            BINARY | {"loss": "huber_loss"},
            "'huber_loss' of the 'loss' hyperparameter is not one of a binary_classifier",
        ),
        (BINARY | {"positive_example_weight_mult": "many"}, "'^balanced$'"),
        (BINARY, "Label value outside of the expected range in channel 'train': 2.0. Labels are 0 and 1"),
        ({**MULTICLASS, "num_classes": "3"}, ""),
        (REGRESSOR | {"normalize_data": "no"}, "accepts one of the following: 'true', 'false', 'auto'"),
        (REGRESSOR | {"optimizer": "sgd", "learning_rate": "1e30", "num_models": "2"}, "All models have diverged"),
    ],
)
def test_what_a_job_cannot_do_is_told(jobs: Jobs, values, said: str) -> None:
    done = jobs.run(values, train=FEW)
    assert (done.code, said in done.failure) == (1 if said else 0, True), done.failure
    assert not said or (done.failure.startswith("ClientError: ") and "Traceback" not in done.log)


def test_more_classes_than_declared_are_told(jobs: Jobs) -> None:
    done = jobs.run(MULTICLASS, train=(FEW[0], np.arange(10) % 4))
    assert "channel 'train': 3.0. Labels are whole numbers from 0 to 2 (num_classes - 1)" in done.failure


@pytest.mark.parametrize("channel", ["validation", "test"])
def test_other_channels_are_checked_as_well(jobs: Jobs, channel: str) -> None:
    narrow = (FEW[0][:, :3], FEW[1])
    assert (
        f"doesn't match {channel} data dimensionality '3'"
        in jobs.run(REGRESSOR, train=FEW, **{channel: narrow}).failure
    )
    done = jobs.run(MULTICLASS, train=FEW, **{channel: (FEW[0], FEW[1] + 0.5)})
    assert f"in channel '{channel}': 0.5" in done.failure and not (done.folder / "model").exists()


# --- going on from a model ------------------------------------------------------------------------------------------
