"""k-NN: what all first-party algorithms owe, neighbours as scikit-learn finds them, and faiss's own files."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from sklearn.datasets import load_diabetes, load_digits
from sklearn.metrics import f1_score
from sklearn.model_selection import train_test_split
from sklearn.neighbors import KNeighborsClassifier, KNeighborsRegressor

from algorithms.common import recordio
from algorithms.knn import flat_file
from algorithms.knn.index import Flat
from algorithms.knn.reduction import Reduction
from tests.algorithms.job import ROOT, Ended, Job
from tests.contracts.first_party_contract import FirstPartyContract, csv

DIGITS = train_test_split(*load_digits(return_X_y=True), random_state=0)
DIABETES = train_test_split(*load_diabetes(return_X_y=True), random_state=0)
BASE = {"k": "5", "predictor_type": "classifier", "sample_size": "5000"}


class TestKNN(FirstPartyContract):
    name = "knn"
    values = {"feature_dim": "4", "k": "3", "predictor_type": "classifier", "sample_size": "1000"}
    labelled = True
    artifact = ("model_algo-1", "model_algo-1.labels", "model_algo-1.json")
    metrics = ("train:progress", "train:throughput", "test:accuracy", "test:macro_f_1.000")
    fields = ("predicted_label",)

    @classmethod
    def rows(cls):
        draw = np.random.default_rng(2)
        rows = draw.normal(size=(150, 4)).astype(np.float32)
        return rows, (rows[:, 0] > 0).astype(np.float32)

    @pytest.mark.parametrize("accept", ["application/json; verbose=true", "application/json;verbose=True"])
    def test_verbose_answers_tell_the_neighbours(self, server, accept: str) -> None:
        rows, labels = self.rows()
        [found] = self.ask(server, rows[:1], accept).json()["predictions"]
        distances = ((rows - rows[0]) ** 2).sum(axis=1)
        nearest = np.argsort(distances, kind="stable")[:3]
        assert found["distances"] == pytest.approx(distances[nearest].tolist(), abs=1e-6)
        assert found["labels"] == labels[nearest].tolist()

    def test_verbose_answers_in_recordio(self, server) -> None:
        reply = self.ask(server, self.rows()[0][:2], "application/x-recordio-protobuf; verbose=true")
        assert [set(label) for _, label in recordio.read(reply.body)] == [
            {"predicted_label", "distances", "labels"}
        ] * 2

    def test_k_can_be_edited_in_the_archive(self, trained, tmp_path: Path) -> None:
        job = Job(tmp_path, self.name)
        job.model.mkdir()
        for name in self.artifact:
            (job.model / name).write_bytes((trained[0].model / name).read_bytes())
        told = json.loads((job.model / "model_algo-1.json").read_text())
        assert told == {
            "k": 3, "predictor_type": "classifier", "dimension_reduction": None, "normalize": False, "version": "1.0",
        }  # fmt: skip
        (job.model / "model_algo-1.json").write_text(json.dumps(told | {"k": 7}))
        with job.serve() as server:
            reply = server.post(csv(self.rows()[0][:1]), "text/csv", "application/json; verbose=true")
        assert len(reply.json()["predictions"][0]["labels"]) == 7

    def test_unlabelled_data_are_refused(self, tmp_path: Path) -> None:
        job = Job(tmp_path, self.name)
        job.prepare(self.values, train="text/csv;label_size=0")
        job.put("train/data.csv", csv(self.rows()[0]))
        assert "Labeled train data required with label size equal 1" in self.fails(job)

    @pytest.mark.parametrize(
        ("given", "said"),
        [
            ({"k": "151"}, "k is 151, more than the 150 records"),
            ({"sample_size": "2"}, "k is 3, more than the 2 records"),
            ({"dimension_reduction_type": "sign"}, "dimension_reduction_target is not"),
            ({"dimension_reduction_type": "sign", "dimension_reduction_target": "4"}, "must be less than feature_dim"),
            ({"index_type": "faiss.IVFPQ"}, "needs faiss_index_pq_m"),
            ({"index_type": "faiss.IVFPQ", "faiss_index_pq_m": "2", "index_metric": "COSINE"}, "index_metric COSINE"),
        ],
    )
    def test_settings_that_do_not_fit_are_refused(self, tmp_path: Path, given: dict[str, str], said: str) -> None:
        assert said in self.fails(self.job(tmp_path, **given))


def trained(folder: Path, data, **more: str) -> tuple[Job, Ended]:
    train, test, labels, held = data
    job = Job(folder, "knn")
    job.prepare({**BASE, "feature_dim": str(train.shape[1]), **more}, train="text/csv", test="")
    job.put("train/a.csv", csv(np.column_stack([labels, train])))
    job.put("test/a.pbr", recordio.write_features(test.astype(np.float32), held.astype(np.float32)))
    ended = job.train(OMP_NUM_THREADS="1")  # faiss's threads wait for each other on a busy machine.
    assert ended.code == 0, ended.output
    return job, ended


def told(ended: Ended, name: str) -> float:
    [line] = [line for line in ended.output.splitlines() if f" test {name} <" in line]
    return float(line.rpartition("=")[2])


def test_a_classifier_is_as_right_as_that_of_scikit_learn(tmp_path: Path) -> None:
    train, test, labels, held = DIGITS
    _, ended = trained(tmp_path, DIGITS)
    oracle = KNeighborsClassifier(5, algorithm="brute").fit(train, labels)
    # Where votes are even, the order in which scikit-learn's threads find equal distances decides.
    assert told(ended, "accuracy") == pytest.approx(oracle.score(test, held), abs=0.003)
    assert told(ended, "macro_f_1.000") == pytest.approx(
        f1_score(held, oracle.predict(test), average="macro"), abs=1e-3
    )


def test_a_regressor_is_that_of_scikit_learn(tmp_path: Path) -> None:
    train, test, labels, held = DIABETES
    job, ended = trained(tmp_path, DIABETES, predictor_type="regressor")
    oracle = KNeighborsRegressor(5, algorithm="brute").fit(train, labels).predict(test)
    assert told(ended, "mse") == pytest.approx(((oracle - held) ** 2).mean(), rel=1e-5)
    with job.serve() as server:
        answers = server.post(csv(test), "text/csv").json()["predictions"]
    assert [one["predicted_label"] for one in answers] == pytest.approx(oracle.tolist(), rel=1e-4)


def test_cosines_are_those_of_scikit_learn(tmp_path: Path) -> None:
    train, test, labels, held = DIGITS
    _, ended = trained(tmp_path, DIGITS, index_metric="COSINE")
    oracle = KNeighborsClassifier(5, algorithm="brute", metric="cosine").fit(train, labels)
    assert told(ended, "accuracy") == pytest.approx(oracle.score(test, held), abs=0.003)


@pytest.mark.parametrize("kind", ["sign", "fjlt"])
def test_fewer_dimensions_keep_distances_and_accuracy(tmp_path: Path, kind: str) -> None:
    _, whole = trained(tmp_path / "whole", DIGITS)
    job, ended = trained(tmp_path / kind, DIGITS, dimension_reduction_type=kind, dimension_reduction_target="48")
    assert told(ended, "accuracy") > told(whole, "accuracy") - 0.03
    reduction = Reduction(**json.loads((job.model / "model_algo-1.json").read_text())["dimension_reduction"])
    rows = DIGITS[0][:200].astype(np.float32)
    ratios = np.linalg.norm(reduction.apply(rows[1:]) - reduction.apply(rows[:-1]), axis=1) / np.linalg.norm(
        rows[1:] - rows[:-1], axis=1
    )
    assert abs(ratios.mean() - 1) < 0.1 and ratios.std() < 0.2


@pytest.mark.parametrize(
    "more", [{"index_type": "faiss.IVFFlat"}, {"index_type": "faiss.IVFPQ", "faiss_index_pq_m": "16"}]
)
def test_approximate_indices_come_from_faiss(tmp_path: Path, more: dict[str, str]) -> None:
    faiss = pytest.importorskip("faiss")
    _, whole = trained(tmp_path / "flat", DIGITS)
    job, ended = trained(tmp_path / "ivf", DIGITS, **more)
    assert told(ended, "accuracy") > told(whole, "accuracy") - 0.05
    index = faiss.read_index(str(job.model / "model_algo-1"))
    assert (index.d, index.ntotal, index.nlist) == (64, len(DIGITS[0]), round(5000**0.5))
    with job.serve() as server:
        answers = server.post(csv(DIGITS[1][:50]), "text/csv").json()["predictions"]
    assert np.mean([one["predicted_label"] for one in answers] == DIGITS[3][:50]) > 0.9


@pytest.mark.parametrize(
    ("more", "width"),
    [
        ({}, 72),
        ({"dimension_reduction_type": "sign", "dimension_reduction_target": "40"}, 48),
        ({"dimension_reduction_type": "fjlt", "dimension_reduction_target": "62"}, 72),
    ],
)
def test_vectors_are_widened_to_equal_parts(tmp_path: Path, more: dict[str, str], width: int) -> None:
    """The guide's words for faiss_index_pq_m; its own notebook has 54 features in 8 parts."""
    faiss = pytest.importorskip("faiss")
    job, ended = trained(tmp_path, DIGITS, index_type="faiss.IVFPQ", faiss_index_pq_m="12", **more)
    assert told(ended, "accuracy") > 0.9
    assert faiss.read_index(str(job.model / "model_algo-1")).d == width
    with job.serve() as server:
        answers = server.post(csv(DIGITS[1][:50]), "text/csv").json()["predictions"]
    assert np.mean([one["predicted_label"] for one in answers] == DIGITS[3][:50]) > 0.9


