"""S3's faults in its own words (source: the table of error codes in the Amazon S3 API reference)."""

from __future__ import annotations

from typing import Any

from emulator.errors import CallerFault

BAD_DIGEST = "BadDigest"


def no_such_bucket(bucket: str) -> CallerFault:
    """The bucket is absent."""
    return CallerFault("The specified bucket does not exist", "NoSuchBucket", BucketName=bucket)


def no_such_key(key: str, **headers: str) -> CallerFault:
    """The key is absent, or its latest version is a delete marker (then the headers say so)."""
    members: dict[str, Any] = {"Headers": headers} if headers else {}
    return CallerFault("The specified key does not exist.", "NoSuchKey", Key=key, **members)


def no_such_version(key: str, version: str) -> CallerFault:
    """The version is absent."""
    return CallerFault("The specified version does not exist.", "NoSuchVersion", Key=key, VersionId=version)


def no_such_upload(upload: str) -> CallerFault:
    """The multipart upload is absent, aborted or complete."""
    message = (
        "The specified upload does not exist. The upload ID may be invalid, or the upload may have been aborted or"
        " completed."
    )
    return CallerFault(message, "NoSuchUpload", UploadId=upload)


def invalid(name: str, value: object, message: str) -> CallerFault:
    """An argument is not acceptable."""
    return CallerFault(message, "InvalidArgument", ArgumentName=name, ArgumentValue=value)


def invalid_request(message: str) -> CallerFault:
    """The request makes no sense as a whole."""
    return CallerFault(message, "InvalidRequest")


def malformed_xml() -> CallerFault:
    """The document lacks something or has too much of it."""
    return CallerFault(
        "The XML you provided was not well-formed or did not validate against our published schema", "MalformedXML"
    )


def precondition_failed(condition: str, **headers: str) -> CallerFault:
    """A condition of the request does not hold."""
    members: dict[str, Any] = {"Headers": headers} if headers else {}
    message = "At least one of the pre-conditions you specified did not hold"
    return CallerFault(message, "PreconditionFailed", Condition=condition, **members)


def not_modified(**headers: str) -> CallerFault:
    """The caller has the current version already."""
    return CallerFault("Not Modified", "NotModified", Headers=headers)


def access_denied(message: str = "Access Denied") -> CallerFault:
    """The bucket is another account's."""
    return CallerFault(message, "AccessDenied")
