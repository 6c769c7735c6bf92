"""Random Cut Forest: what all first-party algorithms owe, and anomalies that are found."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest
from sklearn.metrics import accuracy_score, precision_recall_fscore_support

from algorithms.common import recordio
from algorithms.random_cut_forest import artifact, sample
from algorithms.random_cut_forest.train import measures
from tests.algorithms.job import Job
from tests.contracts.first_party_contract import RECORDIO, FirstPartyContract

WIDTH = 3


class TestRandomCutForest(FirstPartyContract):
    name = "random_cut_forest"
    values = {"feature_dim": str(WIDTH), "num_trees": "50", "num_samples_per_tree": "8"}
    metrics = ("train:progress", "train:throughput", "test:accuracy", "test:precision", "test:recall", "test:f1")
    envelope = "scores"
    fields = ("score",)

    @classmethod
    def rows(cls):
        draw = np.random.default_rng(5)
        rows = draw.normal(size=(600, WIDTH)).astype(np.float32)
        rows[::100] *= 30
        return rows, (np.arange(600) % 100 == 0).astype(np.float32)

    @classmethod
    def put(cls, job: Job, channel: str, form: str) -> None:
        if channel == "train":
            return super().put(job, channel, form)
        job.put("test/data.pbr", recordio.write_features(*cls.rows()))
        return None

    def test_anomalies_have_the_highest_scores(self, server) -> None:
        rows, labels = self.rows()
        scores = np.array([one["score"] for one in self.ask(server, rows).json()["scores"]])
        assert scores[labels == 1].min() > scores[labels == 0].max()

    def test_the_log_tells_of_the_forest(self, trained) -> None:
        _, ended = trained
        for line in ("Sampling training data completed.", "completed 100 % epochs", "400 samples gathered"):
            assert line in ended.output
        assert "num_trees: 50, num_samples_in_forest: 400, num_samples_per_tree: 8, sample_dim: 3" in ended.output
        told = [int(n) for n in re.findall(r"\d+", re.search(r"trees_num_nodes: \[(.*?)\]", ended.output)[1])]
        assert told == [15] * 50, "8 points that differ make 8 leaves and 7 cuts"

    def test_a_test_channel_without_labels_is_refused(self, tmp_path: Path) -> None:
        job = self.job(tmp_path)
        job.put("test/data.pbr", recordio.write_features(self.rows()[0]))
        assert "Labeled test data required with label size equal 1" in self.fails(job)

    def test_a_label_that_is_neither_0_nor_1_is_refused(self, tmp_path: Path) -> None:
        job = self.job(tmp_path)
        job.put("test/data.pbr", recordio.write_features(self.rows()[0], self.rows()[1] * 2))
        assert "Label value outside of the expected range in channel 'test': 2.0" in self.fails(job)

    def test_a_row_of_csv_may_be_a_single_reading(self, tmp_path: Path) -> None:
        job = self.job(tmp_path, feature_dim="1")
        told = {"ContentType": "text/csv;label_size=0", "S3DistributionType": "ShardedByS3Key"}
        job.configure("inputdataconfig", {"train": told})
        job.put("train/data.csv", "\n".join(map(str, range(600))).encode())
        (job.base / "input/data/train/data.pbr").unlink(missing_ok=True)
        ended = job.train()
        assert not ended.failure and "num_samples_per_tree: 8, sample_dim: 1" in ended.output

    def test_fewer_records_than_trees_are_refused(self, tmp_path: Path) -> None:
        assert "600 records, fewer than the 601 trees" in self.fails(self.job(tmp_path, num_trees="601"))

    @pytest.mark.parametrize(("channel", "given"), [("train", "FullyReplicated"), ("test", "ShardedByS3Key")])
    def test_channels_are_spread_as_the_image_demands(self, tmp_path: Path, channel: str, given: str) -> None:
        job = self.job(tmp_path)
        right = {"train": "ShardedByS3Key", "test": "FullyReplicated"}
        shown = {name: {"ContentType": RECORDIO, "S3DistributionType": one} for name, one in right.items()}
        shown[channel]["S3DistributionType"] = given
        job.configure("inputdataconfig", shown)
        assert f"Caused by: '{given}' is not one of ['{right[channel]}']" in self.fails(job)

    @pytest.mark.parametrize(
        ("asked", "names"), [("accuracy", {"accuracy"}), ("precision_recall_fscore", {"f1", "recall", "precision"})]
    )
    def test_only_the_metrics_asked_for_are_told(self, tmp_path: Path, asked: str, names: set[str]) -> None:
        ended = self.job(tmp_path, eval_metrics=f'["{asked}"]').train()
        assert set(re.findall(r"#quality_metric: host=algo-1, test (\w+) <score>", ended.output)) == names

    def test_a_file_that_is_no_forest_is_refused_in_a_sentence(self, trained, tmp_path: Path) -> None:
        content = (trained[0].model / "model_algo-1").read_bytes()
        child = artifact.read(content).child
        astray = child.copy()
        astray[-1] = 0  # A node that would be above itself.
        circle = content.replace(child.tobytes(), astray.tobytes())
        for number, spoiled in enumerate((b"nothing", content[:-9], circle)):
            job = Job(tmp_path / str(number), self.name)
            job.model.mkdir(parents=True)
            (job.model / "model_algo-1").write_bytes(spoiled)
            with job.start("serve", SAGEMAKER_BIND_TO_SOCKET=str(job.base / "s")) as process:
                output, _ = process.communicate(timeout=60)
            assert process.returncode == 1 and "'model_algo-1' " in output and "Traceback" not in output


def test_a_small_set_is_shared_out_in_its_order_and_a_large_one_is_sampled() -> None:
    """4032 records, 50 trees of at most 512: a real job's log tells of 80 a tree, and of how many differ in each."""
    draw = np.random.default_rng(0)
    assert (sample.parts(4032, 50, 512, draw) == np.arange(4000).reshape(50, 80)).all()
    counts = np.zeros(40)
    for _ in range(3000):
        chosen = sample.reservoir(40, 10, draw)
        assert len(set(chosen.tolist())) == 10
        counts[chosen] += 1
    assert abs(counts / 3000 - 0.25).max() < 4 * (0.25 * 0.75 / 3000) ** 0.5


