"""Clients as users have them: a process with boto3 each, which invokes an endpoint again and again."""

from __future__ import annotations

import contextlib
import json
import subprocess
import sys
from dataclasses import dataclass
from types import TracebackType

PROGRAM = """
import json, sys, time
import boto3
url, endpoint, body, content_type = sys.argv[1:]
client = boto3.client(
    "sagemaker-runtime", endpoint_url=url, region_name="us-east-1", aws_access_key_id="a", aws_secret_access_key="b"
)
def invoke():
    client.invoke_endpoint(EndpointName=endpoint, Body=body, ContentType=content_type)["Body"].read()
invoke()
print("ready", flush=True)
for line in sys.stdin:
    answers, until, own = 0, time.monotonic() + float(line), time.process_time()
    while time.monotonic() < until:
        invoke()
        answers += 1
    print(json.dumps([answers, time.process_time() - own]), flush=True)
"""


@dataclass(frozen=True)
class Asked:
    """How many answers some clients got, in how many seconds, and those of processor that they took for it."""

    answers: int
    seconds: float
    own: float


class Clients:
    """Some clients of an endpoint, which wait until they are told to ask."""

    def __init__(self, count: int, url: str, endpoint: str, body: str, content_type: str) -> None:
        words = [sys.executable, "-c", PROGRAM, url, endpoint, body, content_type]
        with contextlib.ExitStack() as started:
            self._programs = [
                started.enter_context(
                    subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1)
                )
                for _ in range(count)
            ]
            for program in self._programs:
                if self._line(program) != "ready":
                    raise SystemExit(f"a client of {endpoint} has ended")
            self._started = started.pop_all()

    def ask(self, seconds: float) -> Asked:
        """All of them at once, for so long."""
        for program in self._programs:
            assert program.stdin is not None
            program.stdin.write(f"{seconds}\n")
        told = [json.loads(self._line(program)) for program in self._programs]
        return Asked(sum(answers for answers, _ in told), seconds, sum(own for _, own in told))

    def __enter__(self) -> Clients:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._started.close()

    @staticmethod
    def _line(program: subprocess.Popen[str]) -> str:
        assert program.stdout is not None
        return program.stdout.readline().strip()
