"""K-Means: what all first-party algorithms owe, and clusters as good as scikit-learn's."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from sklearn.cluster import KMeans
from sklearn.datasets import load_digits, make_blobs

from algorithms.common import ndarray_list
from algorithms.kmeans import centres
from tests.algorithms.job import Job
from tests.contracts.first_party_contract import FirstPartyContract, csv


class TestKMeans(FirstPartyContract):
    name = "kmeans"
    values = {"feature_dim": "4", "k": "3", "eval_metrics": '["msd","ssd"]'}
    metrics = ("train:progress", "train:throughput", "train:msd", "test:msd", "test:ssd")
    fields = ("closest_cluster", "distance_to_cluster")

    @classmethod
    def rows(cls):
        features, labels = make_blobs(200, 4, centers=3, random_state=3)
        return features.astype(np.float32), labels.astype(np.float32)

    def test_the_answer_is_the_nearest_centre_and_the_distance_to_it(self, trained, server) -> None:
        [centres] = ndarray_list.read((trained[0].model / "model_algo-1").read_bytes())
        assert centres.shape == (3, 4) and centres.dtype == np.float32
        rows = self.rows()[0][:20]
        distances = np.linalg.norm(rows[:, None].astype(float) - centres[None].astype(float), axis=2)
        for found, row in zip(self.ask(server, rows).json()["predictions"], distances, strict=True):
            assert found["closest_cluster"] == row.argmin() and isinstance(found["closest_cluster"], float)
            assert found["distance_to_cluster"] == pytest.approx(row.min(), rel=1e-4, abs=1e-5)

    def test_csv_answers_are_lines_of_both(self, server) -> None:
        lines = self.ask(server, self.rows()[0][:2], "text/csv").text.splitlines()
        assert [len(line.split(",")) for line in lines] == [2, 2]

    def test_more_clusters_than_records_are_refused(self, tmp_path: Path) -> None:
        assert "200 records, fewer than the 500 clusters" in self.fails(self.job(tmp_path, k="500"))

    def test_a_label_taken_for_a_feature_is_explained(self, tmp_path: Path) -> None:
        job = Job(tmp_path, self.name)
        job.prepare(self.values, train="text/csv")
        job.put("train/data.csv", csv(self.rows()[0]))
        assert "text/csv;label_size=0" in self.fails(job)

    def test_centres_of_the_users_own_are_served(self, tmp_path: Path) -> None:
        job = Job(tmp_path, self.name)
        job.model.mkdir(parents=True)
        (job.model / "model_algo-1").write_bytes(ndarray_list.write([np.array([[0, 0], [3, 4]], np.float32)]))
        with job.serve() as server:
            assert server.post("0,0\n3,9\n", "text/csv").json() == {
                "predictions": [
                    {"closest_cluster": 0.0, "distance_to_cluster": 0.0},
                    {"closest_cluster": 1.0, "distance_to_cluster": 5.0},
                ]
            }


@pytest.mark.parametrize("init", ["random", "kmeans++"])
@pytest.mark.parametrize("data", ["digits", "blobs"])
def test_inertia_is_that_of_scikit_learn_within_5_percent(tmp_path: Path, data: str, init: str) -> None:
    rows = load_digits().data if data == "digits" else make_blobs(5000, 8, centers=12, random_state=7)[0]
    rows, k = rows.astype(np.float32), 10 if data == "digits" else 12
    job = Job(tmp_path, "kmeans")
    values = {"feature_dim": str(rows.shape[1]), "k": str(k), "init_method": init, "mini_batch_size": "500"}
    job.prepare({**values, "epochs": "3"}, train="text/csv;label_size=0")
    job.put("train/data.csv", csv(rows))
    assert job.train().code == 0
    [centres] = ndarray_list.read((job.model / "model_algo-1").read_bytes())
    inertia = float((((rows[:, None] - centres[None]) ** 2).sum(axis=2)).min(axis=1).sum())
    oracle = KMeans(k, n_init=10, random_state=0).fit(rows).inertia_
    assert inertia <= 1.05 * oracle


@pytest.mark.parametrize(("factor", "kept"), [("1", 12), ("4", 48), ("auto", 120)])
def test_extra_centres_are_kept_until_the_end_and_make_better_clusters(tmp_path: Path, factor: str, kept: int) -> None:
    """The lines are those of a real job's log (tests/facts/first_party.json)."""
    rows = make_blobs(3000, 4, centers=12, cluster_std=0.5, random_state=5)[0].astype(np.float32)
    job = Job(tmp_path, "kmeans")
    values = {"feature_dim": "4", "k": "12", "init_method": "random", "mini_batch_size": "500", "epochs": "2"}
    job.prepare({**values, "extra_center_factor": factor}, train="text/csv;label_size=0")
    job.put("train/data.csv", csv(rows))
    ended = job.train()
    assert ended.code == 0
    shrunk = f"shrinking {kept} centers into 12"
    assert (shrunk in ended.output) == (kept > 12)
    assert ("No shrinking is required as extra_center_factor is 1." in ended.output) == (kept == 12)
    [centres] = ndarray_list.read((job.model / "model_algo-1").read_bytes())
    inertia = float((((rows[:, None] - centres[None]) ** 2).sum(axis=2)).min(axis=1).sum())
    oracle = KMeans(12, n_init=10, random_state=0).fit(rows).inertia_
    assert centres.shape == (12, 4) and (inertia <= 1.05 * oracle) == (kept > 12)


def test_the_nearest_centre_is_found_far_from_0() -> None:
    """The square of 10,000 swallows distances of 1 in float32."""
    draw = np.random.default_rng(4)
    rows = (draw.normal(size=(2000, 4)) + 10_000).astype(np.float32)
    exact = ((rows[:, None].astype(float) - rows[None, :20].astype(float)) ** 2).sum(axis=2)
    closest, squared = centres.nearest(rows, rows[:20])
    assert (closest == exact.argmin(axis=1)).all()
    assert squared == pytest.approx(exact.min(axis=1), rel=1e-5)


def test_clusters_far_from_0_are_as_good_as_those_around_it(tmp_path: Path) -> None:
    rows, _ = make_blobs(3000, 4, centers=8, random_state=5)
    rows = (rows + 10_000).astype(np.float32)
    job = Job(tmp_path, "kmeans")
    job.prepare({"feature_dim": "4", "k": "8"}, train="text/csv;label_size=0")
    job.put("train/data.csv", csv(rows))
    assert job.train().code == 0
    [found] = ndarray_list.read((job.model / "model_algo-1").read_bytes())
    inertia = float((((rows[:, None].astype(float) - found[None]) ** 2).sum(axis=2)).min(axis=1).sum())
    assert inertia <= 1.05 * KMeans(8, n_init=10, random_state=0).fit(rows.astype(float)).inertia_
