"""Reset of everything, of an account, of a region: what is forgotten is gone, what is not goes on, and it is fast."""

from __future__ import annotations

import time
from pathlib import Path

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from emulator.executors.stub import StubExecutor, StubRun
from tests.api.described import Extension
from tests.api.houses import opened

MINE, THEIRS = "111111111111", "222222222222"
PLACES = [(MINE, "us-east-1"), (MINE, "eu-west-1"), (THEIRS, "us-east-1"), (THEIRS, "eu-west-1")]
IMAGE = "683313688378.dkr.ecr.us-east-1.amazonaws.com/sagemaker-xgboost:1.7-1"
ROLE = "arn:aws:iam::111111111111:role/x"


SESSION = boto3.Session()


class Client:
    """One account in one region."""

    def __init__(self, door, account, region):
        self.door, self.account, self.region = door, account, region
        self.bucket = f"bucket-{account}-{region}"
        self.made = {}

    def of(self, service):
        if service not in self.made:
            config = Config(retries={"total_max_attempts": 1})
            keys = {"aws_access_key_id": self.account, "aws_secret_access_key": "x", "region_name": self.region}
            self.made[service] = SESSION.client(service, endpoint_url=self.door.url, config=config, **keys)
        return self.made[service]

    def fill(self):
        """One of everything."""
        sagemaker, s3, logs = self.of("sagemaker"), self.of("s3"), self.of("logs")
        sagemaker.create_model_package_group(ModelPackageGroupName="group", Tags=[{"Key": "k", "Value": self.account}])
        sagemaker.create_model(ModelName="model", PrimaryContainer={"Image": IMAGE}, ExecutionRoleArn=ROLE)
        given = {"LocationConstraint": self.region} if self.region != "us-east-1" else None
        s3.create_bucket(Bucket=self.bucket, **({"CreateBucketConfiguration": given} if given else {}))
        s3.put_object(Bucket=self.bucket, Key="train/a.csv", Body=b"1,2\n")
        logs.create_log_group(logGroupName="/my/group")
        self.of("ssm").put_parameter(Name="/my/parameter", Value=self.region, Type="String")
        self.of("sqs").create_queue(QueueName="queue")
        return self

    def train(self, job="job"):
        source = {"S3DataType": "S3Prefix", "S3Uri": f"s3://{self.bucket}/train"}
        self.of("sagemaker").create_training_job(
            TrainingJobName=job,
            AlgorithmSpecification={"TrainingImage": IMAGE, "TrainingInputMode": "File"},
            InputDataConfig=[{"ChannelName": "train", "DataSource": {"S3DataSource": source}}],
            OutputDataConfig={"S3OutputPath": f"s3://{self.bucket}/out"},
            ResourceConfig={"InstanceType": "ml.m5.large", "InstanceCount": 1, "VolumeSizeInGB": 1},
            RoleArn=ROLE,
            StoppingCondition={"MaxRuntimeInSeconds": 600},
        )
        return self

    def deploy(self):
        sagemaker = self.of("sagemaker")
        variant = {"VariantName": "v", "ModelName": "model", "InitialInstanceCount": 1, "InstanceType": "ml.m5.large"}
        sagemaker.create_endpoint_config(EndpointConfigName="config", ProductionVariants=[variant])
        sagemaker.create_endpoint(EndpointName="endpoint", EndpointConfigName="config")
        until(lambda: sagemaker.describe_endpoint(EndpointName="endpoint")["EndpointStatus"] == "InService")
        return self

    def holds(self) -> set[str]:
        """What there is."""
        sagemaker, found = self.of("sagemaker"), set()
        found |= {group["ModelPackageGroupName"] for group in _list(sagemaker, "model_package_groups")}
        found |= {model["ModelName"] for model in sagemaker.list_models()["Models"]}
        found |= {job["TrainingJobName"] for job in sagemaker.list_training_jobs()["TrainingJobSummaries"]}
        found |= {each["EndpointName"] for each in sagemaker.list_endpoints()["Endpoints"]}
        buckets = self.of("s3").list_buckets(BucketRegion=self.region)["Buckets"]
        found |= {bucket["Name"] for bucket in buckets if bucket["Name"].startswith("bucket-")}
        found |= {group["logGroupName"] for group in self.of("logs").describe_log_groups()["logGroups"]}
        found |= {each["Name"] for each in self.of("ssm").describe_parameters()["Parameters"]}
        return found | {url.rpartition("/")[2] for url in self.of("sqs").list_queues().get("QueueUrls", ())}

    @property
    def full(self) -> set[str]:
        return {"group", "model", self.bucket, "/my/group", "/my/parameter", "queue"}


def _list(sagemaker, what):
    return sagemaker.list_model_package_groups()["ModelPackageGroupSummaryList"]


def until(condition):
    deadline = time.monotonic() + 20
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)


@pytest.fixture
def door():
    with opened() as door:
        yield door


@pytest.fixture
def ask(door):
    return Extension(door.url)


