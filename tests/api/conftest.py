"""A real server on a free port in front of a house of cardboard."""

from __future__ import annotations

import http.client
import json
import threading
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from api.app import FrontDoor
from api.serve import Server
from emulator import spec
from emulator.call import Call
from emulator.clock import AdjustableClock
from emulator.errors import CallerFault
from emulator.neighbours.http import HttpReply
from emulator.operations.dispatch import Dispatch
from emulator.settings import Settings
from emulator.trouble import TroubleBook

TARGET = {"X-Amz-Target": "SageMaker.ListTrainingJobs", "Content-Type": "application/x-amz-json-1.1"}


@dataclass
class Neighbour:
    """Repeats what it was asked."""

    asked: list[Any] = field(default_factory=list)

    def answer(self, request):
        self.asked.append((request, request.body.read()))
        return HttpReply(202, {"X-From": request.service}, b"neighbour", "Ask", "them")


class CardboardHouse:
    """Answers what the tests tell it to answer; remembers the calls."""

    schema = 1
    clock = AdjustableClock()
    trouble = TroubleBook()

    def __init__(self, data_dir: Path, **settings):
        self.settings = Settings(data_dir=data_dir, port=0, **settings)
        self.neighbours = Neighbour()
        self.calls: list[Call] = []
        self.answers: dict[str, Any] = {"ListTrainingJobs": {"TrainingJobSummaries": []}}
        self.resets = 0
        self.started = self.closed = False
        self._dispatch = Dispatch(spec.load, [], self, _Everything(self), {"s3": self._answer})
        self._dispatch._function = self._runtime

    def _runtime(self, service, operation):
        return (lambda rooms, call: self._answer(call)) if service != "sagemaker" else None

    def _answer(self, call: Call):
        self.calls.append(call)
        if call.operation not in self.answers:
            raise CallerFault("Nothing was prepared for " + call.operation, code="ValidationException")
        answer = self.answers[call.operation]
        return answer(call) if callable(answer) else answer

    def dispatch(self, call):
        return self._dispatch.dispatch(call)

    def status(self):
        return {"data_dir": str(self.settings.data_dir), "executor": "auto", "pid": 1, "jobs": {}}

    def reset(self, extent=None):
        self.resets += 1
        return []

    def log_lines(self, name, places=None):
        lines = [f"{name} {n}" for n in range((places or {}).get("a", 0), 3)]
        return {"lines": lines, "more": False, "over": True, "unknown": False}

    def start(self):
        self.started = True

    def close(self):
        self.closed = True


class _Everything(dict):
    def __init__(self, house):
        super().__init__()
        self.house = house

    def __contains__(self, operation):
        return operation in self.house.answers

    def get(self, operation, default=None):
        return self.house._answer if operation in self else default


class Client:
    """Plain HTTP against a server, one connection a request."""

    def __init__(self, server: Server):
        self.server = server
        self.port = server.bind_addr[1]

    def ask(self, method="POST", path="/", body=b"{}", headers=None, signed="sagemaker"):
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=20)
        all_headers = dict(TARGET if method == "POST" and path == "/" else {})
        if signed:
            all_headers["Authorization"] = authorization(signed)
        connection.request(method, path, body, {**all_headers, **(headers or {})})
        reply = connection.getresponse()
        content = reply.read()
        connection.close()
        return reply.status, reply.headers, content

    def json(self, *args, **kwargs):
        status, _headers, content = self.ask(*args, **kwargs)
        assert b"<html" not in content.lower()
        return status, json.loads(content)


def authorization(service: str, key: str = "AKIDEXAMPLE", region: str = "us-east-1") -> str:
    scope = f"{key}/20240501/{region}/{service}/aws4_request"
    return f"AWS4-HMAC-SHA256 Credential={scope}, SignedHeaders=host;x-amz-date, Signature=0123abcd"


@pytest.fixture
def house(tmp_path):
    return CardboardHouse(tmp_path)


@pytest.fixture
def server(house):
    server = Server("127.0.0.1", 0, workers=80)
    server.expiration_interval = 0.02  # stopping waits for one round of it
    server.prepare()
    server.door = FrontDoor(house, server.bind_addr[1])
    thread = threading.Thread(target=server.serve, daemon=True)
    thread.start()
    yield server
    server.stop()
    thread.join(5)


@pytest.fixture
def client(server):
    return Client(server)
