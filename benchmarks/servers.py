"""The two servers that are compared: how each is started, asked for the first time, weighed and stopped."""

from __future__ import annotations

import contextlib
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from benchmarks.load import addressed, request, sagemaker

BIN = Path(sys.executable).parent


@dataclass(frozen=True)
class Running:
    """A server under measurement."""

    url: str
    process: subprocess.Popen[bytes]

    def memory(self) -> float:
        """Proportional set size of the whole process tree, in MiB."""
        return sum(_pss(pid) for pid in _tree(self.process.pid)) / 1024


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@contextlib.contextmanager
def sagelet(data_dir: str | None = None, *options: str) -> Iterator[Running]:
    """Our server, on a fresh folder unless one is given."""
    with tempfile.TemporaryDirectory(prefix="sagelet-bench-") as fresh:
        command = [str(BIN / "sagelet"), "up", "--data-dir", data_dir or fresh, *options]
        with _running(command) as server:
            yield server


@contextlib.contextmanager
def moto() -> Iterator[Running]:
    """moto_server, as it comes."""
    with _running([str(BIN / "moto_server")]) as server:
        yield server


@contextlib.contextmanager
def _running(command: list[str]) -> Iterator[Running]:
    port = free_port()
    process = subprocess.Popen(
        [*command, *(["-p", str(port)] if "moto_server" in command[0] else ["--port", str(port)])],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        yield Running(f"http://127.0.0.1:{port}", process)
    finally:
        process.terminate()
        process.wait(40)


def first_answers(server: Running) -> tuple[float, float]:
    """Seconds from now to the first S3 answer and to the first SageMaker answer (asked for one after the other)."""
    began = time.perf_counter()
    _await_answer(server.url, request("GET", "/", "s3"))
    s3 = time.perf_counter() - began
    _await_answer(server.url, sagemaker("ListTrainingJobs"))
    return s3, time.perf_counter() - began


def _await_answer(url: str, payload: bytes) -> None:
    host, port = url.removeprefix("http://").split(":")
    end = time.perf_counter() + 30
    while time.perf_counter() < end:
        try:
            with socket.create_connection((host, int(port)), timeout=30) as sock:
                sock.sendall(addressed(payload, url))
                status = sock.recv(12)
                if status.endswith(b" 200"):
                    return
                raise SystemExit(f"{url} answered {status!r}")
        except OSError:
            time.sleep(0.002)
    raise SystemExit(f"{url} did not answer within 30 s")


def _tree(root: int) -> list[int]:
    children: dict[int, list[int]] = {}
    for entry in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            fields = (entry / "stat").read_text().rpartition(")")[2].split()
            children.setdefault(int(fields[1]), []).append(int(entry.name))
    found, todo = [], [root]
    while todo:
        pid = todo.pop()
        found.append(pid)
        todo += children.get(pid, [])
    return found


def _pss(pid: int) -> int:
    with contextlib.suppress(OSError):
        for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
            if line.startswith("Pss:"):
                return int(line.split()[1])
    return 0
