"""Factorization machines: what all first-party algorithms owe, exact gradients, and interactions no line can follow."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from scipy.sparse import csr_matrix
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.metrics import roc_auc_score

from algorithms.common import ndarray_list, recordio
from algorithms.factorization_machines import machine
from algorithms.first_party import packed
from tests.algorithms.job import Ended, Job
from tests.contracts.first_party_contract import JSON, JSONLINES, RECORDIO, FirstPartyContract

JOB = {"mini_batch_size": "100", "epochs": "40", "linear_lr": "0.01", "factors_lr": "0.01", "factors_init_sigma": "0.1"}


class TestFactorizationMachines(FirstPartyContract):
    name = "factorization_machines"
    values = {"feature_dim": "6", "num_factors": "2", "predictor_type": "binary_classifier", "mini_batch_size": "50"}
    labelled = True
    formats = (RECORDIO,)
    metrics = (
        "train:progress", "train:throughput", "train:binary_classification_cross_entropy",
        "test:binary_classification_accuracy", "test:binary_classification_cross_entropy", "test:binary_f_beta",
    )  # fmt: skip
    fields = ("score", "predicted_label")

    @classmethod
    def rows(cls):
        draw = np.random.default_rng(1)
        rows = draw.integers(0, 2, (120, 6)).astype(np.float32)
        return rows, (rows[:, 0] != rows[:, 1]).astype(np.float32)

    @classmethod
    def question(cls):
        return "".join(json.dumps({"features": row}) + "\n" for row in cls.rows()[0][:6].tolist()), JSONLINES

    @classmethod
    def ask(cls, server, rows, accept: str = JSON):
        """It takes no CSV."""
        reply = server.post(recordio.write_features(rows), RECORDIO, accept)
        assert reply.status == 200, reply.text
        return reply

    def test_csv_is_not_taken_to_be_asked_with(self, server) -> None:
        assert server.post("1,0,0,0,0,0", "text/csv").status == 415

    def test_csv_is_not_taken_to_train_with(self, tmp_path: Path) -> None:
        job = Job(tmp_path, self.name)
        job.prepare(self.values, train="text/csv")
        job.put("train/a.csv", "1,0,0,0,0,0,0\n")
        assert "No iterator has been registered for ContentType ('text/csv', '1.0')" in self.fails(job)

    def test_a_label_that_is_neither_0_nor_1_is_refused(self, tmp_path: Path) -> None:
        job = Job(tmp_path, self.name)
        job.prepare(self.values, train="")
        job.put("train/a", recordio.write_features(self.rows()[0][:3], np.array([0, 1, 3], np.float32)))
        assert "Label value outside of the expected range in channel 'train': 3.0. Labels are 0 or 1." in self.fails(
            job
        )

    def test_bad_requests_are_refused_in_words(self, server) -> None:
        """As the contract's, without CSV."""
        wide = recordio.write_features(np.ones((1, 7), np.float32))
        for body, content_type, accept, status, said in (
            (wide, RECORDIO, "", 400, "7 features"),
            (b"", JSON, "", 400, "empty"),
            ('{"instances": [{"values": [1]}]}', JSON, "", 400, "unable to evaluate payload provided"),
            (b"nonsense", RECORDIO, "", 400, "unable to evaluate payload provided"),
            (wide, RECORDIO, "image/png", 406, "image/png"),
        ):
            reply = server.post(body, content_type, accept)
            assert (reply.status, said in reply.text) == (status, True), (body, reply.text)

    def test_the_first_format_is_meant_by_a_body_without_a_type(self, server) -> None:
        assert server.post('{"instances": [{"features": [1, 0, 0, 0, 0, 0]}]}').status == 200


@pytest.mark.parametrize("binary", [True, False])
def test_gradients_are_those_of_the_loss(binary: bool) -> None:
    draw = np.random.default_rng(8)
    rows = csr_matrix(draw.normal(size=(9, 5)) * (draw.random((9, 5)) < 0.6))
    labels = draw.integers(0, 2, 9).astype(float)
    made = machine.Machine(draw.normal(size=(1, 1)), draw.normal(size=(5, 1)), draw.normal(size=(5, 3)))

    def loss() -> float:
        sums = rows @ made.v
        pairs = (sums**2 - rows.multiply(rows) @ made.v**2).sum(axis=1) / 2
        scores = made.w0[0, 0] + (rows @ made.w1)[:, 0] + pairs
        if binary:
            return float((np.logaddexp(0, scores) - labels * scores).sum())
        return float(((scores - labels) ** 2).sum() / 2)

    scores = made.scores(rows).astype(float)
    gradients = made.gradients(rows, machine.outer(scores, labels, binary))
    for name, gradient in gradients.items():
        parameter = getattr(made, name)
        for place in np.ndindex(parameter.shape):
            kept = parameter[place]
            parameter[place] = kept + 1e-5
            up = loss()
            parameter[place] = kept - 1e-5
            down = loss()
            parameter[place] = kept
            assert gradient[place] == pytest.approx((up - down) / 2e-5, rel=1e-3, abs=1e-4), (name, place)


