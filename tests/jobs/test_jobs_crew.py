"""Several hosts: a program each, one verdict, one artifact; failure of one ends the others."""

from __future__ import annotations

import json
from typing import Any

from emulator.ports import Cluster

TWO = {"InstanceType": "ml.m5.large", "InstanceCount": 2, "VolumeSizeInGB": 1}
GROUPS = {
    "InstanceGroups": [
        {"InstanceGroupName": "cpu", "InstanceType": "ml.c5.large", "InstanceCount": 2},
        {"InstanceGroupName": "gpu", "InstanceType": "ml.g4dn.xlarge", "InstanceCount": 1},
    ],
    "VolumeSizeInGB": 1,
}


def started(mini: Any, count: int) -> dict[str, Any]:
    for _ in range(count):
        mini.executor.next()
    return {program.spec.hostname: program for program in mini.executor.programs.values()}


def config(program: Any) -> Any:
    return json.loads((program.ml / "input/config/resourceconfig.json").read_text())


def test_each_host_has_a_folder_a_name_and_a_log_of_its_own(mini: Any) -> None:
    mini.submit(ResourceConfig=TWO)
    programs = started(mini, 2)
    assert sorted(programs) == ["algo-1", "algo-2"]
    assert config(programs["algo-2"])["current_host"] == "algo-2"
    assert config(programs["algo-1"])["hosts"] == ["algo-1", "algo-2"]
    specs = [program.spec for program in programs.values()]
    assert {spec.cluster for spec in specs} == {Cluster("job-job", ("algo-1", "algo-2"))}
    assert len({spec.folder for spec in specs}) == len({spec.run_id for spec in specs}) == 2
    assert all((program.ml / "input/data/train/train.csv").read_bytes() == b"1,2\n" for program in programs.values())
    assert sorted(stream.split("-")[1] for _, stream in mini.logs.streams) == ["1", "2"]
    for program in programs.values():
        program.end()
    assert mini.finish()["TrainingJobStatus"] == "Completed"


def test_groups_are_numbered_through_and_each_host_knows_its_own(mini: Any) -> None:
    mini.submit(ResourceConfig=GROUPS)
    programs = started(mini, 3)
    told = config(programs["algo-3"])
    assert (told["current_group_name"], told["current_instance_type"]) == ("gpu", "ml.g4dn.xlarge")
    assert told["instance_groups"] == [
        {"instance_group_name": "cpu", "instance_type": "ml.c5.large", "hosts": ["algo-1", "algo-2"]},
        {"instance_group_name": "gpu", "instance_type": "ml.g4dn.xlarge", "hosts": ["algo-3"]},
    ]


def test_the_failure_of_one_ends_the_others_and_is_the_jobs(mini: Any) -> None:
    mini.submit(ResourceConfig=TWO)
    programs = started(mini, 2)
    (programs["algo-2"].ml / "output/failure").write_text("the shard is corrupt")
    programs["algo-2"].end(3)
    body = mini.finish()
    assert body["TrainingJobStatus"] == "Failed"
    assert body["FailureReason"] == "AlgorithmError: the shard is corrupt, exit code: 3"
    assert programs["algo-1"].stops
    assert [program.released for program in programs.values()] == [1, 1]


def test_a_host_that_is_done_waits_for_the_others(mini: Any) -> None:
    mini.submit(ResourceConfig=TWO)
    programs = started(mini, 2)
    programs["algo-1"].end()
    assert not mini.engine.idle(0.4)
    assert not programs["algo-2"].stops
    programs["algo-2"].end()
    assert mini.finish()["TrainingJobStatus"] == "Completed"


def test_what_the_hosts_made_becomes_one_artifact_in_which_the_first_hosts_file_stays(mini: Any) -> None:
    mini.submit(ResourceConfig=TWO, OutputDataConfig={"S3OutputPath": "s3://b/out", "CompressionType": "NONE"})
    for name, program in started(mini, 2).items():
        (program.ml / "model/of").mkdir(parents=True)
        (program.ml / f"model/of/{name}").write_text(name)
        (program.ml / "model/same").write_text(name)
        program.end()
    mini.finish()
    assert mini.storage.keys("b", "out/") == [
        "out/job/output/model/of/algo-1",
        "out/job/output/model/of/algo-2",
        "out/job/output/model/same",
    ]
    assert mini.storage.read("b", "out/job/output/model/same") == b"algo-1"


def test_stop_reaches_every_host(mini: Any) -> None:
    mini.submit(ResourceConfig=TWO)
    programs = started(mini, 2)
    mini.stop()
    assert mini.finish()["SecondaryStatus"] == "Stopped"
    assert all(program.stops for program in programs.values())


def test_after_a_restart_all_hosts_are_adopted(mini: Any) -> None:
    mini.submit(ResourceConfig=TWO)
    programs = started(mini, 2)
    mini.kill()
    mini.start().recover()
    for program in programs.values():
        program.end()
    assert mini.finish()["TrainingJobStatus"] == "Completed"


def test_a_host_that_was_lost_meanwhile_fails_the_job(mini: Any) -> None:
    mini.submit(ResourceConfig=TWO)
    programs = started(mini, 2)
    mini.kill()
    gone = mini.executor.programs.pop(programs["algo-2"].spec.run_id)
    mini.start().recover()
    body = mini.finish()
    assert body["TrainingJobStatus"] == "Failed"
    assert "nothing is left of algo-2" in body["FailureReason"]
    gone.end()


def test_the_log_and_tags_say_what_the_job_was_given(mini: Any) -> None:
    mini.submit(ResourceConfig=GROUPS)
    programs = started(mini, 3)
    stream = f"job/algo-1-{int(mini.clock.now())}"
    said = [line.message for line in mini.logs.streams["/aws/sagemaker/TrainingJobs", stream]]
    assert "with the scripted executor" in said[0]
    assert any("runs on the CPU" in line for line in said)
    tags = mini.records.tags[programs["algo-1"].spec.arn]
    assert tags == {"sagelet:executor": "scripted", "sagelet:gpu": "none: ran on the CPU"}
    shares = {name: program.spec.share for name, program in programs.items()}
    assert shares["algo-1"].memory <= 4 * 1024**3 and shares["algo-1"].gpus == 0
