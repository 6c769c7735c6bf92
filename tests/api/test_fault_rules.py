"""Requests that go wrong on purpose, as boto3 sees them: it retries what it would retry, and raises the rest."""

from __future__ import annotations

import threading
import time

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from tests.api.described import Extension
from tests.api.houses import opened

PATH = "/_sagelet/faults"


@pytest.fixture(scope="module")
def door():
    with opened() as door:
        yield door


@pytest.fixture
def ask(door):
    extension = Extension(door.url)
    extension.well("DELETE", PATH)
    return extension


def client(door, service, attempts=1, key="123456789012", region="us-east-1"):
    config = Config(retries={"total_max_attempts": attempts, "mode": "standard"})
    return boto3.Session(key, "test", region_name=region).client(service, endpoint_url=door.url, config=config)


def strike(ask, kind, **members):
    return ask.well("POST", PATH, {"kind": kind, **members})["id"]


def counted(ask):
    return [(rule["seen"], rule["hits"]) for rule in ask.well("GET", PATH)["faults"]]


def error(call, **params):
    with pytest.raises(ClientError) as raised:
        call(**params)
    return raised.value.response


def test_a_throttled_request_is_retried_by_boto3_and_succeeds(door, ask):
    strike(ask, "throttle", operation="ListModels", times=2)
    answer = client(door, "sagemaker", attempts=4).list_models()
    assert answer["ResponseMetadata"]["RetryAttempts"] == 2
    assert counted(ask) == [(2, 2)]


@pytest.mark.parametrize(
    ("service", "call", "params", "code", "status"),
    [
        ("sagemaker", "list_models", {}, "ThrottlingException", 400),
        ("sagemaker-runtime", "invoke_endpoint", {"EndpointName": "e", "Body": b"x"}, "ThrottlingException", 400),
        ("s3", "list_buckets", {}, "SlowDown", 503),
        ("s3", "put_object", {"Bucket": "b", "Key": "k", "Body": b"x" * 100_000}, "SlowDown", 503),
        ("ssm", "get_parameter", {"Name": "p"}, "ThrottlingException", 400),
        ("iam", "get_role", {"RoleName": "r"}, "Throttling", 400),
        ("sts", "get_caller_identity", {}, "Throttling", 400),
        ("lambda", "get_function", {"FunctionName": "f"}, "ThrottlingException", 400),
    ],
)
def test_every_service_is_throttled_in_its_own_words(door, ask, service, call, params, code, status):
    strike(ask, "throttle")
    told = error(getattr(client(door, service), call), **params)
    assert (told["Error"]["Code"], told["ResponseMetadata"]["HTTPStatusCode"]) == (code, status)
    [*_, last] = ask.well("GET", "/_sagelet/requests")["requests"]
    assert (last["code"], last["status"]) == (code, status)
    assert last["operation"].lower() == call.replace("_", "")


def test_an_error_has_the_code_message_and_status_that_it_was_given(door, ask):
    strike(ask, "error", operation="CreateModel*", code="ResourceLimitExceeded", message="No more.", status=418)
    told = error(client(door, "sagemaker").create_model_package_group, ModelPackageGroupName="g")
    assert told["Error"] == {"Code": "ResourceLimitExceeded", "Message": "No more."}
    assert told["ResponseMetadata"]["HTTPStatusCode"] == 418
    assert client(door, "sagemaker").list_model_package_groups()["ModelPackageGroupSummaryList"] == []


def test_an_error_without_a_status_has_that_of_its_code(door, ask):
    strike(ask, "error", code="InternalFailure", times=1)
    strike(ask, "error", code="ValidationException", times=1)
    statuses = [error(client(door, "sagemaker").list_models)["ResponseMetadata"]["HTTPStatusCode"] for _ in range(2)]
    assert statuses == [500, 400]


@pytest.mark.parametrize(
    ("pattern", "struck"),
    [
        ({"name": "nightly-*"}, {"nightly-1", "nightly-2"}),
        ({"name": "*-1", "operation": "Describe*"}, {"nightly-1", "other-1"}),
        ({"account": "999988887777"}, set()),
        ({"region": "us-east-?"}, {"nightly-1", "nightly-2", "other-1"}),
        ({"service": "s3"}, set()),
    ],
)
def test_who_is_meant(door, ask, pattern, struck):
    strike(ask, "error", code="Meant", **pattern)
    found = set()
    for name in ("nightly-1", "nightly-2", "other-1"):
        told = error(client(door, "sagemaker").describe_model, ModelName=name)
        if told["Error"]["Code"] == "Meant":
            found.add(name)
    assert found == struck


@pytest.mark.parametrize(
    ("service", "call", "params", "name"),
    [
        ("s3", "get_object", {"Bucket": "bucket", "Key": "a/b"}, "bucket/a/*"),
        ("ssm", "get_parameter", {"Name": "/p/q"}, "/p/*"),
        ("iam", "get_role", {"RoleName": "mine"}, "mine"),
        ("lambda", "get_function", {"FunctionName": "mine"}, "mine"),
        ("sqs", "get_queue_url", {"QueueName": "mine"}, "m?ne"),
    ],
)
def test_names_are_those_of_every_service(door, ask, service, call, params, name):
    strike(ask, "error", code="Meant", name=name)
    assert error(getattr(client(door, service), call), **params)["Error"]["Code"] == "Meant"
    ask.well("DELETE", PATH)
    strike(ask, "error", code="Meant", name="other")
    assert error(getattr(client(door, service), call), **params)["Error"]["Code"] != "Meant"


