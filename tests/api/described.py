"""A client of the extension API that holds every answer against `openapi.json`."""

from __future__ import annotations

import http.client
import json
import re
from functools import cache
from pathlib import Path
from typing import Any

from jsonschema import Draft202012Validator
from referencing import Registry, Resource
from referencing.jsonschema import DRAFT202012

FILE = Path(__file__).resolve().parents[2] / "api" / "extension" / "openapi.json"
AT = "urn:openapi"


@cache
def description() -> dict[str, Any]:
    """The file."""
    return json.loads(FILE.read_text())


@cache
def routes() -> list[tuple[str, str, re.Pattern[str]]]:
    """(method, path, what fits the path) of every operation."""
    found = []
    for path, methods in description()["paths"].items():
        pattern = re.compile(re.sub(r"\\{\w+\\}", "[^/]+", re.escape(path)))
        found += [(method.upper(), path, pattern) for method in methods]
    return found


@cache
def _registry() -> Registry:
    return Registry().with_resource(AT, Resource.from_contents(description(), DRAFT202012))


def fits(schema: dict[str, Any], value: Any) -> None:
    """Nothing, when a value is as its schema says."""
    absolute = json.loads(json.dumps(schema).replace('"#/', f'"{AT}#/'))
    Draft202012Validator(absolute, registry=_registry()).validate(value)


def check(method: str, path: str, status: int, content_type: str, content: bytes) -> None:
    """Hold an answer against the description: its status, its type, its body."""
    known = [p for m, p, pattern in routes() if m == method and pattern.fullmatch(path.partition("?")[0])]
    if not known:
        assert status in (403, 404, 405), f"{method} {path} is not described, and was answered {status}"
        return
    responses = description()["paths"][known[0]][method.lower()]["responses"]
    told = responses.get(str(status)) or responses["default"]
    if "$ref" in told:
        told = description()["components"]["responses"][told["$ref"].rpartition("/")[2]]
    media = told["content"][content_type.partition(";")[0]]
    if "schema" in media:
        fits(media["schema"], json.loads(content))


class Extension:
    """Asks a server at `url`; what it answers is as it is described."""

    def __init__(self, url: str):
        self.host = url.removeprefix("http://")

    def ask(self, method: str, path: str, body: Any = None, headers: dict[str, str] | None = None):
        """(status, content). A body that is not bytes is sent as JSON."""
        sent = dict(headers or {})
        if body is not None and not isinstance(body, bytes):
            body = json.dumps(body).encode()
            sent.setdefault("Content-Type", "application/json")
        connection = http.client.HTTPConnection(self.host, timeout=60)
        try:
            connection.request(method, path, body, sent)
            reply = connection.getresponse()
            content = reply.read()
        finally:
            connection.close()
        check(method, path, reply.status, reply.headers.get("Content-Type", ""), content)
        return reply.status, content

    def json(self, method: str, path: str, body: Any = None, **headers: str):
        """(status, JSON of the answer)."""
        status, content = self.ask(method, path, body, headers)
        return status, json.loads(content)

    def well(self, method: str, path: str, body: Any = None) -> dict[str, Any]:
        """The answer of a request that succeeds."""
        status, answer = self.json(method, path, body)
        assert status < 300, answer
        return answer