def test_without_faiss_an_approximate_index_is_refused_with_what_installs_it(tmp_path: Path) -> None:
    job = Job(tmp_path, "knn")
    job.prepare({**BASE, "feature_dim": "2", "index_type": "faiss.IVFFlat"}, train="text/csv")
    job.put("train/a.csv", "0,1,2\n" * 9)
    code = "import sys; sys.modules['faiss'] = None; from algorithms.knn.train import main; sys.exit(main())"
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, env=job._environment({}), capture_output=True, check=False
    )
    assert done.returncode == 1
    assert (tmp_path / "output/failure").read_text().endswith("pip install 'sagelet[knn]'")


@pytest.mark.parametrize("metric", [flat_file.L2, flat_file.INNER_PRODUCT])
def test_flat_indices_are_faiss_s_own_files_both_ways(tmp_path: Path, metric: bytes) -> None:
    faiss = pytest.importorskip("faiss")
    draw = np.random.default_rng(4)
    vectors, asked = draw.normal(size=(500, 7)).astype(np.float32), draw.normal(size=(40, 7)).astype(np.float32)
    (tmp_path / "ours").write_bytes(flat_file.write(vectors, metric))
    theirs = faiss.read_index(str(tmp_path / "ours"))
    assert theirs.ntotal == 500
    wanted, places = theirs.search(asked, 6)
    distances, positions = Flat(vectors, metric).search(asked, 6)
    assert (positions == places).all() and distances == pytest.approx(wanted, rel=1e-4, abs=1e-5)
    faiss.write_index(theirs, str(tmp_path / "theirs"))
    assert (tmp_path / "theirs").read_bytes() == (tmp_path / "ours").read_bytes()
    found, kind = flat_file.read((tmp_path / "theirs").read_bytes())
    assert kind == metric and (found == vectors).all()


