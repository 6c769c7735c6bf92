"""Training jobs with pipes, links and groups, through the engine: fed while they run, failed when they cannot be."""

from __future__ import annotations

import json
import threading
from typing import Any

import pytest

from emulator.ports import Mount
from tests.jobs.conftest import channel

PIPE = {"TrainingImage": "i", "TrainingInputMode": "Pipe"}


@pytest.fixture(autouse=True)
def no_feeder_is_left(mini: Any) -> Any:
    yield
    mini.engine.close()
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("feed:")]


def in_turn(program: Any, *epochs: str) -> list[bytes]:
    return [(program.ml / "input" / "data" / name).read_bytes() for name in epochs]


def test_a_program_reads_epoch_after_epoch(mini: Any) -> None:
    mini.submit(AlgorithmSpecification=PIPE)
    program = mini.executor.next()
    assert in_turn(program, "train_0", "train_1") == [b"1,2\n", b"1,2\n"]
    program.end(0)
    assert mini.finish()["TrainingJobStatus"] == "Completed"


def test_a_pipe_that_runs_dry_fails_the_job(mini: Any) -> None:
    mini.submit(AlgorithmSpecification=PIPE)
    program = mini.executor.next()
    assert in_turn(program, "train_0") == [b"1,2\n"]
    (mini.storage.root / "b" / "in%train.csv").unlink()
    reader = threading.Thread(target=in_turn, args=(program, "train_1"))
    reader.start()
    body = mini.finish()
    reader.join(5)
    assert (body["TrainingJobStatus"], program.stops) == ("Failed", [0.0])
    assert body["FailureReason"].startswith("ClientError: Data download failed: no such object s3://b/in/train.csv")


def test_a_stopped_job_ends_its_pipes(mini: Any) -> None:
    mini.submit(AlgorithmSpecification=PIPE)
    mini.executor.next()
    mini.stop()
    assert mini.finish()["TrainingJobStatus"] == "Stopped"


def test_what_read_a_pipe_is_begun_again_by_the_next_house(mini: Any) -> None:
    """It cannot tell the end of the house from the end of an epoch."""
    mini.submit(AlgorithmSpecification=PIPE)
    first = mini.executor.next()
    mini.kill()
    assert first.stops == [0.0]
    mini.start().recover()
    again = mini.executor.next()
    assert in_turn(again, "train_0") == [b"1,2\n"]
    again.end(0)
    assert mini.finish()["TrainingJobStatus"] == "Completed"


def test_fast_files_are_mounted_read_only(mini: Any) -> None:
    mini.submit(InputDataConfig=[channel("train", "s3://b/in/", InputMode="FastFile")])
    program = mini.executor.next()
    folder = program.ml / "input" / "data" / "train"
    assert Mount(folder, "/opt/ml/input/data/train", read_only=True) in program.spec.mounts
    assert (folder / "train.csv").read_bytes() == b"1,2\n"


def test_hosts_get_the_channels_of_their_group_and_their_share(mini: Any) -> None:
    for name in "xyz":
        mini.storage.put("b", f"shared/{name}", name.encode())
    kinds = {"InstanceType": "ml.m5.large"}
    groups = [
        {"InstanceGroupName": "a", "InstanceCount": 1, **kinds},
        {"InstanceGroupName": "b", "InstanceCount": 2, **kinds},
    ]
    mine, ours = channel("mine", "s3://b/in/"), channel("ours", "s3://b/shared/")
    mine["DataSource"]["S3DataSource"]["InstanceGroupNames"] = ["a"]
    ours["DataSource"]["S3DataSource"] |= {
        "InstanceGroupNames": ["b"],
        "S3DataDistributionType": "ShardedByS3Key",
    }
    mini.submit(InputDataConfig=[mine, ours], ResourceConfig={"InstanceGroups": groups, "VolumeSizeInGB": 1})
    for _ in range(3):
        mini.executor.next()
    found = {
        program.spec.hostname: sorted(path.name for path in (program.ml / "input" / "data").rglob("*"))
        for program in mini.executor.programs.values()
    }
    assert found == {"algo-1": ["mine", "train.csv"], "algo-2": ["ours", "x", "z"], "algo-3": ["ours", "y"]}
    told = {
        program.spec.hostname: list(json.loads((program.ml / "input/config/inputdataconfig.json").read_text()))
        for program in mini.executor.programs.values()
    }
    assert told == {"algo-1": ["mine"], "algo-2": ["ours"], "algo-3": ["ours"]}
