"""What a house held is in the other house: records, tags, links, objects, logs, metrics, the other services."""

from __future__ import annotations

import io
import json
import os
import re
import zipfile
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from emulator.call import Call
from emulator.house import House
from emulator.ports import Point
from tests.snapshot.conftest import (
    ELSEWHERE,
    ENDLESS,
    MODEL,
    SCOPE,
    body,
    call,
    deploy,
    loaded,
    members,
    s3,
    script,
    ssm,
    status,
    taken,
    train,
    until,
)


def fill(house: House) -> None:
    """Something of everything that does not run."""
    tags = [{"Key": "team", "Value": "täglich"}]
    call(house, "CreateModelPackageGroup", ModelPackageGroupName="group", Tags=tags)
    call(house, "CreateModelPackageGroup", ELSEWHERE, ModelPackageGroupName="group")
    call(house, "CreateExperiment", ExperimentName="experiment")
    call(house, "CreateTrial", TrialName="trial", ExperimentName="experiment")
    ends = [
        call(house, "CreateArtifact", ArtifactType="data", Source={"SourceUri": f"s3://bucket/{name}"})["ArtifactArn"]
        for name in ("one", "two")
    ]
    call(house, "AddAssociation", SourceArn=ends[0], DestinationArn=ends[1], AssociationType="DerivedFrom")
    s3(house, "CreateBucket", Bucket="bucket")
    s3(house, "PutObject", Bucket="bucket", Key="train/ä b.csv", Body=b"1,2\n", Metadata={"who": "me"})
    s3(house, "PutBucketVersioning", Bucket="bucket", VersioningConfiguration={"Status": "Enabled"})
    for text in (b"first", b"second"):
        s3(house, "PutObject", Bucket="bucket", Key="versioned", Body=text)
    s3(house, "DeleteObject", Bucket="bucket", Key="gone")
    s3(house, "CopyObject", Bucket="bucket", Key="copy", CopySource="bucket/versioned")
    house.logs.of(SCOPE).append("/my/group", "a/stream", ["one", "two"])
    house.logs.of(SCOPE).make_group("/empty")
    house.metrics.of(SCOPE).append([Point("job", "loss", 0.5, 1.0)])
    ssm(house, "PutParameter", Name="/secret", Value="s3cr3t", Type="SecureString")


def seen(house: House) -> object:
    """What clients see of that."""
    arn = call(house, "DescribeModelPackageGroup", ModelPackageGroupName="group")["ModelPackageGroupArn"]
    versions = s3(house, "ListObjectVersions", Bucket="bucket")
    logs = house.logs.of(SCOPE)
    return (
        call(house, "DescribeModelPackageGroup", ModelPackageGroupName="group"),
        call(house, "DescribeModelPackageGroup", ELSEWHERE, ModelPackageGroupName="group"),
        call(house, "ListTags", ResourceArn=arn),
        call(house, "DescribeTrial", TrialName="trial"),
        call(house, "ListAssociations")["AssociationSummaries"],
        s3(house, "HeadObject", Bucket="bucket", Key="train/ä b.csv"),
        [body(house, key) for key in ("train/ä b.csv", "versioned", "copy")],
        [(v["Key"], v["VersionId"], v["IsLatest"]) for v in (*versions["Versions"], *versions["DeleteMarkers"])],
        [(line.message, line.timestamp) for line in logs.read("/my/group", "a/stream")],
        (logs.groups(), logs.created("/my/group"), logs.facts("/my/group", "a/stream")),
        house.metrics.of(SCOPE).read("job"),
        ssm(house, "GetParameter", Name="/secret", WithDecryption=True),
    )


