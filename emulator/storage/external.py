"""An external S3 (`--s3-endpoint`: SeaweedFS, MinIO, LocalStack, AWS itself) as the storage port, and behind our port.

The only module that imports boto3.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO, cast

from emulator.call import Answer, Call, Scope
from emulator.errors import CallerFault, NotBuilt
from emulator.ports import ObjectInfo
from emulator.storage import uri
from emulator.storage.blobs import CHUNK

SMALL = 8 << 20
"""Bytes of an object that is asked for at once: boto3 would ask for its size first, and start threads."""

_ABSENT = ("404", "NoSuchKey", "NoSuchBucket", "NotFound")


class ExternalStorage:
    """`ports.Storage` over a boto3 client. Credentials are boto3's usual ones (environment, profile)."""

    def __init__(self, endpoint: str, region: str) -> None:
        self._client = _client(endpoint, region)

    def list(self, bucket: str, prefix: str) -> Iterator[ObjectInfo]:
        """All objects whose key starts with `prefix`, in key order."""
        with _absence(bucket):
            for page in self._client.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix):
                for entry in page.get("Contents", ()):
                    yield ObjectInfo(bucket, entry["Key"], entry["Size"], entry["ETag"].strip('"'))

    def head(self, bucket: str, key: str) -> ObjectInfo:
        """One object's facts."""
        with _absence(bucket, key):
            found = self._client.head_object(Bucket=bucket, Key=key)
        return ObjectInfo(bucket, key, found["ContentLength"], found["ETag"].strip('"'))

    def open(self, bucket: str, key: str) -> BinaryIO:
        """Read an object as a stream."""
        with _absence(bucket, key):
            return cast(BinaryIO, self._client.get_object(Bucket=bucket, Key=key)["Body"])

    def fetch(self, bucket: str, key: str, target: Path) -> None:
        """Write an object to the file `target`, read-only."""
        target.unlink(missing_ok=True)
        with _absence(bucket, key):
            self._client.download_file(bucket, key, str(target))
        target.chmod(0o444)

    def link(self, bucket: str, key: str, target: Path) -> None:
        """There is nothing here to link to: a copy."""
        self.fetch(bucket, key, target)

    def take(self, found: ObjectInfo, target: str, linked: bool, halt: Callable[[], bool]) -> None:
        """Download a listed object to the new file `target`; `halt` is asked before, not meanwhile."""
        if halt():
            raise InterruptedError("The download was given up")
        path = Path(target)
        with path.open("xb") as file:
            try:
                if 0 <= found.size < SMALL:
                    with self.open(found.bucket, found.key) as body:
                        shutil.copyfileobj(body, file, CHUNK)
                else:
                    with _absence(found.bucket, found.key):
                        self._client.download_fileobj(found.bucket, found.key, file)
            except BaseException:
                path.unlink()
                raise
        path.chmod(0o444)

    def store(self, source: Path, bucket: str, key: str) -> None:
        """Create or replace an object from a file, atomically."""
        from boto3.exceptions import S3UploadFailedError

        try:
            self._client.upload_file(str(source), bucket, key)
        except S3UploadFailedError as failed:
            if any(word in str(failed) for word in _ABSENT):
                raise FileNotFoundError(f"The bucket {uri.build(bucket)} does not exist") from failed
            raise

    def make_bucket(self, bucket: str, region: str) -> None:
        """Create a bucket; nothing happens when it exists already."""
        _make_bucket(self._client, bucket, region)


class ExternalS3:
    """Answers S3 calls that reach our port by asking the external S3 the same: parameters and answers are boto3's."""

    def __init__(self, endpoint: str, region: str) -> None:
        self._client = _client(endpoint, region)
        self._seen: set[Scope] = set()

    def answer(self, call: Call) -> Answer:
        """The external S3's answer, or its fault."""
        from botocore.exceptions import BotoCoreError, ClientError

        self._welcome(call.scope)
        method = getattr(self._client, _method(call.operation), None)
        if method is None:
            raise NotBuilt(f"S3's {call.operation} cannot be passed on to the external S3.")
        try:
            with _spooled(call.params) as params:
                return cast(Answer, _outward(method(**params)))
        except ClientError as fault:
            error = fault.response["Error"]
            code = _NAMELESS.get(error["Code"], error["Code"])
            raise CallerFault(error.get("Message", code), code) from fault
        except BotoCoreError as failed:
            message = f"The external S3 did not answer {call.operation}: {failed}"
            raise CallerFault(message, "ServiceUnavailable") from failed

    def _welcome(self, scope: Scope) -> None:
        """The SageMaker SDK's default bucket exists before anybody asks; where it may not, the call itself says so."""
        from botocore.exceptions import BotoCoreError, ClientError

        if scope not in self._seen:
            self._seen.add(scope)
            with contextlib.suppress(BotoCoreError, ClientError):
                _make_bucket(self._client, f"sagemaker-{scope.region}-{scope.account}", scope.region)


_NAMELESS = {"404": "NotFound", "304": "NotModified", "403": "AccessDenied", "412": "PreconditionFailed"}
"""Faults of HEAD have no document; boto3 shows their status as the code."""


def _client(endpoint: str, region: str) -> Any:
    import boto3
    from botocore.config import Config

    checks = {"request_checksum_calculation": "when_required", "response_checksum_validation": "when_required"}
    config = Config(s3={"addressing_style": "path"}, retries={"max_attempts": 3, "mode": "standard"}, **checks)
    # Credentials that an S3 on loopback takes from anybody, where the environment has none.
    found = boto3.Session().get_credentials()
    keys = {} if found else {"aws_access_key_id": "sagelet", "aws_secret_access_key": "sagelet"}
    return boto3.client("s3", endpoint_url=endpoint, region_name=region, config=config, **keys)


def _make_bucket(client: Any, bucket: str, region: str) -> None:
    options = {} if region == "us-east-1" else {"CreateBucketConfiguration": {"LocationConstraint": region}}
    with contextlib.suppress(client.exceptions.BucketAlreadyOwnedByYou, client.exceptions.BucketAlreadyExists):
        client.create_bucket(Bucket=bucket, **options)


def _method(operation: str) -> str:
    from botocore import xform_name

    return cast(str, xform_name(operation))


@contextmanager
def _spooled(params: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """The parameters with a streamed body in a file: boto3 must know its length, and begins anew after a failure."""
    body = params.get("Body")
    if body is None or isinstance(body, bytes):
        yield dict(params)
        return
    with tempfile.TemporaryFile() as spool:
        while data := body.read(CHUNK):
            spool.write(data)
        length = spool.tell()
        expected = params.get("ContentLength")
        if expected is not None and length < expected:
            raise CallerFault(
                "You did not provide the number of bytes specified by the Content-Length HTTP header", "IncompleteBody"
            )
        spool.seek(0, os.SEEK_SET)
        yield {**params, "Body": spool, "ContentLength": length}


def _outward(answer: dict[str, Any]) -> dict[str, Any]:
    status = answer.pop("ResponseMetadata", {}).get("HTTPStatusCode")
    body = answer.get("Body")
    if body is not None:
        answer["Body"] = body.iter_chunks(CHUNK)
    return {**answer, "ResponseMetadata": {"HTTPStatusCode": status}}


@contextmanager
def _absence(bucket: str, key: str = "") -> Iterator[None]:
    from botocore.exceptions import ClientError

    try:
        yield
    except ClientError as fault:
        if fault.response["Error"]["Code"] in _ABSENT:
            raise FileNotFoundError(f"{uri.build(bucket, key)} does not exist") from fault
        raise
