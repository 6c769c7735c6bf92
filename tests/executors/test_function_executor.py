"""The function executor under the executors' contract, with a listener of sagelet.testing on the other side."""

from __future__ import annotations

import http.client
import itertools
import json
import os
import socket
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from emulator.errors import Validation
from emulator.executors import Executors, NoExecutor
from emulator.executors.function import FunctionExecutor
from emulator.functions import FunctionBook, FunctionImage, made
from emulator.ports import Exit, ExitReason, Mount, RunSpec
from emulator.settings import Settings
from sagelet.testing.listener import Listener
from sagelet.testing.runs import TrainingJob
from tests.contracts.executor_contract import Describe, ExecutorContract, Program

ARN = "arn:aws:sagemaker:us-east-1:123456789012:training-job/j"


def behaving(program: Program) -> Callable[[TrainingJob], None]:
    """A function that does what a Program says."""

    def function(job: TrainingJob) -> None:
        for text in program.say:
            job.log(text)
        if program.linger:
            job.log("ready")
        end = time.monotonic() + program.linger
        while time.monotonic() < end:
            if job.stopping.wait(0.01) and program.on_term != "ignore":
                if program.on_term == "tidy":
                    job.log("tidied")
                raise SystemExit(7 if program.on_term == "tidy" else -15)
        raise SystemExit(-program.signal or program.code)

    return function


@pytest.fixture
def book() -> FunctionBook:
    return FunctionBook()


@pytest.fixture
def answer(book: FunctionBook) -> Iterator[Callable[..., Listener]]:
    """Lets a function answer for an image."""
    listeners = []

    def answer(function: Callable[[Any], Any], image: str = "my-image", word: str = "train", **more: Any) -> Listener:
        listeners.append(Listener({word: function}))
        where = {"port": listeners[-1].port, "token": listeners[-1].token}
        book.add(made({"image": image, word: True, **where, **more}))
        return listeners[-1]

    yield answer
    for listener in listeners:
        listener.close("the test is over")


def spec(folder: Path, image: str = "my-image", verb: str = "train", arn: str = ARN) -> RunSpec:
    (folder / "ml" / "output").mkdir(parents=True, exist_ok=True)
    return RunSpec("r", arn, image, verb, folder, folder / "log", mounts=(Mount(folder / "ml", "/opt/ml"),))


class TestFunctions(ExecutorContract):
    runs_programs = False
    survives = False
    measures = False

    @pytest.fixture
    def reopen(self, book: FunctionBook) -> Callable[[], FunctionExecutor]:
        return lambda: FunctionExecutor(book)

    @pytest.fixture
    def describe(self, tmp_path: Path, answer: Callable[..., Listener]) -> Describe:
        numbers = itertools.count()

        def describe(program: Program, **members: object) -> RunSpec:
            run_id = str(members.pop("run_id", f"run-{next(numbers)}"))
            answer(behaving(program), run_id)
            log = tmp_path / "logs" / run_id
            return RunSpec(run_id, ARN, run_id, "train", tmp_path / run_id, log, **members)  # type: ignore[arg-type]

        return describe


def run(book: FunctionBook, given: RunSpec) -> Exit:
    executor = FunctionExecutor(book)
    executor.start(given)
    over = executor.wait(given.run_id, 10)
    assert over is not None
    executor.release(given.run_id)
    return over


def test_what_is_raised_is_in_the_log_and_its_last_line_in_the_failure_file(book, answer, tmp_path):
    def train(job: TrainingJob) -> None:
        print("printed", os.getpid())
        raise ValueError("loss is nan")

    answer(train)
    assert run(book, spec(tmp_path)) == Exit(ExitReason.EXITED, 1)
    assert (tmp_path / "ml" / "output" / "failure").read_text() == "ValueError: loss is nan"
    log = (tmp_path / "log").read_text()
    assert "Traceback" in log and log.endswith(" ValueError: loss is nan\n")


def test_a_failure_file_of_the_functions_own_stays(book, answer, tmp_path):
    def train(job: TrainingJob) -> None:
        job.path("/opt/ml/output/failure").write_text("in my words")
        raise ValueError

    answer(train)
    assert run(book, spec(tmp_path)).code == 1
    assert (tmp_path / "ml" / "output" / "failure").read_text() == "in my words"