@pytest.fixture
def endless(door):
    """Jobs that run until they are ended."""
    door.house.executors._made["stub"] = StubExecutor({"*": StubRun(delay=1e6)}, door.house.clock)
    return door


def clients(door):
    return {place: Client(door, *place) for place in PLACES}


@pytest.mark.parametrize(
    ("body", "gone"),
    [
        ({"account": MINE}, {(MINE, "us-east-1"), (MINE, "eu-west-1")}),
        ({"region": "eu-west-1"}, {(MINE, "eu-west-1"), (THEIRS, "eu-west-1")}),
        ({"account": THEIRS, "region": "us-east-1"}, {(THEIRS, "us-east-1")}),
        ({}, set(PLACES)),
        (None, set(PLACES)),
    ],
    ids=["account", "region", "both", "all", "no-body"],
)
@pytest.mark.parametrize("awake", [True, False], ids=["moto-awake", "moto-asleep"])
def test_what_is_meant_is_gone_and_the_neighbours_go_on(door, ask, body, gone, awake):
    places = clients(door)
    for client in places.values():
        client.fill()
        assert client.holds() == client.full
    if not awake:
        door.house.neighbours.close()
        del door.house.neighbours  # as a restart does
    answer = ask.well("POST", "/_sagelet/reset", body)
    asked = body or {}
    assert (answer["account"], answer["region"]) == (asked.get("account", ""), asked.get("region", ""))
    for place, client in places.items():
        assert client.holds() == (set() if place in gone else client.full), place
    # What was written down agrees: a restart brings nothing back.
    door.house.neighbours.close()
    del door.house.neighbours
    for place, client in places.items():
        assert client.holds() == (set() if place in gone else client.full), place
    # And everything can be made anew.
    for place in gone:
        assert places[place].fill().holds() == places[place].full


def test_objects_are_gone_from_the_disk_but_copies_elsewhere_keep_their_bytes(door, ask):
    mine, theirs = Client(door, MINE, "us-east-1").fill(), Client(door, THEIRS, "us-east-1").fill()
    theirs.of("s3").copy_object(Bucket=theirs.bucket, Key="copy", CopySource=f"{mine.bucket}/train/a.csv")
    upload = mine.of("s3").create_multipart_upload(Bucket=mine.bucket, Key="big")["UploadId"]
    mine.of("s3").upload_part(Bucket=mine.bucket, Key="big", UploadId=upload, PartNumber=1, Body=b"part")
    files = list((Path(door.house.data_dir) / "s3").glob("*/*"))
    ask.well("POST", "/_sagelet/reset", {"account": MINE})
    assert theirs.of("s3").get_object(Bucket=theirs.bucket, Key="copy")["Body"].read() == b"1,2\n"
    left = list((Path(door.house.data_dir) / "s3").glob("*/*"))
    assert len(files) == 3 and len(left) == 2  # the part is gone; the bytes that are shared are not
    ask.well("POST", "/_sagelet/reset", {"account": THEIRS})
    assert not list((Path(door.house.data_dir) / "s3").glob("*/*"))


def test_jobs_under_way_end_without_a_trace_and_others_go_on(endless, ask):
    mine, theirs = Client(endless, MINE, "us-east-1").fill(), Client(endless, THEIRS, "us-east-1").fill()
    for client in (mine, theirs):
        client.train()
        until(lambda client=client: _secondary(client) == "Training")
    work = Path(endless.house.data_dir) / "work"
    assert len(list(work.iterdir())) == 2
    ask.well("POST", "/_sagelet/reset", {"account": MINE})
    assert len(list(work.iterdir())) == 1
    assert "job" not in mine.holds() and mine.of("logs").describe_log_groups()["logGroups"] == []
    assert _secondary(theirs) == "Training"
    # The same name is free, and the old life does not disturb the new one.
    mine.fill().train()
    until(lambda: _secondary(mine) == "Training")
    ask.well("POST", "/_sagelet/reset")
    assert not work.exists() or not list(work.iterdir())
    assert endless.house.jobs.idle(5)


def test_jobs_that_wait_are_forgotten_too(ask, door):
    with opened(max_jobs=1) as small:
        small.house.executors._made["stub"] = StubExecutor({"*": StubRun(delay=1e6)}, small.house.clock)
        mine, theirs = Client(small, MINE, "us-east-1").fill(), Client(small, THEIRS, "us-east-1").fill()
        for job in ("one", "two", "three"):
            mine.train(job)
        theirs.train()
        Extension(small.url).well("POST", "/_sagelet/reset", {"account": MINE})
        until(lambda: _secondary(theirs) == "Training")  # their turn has come


def _secondary(client):
    return client.of("sagemaker").describe_training_job(TrainingJobName="job")["SecondaryStatus"]


def test_endpoints_end_and_others_answer_on(door, ask):
    mine, theirs = (Client(door, account, "us-east-1").fill().deploy() for account in (MINE, THEIRS))
    ask.well("POST", "/_sagelet/reset", {"account": MINE, "region": "us-east-1"})
    with pytest.raises(ClientError, match="not found"):
        mine.of("sagemaker-runtime").invoke_endpoint(EndpointName="endpoint", Body=b"x")
    answer = theirs.of("sagemaker-runtime").invoke_endpoint(EndpointName="endpoint", Body=b"x")
    assert answer["Body"].read() == b'{"stub": true}'
    assert len(door.house.executors.by_name("stub")._runs) == 1
    mine.fill().deploy()


