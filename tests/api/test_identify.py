"""Service, operation, account and region of requests, as clients really send them."""

import io
from urllib.parse import parse_qs

import pytest

from api import routes
from api.identify import bucket_of_host, identify, unsigned_service
from api.wire import WireRequest
from emulator.call import Scope
from emulator.errors import CallerFault
from emulator.settings import Settings
from tests.api.conftest import authorization

SETTINGS = Settings()
TARGET = {"x-amz-target": "SageMaker.CreateTrainingJob"}


def request(method="POST", path="/", query="", **headers) -> WireRequest:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return WireRequest(method, path, parse_qs(query, keep_blank_values=True), named, io.BytesIO(), query)


def signed(service, method="POST", path="/", query="", key="AKIDEXAMPLE", **headers):
    return identify(request(method, path, query, authorization=authorization(service, key), **headers), SETTINGS)


def test_the_control_plane_is_named_by_its_target():
    found = signed("sagemaker", x_amz_target="SageMaker.CreateTrainingJob")
    assert (found.service, found.operation) == ("sagemaker", "CreateTrainingJob")
    assert found.scope == Scope(SETTINGS.account_id, "us-east-1")


def test_an_access_key_of_twelve_digits_is_the_account():
    assert signed("sagemaker", key="000000000042", x_amz_target="SageMaker.ListApps").scope.account == "000000000042"
    assert signed("s3", "GET", key="12345678901").scope.account == SETTINGS.account_id


def test_a_session_token_changes_nothing():
    found = signed("sagemaker", x_amz_target="SageMaker.ListApps", x_amz_security_token="FwoGZXIvYXdzE")
    assert found.scope.account == SETTINGS.account_id


@pytest.mark.parametrize(
    ("method", "path", "service", "operation", "params"),
    [
        ("POST", "/endpoints/e-1/invocations", "sagemaker-runtime", "InvokeEndpoint", {"EndpointName": "e-1"}),
        (
            "POST",
            "/endpoints/e/invocations-response-stream",
            "sagemaker-runtime",
            "InvokeEndpointWithResponseStream",
            {"EndpointName": "e"},
        ),
        ("GET", "/FeatureGroup/a%2Fb", "sagemaker-featurestore-runtime", "GetRecord", {"FeatureGroupName": "a/b"}),
        ("PUT", "/FeatureGroup/f", "sagemaker-featurestore-runtime", "PutRecord", {"FeatureGroupName": "f"}),
        ("PUT", "/BatchPutMetrics", "sagemaker-metrics", "BatchPutMetrics", {}),
        ("POST", "/SendHeartbeat", "sagemaker-edge", "SendHeartbeat", {}),
        ("POST", "/human-loops/stop", "sagemaker-a2i-runtime", "StopHumanLoop", {}),
        ("GET", "/human-loops/x", "sagemaker-a2i-runtime", "DescribeHumanLoop", {"HumanLoopName": "x"}),
    ],
)
def test_the_data_planes_are_told_apart_by_their_paths(method, path, service, operation, params):
    found = signed("sagemaker", method, path)
    assert (found.service, found.operation, found.uri_params) == (service, operation, params)


def test_no_two_operations_of_one_signing_name_share_a_path():
    for name in routes.signing_names():
        for candidates in routes._table(name).values():
            shapes = [route.literals for route in candidates]
            assert len(set(shapes)) == len(shapes)


def test_geospatial_signs_with_a_name_of_its_own():
    found = signed("sagemaker-geospatial", "GET", "/raster-data-collections")
    assert (found.service, found.operation) == ("sagemaker-geospatial", "ListRasterDataCollections")


@pytest.mark.parametrize("target", ["SageMaker.MakeCoffee", "Logs_20140328.PutLogEvents", "", "SageMaker."])
def test_an_unknown_target_is_named(target):
    with pytest.raises(CallerFault) as raised:
        signed("sagemaker", x_amz_target=target)
    assert raised.value.code == "UnknownOperationException" and repr(target) in raised.value.message


def test_an_unknown_path_is_named():
    with pytest.raises(CallerFault, match="POST and the path /endpoints/x/coffee") as raised:
        signed("sagemaker", "POST", "/endpoints/x/coffee")
    assert raised.value.code == "UnknownOperationException"


@pytest.mark.parametrize("path", ["/endpoints/e/invocations", "/sample", "/"])
def test_buckets_may_be_called_like_our_paths(path):
    found = signed("s3", "POST", path)
    assert (found.service, found.operation, found.path) == ("s3", "", path)