@pytest.mark.parametrize("count", [300, 17])
@pytest.mark.parametrize("kind", ["far from 0", "two heaps", "many alike"])
def test_the_nearest_are_found_where_rounding_hides_them(kind: str, count: int) -> None:
    """Squares of what lies far from 0 and close together swallow the distances; of equal ones the first is nearer."""
    draw = np.random.default_rng(9)
    vectors, asked = draw.normal(size=(count, 6)), draw.normal(size=(50, 6))
    if kind == "far from 0":
        vectors, asked = vectors + 5000, asked + 5000
    if kind == "two heaps":
        vectors[::2], asked[::2] = vectors[::2] + 5000, asked[::2] + 5000
    if kind == "many alike":
        vectors, asked = vectors.round(), asked.round()
    vectors, asked = vectors.astype(np.float32), asked.astype(np.float32)
    exact = ((asked[:, None].astype(float) - vectors[None].astype(float)) ** 2).sum(axis=2)
    wanted = np.argsort(exact, axis=1, kind="stable")[:, :5]
    distances, positions = Flat(vectors, flat_file.L2).search(asked, 5)
    assert (positions == wanted).all()
    assert distances == pytest.approx(np.take_along_axis(exact, wanted, axis=1), rel=1e-5)


def test_a_sample_is_of_the_size_that_was_asked_for(tmp_path: Path) -> None:
    job, ended = trained(tmp_path, DIGITS, sample_size="200")
    vectors, _ = flat_file.read((job.model / "model_algo-1").read_bytes())
    assert vectors.shape == (200, 64) and len((job.model / "model_algo-1.labels").read_bytes()) == 800
    known = {row.tobytes() for row in DIGITS[0].astype(np.float32)}
    assert all(row.tobytes() in known for row in vectors)
    assert told(ended, "accuracy") > 0.8
