"""kill -9 in the middle of an upload, and a full disk: what was acknowledged stays, what was not leaves nothing."""

from __future__ import annotations

import errno
import os
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from botocore.exceptions import ClientError

from emulator.storage import blobs
from tests.neighbours.s3_server import client, house, serving

BUCKET = "sagemaker-us-east-1-123456789012"
ROOT = Path(__file__).parents[2]
SERVER = """
import signal, sys
from pathlib import Path
from tests.neighbours.s3_server import house, serving
with house(Path(sys.argv[1])) as s3, serving(s3) as url:
    print(url, flush=True)
    signal.pause()
"""


@contextmanager
def process(folder: Path) -> Iterator[tuple[subprocess.Popen[str], str]]:
    command = [sys.executable, "-c", SERVER, str(folder)]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as running:
        assert running.stdout is not None
        try:
            yield running, running.stdout.readline().strip()
        finally:
            running.kill()


def put(url: str, key: str, body: bytes) -> None:
    request = urllib.request.Request(f"{url}/{BUCKET}/{key}", data=body, method="PUT")
    with urllib.request.urlopen(request) as reply:
        assert reply.status == 200


def test_kill_9_in_the_middle_of_an_upload(tmp_path: Path) -> None:
    with process(tmp_path) as (running, url):
        for number in range(20):
            put(url, f"kept/{number}", f"body {number}".encode())
        put(url, "replaced", b"old")
        with socket.create_connection((urlsplit(url).hostname, urlsplit(url).port)) as line:
            line.sendall(f"PUT /{BUCKET}/replaced HTTP/1.1\r\nhost: x\r\ncontent-length: 9000000\r\n\r\n".encode())
            line.sendall(b"x" * 3_000_000)
            drafts = tmp_path / "s3/tmp"
            for _ in range(500):
                if any(draft.stat().st_size > 1_000_000 for draft in drafts.iterdir()):
                    break
                time.sleep(0.01)
            assert any(drafts.iterdir())
            running.kill()
            running.wait()
    with house(tmp_path) as s3, serving(s3) as url:
        assert not any(drafts.iterdir()), "cleaned at the start"
        found = client(url)
        for number in range(20):
            assert found.get_object(Bucket=BUCKET, Key=f"kept/{number}")["Body"].read() == f"body {number}".encode()
        assert found.get_object(Bucket=BUCKET, Key="replaced")["Body"].read() == b"old"
        assert len(list((tmp_path / "s3").glob("*/*"))) == 21


def test_a_full_disk_is_said_and_loses_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with house(tmp_path) as s3, serving(s3) as url:
        found = client(url)
        found.put_object(Bucket=BUCKET, Key="k", Body=b"old")
        upload = found.create_multipart_upload(Bucket=BUCKET, Key="m")["UploadId"]
        where: dict[str, Any] = {"Bucket": BUCKET, "Key": "m", "UploadId": upload}

        def full(draft: blobs.Draft, data: bytes) -> None:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

        monkeypatch.setattr(blobs.Draft, "write", full)
        for attempt in (
            lambda: found.put_object(Bucket=BUCKET, Key="k", Body=b"new"),
            lambda: found.upload_part(**where, PartNumber=1, Body=b"part"),
        ):
            with pytest.raises(ClientError, match="disk") as caught:
                attempt()
            assert caught.value.response["Error"]["Code"] == "InsufficientStorage"
            assert caught.value.response["ResponseMetadata"]["HTTPStatusCode"] == 507
        assert not any((tmp_path / "s3/tmp").iterdir())
        assert found.get_object(Bucket=BUCKET, Key="k")["Body"].read() == b"old"
        assert "Parts" not in found.list_parts(**where)