def test_a_presigned_url_names_its_scope_in_the_query():
    query = "X-Amz-Credential=AKID%2F20240501%2Feu-west-1%2Fs3%2Faws4_request&X-Amz-Signature=0"
    found = identify(request("GET", "/endpoints/x", query), SETTINGS)
    assert (found.service, found.scope.region) == ("s3", "eu-west-1")


def test_sigv4a_has_no_region_and_sigv2_means_s3():
    found = identify(
        request("GET", "/b", authorization="AWS4-ECDSA-P256-SHA256 Credential=AK/20240501/s3/aws4_request"), SETTINGS
    )
    assert (found.service, found.scope.region) == ("s3", SETTINGS.region)
    assert identify(request("GET", "/b", authorization="AWS AKID:c2ln"), SETTINGS).service == "s3"
    presigned = identify(request("GET", "/b", "AWSAccessKeyId=111122223333&Signature=c2ln&Expires=1"), SETTINGS)
    assert (presigned.service, presigned.scope.account) == ("s3", "111122223333")


def test_unsigned_means_s3_unless_a_target_says_otherwise():
    assert identify(request("GET", "/bucket/key"), SETTINGS).service == "s3"
    assert identify(request(**TARGET), SETTINGS).operation == "CreateTrainingJob"
    assert identify(request("POST", "/endpoints/e/invocations"), SETTINGS).operation == "InvokeEndpoint"
    for method, path, query in (
        ("GET", "/endpoints/e/invocations", ""),
        ("POST", "/endpoints/e/invocations", "uploads"),
        ("POST", "/sample", ""),
        ("POST", "/bucket/key", ""),
    ):
        assert identify(request(method, path, query), SETTINGS).service == "s3"
    form = request("POST", "/", content_type="application/x-www-form-urlencoded; charset=utf-8")
    assert identify(form, SETTINGS).service == "sts"


@pytest.mark.parametrize("service", ["sts", "logs", "monitoring", "ecr", "sagemaker-mlflow"])
def test_other_services_are_not_ours_to_parse(service):
    found = signed(service, x_amz_target="Whatever.Op")
    assert (found.service, found.operation) == (service, "")


def test_s3_control_is_not_s3():
    assert signed("s3", "GET", "/v20180820/tags/x", x_amz_account_id="1").service == "s3control"


@pytest.mark.parametrize(
    ("host", "bucket"),
    [
        ("bucket.s3.amazonaws.com", "bucket"),
        ("my.dotted.bucket.s3.amazonaws.com:80", "my.dotted.bucket"),
        ("bucket.s3.us-east-1.amazonaws.com:4577", "bucket"),
        ("bucket.s3-eu-west-1.amazonaws.com", "bucket"),
        ("bucket.s3.dualstack.us-east-1.amazonaws.com", "bucket"),
        ("bucket.s3.cn-north-1.amazonaws.com.cn", "bucket"),
        ("bucket.localhost:4577", "bucket"),
        ("bucket.s3.localhost", "bucket"),
        ("s3.amazonaws.com", ""),
        ("s3.us-east-1.amazonaws.com", ""),
        ("s3.localhost:4577", ""),
        ("localhost:4577", ""),
        ("127.0.0.1:4577", ""),
        ("[::1]:4577", ""),
        ("runtime.sagemaker.us-east-1.amazonaws.com", ""),
        ("", ""),
    ],
)
def test_the_bucket_of_a_virtual_host(host, bucket):
    assert bucket_of_host(host) == bucket
    found = signed("s3", "GET", "/key%20x", host=host)
    assert found.path == (f"/{bucket}/key%20x" if bucket else "/key%20x")


@pytest.mark.parametrize(
    ("host", "service"),
    [
        ("bucket.s3.us-east-1.amazonaws.com", "s3"),
        ("s3.eu-west-1.amazonaws.com", "s3"),
        ("sts.us-east-1.amazonaws.com", "sts"),
        ("cognito-idp.us-east-1.amazonaws.com", "cognito-idp"),
        ("runtime.sagemaker.us-east-1.api.aws", "sagemaker"),
        ("checkip.amazonaws.com", "checkip"),
    ],
)
def test_what_is_unsigned_means_the_service_whose_name_is_asked(host, service):
    asked = WireRequest("POST", "/endpoints/mine/invocations", {}, {"host": host}, io.BytesIO(b""))
    assert unsigned_service(asked) == service
