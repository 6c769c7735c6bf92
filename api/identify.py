"""Who asks for what: the service and operation of a request, and the account and region it acts in.

The credential scope of the signature names the service: a bucket may be called `endpoints`, and a presigned URL
carries its scope in the query. Signatures themselves are not checked. What is unsigned means S3, unless it can only
be an operation of SageMaker. What the SDKs and other clients really send: docs/quirks.md, "The wire".
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from api import routes
from api.wire import WireRequest
from emulator import spec
from emulator.call import Scope
from emulator.errors import CallerFault
from emulator.settings import Settings

TARGET = "SageMaker."
"""What begins the X-Amz-Target of the control plane."""

TEMPORARY = "ASIA"
"""What the access keys of temporary credentials begin with."""

AccountOf = Callable[[str], "str | None"]

AWS = ("amazonaws.com", "amazonaws.com.cn", "api.aws", "api.amazonwebservices.com.cn")
"""Domains that AWS alone gives names in, and that its services are asked by (botocore's `partitions.json`)."""

_OF_AWS = tuple(f".{domain}" for domain in AWS)

S3_NAMES = frozenset({"s3", "s3express", "s3-object-lambda"})

_CREDENTIAL = re.compile(r"([^/\s=,]+)/\d*/(?:([a-z0-9-]*)/)?([a-z0-9-]+)/aws4_request")
"""access key / date / region (not in SigV4A) / service / aws4_request."""

_ACCOUNT = re.compile(r"\d{12}")

_S3_HOST = re.compile(r"(?:(?P<bucket>.+)\.)?s3(?:[.-][a-z0-9-]+){0,2}\.amazonaws\.com(?:\.cn)?")
_LOCAL_HOST = re.compile(r"(?:(?:s3\.)?|(?P<bucket>.+?)\.(?:s3\.)?)localhost")


@dataclass(frozen=True)
class Identity:
    """What a request is. `operation` is empty for a service that is not ours to parse; `uri_params` are the values
    in the path; `path` is the path to go on with (a bucket in the host name moved to the front of it).
    """

    service: str
    operation: str
    scope: Scope
    path: str
    uri_params: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Signature:
    """What the credential scope says; everything is empty for an unsigned request."""

    access_key: str = ""
    region: str = ""
    service: str = ""


def _nobody(access_key: str) -> str | None:
    return None


def identify(request: WireRequest, settings: Settings, account_of: AccountOf = _nobody) -> Identity:
    """The meaning of a request; `CallerFault` with `UnknownOperationException` when it has none.

    `account_of` knows the accounts of the keys that AssumeRole has handed out; a key of twelve digits is an account.
    """
    signature = signature_of(request)
    key = signature.access_key
    handed_out = account_of(key) if key.startswith(TEMPORARY) else None
    account = key if _ACCOUNT.fullmatch(key) else handed_out or settings.account_id
    scope = Scope(account, signature.region or settings.region)
    service = signature.service or unsigned_service(request)
    if service in S3_NAMES:
        return _s3(request, scope)
    if service != "sagemaker" and service not in routes.signing_names():
        return Identity(service, "", scope, request.path)
    target = request.headers.get("x-amz-target")
    if target is not None:
        return Identity("sagemaker", _target_operation(target), scope, request.path)
    found = routes.find(service, request.method, request.path)
    if found is None:
        raise CallerFault(
            f"No SageMaker operation has the method {request.method} and the path {request.path[:200]},"
            " and no X-Amz-Target header names one.",
            code="UnknownOperationException",
        )
    return Identity(found.service, found.operation, scope, request.path, found.params)


def signature_of(request: WireRequest) -> Signature:
    """The credential scope in the Authorization header, or in the query of a presigned URL.

    Signature Version 2 names no scope; only S3 still meets it, above all in what boto3 presigns by default.
    """
    header = request.headers.get("authorization", "")
    given = request.query.get("X-Amz-Credential") or [header]
    match = _CREDENTIAL.search(given[0])
    if match is not None:
        return Signature(match[1], match[2] or "", match[3])
    if header.startswith("AWS "):
        return Signature(header[4:].partition(":")[0], "", "s3")
    if "AWSAccessKeyId" in request.query:
        return Signature(request.query["AWSAccessKeyId"][0], "", "s3")
    return Signature()


def of_aws(name: str) -> bool:
    """Whether a host name (lower case, without port) is one of AWS."""
    return name.endswith(_OF_AWS)


def unsigned_service(request: WireRequest) -> str:
    """The service that a request without a signature means."""
    host = host_name(request.headers.get("host", ""))
    if of_aws(host):
        return _service_of_host(host)
    target = request.headers.get("x-amz-target", "")
    if target:
        return "sagemaker"
    form = request.headers.get("content-type", "").startswith("application/x-www-form-urlencoded")
    if form and request.method == "POST" and request.path == "/":
        return "sts"  # AssumeRoleWithWebIdentity and -SAML are unsigned by design
    segments = request.path.count("/")
    if (
        request.method == "POST"
        and segments > 1
        and not request.query
        and routes.find("sagemaker", "POST", request.path)
    ):
        return "sagemaker"  # curl to an endpoint; S3 has no POST to a key without a query
    return "s3"


def host_name(host: str) -> str:
    """The name in a Host header, without port."""
    name = host.rpartition(":")[0] if ":" in host else host
    return name.lower()


def _service_of_host(host: str) -> str:
    """`sts` of `sts.eu-west-1.amazonaws.com`, `sagemaker` of `runtime.sagemaker.eu-west-1.amazonaws.com`."""
    if _S3_HOST.fullmatch(host):
        return "s3"
    labels = host.split(".")
    return "sagemaker" if "sagemaker" in labels else labels[0]


def _target_operation(target: str) -> str:
    operation = target.removeprefix(TARGET)
    if operation == target or operation not in _control_plane():
        raise CallerFault(f"There is no operation {target[:200]!r}.", code="UnknownOperationException")
    return operation


def _control_plane() -> Mapping[str, object]:
    operations: Mapping[str, object] = spec.load("sagemaker")._service_description["operations"]
    return operations


def _s3(request: WireRequest, scope: Scope) -> Identity:
    if request.headers.get("x-amz-account-id") and request.path.startswith("/v20180820/"):
        return Identity("s3control", "", scope, request.path)
    bucket = bucket_of_host(request.headers.get("host", ""))
    return Identity("s3", "", scope, f"/{bucket}{request.path}" if bucket else request.path)


def bucket_of_host(host: str) -> str:
    """The bucket of a virtual-hosted address (`bucket.s3.eu-west-1.amazonaws.com`, `bucket.localhost:4577`)."""
    name = host_name(host)
    match = _S3_HOST.fullmatch(name) or _LOCAL_HOST.fullmatch(name)
    return (match["bucket"] or "") if match else ""