def test_everything_is_there_again(house, other):
    fill(house)
    call(other, "CreateModelPackageGroup", ModelPackageGroupName="of-the-other")
    s3(other, "CreateBucket", Bucket="of-the-other")
    told = loaded(other, taken(house))
    assert seen(other) == seen(house)
    groups = call(other, "ListModelPackageGroups")["ModelPackageGroupSummaryList"]
    assert [group["ModelPackageGroupName"] for group in groups] == ["group"]  # emptied before
    buckets = s3(other, "ListBuckets")["Buckets"]
    assert [bucket["Name"] for bucket in buckets if not bucket["Name"].startswith("sagemaker-")] == ["bucket"]
    assert told["records"]["ModelPackageGroup"] == 2 and told["objects"] == 5
    assert (told["failed"], told["left_out"], told["objects_elsewhere"]) == ([], {}, False)


def test_a_snapshot_of_a_snapshot_is_the_same(house, other):
    fill(house)
    train(house)
    assert house.jobs.idle(10)
    first = members(taken(house))
    loaded(other, taken(house))
    second = members(taken(other))
    volatile = {"manifest.json"}
    assert set(first) == set(second)
    assert {n: c for n, c in first.items() if n not in volatile} == {
        n: c for n, c in second.items() if n not in volatile
    }


def test_it_survives_the_death_of_the_server_that_loaded_it(house, tmp_path):
    fill(house)
    settings = replace(house.settings, data_dir=tmp_path / "data")
    first = House(settings, house.clock)
    loaded(first, taken(house))
    before = seen(first)
    first._lock.close()  # as kill -9 does
    second = House(settings, house.clock)
    try:
        second.start()
        assert seen(second) == before
    finally:
        second.close()
        first.store.close()


def test_an_empty_house_makes_an_empty_house(house, other):
    fill(other)
    told = loaded(other, taken(house))
    assert told["records"] == {} and told["objects"] == 0
    assert call(other, "ListModelPackageGroups")["ModelPackageGroupSummaryList"] == []
    assert other.logs.of(SCOPE).groups() == []


def test_nothing_of_the_machine_is_in_it(house):
    fill(house)
    script(house, {"*": MODEL})
    train(house)
    assert house.jobs.idle(10)
    deploy(house)
    # As a word: a short name may stand by chance in an id.
    machine = rb"(?<![A-Za-z0-9])" + re.escape(os.uname().nodename.encode()) + rb"(?![A-Za-z0-9])"
    for name, content in members(taken(house)).items():
        assert str(house.data_dir).encode() not in content, name
        assert not re.search(machine, content), name
        assert not name.startswith("/") and ".." not in name


def test_the_manifest_says_what_is_in_it(house):
    fill(house)
    archive = taken(house)
    told = json.loads(members(archive)["manifest.json"])
    assert (told["format"], told["records"]["ModelPackageGroup"], told["objects"]) == (1, 2, 5)
    assert told["name"].startswith("snapshot-") and told["created"].endswith("Z") and told["size"] > 20
    assert next(iter(members(archive))) == "manifest.json"


def test_objects_that_are_compressed_already_are_not_compressed_again(house):
    s3(house, "CreateBucket", Bucket="bucket")
    s3(house, "PutObject", Bucket="bucket", Key="random", Body=os.urandom(300_000))
    s3(house, "PutObject", Bucket="bucket", Key="text", Body=b"1,2,3\n" * 50_000)
    with zipfile.ZipFile(io.BytesIO(taken(house))) as packed:
        blobs = [info for info in packed.infolist() if info.filename.startswith("s3/blobs/")]
    [stored] = [info for info in blobs if info.compress_type == zipfile.ZIP_STORED]
    [deflated] = [info for info in blobs if info.compress_type == zipfile.ZIP_DEFLATED]
    assert stored.compress_size == 300_000 and deflated.compress_size < 10_000


# --- work -----------------------------------------------------------------------------------------------------------


