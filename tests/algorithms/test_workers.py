"""Several processes behind one socket: connections in turn, one end for all, no worker left behind."""

from __future__ import annotations

import contextlib
import http.client
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from algorithms.common import ndarray_list, workers
from tests.algorithms.job import ROOT, Job, Server


@pytest.fixture
def job(tmp_path: Path) -> Job:
    job = Job(tmp_path, "kmeans")
    job.model.mkdir()
    (job.model / "model_algo-1").write_bytes(ndarray_list.write([np.zeros((2, 2), np.float32)]))
    return job


def children(pid: int) -> list[int]:
    return [int(word) for word in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def gone(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except (FileNotFoundError, ProcessLookupError):
        return True


def until(condition) -> bool:
    end = time.monotonic() + 20
    while not condition():
        if time.monotonic() > end:
            return False
        time.sleep(0.01)
    return True


def both(server: Server) -> list[int]:
    """The workers, once there are two."""
    assert until(lambda: len(children(server.process.pid)) == 2)
    return children(server.process.pid)


def sockets(pid: int) -> int:
    return sum(str(entry.readlink()).startswith("socket:") for entry in Path(f"/proc/{pid}/fd").iterdir())


def established(port: int) -> int:
    """Connections to a port that the server has not closed."""
    lines = [line.split() for line in Path("/proc/net/tcp").read_text().splitlines()[1:]]
    return sum(line[1].endswith(f":{port:04X}") and line[3] in ("01", "08") for line in lines)


@pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="looks at processes through /proc")
class TestWorkers:
    def test_connections_go_to_the_workers_in_turn(self, job: Job) -> None:
        place = {"SAGEMAKER_BIND_TO_SOCKET": "", "SAGEMAKER_BIND_TO_PORT": "0", "SAGEMAKER_BIND_TO_HOST": "127.0.0.1"}
        with job.serve(SAGEMAKER_MODEL_SERVER_WORKERS="2", **place) as server:
            pids = both(server)
            assert until(lambda: f"Worker {pids[1]} serves too" in job.log and not established(server.port))
            before = [sockets(pid) for pid in pids]
            with contextlib.ExitStack() as opened:
                for _ in range(8):
                    connection = http.client.HTTPConnection("127.0.0.1", server.port)
                    opened.callback(connection.close)
                    connection.request("POST", "/invocations", "1,2", {"Content-Type": "text/csv"})
                    assert connection.getresponse().read()
                assert [sockets(pid) - had for pid, had in zip(pids, before, strict=True)] == [4, 4]
        assert all(gone(pid) for pid in pids)

    def test_a_worker_that_dies_ends_the_server_with_its_status(self, job: Job) -> None:
        with job.start("serve", SAGEMAKER_MODEL_SERVER_WORKERS="2", SAGEMAKER_BIND_TO_SOCKET=str(job.base / "s")) as it:
            server = Server(str(job.base / "s"), it, job.base / "none")
            pids = both(server)
            os.kill(pids[1], signal.SIGKILL)
            output, _ = it.communicate(timeout=30)
        assert it.returncode not in (0, None)
        assert f"Worker {pids[1]} has ended with status -9" in output
        assert until(lambda: gone(pids[0]))

    def test_workers_end_when_the_first_process_is_killed(self, job: Job) -> None:
        with job.start("serve", SAGEMAKER_MODEL_SERVER_WORKERS="2", SAGEMAKER_BIND_TO_SOCKET=str(job.base / "s")) as it:
            pids = both(Server(str(job.base / "s"), it, job.base / "none"))
            it.kill()
            it.wait()
            assert until(lambda: all(gone(pid) for pid in pids))


LOADING = """
import os, signal, socket, sys, time
from algorithms.common import serving, workers
slow, told = {slow}, {told}
def work(handed, ready):
    if len(begun) == slow:
        print("loading", flush=True)
        time.sleep(600)
    ready()
    serving._signals().recv(1)
    return 0
begun = []
ended = serving._signals()
bound = socket.create_server(("127.0.0.1", 0))
os.register_at_fork(before=lambda: begun.append(1))
if told:  # In the very moment it begins, as a machine that is busy may have it.
    os.register_at_fork(after_in_child=lambda: len(begun) == slow and os.kill(os.getpid(), signal.SIGTERM))
workers.PATIENCE = 60.0
sys.exit(workers.run(2, bound, lambda: None, work, ended))
"""


@pytest.fixture
def loading(request: pytest.FixtureRequest) -> Iterator[subprocess.Popen]:
    """A server with a worker that takes ten minutes to load: longer than a machine can be busy."""
    program = LOADING.format(**request.param)
    with subprocess.Popen([sys.executable, "-c", program], cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        yield process
        process.kill()


@pytest.mark.parametrize("loading", [{"slow": 1, "told": False}, {"slow": 2, "told": False}], indirect=True)
def test_a_server_ends_when_it_is_told_to_while_a_worker_still_loads(loading: subprocess.Popen) -> None:
    assert loading.stdout.readline() == "loading\n"
    loading.terminate()
    assert loading.wait(50) == 0, "it waits 60 s for workers that do not hear"


@pytest.mark.parametrize("loading", [{"slow": 2, "told": True}], indirect=True)
def test_a_worker_that_is_told_to_end_in_its_first_moment_does(loading: subprocess.Popen) -> None:
    assert loading.wait(50) == 256 - signal.SIGTERM, "as its worker has"


@pytest.mark.parametrize(("name", "said", "count"), [
    ("SAGEMAKER_MODEL_SERVER_WORKERS", "3", 3),
    ("MODEL_SERVER_WORKERS", "2", 2),
    ("MODEL_SERVER_WORKERS", "many", len(os.sched_getaffinity(0))),
])  # fmt: skip
def test_as_many_workers_as_are_asked_for_else_as_cores(monkeypatch, name: str, said: str, count: int) -> None:
    for known in ("SAGEMAKER_MODEL_SERVER_WORKERS", "MODEL_SERVER_WORKERS"):
        monkeypatch.delenv(known, raising=False)
    monkeypatch.setenv(name, said)
    assert workers.by_cores() == count
