"""A small HTTP door before `Neighbours`, as `api` is one, so that real boto3 clients can be used in these tests."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import boto3
from botocore.config import Config
from cheroot import wsgi

from emulator.call import Scope
from emulator.clock import Clock
from emulator.logs import FileLogs
from emulator.metrics import FileMetrics
from emulator.neighbours import HttpRequest, Neighbours
from emulator.settings import Settings

ACCOUNT = "123456789012"
ONE_TRY = Config(retries={"total_max_attempts": 1}, read_timeout=30)


def neighbours_of(
    folder: Path, clock: Clock | None = None, local_images: Any = lambda name: (), **settings: Any
) -> Neighbours:
    """Neighbours of a data folder."""
    logs, metrics = FileLogs(folder / "logs"), FileMetrics(folder / "metrics")
    return Neighbours(Settings(data_dir=folder, **settings), logs, metrics, clock, local_images)


def _scope(authorization: str, front: Neighbours) -> tuple[str, Scope]:
    credential = authorization.partition("Credential=")[2].partition(",")[0].split("/")
    key, _, region, service = credential[:4]
    account = key if key.isdigit() and len(key) == 12 else front.account_of(key) or ACCOUNT
    return service, Scope(account, region)


class Door:
    """Turns WSGI into HttpRequest and back."""

    def __init__(self, front: Neighbours) -> None:
        self.front = front

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Any:
        headers = {n[5:].replace("_", "-").lower(): v for n, v in environ.items() if n.startswith("HTTP_")}
        headers["content-type"] = environ.get("CONTENT_TYPE", "")
        service, scope = _scope(headers.get("authorization", ""), self.front)
        body = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
        path = environ.get("REQUEST_URI", environ["PATH_INFO"]).partition("?")[0]
        reply = self.front.answer(
            HttpRequest(service, environ["REQUEST_METHOD"], path, environ["QUERY_STRING"], headers, body, scope)
        )
        content = reply.body if isinstance(reply.body, bytes) else b"".join(reply.body)
        start_response(f"{reply.status} x", [*reply.headers.items(), ("content-length", str(len(content)))])
        return [content]


class Aws:
    """Makes boto3 clients that talk to the door."""

    def __init__(self, front: Neighbours, url: str) -> None:
        self.front = front
        self.url = url

    def __call__(self, service: str, key: str = "test", region: str = "us-east-1", **more: Any) -> Any:
        more = {"config": ONE_TRY, "aws_secret_access_key": "secret", **more}
        return boto3.client(service, endpoint_url=self.url, region_name=region, aws_access_key_id=key, **more)


@contextmanager
def served(folder: Path, clock: Clock | None = None, **settings: Any) -> Iterator[Aws]:
    """A door on a free port, closed with everything behind it."""
    front = neighbours_of(folder, clock, **settings)
    server = wsgi.Server(("127.0.0.1", 0), Door(front), numthreads=4)
    server.prepare()
    thread = threading.Thread(target=server.serve)
    thread.start()
    try:
        yield Aws(front, f"http://127.0.0.1:{server.bind_addr[1]}")
    finally:
        front.close()
        server.stop()
        thread.join()
