"""The request log as its API tells it: what real clients asked, of every service, filtered and counted."""

from __future__ import annotations

import contextlib
import uuid
from urllib.parse import urlencode

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from api.requests import RequestLog
from emulator import ids
from emulator.clock import ManualClock
from tests.api.described import Extension
from tests.api.houses import opened

ONCE = Config(retries={"total_max_attempts": 1})


@pytest.fixture(scope="module")
def door():
    with opened() as door:
        yield door


@pytest.fixture
def ask(door):
    extension = Extension(door.url)
    extension.well("DELETE", "/_sagelet/requests")
    return extension


def client(door, service, key="123456789012", region="us-east-1"):
    return boto3.Session(key, "test", region_name=region).client(service, endpoint_url=door.url, config=ONCE)


def asked(ask, **filters):
    return ask.well("GET", f"/_sagelet/requests?{urlencode(filters)}")["requests"]


def test_a_request_is_noted_with_all_that_is_known_of_it(door, ask):
    answer = client(door, "sagemaker", "999988887777", "eu-west-1").create_model_package_group(
        ModelPackageGroupName="group", ModelPackageGroupDescription="some"
    )
    [entry] = asked(ask)
    assert (entry["service"], entry["operation"], entry["name"]) == ("sagemaker", "CreateModelPackageGroup", "group")
    assert (entry["account"], entry["region"]) == ("999988887777", "eu-west-1")
    assert (entry["status"], entry["code"]) == (200, "")
    assert entry["request_id"] == answer["ResponseMetadata"]["RequestId"]
    assert abs(door.house.clock.now() - entry["time"]) < 5 and entry["milliseconds"] > 0


def test_errors_say_their_codes_in_every_protocol(door, ask):
    for service, operation, params in (
        ("sagemaker", "describe_endpoint", {"EndpointName": "absent"}),
        ("s3", "get_object", {"Bucket": "absent", "Key": "a/b"}),
        ("sagemaker-runtime", "invoke_endpoint", {"EndpointName": "absent", "Body": b""}),
        ("ssm", "get_parameter", {"Name": "/absent"}),
        ("iam", "get_role", {"RoleName": "absent"}),
        ("sns", "get_topic_attributes", {"TopicArn": "arn:aws:sns:us-east-1:123456789012:absent"}),
        ("lambda", "get_function", {"FunctionName": "absent"}),
    ):
        with contextlib.suppress(ClientError):
            getattr(client(door, service), operation)(**params)
    found = {(e["operation"], e["name"], e["code"], e["status"]) for e in asked(ask)}
    assert found == {
        ("DescribeEndpoint", "absent", "ValidationException", 400),
        ("GetObject", "absent/a/b", "NoSuchBucket", 404),
        ("InvokeEndpoint", "absent", "ValidationError", 400),
        ("GetParameter", "/absent", "ParameterNotFound", 400),
        ("GetRole", "absent", "NoSuchEntity", 404),
        ("GetTopicAttributes", "absent", "NotFound", 404),
        ("GetFunction", "absent", "ResourceNotFoundException", 404),
    }


def test_what_is_no_request_is_noted_too(door, ask):
    assert ask.ask("POST", "/", b"{", {"X-Amz-Target": "SageMaker.MakeCoffee"})[0] == 404
    assert ask.ask("GET", "/", headers={"Host": "evil.example"})[0] == 403
    first, second = asked(ask)
    assert (first["operation"], first["code"]) == ("", "UnknownOperationException")
    assert (second["service"], second["code"], second["status"]) == ("", "AccessDeniedException", 403)


@pytest.fixture
def several(door, ask):
    """Five requests: two groups made, one of them twice, one described, in another region one that is absent."""
    mine, other = client(door, "sagemaker"), client(door, "sagemaker", region="us-west-2")
    for name in ("one", "two"):
        with contextlib.suppress(ClientError):
            mine.delete_model_package_group(ModelPackageGroupName=name)
    ask.well("DELETE", "/_sagelet/requests")
    for name in ("one", "two", "two"):
        with contextlib.suppress(ClientError):
            mine.create_model_package_group(ModelPackageGroupName=name)
    mine.describe_model_package_group(ModelPackageGroupName="one")
    with contextlib.suppress(ClientError):
        other.describe_model_package_group(ModelPackageGroupName="one")
    return ask


