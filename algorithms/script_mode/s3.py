"""Reading and writing one object of S3 with the standard library alone.

Importing boto3 takes longer than all else that happens before the user's script runs.
"""

from __future__ import annotations

import hashlib
import hmac
import http.client
import os
import shutil
import time
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import quote, urlsplit

from algorithms.common.faults import UserError

EMPTY = hashlib.sha256(b"").hexdigest()
UNSIGNED = "UNSIGNED-PAYLOAD"
TIMEOUT = 60


def fetch(uri: str, target: Path) -> None:
    """Write the object at `s3://bucket/key` to `target`; UserError when it cannot be had."""
    connection, path, headers = _asked("GET", uri, EMPTY)
    try:
        connection.request("GET", path, headers=headers)
        answer = connection.getresponse()
        if answer.status != 200:
            raise UserError(f"{uri} cannot be read: HTTP {answer.status}. {_reason(answer)}")
        with target.open("wb") as file:
            shutil.copyfileobj(answer, file, 1 << 20)
    except (OSError, http.client.HTTPException) as error:
        raise UserError(f"{uri} cannot be read: {error or type(error).__name__}.") from error
    finally:
        connection.close()


def store(source: Path, uri: str) -> None:
    """Write a file to `s3://bucket/key`; OSError when that fails."""
    connection, path, headers = _asked("PUT", uri, UNSIGNED)
    try:
        with source.open("rb") as file:
            headers["Content-Length"] = str(os.fstat(file.fileno()).st_size)
            connection.request("PUT", path, body=file, headers=headers)
            answer = connection.getresponse()
            answer.read()
            if answer.status != 200:
                raise OSError(f"{uri} cannot be written: HTTP {answer.status}")
    except http.client.HTTPException as error:
        raise OSError(f"{uri} cannot be written: {error}") from error
    finally:
        connection.close()


def _asked(method: str, uri: str, digest: str) -> tuple[http.client.HTTPConnection, str, dict[str, str]]:
    bucket, _, key = uri.removeprefix("s3://").partition("/")
    base = urlsplit(endpoint(uri))
    path = f"{base.path.rstrip('/')}/{bucket}/{quote(key, safe='/-_.~')}"
    secure = base.scheme == "https"
    kind = http.client.HTTPSConnection if secure else http.client.HTTPConnection
    headers = sign(method, (base.netloc, path), digest, time.strftime("%Y%m%dT%H%M%SZ", time.gmtime()))
    return kind(base.hostname or "", base.port, timeout=TIMEOUT), path, headers


def endpoint(uri: str) -> str:
    """Where S3 is, from the job's environment."""
    for name in ("S3_ENDPOINT_URL", "AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL"):
        if os.environ.get(name):
            return os.environ[name]
    raise UserError(
        f"{uri} cannot be reached: this job has no way to S3 (AWS_ENDPOINT_URL is not set; network isolation takes it "
        "away). Give the code in a channel named code, or run without EnableNetworkIsolation."
    )


def sign(method: str, where: tuple[str, str], digest: str, moment: str) -> dict[str, str]:
    """The headers of a request to (host, path) signed with the credentials of the environment (Signature Version 4)."""
    host, path = where
    headers = {"Host": host, "X-Amz-Content-SHA256": digest, "X-Amz-Date": moment}
    token = os.environ.get("AWS_SESSION_TOKEN")
    if token:
        headers["X-Amz-Security-Token"] = token
    key, secret = os.environ.get("AWS_ACCESS_KEY_ID"), os.environ.get("AWS_SECRET_ACCESS_KEY")
    if key and secret:
        headers["Authorization"] = _authorization(method, path, headers, (key, secret))
    return headers


def _authorization(method: str, path: str, headers: Mapping[str, str], credentials: tuple[str, str]) -> str:
    moment = headers["X-Amz-Date"]
    region = os.environ.get("AWS_REGION") or os.environ.get("AWS_DEFAULT_REGION") or "us-east-1"
    scope = f"{moment[:8]}/{region}/s3/aws4_request"
    lower = {name.lower(): value.strip() for name, value in sorted(headers.items())}
    names = ";".join(lower)
    lines = "".join(f"{name}:{value}\n" for name, value in lower.items())
    request = "\n".join((method, path, "", lines, names, headers["X-Amz-Content-SHA256"]))
    text = "\n".join(("AWS4-HMAC-SHA256", moment, scope, hashlib.sha256(request.encode()).hexdigest()))
    key = b"AWS4" + credentials[1].encode()
    for part in scope.split("/"):
        key = hmac.digest(key, part.encode(), "sha256")
    signature = hmac.digest(key, text.encode(), "sha256").hex()
    return f"AWS4-HMAC-SHA256 Credential={credentials[0]}/{scope}, SignedHeaders={names}, Signature={signature}"


def _reason(answer: http.client.HTTPResponse) -> str:
    text = answer.read(4096).decode("utf-8", "replace")
    found = [text.partition(f"<{tag}>")[2].partition(f"</{tag}>")[0] for tag in ("Code", "Message")]
    return ": ".join(part for part in found if part)