def test_metrics_are_those_of_scikit_learn_beyond_three_deviations() -> None:
    draw = np.random.default_rng(3)
    scores, labels = draw.normal(size=500), draw.random(500) < 0.05
    scores[labels] += draw.choice([0, 9], labels.sum())
    found = scores > scores.mean() + 3 * scores.std()
    told = measures(scores, labels)
    precision, recall, f1, _ = precision_recall_fscore_support(labels, found, average="binary")
    assert 0 < recall < 1
    assert told == pytest.approx(
        {"accuracy": accuracy_score(labels, found), "precision": precision, "recall": recall, "f1": f1}
    )
    assert measures(np.ones(9), np.zeros(9, bool)) == {"accuracy": 1, "precision": 0, "recall": 0, "f1": 0}


def rides(draw: np.random.Generator) -> tuple[np.ndarray, list[int]]:
    """Half-hourly rides of 30 weeks: a day's and a week's rhythm, noise of 3 %; and where five events begin.

    Each event lasts 5 to 24 hours: rides halve, stand still at night's level, or double.
    """
    hour = np.arange(48 * 7 * 30) / 2
    day = 12000 + 9000 * np.sin(2 * np.pi * (hour - 9) / 24) + 2500 * np.sin(4 * np.pi * (hour - 6) / 24)
    series = day * (1 + 0.15 * np.sin(2 * np.pi * hour / 168)) * draw.normal(1, 0.03, len(hour))
    begins = [1500, 3210, 5000, 7020, 9100]
    for begin, length, factor in zip(begins, (24, 48, 16, 30, 10), (0.5, 0.2, 2, 0.4, 2.2), strict=True):
        series[begin : begin + length] *= factor
    return series.astype(np.float32), begins


def test_events_in_a_periodic_series_rank_first(tmp_path: Path) -> None:
    series, begins = rides(np.random.default_rng(8))
    shingles = np.lib.stride_tricks.sliding_window_view(series, 48)
    job = Job(tmp_path, "random_cut_forest")
    job.prepare({"feature_dim": "48", "num_trees": "100", "num_samples_per_tree": "256"}, train=RECORDIO)
    job.put("train/data.pbr", recordio.write_features(shingles))
    assert job.train().code == 0
    with job.serve() as server:
        reply = server.post(recordio.write_features(shingles), RECORDIO)
    scores = np.array([one["score"] for one in reply.json()["scores"]])
    peaks = []
    while len(peaks) < len(begins):
        peaks.append(int(scores.argmax()))
        scores[max(0, peaks[-1] - 96) : peaks[-1] + 96] = 0
    assert all(begin - 48 < peak < begin + 48 for peak, begin in zip(sorted(peaks), begins, strict=True)), peaks
