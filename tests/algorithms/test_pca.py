"""PCA: what all first-party algorithms owe, and the space that scikit-learn finds."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from scipy.linalg import subspace_angles
from sklearn.datasets import load_breast_cancer, load_digits
from sklearn.decomposition import PCA

from algorithms.common import ndarray_list, recordio
from tests.algorithms.job import Job
from tests.contracts.first_party_contract import FirstPartyContract


class TestPCA(FirstPartyContract):
    name = "pca"
    values = {"feature_dim": "5", "num_components": "2", "mini_batch_size": "30"}
    metrics = ("train:progress", "train:throughput")
    envelope = "projections"
    fields = ("projection",)

    @classmethod
    def rows(cls):
        draw = np.random.default_rng(5)
        return draw.normal(size=(100, 5)).astype(np.float32) * [5, 1, 3, 1, 1], np.zeros(100, np.float32)

    def test_more_components_than_features_are_refused(self, tmp_path: Path) -> None:
        assert "num_components is 6, more than the 5 features" in self.fails(self.job(tmp_path, num_components="6"))

    def test_without_subtraction_there_is_no_mean(self, tmp_path: Path) -> None:
        job = self.job(tmp_path, subtract_mean="false")
        assert job.train().code == 0
        found = ndarray_list.read((job.model / "model_algo-1").read_bytes())
        assert set(found) == {"v", "s"}


@pytest.mark.parametrize("mode", ["regular", "randomized"])
@pytest.mark.parametrize("data", [load_digits, load_breast_cancer])
def test_the_directions_are_those_of_scikit_learn(tmp_path: Path, data, mode: str) -> None:
    rows, count = data().data.astype(np.float32), 8
    rows = (rows - rows.mean(axis=0)) / (rows.std(axis=0) + 1e-6) + 2
    job = Job(tmp_path, "pca")
    values = {"feature_dim": str(rows.shape[1]), "num_components": str(count), "mini_batch_size": "100"}
    job.prepare({**values, "algorithm_mode": mode}, train="")
    job.put("train/data.pbr", recordio.write_features(rows))
    assert job.train().code == 0
    found = ndarray_list.read((job.model / "model_algo-1").read_bytes())
    oracle = PCA(count, svd_solver="full").fit(rows.astype(np.float64))
    assert found["v"].shape == (rows.shape[1], count) and found["mean"].shape == (1, rows.shape[1])
    assert found["mean"][0] == pytest.approx(oracle.mean_, rel=1e-5)
    tolerance = 1e-4 if mode == "regular" else 0.05
    assert found["s"][::-1] == pytest.approx(oracle.singular_values_, rel=tolerance)
    kept = oracle.components_.T
    lost = 1 - np.linalg.norm(found["v"].T @ (rows - oracle.mean_).T) / np.linalg.norm(kept.T @ (rows - oracle.mean_).T)
    assert lost < (1e-5 if mode == "regular" else 0.01), "the share of the strongest directions that is lost"
    if mode == "regular":
        assert subspace_angles(found["v"].astype(np.float64), kept).max() < 1e-3
    with job.serve() as server:
        answer = server.post(recordio.write_features(rows[:3]), "application/x-recordio-protobuf").json()
    wanted = (rows[:3] - found["mean"]) @ found["v"]
    for one, row in zip(answer["projections"], wanted, strict=True):
        assert one["projection"] == pytest.approx(row.tolist(), abs=1e-4)
