"""An account of the server as the lives of records see it: boto3, S3, and the records that others refer to."""

from __future__ import annotations

import io
import tarfile
from collections.abc import Callable
from typing import Any

import boto3
from botocore import xform_name
from botocore.config import Config
from botocore.exceptions import ClientError
from botocore.loaders import create_loader


class World:
    """An account of the server, as boto3 sees it, and the records that others refer to."""

    def __init__(self, url: str, begin: Callable[[World, str], Any]) -> None:
        self.begin = begin
        session = boto3.Session("test", "test", region_name="us-east-1")
        config = Config(retries={"total_max_attempts": 1})
        self.client = session.client("sagemaker", endpoint_url=url, config=config)
        self.s3 = session.client("s3", endpoint_url=url, config=config)
        self.credentials = session.get_credentials()
        self.waiters = load_waiters()
        self.waited: set[str] = set()
        self.account = ""
        self.proved: set[str] = set()
        self.parents: dict[str, Any] = {}
        self.furnished = False

    def move(self, account: str) -> None:
        """Go on in another account, where there is nothing yet: a key of twelve digits is an account."""
        self.account = self.credentials.access_key = account
        self.parents = {}
        self.furnished = False

    def ask(self, operation: str, **params: Any) -> dict[str, Any]:
        """The answer to an operation, without boto3's metadata."""
        answer: dict[str, Any] = getattr(self.client, xform_name(operation))(**params)
        answer.pop("ResponseMetadata")
        return answer

    def refused(self, operation: str, **params: Any) -> tuple[str, str]:
        """Code and message of the error of an operation that must fail."""
        try:
            answer = self.ask(operation, **params)
        except ClientError as error:
            return error.response["Error"]["Code"], error.response["Error"]["Message"]
        raise AssertionError(f"{operation} with {params} was not refused: {answer}")

    def parent(self, noun: str) -> Any:
        """The life of a record that others refer to; begun once."""
        if noun not in self.parents:
            self.parents[noun] = self.begin(self, noun)
        return self.parents[noun]

    def bucket(self) -> str:
        """A bucket with what jobs and models need."""
        if not self.furnished:
            self.furnished = True
            self.s3.create_bucket(Bucket=self.account)
            self.s3.put_object(Bucket=self.account, Key="train/rows.csv", Body=b"1,2\n3,4\n")
            self.s3.put_object(Bucket=self.account, Key="model.tar.gz", Body=archive("model.json", b"{}"))
        return f"s3://{self.account}"


def load_waiters() -> dict[str, dict[str, Any]]:
    """botocore's waiters: by operation, each with the words or codes that end it well."""
    found: dict[str, dict[str, Any]] = {}
    model = create_loader().load_service_model("sagemaker", "waiters-2")
    for name, waiter in model["waiters"].items():
        good = {acceptor["expected"] for acceptor in waiter["acceptors"] if acceptor["state"] == "success"}
        found.setdefault(waiter["operation"], {})[name] = good
    return found


def archive(name: str, content: bytes) -> bytes:
    """A model.tar.gz of one file."""
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz") as tar:
        entry = tarfile.TarInfo(name)
        entry.size = len(content)
        tar.addfile(entry, io.BytesIO(content))
    return packed.getvalue()