@pytest.mark.parametrize(
    ("filters", "names"),
    [
        ({}, "one two two one one"),
        ({"operation": "Create*"}, "one two two"),
        ({"operation": "DescribeModelPackageGroup", "region": "us-west-2"}, "one"),
        ({"service": "sagemaker", "name": "t?o"}, "two two"),
        ({"status": "4xx"}, "two one"),
        ({"status": "200"}, "one two one"),
        ({"code": "Validation*", "operation": "Create*"}, "two"),
        ({"account": "1111*"}, ""),
        ({"limit": 2}, "one one"),
        ({"since": "2900-01-01T00:00:00Z"}, ""),
        ({"since": "0"}, "one two two one one"),
    ],
)
def test_filters(several, filters, names):
    assert [entry["name"] for entry in asked(several, **filters)] == names.split()


def test_who_reads_on_gets_what_came_since(several):
    last = asked(several)[-3]["number"]
    assert len(asked(several, after=last)) == 2


def test_counters(several):
    answer = several.well("GET", "/_sagelet/requests?limit=1")
    assert (answer["total"], answer["errors"], answer["kept"]) == (5, 2, 1000)
    made = next(row for row in answer["counters"] if row["operation"] == "CreateModelPackageGroup")
    assert (made["service"], made["count"], made["errors"]) == ("sagemaker", 3, 1)
    several.well("DELETE", "/_sagelet/requests")
    assert several.well("GET", "/_sagelet/requests")["total"] == 0


@pytest.mark.parametrize("query", ["limit=0", "limit=x", "since=yesterday", "since=1e99", "colour=red"])
def test_a_filter_that_cannot_be_is_refused(ask, query):
    status, answer = ask.json("GET", f"/_sagelet/requests?{query}")
    assert (status, answer["__type"]) == (400, "ValidationException")
    assert query.partition("=")[0] in answer["message"] or "time" in answer["message"]


def test_the_ring_is_bounded_and_emptied_with_the_house(door):
    with opened(request_log=3) as small:
        extension = Extension(small.url)
        for number in range(5):
            client(small, "sagemaker").list_models(NameContains=str(number))
        found = asked(extension)
        assert [entry["number"] for entry in found] == [3, 4, 5]
        extension.well("POST", "/_sagelet/reset")
        assert extension.well("GET", "/_sagelet/requests")["total"] == 0


def test_nothing_is_noted_when_nothing_is_to_be_kept():
    with opened(request_log=0) as silent:
        client(silent, "sagemaker").list_models()
        assert Extension(silent.url).well("GET", "/_sagelet/requests")["total"] == 0


def test_names_that_clients_invent_are_not_counted_without_end(monkeypatch):
    monkeypatch.setattr("api.requests.KINDS", 2)
    log = RequestLog(10, ManualClock())
    for number in range(5):
        log.note(_exchange(f"Invented{number}"), _reply(), 0.001)
    assert [row["operation"] for row in log.counters()] == ["", "Invented0", "Invented1"]
    assert sum(row["count"] for row in log.counters()) == 5


def _exchange(operation):
    from io import BytesIO

    from api.app import Exchange
    from api.wire import WireRequest

    exchange = Exchange(WireRequest("POST", "/", {}, {}, BytesIO()))
    exchange.operation_name = operation
    return exchange


def _reply():
    from api.wire import WireReply

    return WireReply(200)


def test_request_ids_are_uuids_and_ask_the_system_for_nothing(monkeypatch) -> None:
    monkeypatch.setattr("os.urandom", lambda size: pytest.fail("the system was asked"))
    made = [ids.request_id() for _ in range(1000)]
    assert len(set(made)) == 1000
    assert all(str(uuid.UUID(one)) == one and uuid.UUID(one).version == 4 for one in made)