def test_chance_is_the_same_for_the_same_seed(door, ask):
    def run():
        ask.well("DELETE", PATH)
        strike(ask, "error", code="Unlucky", probability=0.5, seed=7)
        sagemaker = client(door, "sagemaker")
        return [_fails(sagemaker.list_models) for _ in range(30)]

    first = run()
    assert first == run() and 5 < sum(first) < 25
    assert counted(ask) == [(30, sum(first))]


def _fails(call) -> bool:
    try:
        call()
    except ClientError:
        return True
    return False


def test_a_seed_that_nobody_gave_is_chosen_and_shown(ask):
    strike(ask, "throttle", probability=0.5)
    strike(ask, "throttle", probability=0.5)
    one, two = ask.well("GET", PATH)["faults"]
    assert one["seed"] != two["seed"]


def test_latencies_add_up_and_hold_up_nobody_else(door, ask):
    strike(ask, "latency", operation="ListModels", seconds=0.3)
    strike(ask, "latency", operation="ListModels", seconds=0.2)
    done = threading.Event()
    slow = threading.Thread(target=lambda: (client(door, "sagemaker").list_models(), done.set()))
    began = time.monotonic()
    slow.start()
    client(door, "sagemaker").list_endpoints()
    assert not done.is_set()
    slow.join(10)
    assert done.is_set() and time.monotonic() - began >= 0.5


def test_rules_are_listed_forgotten_one_by_one_and_with_the_house(ask):
    first, second = strike(ask, "throttle", name="a"), strike(ask, "throttle", name="b")
    assert [rule["id"] for rule in ask.well("GET", PATH)["faults"]] == [first, second]
    assert ask.well("DELETE", f"{PATH}/{first}")["name"] == "a"
    status, answer = ask.json("DELETE", f"{PATH}/{first}")
    assert status == 400 and first in answer["message"] and second in answer["message"]
    ask.well("POST", "/_sagelet/reset")
    assert ask.well("GET", PATH)["faults"] == []


@pytest.mark.parametrize(
    ("rule", "word"),
    [
        ({}, "kind"),
        ({"kind": "flood"}, "flood"),
        ({"kind": "latency"}, "seconds"),
        ({"kind": "latency", "seconds": 1000}, "seconds"),
        ({"kind": "latency", "seconds": -1}, "seconds"),
        ({"kind": "error"}, "code"),
        ({"kind": "error", "code": "X", "status": 200}, "status"),
        ({"kind": "error", "code": "X", "reason": "y"}, "reason"),
        ({"kind": "job-failure"}, "reason"),
        ({"kind": "throttle", "probability": 2}, "probability"),
        ({"kind": "throttle", "times": -1}, "times"),
        ({"kind": "throttle", "times": 1.5}, "times"),
        ({"kind": "throttle", "colour": "red"}, "colour"),
    ],
)
def test_a_rule_that_cannot_be_is_refused_by_its_member(ask, rule, word):
    status, answer = ask.json("POST", PATH, rule)
    assert (status, answer["__type"]) == (400, "ValidationException") and word in answer["message"]
    assert ask.well("GET", PATH)["faults"] == []


def test_a_rule_must_come_as_json(ask):
    status, answer = ask.ask("POST", PATH, b"kind=throttle", {"Content-Type": "application/x-www-form-urlencoded"})
    assert status == 415 and b"application/json" in answer


def test_an_endpoint_for_which_there_is_no_instance(door, ask):
    sagemaker = client(door, "sagemaker")
    image = "1.dkr.ecr.us-east-1.amazonaws.com/sagemaker-xgboost:1.7-1"
    role = "arn:aws:iam::123456789012:role/x"
    sagemaker.create_model(ModelName="m", PrimaryContainer={"Image": image}, ExecutionRoleArn=role)
    variant = {"VariantName": "v", "ModelName": "m", "InitialInstanceCount": 1, "InstanceType": "ml.m5.large"}
    sagemaker.create_endpoint_config(EndpointConfigName="c", ProductionVariants=[variant])
    sagemaker.create_endpoint_config(EndpointConfigName="d", ProductionVariants=[variant])
    strike(ask, "capacity", name="struck", times=1)
    for name in ("struck", "spared"):
        sagemaker.create_endpoint(EndpointName=name, EndpointConfigName="c")
    assert _settled(sagemaker, "spared")["EndpointStatus"] == "InService"
    failed = _settled(sagemaker, "struck")
    assert failed["EndpointStatus"] == "Failed" and "InsufficientInstanceCapacity" in failed["FailureReason"]
    # An update that finds no instance leaves what there is in service.
    strike(ask, "capacity", operation="UpdateEndpoint")
    sagemaker.update_endpoint(EndpointName="spared", EndpointConfigName="d")
    after = _settled(sagemaker, "spared")
    assert (after["EndpointStatus"], after["EndpointConfigName"]) == ("InService", "c")
    assert "InsufficientInstanceCapacity" in after["FailureReason"]


def _settled(sagemaker, name):
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        answer = sagemaker.describe_endpoint(EndpointName=name)
        if answer["EndpointStatus"] not in ("Creating", "Updating"):
            return answer
        time.sleep(0.02)
    raise AssertionError(f"{name} did not settle")
