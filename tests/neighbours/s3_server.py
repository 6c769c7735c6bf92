"""S3 alone behind a real socket: the wire and the operations, without the rest of the house."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

import boto3
from botocore.config import Config
from cheroot import wsgi

from api.wire import WireReply, WireRequest, restxml, xmlroutes
from emulator import spec
from emulator.call import Call, Scope
from emulator.clock import Clock, SystemClock
from emulator.neighbours.s3 import S3
from emulator.storage.shelf import Shelf
from emulator.store import open_store

ACCOUNT = "123456789012"
_CLIENTS: dict[str, list[Any]] = {}
"""Clients by URL, closed with their server: an open socket is a warning, and warnings are errors."""


def application(s3: Any, region: str) -> Any:
    """A WSGI application that parses, dispatches and answers."""
    model = spec.load("s3")

    def reply(request: WireRequest) -> WireReply:
        operation = None
        try:
            operation, places = xmlroutes.route(model, request)
            params = restxml.parse(operation, request, places)
            call = Call("s3", operation.name, params, Scope(ACCOUNT, region), "R1", request.headers)
            return restxml.answer(operation, s3.answer(call), "R1")
        except Exception as error:
            return restxml.fault(error, operation, "R1")

    def app(environ: dict[str, Any], start: Any) -> Iterable[bytes]:
        headers = {k[5:].replace("_", "-").lower(): v for k, v in environ.items() if k.startswith("HTTP_")}
        for name in ("CONTENT_TYPE", "CONTENT_LENGTH"):
            if environ.get(name):
                headers[name.replace("_", "-").lower()] = environ[name]
        path, _, query = environ["REQUEST_URI"].partition("?")
        found = parse_qs(query, keep_blank_values=True)
        sent = reply(WireRequest(environ["REQUEST_METHOD"], path, found, headers, environ["wsgi.input"]))
        lines = dict(sent.headers)
        if isinstance(sent.body, bytes) and sent.status != 304:
            lines.setdefault("content-length", str(len(sent.body)))
        start(f"{sent.status} X", list(lines.items()))
        return [sent.body] if isinstance(sent.body, bytes) else sent.body

    return app


@contextmanager
def serving(s3: Any, region: str = "us-east-1") -> Iterator[str]:
    """The URL of a server for `s3` on a free loopback port."""
    server = wsgi.Server(("127.0.0.1", 0), application(s3, region), numthreads=8)
    server.error_log = lambda *args, **kwargs: None
    server.prepare()
    thread = threading.Thread(target=server.serve)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.bind_addr[1]}"
    finally:
        for opened in _CLIENTS.pop(f"http://127.0.0.1:{server.bind_addr[1]}", ()):
            opened.close()
        server.stop()
        thread.join()


@contextmanager
def house(folder: Path, clock: Clock | None = None) -> Iterator[S3]:
    """An S3 over a folder; open it twice to see what a restart keeps."""
    store = open_store(folder / "house.db")
    try:
        yield S3(Shelf(store.objects, folder / "s3", clock or SystemClock()))
    finally:
        store.close()


def client(url: str, region: str = "us-east-1", **config: Any) -> Any:
    """A boto3 client with its own defaults but for the addressing; closed when its server ends."""
    options = Config(s3={"addressing_style": "path"}, retries={"max_attempts": 0}, **config)
    made = boto3.client(
        "s3", endpoint_url=url, region_name=region, config=options,
        aws_access_key_id=ACCOUNT, aws_secret_access_key="secret",
    )  # fmt: skip
    _CLIENTS.setdefault(url, []).append(made)
    return made