def test_records_on_their_way_do_not_arrive_in_the_next_life(ask):
    with opened(settle_seconds=60.0) as slow:
        extension = Extension(slow.url)
        sagemaker = Client(slow, MINE, "us-east-1").of("sagemaker")
        extension.well("POST", "/_sagelet/clock", {"freeze": True})
        sagemaker.create_hub(HubName="h", HubDescription="d")
        extension.well("POST", "/_sagelet/clock", {"advance": 50})
        extension.well("POST", "/_sagelet/reset", {"account": MINE})
        sagemaker.create_hub(HubName="h", HubDescription="d")
        extension.well("POST", "/_sagelet/clock", {"advance": 50})
        assert sagemaker.describe_hub(HubName="h")["HubStatus"] == "Creating"
        extension.well("POST", "/_sagelet/clock", {"advance": 10})
        assert sagemaker.describe_hub(HubName="h")["HubStatus"] == "InService"


def test_what_cannot_be_forgotten_is_said(ask, door):
    def left(body):
        return " ".join(ask.well("POST", "/_sagelet/reset", body)["left"])

    assert left({}) == ""
    assert "STS" in left({"account": MINE}) and "IAM" not in left({"account": MINE})
    assert "IAM" in left({"account": MINE, "region": "us-east-1"})


def test_iam_belongs_to_the_account_and_not_to_a_region(door, ask):
    iam = Client(door, MINE, "us-east-1").of("iam")
    iam.create_role(RoleName="mine", AssumeRolePolicyDocument="{}")
    ask.well("POST", "/_sagelet/reset", {"account": MINE, "region": "us-east-1"})
    assert iam.get_role(RoleName="mine")
    ask.well("POST", "/_sagelet/reset", {"account": MINE})
    with pytest.raises(ClientError, match="NoSuchEntity"):
        iam.get_role(RoleName="mine")
    assert {role["RoleName"] for role in iam.list_roles()["Roles"]} == {"SageletExecutionRole"}


def test_keys_of_assumed_roles_stay_good(door, ask):
    role = f"arn:aws:iam::{MINE}:role/r"
    given = Client(door, THEIRS, "us-east-1").of("sts").assume_role(RoleArn=role, RoleSessionName="session")
    keys = [given["Credentials"][name] for name in ("AccessKeyId", "SecretAccessKey", "SessionToken")]
    ask.well("POST", "/_sagelet/reset", {"account": MINE})
    theirs = boto3.Session(*keys, "us-east-1").client("sagemaker", endpoint_url=door.url)
    arn = theirs.create_model_package_group(ModelPackageGroupName="g")["ModelPackageGroupArn"]
    assert MINE in arn


def test_notes_and_rules_of_the_part_go_with_it(door, ask):
    for account in (MINE, THEIRS):
        Client(door, account, "us-east-1").of("sagemaker").list_models()
        ask.well("POST", "/_sagelet/faults", {"kind": "throttle", "account": account, "name": "none"})
    ask.well("POST", "/_sagelet/faults", {"kind": "throttle", "name": "none"})
    ask.well("POST", "/_sagelet/reset", {"account": MINE})
    assert [entry["account"] for entry in ask.well("GET", "/_sagelet/requests")["requests"]] == [THEIRS]
    assert [rule["account"] for rule in ask.well("GET", "/_sagelet/faults")["faults"]] == [THEIRS, "*"]


@pytest.mark.parametrize(
    ("body", "word"),
    [({"account": "mine"}, "12 digits"), ({"region": "Mars"}, "us-east-1"), ({"everything": True}, "everything")],
)
def test_a_part_that_cannot_be_is_refused(door, ask, body, word):
    client = Client(door, MINE, "us-east-1").fill()
    status, answer = ask.json("POST", "/_sagelet/reset", body)
    assert status == 400 and word in answer["message"]
    assert client.holds() == client.full


def test_a_form_empties_nothing(door, ask):
    client = Client(door, MINE, "us-east-1").fill()
    status, _ = ask.ask(
        "POST", "/_sagelet/reset", b"account=111111111111", {"Content-Type": "application/x-www-form-urlencoded"}
    )
    assert status == 415 and client.holds() == client.full


@pytest.mark.parametrize("body", [None, {"account": MINE}])
def test_a_fixture_may_call_it_before_every_test(door, ask, body):
    sagemaker, took = Client(door, MINE, "us-east-1").of("sagemaker"), []
    for _ in range(12):
        sagemaker.create_model_package_group(ModelPackageGroupName="group")
        began = time.perf_counter()
        ask.well("POST", "/_sagelet/reset", body)
        took.append(time.perf_counter() - began)
    assert sorted(took)[6] < 0.05, took  # some two milliseconds on an idle machine