def test_scores_are_the_sum_over_all_pairs() -> None:
    draw = np.random.default_rng(8)
    made = machine.Machine(draw.normal(size=(1, 1)), draw.normal(size=(4, 1)), draw.normal(size=(4, 3)))
    row = np.array([1.0, 0, -2, 3])
    pairs = sum(made.v[i] @ made.v[j] * row[i] * row[j] for i in range(4) for j in range(i + 1, 4))
    assert made.scores(csr_matrix(row))[0] == pytest.approx(made.w0[0, 0] + row @ made.w1[:, 0] + pairs, rel=1e-5)


def taste(count: int, seed: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Who likes what: 30 users and 40 items of two tastes each, one of each a row; liking is the product of tastes."""
    fixed, draw = np.random.default_rng(0), np.random.default_rng(seed)
    users, items = fixed.normal(size=(30, 2)), fixed.normal(size=(40, 2))
    user, item = draw.integers(0, 30, count), draw.integers(0, 40, count)
    rows = np.zeros((count, 70), np.float32)
    rows[np.arange(count), user] = rows[np.arange(count), 30 + item] = 1
    return rows, (users[user] * items[item]).sum(axis=1), draw.normal(0, 0.1, count)


def trained(folder: Path, kind: str, data, held) -> tuple[Job, Ended]:
    job = Job(folder, "factorization_machines")
    job.prepare({**JOB, "feature_dim": "70", "num_factors": "4", "predictor_type": kind}, train="", test="")
    job.put("train/a", recordio.write_features(data[0], data[1].astype(np.float32)))
    job.put("test/a", recordio.write_features(held[0], held[1].astype(np.float32)))
    ended = job.train()
    assert ended.code == 0, ended.output
    return job, ended


def test_a_regressor_finds_interactions_that_a_line_cannot(tmp_path: Path) -> None:
    rows, likes, noise = taste(6000, 1)
    held, wanted, _ = taste(1000, 2)
    job, ended = trained(tmp_path, "regressor", (rows, likes + noise), (held, wanted))
    line = float(((Ridge(1.0).fit(rows, likes + noise).predict(held) - wanted) ** 2).mean() ** 0.5)
    [rmse] = [float(text.rpartition("=")[2]) for text in ended.output.splitlines() if ", test rmse <loss>" in text]
    assert rmse < 0.25 < 1.0 < line, (rmse, line)
    members = packed.unpacked(job.model)
    assert set(members) == {"symbol.json", "params", "meta.json"}
    arrays = ndarray_list.read(members["params"])
    assert {name: value.shape for name, value in arrays.items()} == {
        "arg:w0_weight": (1, 1), "arg:w1_weight": (70, 1), "arg:v": (70, 4),
    }  # fmt: skip
    with job.serve() as server:
        answers = server.post(recordio.write_features(held[:20]), RECORDIO, JSON).json()["predictions"]
    assert np.abs([one["score"] for one in answers] - wanted[:20]).max() < 1.2
    assert all(set(one) == {"score"} for one in answers)


def test_a_classifier_finds_interactions_that_a_line_cannot(tmp_path: Path) -> None:
    rows, likes, _ = taste(6000, 1)
    held, wanted, _ = taste(1000, 2)
    job, _ = trained(tmp_path, "binary_classifier", (rows, likes > 0), (held, wanted > 0))
    line = LogisticRegression().fit(rows, likes > 0).predict_proba(held)[:, 1]
    with job.serve() as server:
        answers = server.post(recordio.write_features(held), RECORDIO, JSON).json()["predictions"]
    scores = [one["score"] for one in answers]
    assert roc_auc_score(wanted > 0, scores) > 0.97 > 0.75 > roc_auc_score(wanted > 0, line)
    assert [one["predicted_label"] for one in answers] == [int(score > 0.5) for score in scores]


def test_a_training_that_diverges_fails_with_what_to_do(tmp_path: Path) -> None:
    rows, likes, _ = taste(500, 1)
    job = Job(tmp_path, "factorization_machines")
    values = {**JOB, "feature_dim": "70", "num_factors": "4", "predictor_type": "regressor", "factors_lr": "1e30"}
    job.prepare(values, train="")
    job.put("train/a", recordio.write_features(rows * 1e6, likes.astype(np.float32)))
    ended = job.train()
    assert ended.code == 1 and "Lower bias_lr, linear_lr and factors_lr" in ended.failure, ended.output
