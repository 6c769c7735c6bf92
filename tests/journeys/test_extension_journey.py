"""The extension API on real servers: state moves house, parts are emptied, things go wrong, time stands still."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
import textwrap
import time
import uuid
from datetime import datetime, timedelta, timezone
from pathlib import Path

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from sagelet.server import Server
from tests.api.described import Extension
from tests.journeys.conftest import IMAGE, ROLE, Client, csv, table
from tests.journeys.test_faults_journey import processes_of
from tests.journeys.test_hosting_journey import plain_model
from tests.journeys.test_script_mode_journey import SKLEARN

MINE, THEIRS = "111111111111", "222222222222"


class Person(Client):
    """A client of another account or region."""

    def __init__(self, server: Server, account: str, region: str = "us-east-1", attempts: int = 1):
        self.attempts = attempts
        self.server = server
        self.session = boto3.Session(account, "test", region_name=region)
        self.sagemaker, self.runtime = self.of("sagemaker"), self.of("sagemaker-runtime")
        self.s3, self.logs = self.of("s3"), self.of("logs")

    def of(self, service: str, **more):
        config = Config(retries={"total_max_attempts": self.attempts, "mode": "standard"}, read_timeout=100)
        return self.session.client(service, endpoint_url=self.server.url, config=config, **more)

    def name(self, stem: str) -> str:
        return f"{stem}-{uuid.uuid4().hex[:8]}"

    def bucket(self) -> str:
        name = self.name("bucket")
        region = self.session.region_name
        given = {} if region == "us-east-1" else {"CreateBucketConfiguration": {"LocationConstraint": region}}
        self.s3.create_bucket(Bucket=name, **given)
        return name

    def sleep(self, job: str) -> str:
        """A processing job that runs until somebody ends it."""
        cluster = {"InstanceCount": 1, "InstanceType": "ml.m5.large", "VolumeSizeInGB": 1}
        script = "import time; print('asleep', flush=True); time.sleep(3600)"
        self.sagemaker.create_processing_job(
            ProcessingJobName=job,
            RoleArn=ROLE,
            ProcessingResources={"ClusterConfig": cluster},
            AppSpecification={"ImageUri": SKLEARN, "ContainerEntrypoint": ["python3", "-c", script]},
        )
        until(lambda: "asleep" in sagelet(self.server, "logs", job, fails=True))
        return job


def sagelet(server: Server, *words: str, fails: bool = False) -> str:
    """What a command says."""
    command = [sys.executable, "-m", "sagelet", *words, "--data-dir", str(server.data_dir)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120)
    assert fails or done.returncode == 0, done.stderr
    return done.stdout + done.stderr


def until(condition, seconds: float = 30.0) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.05)


def programs(server: Server) -> dict[str, set[int]]:
    """The processes of each run: its supervisor and all that descend from it."""
    parents = {}
    for entry in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            parents[int(entry.parent.name)] = int(entry.read_text().rpartition(")")[2].split()[1])
    found = {}
    for file in (server.data_dir / "work").glob("*/*/process/process.json"):
        pids = {json.loads(file.read_text())["pid"]}
        while more := {pid for pid, parent in parents.items() if parent in pids} - pids:
            pids |= more
        found[file.parts[-4]] = pids
    return found


def alive(pids: set[int]) -> set[int]:
    """Those that still run."""
    return {pid for pid in pids if Path(f"/proc/{pid}").exists()}


@pytest.fixture(scope="module")
def stub(tmp_path_factory):
    """A server whose jobs do nothing, and whose statuses take a minute."""
    folder = tmp_path_factory.mktemp("stub")
    with pytest.MonkeyPatch.context() as patch:  # not while the tests run: servers of others may be started then
        patch.setenv("SAGELET_SETTLE_SECONDS", "60")
        running = Server(folder, ["--executor", "stub"]).start()
    yield running
    running.stop()


@pytest.fixture
def ask(stub):
    extension = Extension(stub.url)
    extension.well("POST", "/_sagelet/reset")
    return extension


# --- state moves house ----------------------------------------------------------------------------------------------


def test_a_snapshot_moves_house(tmp_path):
    first = Server(tmp_path / "first", ["--executor", "process"])
    second = Server(tmp_path / "second", ["--executor", "process"])
    file = tmp_path / "state.zip"
    try:
        # Given a server with a trained model, an endpoint that serves it, objects, and a job that is under way
        client = Client(first.start())
        bucket = client.bucket()
        client.s3.put_object(Bucket=bucket, Key="train/rows.csv", Body=csv(table()))
        job = client.train(bucket, job="trained")
        assert job["TrainingJobStatus"] == "Completed", job.get("FailureReason")
        client.s3.put_object(Bucket=bucket, Key="model.tar.gz", Body=plain_model()[1])
        client.deploy(f"s3://{bucket}/model.tar.gz", endpoint="served")
        client.of("ssm").put_parameter(Name="/a/b", Value="kept", Type="String")
        answer = client.invoke("served", "0.1,0.2,0.3")
        lines = sagelet(first, "logs", "trained")
        Person(first, "123456789012").sleep("asleep")
        # When a snapshot is saved, and the server is killed
        told = sagelet(first, "snapshot", "save", str(file))
        assert "secrets" in told and file.stat().st_mode & 0o077 == 0
        first.kill()
        # Then it is loaded into another folder, which something was in before
        client = Client(second.start())
        client.s3.create_bucket(Bucket="of-before")
        told = sagelet(second, "snapshot", "load", str(file))
        assert "asleep" in told
        for life in range(2):
            # And everything is there, also after that server was killed
            again = client.sagemaker.describe_training_job(TrainingJobName="trained")
            assert {**again, "ResponseMetadata": 0} == {**job, "ResponseMetadata": 0}
            where = again["ModelArtifacts"]["S3ModelArtifacts"].removeprefix(f"s3://{bucket}/")
            assert client.s3.head_object(Bucket=bucket, Key=where)["ContentLength"] > 0
            assert client.text(bucket, "train/rows.csv").encode() == csv(table())
            assert client.of("ssm").get_parameter(Name="/a/b")["Parameter"]["Value"] == "kept"
            assert sagelet(second, "logs", "trained") == lines
            assert "of-before" not in {each["Name"] for each in client.s3.list_buckets()["Buckets"]}
            client.in_service("served")
            until(lambda client=client: _answers(client, "served") == answer)
            ended = client.sagemaker.describe_processing_job(ProcessingJobName="asleep")
            assert ended["ProcessingJobStatus"] == "Failed" and "snapshot-" in ended["FailureReason"]
            if life == 0:
                second.kill()
                client = Client(second.start())
    finally:
        first.start()  # to end what its killed life has left
        for server in (first, second):
            server.stop()
    assert not processes_of(tmp_path)


def _answers(client, endpoint) -> str:
    with contextlib.suppress(ClientError):
        return client.invoke(endpoint, "0.1,0.2,0.3")
    return ""


# --- parts are emptied ----------------------------------------------------------------------------------------------


def test_two_accounts_and_two_regions_do_not_see_each_other_nor_their_resets(tmp_path):
    with Server(tmp_path / "data", ["--executor", "process"]) as server:
        # Given two accounts in two regions, each with a job that runs, under the same name
        people = {
            (account, region): Person(server, account, region)
            for account in (MINE, THEIRS)
            for region in ("us-east-1", "eu-west-1")
        }
        for person in people.values():
            person.sagemaker.create_model_package_group(ModelPackageGroupName="group")
            person.sleep("job")
        before = programs(server)
        assert len(before) == 4
        # When one of the four is reset
        sagelet(server, "reset", "--account", MINE, "--region", "eu-west-1")
        # Then its job is gone with its program, and the others run on
        after = programs(server)
        [gone] = set(before) - set(after)
        assert len(after) == 3 and not alive(before[gone])
        for place, person in people.items():
            groups = person.sagemaker.list_model_package_groups()["ModelPackageGroupSummaryList"]
            jobs = person.sagemaker.list_processing_jobs()["ProcessingJobSummaries"]
            statuses = [job["ProcessingJobStatus"] for job in jobs]
            emptied = place == (MINE, "eu-west-1")
            assert (len(groups), statuses) == ((0, []) if emptied else (1, ["InProgress"])), place
        # And a reset of everything leaves no process
        began = time.monotonic()
        sagelet(server, "reset")
        assert time.monotonic() - began < 30
        assert not programs(server) and not any(alive(pids) for pids in after.values())
        people[MINE, "eu-west-1"].sleep("job")


def test_a_test_suite_that_uses_motos_decorators_in_server_mode(stub, tmp_path):
    suite = """
        import boto3
        from moto import mock_aws

        @mock_aws
        def first():
            sagemaker = boto3.client("sagemaker", region_name="us-east-1")
            sagemaker.create_model_package_group(ModelPackageGroupName="g")
            boto3.client("s3", region_name="us-east-1").create_bucket(Bucket="bucket")
            assert len(sagemaker.list_model_package_groups()["ModelPackageGroupSummaryList"]) == 1

        @mock_aws
        def second():
            sagemaker = boto3.client("sagemaker", region_name="us-east-1")
            assert sagemaker.list_model_package_groups()["ModelPackageGroupSummaryList"] == []
            boto3.client("s3", region_name="us-east-1").create_bucket(Bucket="bucket")

        first()
        second()
        print("both passed")
    """
    env = {**os.environ, "TEST_SERVER_MODE": "true", "TEST_SERVER_MODE_ENDPOINT": stub.url}
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(suite)],
        capture_output=True,
        text=True,
        env=env,
        cwd=tmp_path,
        timeout=120,
    )
    assert done.stdout.strip() == "both passed", done.stderr


# --- things go wrong ------------------------------------------------------------------------------------------------


def test_boto3_retries_what_is_throttled_and_gives_up_when_it_does_not_end(stub, ask):
    sagelet(stub, "faults", "add", "throttle", "--operation", "CreateModelPackageGroup", "--times", "2")
    patient, hasty = Person(stub, MINE, attempts=3), Person(stub, MINE)
    answer = patient.sagemaker.create_model_package_group(ModelPackageGroupName="g")
    assert answer["ResponseMetadata"]["RetryAttempts"] == 2
    sagelet(stub, "faults", "add", "throttle", "--service", "s3")
    with pytest.raises(ClientError, match="SlowDown"):
        hasty.s3.list_buckets()
    listed = sagelet(stub, "faults", "list")
    assert "struck 2 of 2" in listed and 'service="s3"' in listed
    sagelet(stub, "faults", "clear")
    hasty.s3.list_buckets()
    noted = sagelet(stub, "requests", "--operation", "CreateModelPackageGroup")
    assert noted.count("ThrottlingException") == 2 and noted.count(" 200 ") == 1


def test_jobs_fail_by_the_pattern_of_their_names(stub, ask):
    reason = "AlgorithmError: loss is nan, exit code: 1"
    sagelet(stub, "faults", "add", "job-failure", "--name", "flaky-*", "--reason", reason)
    sagelet(stub, "faults", "add", "capacity", "--operation", "CreateTrainingJob", "--name", "large-*")
    person = Person(stub, "123456789012")
    bucket = person.bucket()
    person.s3.put_object(Bucket=bucket, Key="train/rows.csv", Body=b"1,2\n")
    jobs = {name: person.train(bucket, job=name) for name in ("flaky-1", "large-1", "sound-1")}
    assert jobs["flaky-1"]["FailureReason"] == reason
    assert [t["Status"] for t in jobs["flaky-1"]["SecondaryStatusTransitions"]][-2:] == ["Training", "Failed"]
    assert jobs["large-1"]["FailureReason"].startswith("CapacityError: Unable to provision requested ML compute")
    assert jobs["sound-1"]["TrainingJobStatus"] == "Completed"
    tags = person.sagemaker.list_tags(ResourceArn=jobs["flaky-1"]["TrainingJobArn"])["Tags"]
    assert any(tag["Key"] == "sagelet:fault" for tag in tags)


def test_a_spot_job_is_interrupted_and_comes_through(server):
    client, rule = Client(server), "spot-interruption"
    bucket, job = client.bucket(), client.name("spot")
    client.s3.put_object(Bucket=bucket, Key="train/rows.csv", Body=csv(table()))
    sagelet(server, "faults", "add", rule, "--name", job)
    try:
        done = client.train(
            bucket,
            job=job,
            EnableManagedSpotTraining=True,
            StoppingCondition={"MaxRuntimeInSeconds": 600, "MaxWaitTimeInSeconds": 600},
            HyperParameters={"num_round": "2000", "objective": "reg:squarederror", "nthread": "1"},
        )
    finally:
        sagelet(server, "faults", "clear")
    words = [transition["Status"] for transition in done["SecondaryStatusTransitions"]]
    assert done["TrainingJobStatus"] == "Completed" and words.count("Interrupted") == 1


def test_an_endpoint_for_which_there_is_no_instance(stub, ask):
    person = Person(stub, "123456789012")
    primary = {"Image": IMAGE}
    person.sagemaker.create_model(ModelName="m", PrimaryContainer=primary, ExecutionRoleArn=ROLE)
    variant = {"VariantName": "v", "ModelName": "m", "InitialInstanceCount": 1, "InstanceType": "ml.p4d.24xlarge"}
    person.configure("c", [variant])
    sagelet(stub, "faults", "add", "capacity", "--operation", "CreateEndpoint", "--times", "1")
    for name, wanted in (("none", "Failed"), ("some", "InService")):
        person.sagemaker.create_endpoint(EndpointName=name, EndpointConfigName="c")
        answer = person.in_service(name, wanted)
        assert ("InsufficientInstanceCapacity" in answer.get("FailureReason", "")) == (wanted == "Failed")


# --- time moves -----------------------------------------------------------------------------------------------------


def test_time_stands_still_and_moves_when_it_is_told_to(stub, ask):
    person, then = Person(stub, "123456789012"), datetime(2031, 5, 17, 12, 0, 0, tzinfo=timezone.utc)
    assert "frozen" in sagelet(stub, "clock", "--freeze", "--set", "2031-05-17T12:00:00Z")
    # Records, objects and jobs are stamped with that very moment
    bucket = person.bucket()
    person.s3.put_object(Bucket=bucket, Key="train/rows.csv", Body=b"1,2\n")
    assert person.s3.head_object(Bucket=bucket, Key="train/rows.csv")["LastModified"] == then
    job = person.train(bucket, job="job")
    assert job["CreationTime"] == job["TrainingEndTime"] == then
    person.sagemaker.create_hub(HubName="hub", HubDescription="d")
    assert person.sagemaker.describe_hub(HubName="hub")["HubStatus"] == "Creating"
    # What is due has happened when the move returns, and no real time passed
    sagelet(stub, "clock", "--advance", "1m")
    hub = person.sagemaker.describe_hub(HubName="hub")
    assert hub["HubStatus"] == "InService" and hub["CreationTime"] == then
    assert hub["LastModifiedTime"] == then + timedelta(seconds=60)
    # Credentials end with their time
    given = person.of("sts").assume_role(RoleArn=ROLE, RoleSessionName="session")["Credentials"]
    assert given["Expiration"] == then + timedelta(minutes=61)
    keys = [given[name] for name in ("AccessKeyId", "SecretAccessKey", "SessionToken")]
    theirs = boto3.Session(*keys, "us-east-1").client("sagemaker", endpoint_url=stub.url)
    theirs.list_models()
    sagelet(stub, "clock", "--advance", "2h")
    with pytest.raises(ClientError, match="ExpiredTokenException"):
        theirs.list_models()
    assert "+0.0" in sagelet(stub, "clock", "--restore") or "-0.0" in sagelet(stub, "clock")


def test_requests_are_followed_as_they_come(stub, ask):
    words = ["requests", "--follow", "--json", "--operation", "List*", "--data-dir", str(stub.data_dir)]
    command = [sys.executable, "-m", "sagelet", *words]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as follower:
        person = Person(stub, MINE)
        try:
            for _ in range(3):
                person.sagemaker.list_models()
                entry = json.loads(follower.stdout.readline())
                assert (entry["operation"], entry["account"], entry["status"]) == ("ListModels", MINE, 200)
        finally:
            follower.terminate()


def test_a_snapshot_that_cannot_be_saved_leaves_no_half_of_it(stub, ask, tmp_path):
    target = Path("/nonexistent/state.zip")
    assert "nonexistent" in sagelet(stub, "snapshot", "save", str(target), fails=True)
    bad = tmp_path / "bad.zip"
    bad.write_bytes(b"no zip")
    told = sagelet(stub, "snapshot", "load", str(bad), fails=True)
    assert "no snapshot" in told and told.startswith("sagelet: ")
