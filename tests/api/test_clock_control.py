"""The time of the house, moved over its API: what the house stamps follows to the digit."""

from __future__ import annotations

import time
from datetime import datetime, timedelta, timezone

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from tests.api.described import Extension
from tests.api.houses import opened

START = datetime(2031, 5, 17, 12, 0, 0, 250_000, tzinfo=timezone.utc)


@pytest.fixture
def door():
    with opened(settle_seconds=60.0) as door:
        yield door


@pytest.fixture
def ask(door):
    return Extension(door.url)


def client(door, service):
    config = Config(retries={"total_max_attempts": 1})
    return boto3.Session("123456789012", "test", region_name="us-east-1").client(
        service, endpoint_url=door.url, config=config
    )


def test_it_shows_the_machines_time_until_it_is_moved_and_after_it_is_restored(ask):
    for path in ("GET", "DELETE"):
        told = ask.well(path, "/_sagelet/clock")
        assert abs(told["now"] - time.time()) < 5 and not told["frozen"]
        assert ask.well("POST", "/_sagelet/clock", {"advance": 1000})["offset"] > 990


def test_what_the_house_stamps_is_exactly_there(door, ask):
    told = ask.well("POST", "/_sagelet/clock", {"freeze": True, "set": START.isoformat()})
    assert (told["now"], told["iso"]) == (START.timestamp(), "2031-05-17T12:00:00.250Z")
    sagemaker, s3, logs = client(door, "sagemaker"), client(door, "s3"), client(door, "logs")
    sagemaker.create_model_package_group(ModelPackageGroupName="g")
    assert sagemaker.describe_model_package_group(ModelPackageGroupName="g")["CreationTime"] == START
    s3.create_bucket(Bucket="bucket")
    s3.put_object(Bucket="bucket", Key="k", Body=b"x")
    whole = START.replace(microsecond=0)
    assert s3.head_object(Bucket="bucket", Key="k")["LastModified"] == whole
    logs.create_log_group(logGroupName="group")
    [group] = logs.describe_log_groups()["logGroups"]
    assert group["creationTime"] == int(START.timestamp() * 1000)
    ask.well("POST", "/_sagelet/clock", {"advance": 86400.5})
    sagemaker.create_model_package_group(ModelPackageGroupName="h")
    later = sagemaker.describe_model_package_group(ModelPackageGroupName="h")["CreationTime"]
    assert later - START == timedelta(days=1, seconds=0.5)


def test_the_other_services_follow(door, ask):
    ask.well("POST", "/_sagelet/clock", {"freeze": True, "set": START.timestamp()})
    client(door, "ssm").put_parameter(Name="p", Value="v", Type="String")
    assert client(door, "ssm").get_parameter(Name="p")["Parameter"]["LastModifiedDate"] == START
    given = client(door, "sts").assume_role(RoleArn="arn:aws:iam::999988887777:role/r", RoleSessionName="session")
    assert given["Credentials"]["Expiration"] == START.replace(microsecond=0) + timedelta(hours=1)


@pytest.mark.parametrize(
    ("service", "call", "code", "status"),
    [
        ("sagemaker", "list_models", "ExpiredTokenException", 403),
        ("ssm", "describe_parameters", "ExpiredTokenException", 403),
        ("iam", "list_roles", "ExpiredToken", 403),
        ("s3", "list_buckets", "ExpiredToken", 400),
    ],
)
def test_credentials_expire_by_the_clock_of_the_house(door, ask, service, call, code, status):
    given = client(door, "sts").assume_role(RoleArn="arn:aws:iam::999988887777:role/r", RoleSessionName="session")
    keys = [given["Credentials"][name] for name in ("AccessKeyId", "SecretAccessKey", "SessionToken")]
    theirs = getattr(boto3.Session(*keys, "us-east-1").client(service, endpoint_url=door.url), call)
    theirs()
    ask.well("POST", "/_sagelet/clock", {"advance": 3601})
    with pytest.raises(ClientError) as raised:
        theirs()
    answer = raised.value.response
    assert (answer["Error"]["Code"], answer["ResponseMetadata"]["HTTPStatusCode"]) == (code, status)
    door.house.neighbours.close()
    del door.house.neighbours  # as a restart does
    with pytest.raises(ClientError, match=code):
        theirs()
    ask.well("DELETE", "/_sagelet/clock")
    theirs()


def test_what_is_due_has_happened_when_the_answer_comes(door, ask):
    sagemaker = client(door, "sagemaker")
    ask.well("POST", "/_sagelet/clock", {"freeze": True})
    sagemaker.create_hub(HubName="h", HubDescription="d")
    assert sagemaker.describe_hub(HubName="h")["HubStatus"] == "Creating"
    waiting = ask.well("GET", "/_sagelet/clock")
    assert waiting["waiting"] >= 1 and waiting["next"] > waiting["now"]
    ask.well("POST", "/_sagelet/clock", {"advance": 59})
    assert sagemaker.describe_hub(HubName="h")["HubStatus"] == "Creating"
    ask.well("POST", "/_sagelet/clock", {"advance": 1})
    assert sagemaker.describe_hub(HubName="h")["HubStatus"] == "InService"


def test_a_reset_gives_the_machines_time_back(ask):
    ask.well("POST", "/_sagelet/clock", {"freeze": True, "set": 0})
    ask.well("POST", "/_sagelet/reset")
    told = ask.well("GET", "/_sagelet/clock")
    assert not told["frozen"] and abs(told["offset"]) < 1


@pytest.mark.parametrize(
    ("body", "word"),
    [
        ({}, "advance"),
        ({"advance": -1}, "negative"),
        ({"advance": "1"}, "number"),
        ({"advance": 1e300}, "far"),
        ({"set": "tomorrow"}, "ISO 8601"),
        ({"set": True}, "ISO 8601"),
        ({"set": -1}, "ISO 8601"),
        ({"set": 1, "advance": 1}, "contradict"),
        ({"freeze": True, "resume": True}, "contradict"),
        ({"speed": 2}, "speed"),
        (b"advance=1", "Content-Type"),
        ([], "object"),
    ],
)
def test_what_cannot_be_is_refused_and_moves_nothing(ask, body, word):
    status, answer = ask.json("POST", "/_sagelet/clock", body)
    assert status in (400, 415) and word in answer["message"]
    assert abs(ask.well("GET", "/_sagelet/clock")["offset"]) < 1
