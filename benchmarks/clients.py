"""Clients as users have them: a process with boto3 each, which invokes an endpoint again and again."""

from __future__ import annotations

import contextlib
import subprocess
import sys
from dataclasses import astuple, dataclass
from types import TracebackType

PROGRAM = """
import sys, time
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
    answers, until = 0, time.monotonic() + float(line)
    while time.monotonic() < until:
        invoke()
        answers += 1
    print(answers, flush=True)
"""


@dataclass(frozen=True)
class Place:
    """Whom a client asks what."""

    url: str
    endpoint: str
    body: str
    content_type: str


class Clients:
    """A client of each place, which waits until it is told to ask."""

    def __init__(self, places: list[Place]) -> None:
        words = [[sys.executable, "-c", PROGRAM, *astuple(place)] for place in places]
        with contextlib.ExitStack() as started:
            self._programs = [
                started.enter_context(
                    subprocess.Popen(each, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1)
                )
                for each in words
            ]
            for program in self._programs:
                if self._line(program) != "ready":
                    raise SystemExit(f"a client of {places[0].endpoint} has ended")
            self._started = started.pop_all()

    def ask(self, seconds: float) -> float:
        """Answers per second of all of them at once, for so long."""
        for program in self._programs:
            assert program.stdin is not None
            program.stdin.write(f"{seconds}\n")
        return sum(int(self._line(program)) for program in self._programs) / seconds

    def __enter__(self) -> Clients:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._started.close()

    @staticmethod
    def _line(program: subprocess.Popen[str]) -> str:
        assert program.stdout is not None
        return program.stdout.readline().strip()
