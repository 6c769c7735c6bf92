"""Buckets through real boto3: names, owners, regions, and the sub-resources that are recorded."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from botocore.exceptions import ClientError

from emulator import spec
from emulator.neighbours.s3 import OPERATIONS
from emulator.neighbours.s3.documents import DOCUMENTS, document_operation
from emulator.neighbours.s3.service import _find
from tests.neighbours.s3_server import ACCOUNT, client, house, serving

DEFAULT = f"sagemaker-us-east-1-{ACCOUNT}"


@pytest.fixture(scope="module")
def s3(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    with house(tmp_path_factory.mktemp("s3")) as service, serving(service) as address:
        yield client(address)


def code(caught: pytest.ExceptionInfo[ClientError]) -> tuple[str, int]:
    response = caught.value.response
    return response["Error"]["Code"], response["ResponseMetadata"]["HTTPStatusCode"]


def test_the_default_bucket_is_there_before_anybody_asks(s3: Any) -> None:
    s3.head_bucket(Bucket=DEFAULT, ExpectedBucketOwner=ACCOUNT)
    with pytest.raises(ClientError) as caught:
        s3.head_bucket(Bucket=DEFAULT, ExpectedBucketOwner="999999999999")
    assert code(caught) == ("403", 403)
    assert DEFAULT in [bucket["Name"] for bucket in s3.list_buckets()["Buckets"]]


def test_the_life_of_a_bucket(s3: Any) -> None:
    assert s3.create_bucket(Bucket="my.bucket-1")["Location"] == "/my.bucket-1"
    s3.create_bucket(Bucket="my.bucket-1")  # us-east-1 has no objection
    assert s3.head_bucket(Bucket="my.bucket-1")["BucketRegion"] == "us-east-1"
    assert s3.get_bucket_location(Bucket="my.bucket-1")["LocationConstraint"] is None
    found = s3.list_buckets(Prefix="my.")
    assert [bucket["Name"] for bucket in found["Buckets"]] == ["my.bucket-1"] and len(found["Owner"]["ID"]) == 64
    s3.put_object(Bucket="my.bucket-1", Key="k", Body=b"x")
    with pytest.raises(ClientError) as caught:
        s3.delete_bucket(Bucket="my.bucket-1")
    assert code(caught) == ("BucketNotEmpty", 409)
    s3.delete_object(Bucket="my.bucket-1", Key="k")
    s3.delete_bucket(Bucket="my.bucket-1")
    with pytest.raises(ClientError) as caught:
        s3.head_bucket(Bucket="my.bucket-1")
    assert code(caught) == ("404", 404)
    with pytest.raises(s3.exceptions.NoSuchBucket):
        s3.list_objects_v2(Bucket="my.bucket-1")


@pytest.mark.parametrize(
    "name", ["ab", "Upper", "under_score", "a..b", "-start", "1.2.3.4", "xn--x", "x" * 64, "a-s3alias"]
)
def test_names_that_no_bucket_may_have(s3: Any, name: str) -> None:
    with pytest.raises(ClientError) as caught:
        s3.create_bucket(Bucket=name)
    assert code(caught) == ("InvalidBucketName", 400)


def test_regions(tmp_path: Any) -> None:
    with house(tmp_path) as service, serving(service, "eu-west-1") as address:
        s3 = client(address, "eu-west-1")
        with pytest.raises(ClientError) as caught:
            s3.create_bucket(Bucket="there")
        assert code(caught) == ("IllegalLocationConstraintException", 400)
        here = {"LocationConstraint": "eu-west-1"}
        s3.create_bucket(Bucket="there", CreateBucketConfiguration=here)
        assert s3.get_bucket_location(Bucket="there")["LocationConstraint"] == "eu-west-1"
        with pytest.raises(s3.exceptions.BucketAlreadyOwnedByYou):
            s3.create_bucket(Bucket="there", CreateBucketConfiguration=here)
        assert f"sagemaker-eu-west-1-{ACCOUNT}" in [bucket["Name"] for bucket in s3.list_buckets()["Buckets"]]


RULE = {"ID": "r", "Status": "Enabled", "Filter": {"Prefix": "tmp/"}, "Expiration": {"Days": 1}}
SSE = {"Rules": [{"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "AES256"}, "BucketKeyEnabled": False}]}
CORS = {"CORSRules": [{"AllowedMethods": ["GET", "PUT"], "AllowedOrigins": ["*"], "MaxAgeSeconds": 5}]}
BLOCK = {
    "BlockPublicAcls": True, "IgnorePublicAcls": True, "BlockPublicPolicy": False, "RestrictPublicBuckets": False,
}  # fmt: skip


@pytest.mark.parametrize(
    ("noun", "put", "got", "absent", "delete"),
    [
        ("bucket_policy", {"Policy": '{"Statement": []}'}, None, "NoSuchBucketPolicy", "bucket_policy"),
        ("bucket_cors", {"CORSConfiguration": CORS}, CORS, "NoSuchCORSConfiguration", "bucket_cors"),
        (
            "bucket_lifecycle_configuration", {"LifecycleConfiguration": {"Rules": [RULE]}}, {"Rules": [RULE]},
            "NoSuchLifecycleConfiguration", "bucket_lifecycle",
        ),
        (
            "bucket_encryption", {"ServerSideEncryptionConfiguration": SSE}, None,
            "ServerSideEncryptionConfigurationNotFoundError", "bucket_encryption",
        ),
        (
            "public_access_block", {"PublicAccessBlockConfiguration": BLOCK}, None,
            "NoSuchPublicAccessBlockConfiguration", "public_access_block",
        ),
        (
            "bucket_tagging", {"Tagging": {"TagSet": [{"Key": "a", "Value": "ü<&>"}]}},
            {"TagSet": [{"Key": "a", "Value": "ü<&>"}]}, "NoSuchTagSet", "bucket_tagging",
        ),
        (
            "bucket_website", {"WebsiteConfiguration": {"IndexDocument": {"Suffix": "i.html"}}},
            {"IndexDocument": {"Suffix": "i.html"}}, "NoSuchWebsiteConfiguration", "bucket_website",
        ),
        (
            "bucket_ownership_controls", {"OwnershipControls": {"Rules": [{"ObjectOwnership": "ObjectWriter"}]}}, None,
            "OwnershipControlsNotFoundError", "bucket_ownership_controls",
        ),
    ],
)  # fmt: skip
def test_documents_are_recorded(s3: Any, noun: str, put: Any, got: Any, absent: str, delete: str) -> None:
    with pytest.raises(ClientError) as caught:
        getattr(s3, f"get_{noun}")(Bucket=DEFAULT)
    assert code(caught) == (absent, 404)
    getattr(s3, f"put_{noun}")(Bucket=DEFAULT, **put)
    answer = getattr(s3, f"get_{noun}")(Bucket=DEFAULT)
    answer.pop("ResponseMetadata")
    assert answer == (put if got is None else got)
    getattr(s3, f"delete_{delete}")(Bucket=DEFAULT)
    with pytest.raises(ClientError) as caught:
        getattr(s3, f"get_{noun}")(Bucket=DEFAULT)
    assert code(caught) == (absent, 404)


def test_documents_that_always_have_an_answer(s3: Any) -> None:
    assert "LoggingEnabled" not in s3.get_bucket_logging(Bucket=DEFAULT)
    assert "Status" not in s3.get_bucket_accelerate_configuration(Bucket=DEFAULT)
    assert s3.get_bucket_request_payment(Bucket=DEFAULT)["Payer"] == "BucketOwner"
    assert set(s3.get_bucket_notification_configuration(Bucket=DEFAULT)) == {"ResponseMetadata"}
    assert s3.get_bucket_acl(Bucket=DEFAULT)["Grants"][0]["Permission"] == "FULL_CONTROL"
    s3.put_bucket_acl(Bucket=DEFAULT, GrantRead='uri="http://acs.amazonaws.com/groups/global/AllUsers"')
    assert s3.get_bucket_acl(Bucket=DEFAULT)["Grants"][0]["Permission"] == "READ"


def test_what_nobody_would_act_on_is_refused(s3: Any) -> None:
    topics = {"TopicConfigurations": [{"TopicArn": "arn:aws:sns:us-east-1:1:t", "Events": ["s3:ObjectCreated:*"]}]}
    with pytest.raises(ClientError) as caught:
        s3.put_bucket_notification_configuration(Bucket=DEFAULT, NotificationConfiguration=topics)
    assert code(caught) == ("NotImplemented", 501) and "notifications" in str(caught.value)
    with pytest.raises(ClientError) as caught:
        s3.create_bucket(Bucket="locked-bucket", ObjectLockEnabledForBucket=True)
    assert code(caught) == ("NotImplemented", 501)
    with pytest.raises(ClientError) as caught:
        s3.put_bucket_policy(Bucket=DEFAULT, Policy=json.dumps([1]))
    assert code(caught) == ("MalformedPolicy", 400)


def test_tables_name_operations_of_the_model() -> None:
    names = set(spec.load("s3").operation_names)
    assert set(OPERATIONS) <= names
    for operation in OPERATIONS:
        assert callable(_find(operation))
    for document in DOCUMENTS:
        assert f"Get{document.noun}" in names and document_operation(f"Get{document.noun}")