def test_finished_jobs_are_there_with_their_logs_and_artifacts(house, other):
    script(house, {"*": MODEL})
    s3(house, "CreateBucket", Bucket="bucket")
    s3(house, "PutObject", Bucket="bucket", Key="train/a.csv", Body=b"1,2\n")
    train(house)
    assert house.jobs.idle(10)
    loaded(other, taken(house))
    before, after = (call(each, "DescribeTrainingJob", TrainingJobName="job") for each in (house, other))
    assert before == after and after["TrainingJobStatus"] == "Completed"
    key = after["ModelArtifacts"]["S3ModelArtifacts"].removeprefix("s3://bucket/")
    assert body(other, key) == body(house, key)
    assert other.log_lines("job")["lines"] == house.log_lines("job")["lines"]
    assert "epoch 2" in other.log_lines("job")["lines"]


@pytest.mark.parametrize("spot", [False, True])
def test_jobs_that_were_under_way_have_failed_and_say_why(house, other, spot):
    script(house, {"*": ENDLESS})
    s3(house, "CreateBucket", Bucket="bucket")
    s3(house, "PutObject", Bucket="bucket", Key="train/a.csv", Body=b"1,2\n")
    more = {"EnableManagedSpotTraining": True, "RetryStrategy": {"MaximumRetryAttempts": 3}} if spot else {}
    stop = {"StoppingCondition": {"MaxRuntimeInSeconds": 600, "MaxWaitTimeInSeconds": 600}} if spot else {}
    train(house, **more, **stop)
    until(lambda: secondary(house) == "Training")
    told = loaded(other, taken(house))
    job = call(other, "DescribeTrainingJob", TrainingJobName="job")
    assert told["failed"] == ["job"]
    assert (job["TrainingJobStatus"], job["SecondaryStatus"]) == ("Failed", "Failed")
    assert told["name"] in job["FailureReason"] and "not part of a snapshot" in job["FailureReason"]
    assert job["TrainingEndTime"] >= job["TrainingStartTime"]
    assert other.jobs.idle(5) and not list(other.executors.by_name("stub")._runs)
    assert secondary(house) == "Training"  # the original goes on
    listed = call(other, "ListTrainingJobs", StatusEquals="Failed")["TrainingJobSummaries"]
    assert [each["TrainingJobName"] for each in listed] == ["job"]


def secondary(house: House, job: str = "job") -> str:
    return str(call(house, "DescribeTrainingJob", TrainingJobName=job)["SecondaryStatus"])


def test_jobs_that_waited_have_failed_too(house, other):
    script(house, {"*": ENDLESS})
    s3(house, "CreateBucket", Bucket="bucket")
    s3(house, "PutObject", Bucket="bucket", Key="train/a.csv", Body=b"1,2\n")
    for number in range(30):
        train(house, f"job-{number}")
    until(lambda: secondary(house, "job-29") == "Pending")
    assert len(loaded(other, taken(house))["failed"]) == 30


def test_endpoints_come_back_by_themselves_with_servers_of_their_own(house, other):
    deploy(house)
    archive = taken(house)
    before = set(house.executors.by_name("stub")._runs)
    loaded(other, archive)

    def answers() -> bool:
        try:
            request = {"EndpointName": "endpoint", "Body": b"x"}
            return bool(call(other, "InvokeEndpoint", service="sagemaker-runtime", **request)["Body"])
        except Exception:
            return False

    until(answers)
    assert status(other) == status(house) == "InService"
    assert not before & set(other.executors.by_name("stub")._runs)


def test_a_warm_pool_has_stayed_behind(house, other):
    s3(house, "CreateBucket", Bucket="bucket")
    s3(house, "PutObject", Bucket="bucket", Key="train/a.csv", Body=b"1,2\n")
    config = {"InstanceType": "ml.m5.large", "InstanceCount": 1, "VolumeSizeInGB": 1}
    train(house, ResourceConfig={**config, "KeepAlivePeriodInSeconds": 600})
    assert house.jobs.idle(10)
    until(lambda: warmth(house) == "Available")
    loaded(other, taken(house))
    assert warmth(other) == "Terminated" and warmth(house) == "Available"


def warmth(house: House) -> str:
    job = call(house, "DescribeTrainingJob", TrainingJobName="job")
    return str((job.get("WarmPoolStatus") or {}).get("Status"))