def test_a_block_that_ends_loses_its_runs_and_says_so(book, answer, tmp_path):
    ended = []

    def train(job: TrainingJob) -> None:
        try:
            while True:
                time.sleep(0.01)
        finally:
            ended.append(job.name)

    listener = answer(train)
    executor = FunctionExecutor(book)
    executor.start(spec(tmp_path))
    assert executor.wait("r", 0.2) is None
    listener.close("The block ended.")
    assert executor.wait("r", 10) == Exit(ExitReason.LOST, detail="The block ended.")
    until = time.monotonic() + 10
    while not ended:  # the function is not left running
        assert time.monotonic() < until
        time.sleep(0.01)
    executor.close()


def test_where_nobody_listens_any_more_nothing_is_started(book, answer, tmp_path):
    answer(lambda job: None, pid=4321).close("")
    over = run(book, spec(tmp_path))
    assert over.reason is ExitReason.NOT_STARTED
    assert "test process 4321 that answers for the image my-image" in over.detail and "has gone" in over.detail


def test_only_the_server_is_listened_to(answer, tmp_path):
    called = []
    listener = answer(called.append)
    for opening in (b"POST / HTTP/1.1\r\n\r\n", b'{"token": "wrong", "run": {}}\n', b"[]\n"):
        with socket.create_connection(("127.0.0.1", listener.port), 5) as connection:
            connection.sendall(opening)
            assert connection.recv(1) == b""
    assert called == []


def test_each_model_server_has_a_port_of_its_own_and_a_web_page_is_not_answered(book, answer, tmp_path):
    answer(lambda request: {"from": str(request.model_dir)}, word="serve")
    executor = FunctionExecutor(book)
    (tmp_path / "ml" / "model").mkdir(parents=True)
    executor.start(spec(tmp_path, verb="serve"))
    assert executor.wait("r", 0.2) is None
    address = executor.address("r")
    assert address is not None

    def ask(method: str, path: str, **headers: str) -> tuple[int, bytes]:
        connection = http.client.HTTPConnection(address.host, address.port, timeout=5)
        connection.request(method, path, b"x" if method == "POST" else None, headers)
        reply = connection.getresponse()
        found = reply.status, reply.read()
        connection.close()
        return found

    assert ask("GET", "/ping") == (200, b"")
    assert ask("GET", "/execution-parameters")[0] == 404
    status, body = ask("POST", "/invocations")
    assert (status, json.loads(body)) == (200, {"from": str(tmp_path / "ml" / "model")})
    assert ask("POST", "/invocations", Origin="http://evil.example")[0] == 404
    executor.stop("r", 5.0)
    assert executor.wait("r", 10) == Exit(ExitReason.STOPPED, 0)
    assert executor.address("r") is None
    executor.release("r")


# --- who answers for what


def test_the_latest_that_fits_answers_before_every_executor(book, answer, tmp_path):
    executors = Executors(Settings(data_dir=tmp_path, executor="stub"), None)  # type: ignore[arg-type]
    executors.functions = book
    assert executors.choose(spec(tmp_path)).name == "stub"
    answer(lambda job: None, "my-*")
    answer(lambda job: None, "my-image", account="000000000001")
    assert executors.choose(spec(tmp_path)).name == "function"
    assert executors.choose(spec(tmp_path, "other")).name == "stub"
    found = book.find("my-image", "train", ARN.replace("123456789012", "000000000001"))
    assert found is not None and found.account == "000000000001"
    assert book.find("my-image", "train", ARN).image == "my-*"  # type: ignore[union-attr]


def test_who_answers_for_other_work_only_is_named(book, answer, tmp_path):
    class Nothing:
        def find(self, image: str) -> None:
            return None

        def names(self) -> tuple[str, ...]:
            return ("xgboost",)

    answer(lambda request: b"", word="serve")
    executors = Executors(Settings(data_dir=tmp_path, executor="process"), Nothing())
    executors.functions = book
    with pytest.raises(NoExecutor, match="The functions that answer for this image are for serve only"):
        executors.choose(spec(tmp_path))


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"port": 1, "token": "t", "train": True}, "needs image"),
        ({"image": "i", "token": "t", "train": True}, "needs port"),
        ({"image": "i", "port": 1, "train": True}, "needs token"),
        ({"image": "i", "port": 70_000, "token": "t", "train": True}, "from 1 to 65535"),
        ({"image": "i", "port": 1, "token": "t"}, "one of train, serve, process"),
    ],
)
def test_what_answers_for_nothing_is_refused(given, words):
    with pytest.raises(Validation, match=words):
        made(given)


def test_where_nobody_listens_is_refused_with_the_reason(book):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
    with pytest.raises(Validation, match="on the machine of the test"):
        book.add(FunctionImage("i", port, "t", train=True))
    assert book.all() == []
