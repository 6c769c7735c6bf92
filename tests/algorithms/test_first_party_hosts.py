"""First-party algorithms on several hosts: the model is that of one host with all the data, and all fail together."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
from sklearn.datasets import make_blobs

from algorithms.common import ndarray_list, recordio
from tests.algorithms.job import Job
from tests.algorithms.several import Hosts
from tests.contracts.first_party_contract import csv

VALUES = {"feature_dim": "4", "k": "3"}
CSV = "text/csv;label_size=0"
SHARDED = {"TrainingInputMode": "File", "S3DistributionType": "ShardedByS3Key", "ContentType": CSV}


def rows() -> np.ndarray:
    return make_blobs(300, 4, centers=3, random_state=3)[0].astype(np.float32)


def sharded(folder: Path, parts: list[str | bytes | None], form: str = CSV) -> Hosts:
    hosts = Hosts(folder, len(parts), VALUES, form, algorithm="kmeans")
    for job in hosts.jobs:
        job.configure("inputdataconfig", {"train": {**SHARDED, "ContentType": form}})
    hosts.put("train/a", *parts)
    return hosts


def model(job: Job) -> np.ndarray:
    [found] = ndarray_list.read((job.model / "model_algo-1").read_bytes())
    return found


def alone(folder: Path, content: str | bytes, form: str = CSV) -> np.ndarray:
    job = Job(folder, "kmeans")
    job.prepare(VALUES, train=form)
    job.put("train/a", content)
    assert job.train().code == 0
    return model(job)


def test_shards_make_the_model_of_the_whole(tmp_path: Path) -> None:
    whole = rows()
    hosts = sharded(tmp_path, [csv(whole[:100]), csv(whole[100:250]), csv(whole[250:])])
    ended = hosts.train()
    assert [one.code for one in ended] == [0, 0, 0], ended
    assert hosts.models() == [["model_algo-1"], [], []]
    assert (model(hosts.jobs[0]) == alone(tmp_path / "alone", csv(whole))).all()
    assert "are with" in ended[1].output


def test_sparse_shards_and_a_host_without_data(tmp_path: Path) -> None:
    from scipy.sparse import csr_matrix

    form = "application/x-recordio-protobuf"
    whole = rows() * (rows() > 0)
    parts = [recordio.write_features(csr_matrix(part)) for part in (whole[:150], whole[150:])]
    hosts = sharded(tmp_path, [parts[0], None, parts[1]], form)
    ended = hosts.train()
    assert [one.code for one in ended] == [0, 0, 0], ended
    assert (model(hosts.jobs[0]) == alone(tmp_path / "alone", b"".join(parts), form)).all()


def test_data_that_every_host_holds_count_once(tmp_path: Path) -> None:
    whole = csv(rows())
    hosts = Hosts(tmp_path, 2, VALUES, CSV, algorithm="kmeans")
    hosts.put("train/a", whole, whole)
    assert [one.code for one in hosts.train()] == [0, 0]
    assert (model(hosts.jobs[0]) == alone(tmp_path / "alone", whole)).all()


def test_what_is_wrong_on_one_host_is_the_reason_on_all(tmp_path: Path) -> None:
    whole = csv(rows())
    hosts = sharded(tmp_path, [whole, whole + "1,2\n"])
    ended = hosts.train()
    assert [one.code for one in ended] == [1, 1]
    assert all("Unable to read data channel 'train'" in one.failure for one in ended), ended
    assert ended[0].failure.startswith(f"ClientError: Host {hosts.names[1]}: ")
    assert hosts.models() == [[], []]


def test_a_host_that_dies_ends_the_others(tmp_path: Path) -> None:
    hosts = sharded(tmp_path, [csv(rows()), csv(rows())])
    hosts.jobs[1].configure("inputdataconfig", {"train": {**SHARDED, "TrainingInputMode": "Pipe"}})
    os.mkfifo(hosts.jobs[1].base / "input/data/train_0")  # which nobody fills: the second host waits
    with hosts.running() as processes:
        assert any("Loaded iterator creator" in line for line in processes[0].stdout), "both have come"
        processes[1].kill()
        processes[0].communicate(timeout=60)
        assert processes[0].returncode == 1
    failure = (hosts.jobs[0].base / "output/failure").read_text()
    assert failure.startswith(f"AlgorithmError: Host {hosts.names[1]} ended before the training was over")


def test_an_algorithm_of_one_host_says_so(tmp_path: Path) -> None:
    """None of those here is; the sentence is the ground's."""
    import dataclasses

    import pytest

    from algorithms.common.contract import Layout
    from algorithms.common.faults import UserError
    from algorithms.first_party import hosts
    from algorithms.first_party.log import Log
    from algorithms.first_party.run import Run
    from algorithms.kmeans.train import DEFINITION

    job = Job(tmp_path, "kmeans")
    job.prepare(VALUES, train=CSV)
    job.configure("resourceconfig", {"current_host": "algo-1", "hosts": ["algo-1", "algo-2"]})
    definition = dataclasses.replace(DEFINITION, title="LDA", several=False)
    with pytest.raises(UserError, match="LDA trains on one host, and the job has 2: set InstanceCount to 1"):
        hosts.gather(Run(definition, Layout(tmp_path), Log("LDA", "algo-1"), {}))