def test_the_house_that_loads_ends_what_it_ran(house, other):
    script(other, {"*": ENDLESS})
    s3(other, "CreateBucket", Bucket="bucket")
    s3(other, "PutObject", Bucket="bucket", Key="train/a.csv", Body=b"1,2\n")
    train(other)
    deploy(other)
    until(lambda: secondary(other) == "Training")
    loaded(other, taken(house))
    assert not list(other.executors.by_name("stub")._runs)
    assert not (other.data_dir / "work").exists()


# --- while the house is running -------------------------------------------------------------------------------------


def test_what_is_written_while_it_is_made_is_not_in_it_and_what_is_deleted_is(house, other):
    s3(house, "CreateBucket", Bucket="bucket")
    content = {f"key-{number}": os.urandom(1000) for number in range(20)}
    for key, value in content.items():
        s3(house, "PutObject", Bucket="bucket", Key=key, Body=value)
    call(house, "CreateModelPackageGroup", ModelPackageGroupName="before")
    with closing(house.snapshot()) as saving:
        pieces = iter(saving)
        made = [next(pieces)]
        for key in content:
            s3(house, "DeleteObject", Bucket="bucket", Key=key)
        s3(house, "PutObject", Bucket="bucket", Key="after", Body=b"after")
        call(house, "DeleteModelPackageGroup", ModelPackageGroupName="before")
        call(house, "CreateModelPackageGroup", ModelPackageGroupName="after")
        house.logs.of(SCOPE).append("/after", "stream", ["after"])
        made += pieces
    assert [file.name for file in (house.data_dir / "s3").glob("*/*")] == [blob(house, "after")]
    loaded(other, b"".join(made))
    assert {key: body(other, key) for key in content} == content
    groups = call(other, "ListModelPackageGroups")["ModelPackageGroupSummaryList"]
    assert [group["ModelPackageGroupName"] for group in groups] == ["before"]
    assert other.logs.of(SCOPE).groups() == []


def blob(house: House, key: str) -> str:
    found = house.store.objects.get("bucket", key)
    assert found is not None
    return found.blob


def test_a_snapshot_that_nobody_reads_to_its_end_holds_nothing(house):
    s3(house, "CreateBucket", Bucket="bucket")
    s3(house, "PutObject", Bucket="bucket", Key="key", Body=b"x")
    with closing(house.snapshot()) as saving:
        next(iter(saving))
    s3(house, "DeleteObject", Bucket="bucket", Key="key")
    assert not list((house.data_dir / "s3").glob("*/*"))


def test_what_waited_for_a_snapshot_is_tidied_up_after_a_kill(house):
    s3(house, "CreateBucket", Bucket="bucket")
    s3(house, "PutObject", Bucket="bucket", Key="key", Body=b"x")
    saving = house.snapshot()
    s3(house, "DeleteObject", Bucket="bucket", Key="key")
    assert [file.parent.name for file in (house.data_dir / "s3").glob("*/*")] == ["tmp"]
    house._lock.close()  # as kill -9 does
    second = House(house.settings, house.clock)
    assert not list((house.data_dir / "s3").glob("*/*"))
    second.close()
    saving.close()


def test_a_line_that_is_being_written_is_left_out(house, other):
    path: Path = house.logs.of(SCOPE).path("/g", "s")
    path.write_bytes(b"1000 whole\n2000 hal")
    loaded(other, taken(house))
    assert [line.message for line in other.logs.of(SCOPE).read("/g", "s")] == ["whole"]


def test_requests_are_answered_while_a_snapshot_is_spooled(house, other):
    call(other, "CreateModelPackageGroup", ModelPackageGroupName="old")
    fill(house)
    archive = taken(house)

    class Slow(io.BytesIO):
        def read(self, size: int | None = -1, /) -> bytes:
            describe = Call("sagemaker", "DescribeModelPackageGroup", {"ModelPackageGroupName": "old"}, SCOPE)
            assert other.dispatch(describe)
            return super().read(size)

    other.load(Slow(archive))
    assert seen(other) == seen(house)
