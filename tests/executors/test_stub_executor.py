"""The stub: the contract where it applies, scripts by image and by hyperparameters, and never a word of real work."""

from __future__ import annotations

import http.client
import itertools
import json
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from emulator.clock import ManualClock
from emulator.executors import StubExecutor, StubRun
from emulator.executors.stub import hyperparameters
from emulator.ports import Exit, ExitReason, Mount, RunSpec
from tests.contracts.executor_contract import Describe, ExecutorContract, Program


class TestStub(ExecutorContract):
    runs_programs = False
    survives = False
    measures = False

    @pytest.fixture
    def scripts(self) -> dict[str, StubRun]:
        return {}

    @pytest.fixture
    def reopen(self, scripts: dict[str, StubRun]) -> Callable[[], StubExecutor]:
        return lambda: StubExecutor(lambda spec: scripts[spec.run_id])

    @pytest.fixture
    def describe(self, tmp_path: Path, scripts: dict[str, StubRun]) -> Describe:
        numbers = itertools.count()

        def describe(program: Program, **members: object) -> RunSpec:
            run_id = str(members.pop("run_id", f"run-{next(numbers)}"))
            on_term = {"die": -15, "tidy": 7, "ignore": None}[program.on_term]
            scripts[run_id] = StubRun(
                code=-program.signal or program.code,
                lines=(*program.say, "ready") if program.linger else program.say,
                delay=program.linger,
                on_term=on_term,
                term_lines=("tidied",) if program.on_term == "tidy" else (),
            )
            log = tmp_path / "logs" / run_id
            folder = tmp_path / run_id
            return RunSpec(run_id, "arn", "image", "train", folder, log, **members)  # type: ignore[arg-type]

        return describe


@pytest.fixture
def spec(tmp_path: Path) -> RunSpec:
    (tmp_path / "ml" / "input" / "config").mkdir(parents=True)
    (tmp_path / "ml" / "input" / "config" / "hyperparameters.json").write_text(json.dumps({"rounds": "7"}))
    image = "1.dkr.ecr.x.amazonaws.com/xgboost:1"
    mounts = (Mount(tmp_path / "ml", "/opt/ml"),)
    return RunSpec("r", "arn", image, "train", tmp_path, tmp_path / "log", mounts=mounts)


def test_the_log_says_first_that_nothing_was_run(spec: RunSpec) -> None:
    executor = StubExecutor()
    executor.start(spec)
    assert executor.wait("r", 0) == Exit(ExitReason.EXITED, 0)
    assert executor.name == "stub"
    first = spec.log.read_text().splitlines()[0].split(" ", 1)[1]
    assert first == f"Sagelet's stub executor ran nothing for {spec.image} (train)."


def test_the_first_pattern_that_fits_the_image_is_the_script(spec: RunSpec) -> None:
    executor = StubExecutor({"*kmeans*": StubRun(code=1), "*xgboost*": StubRun(code=2), "*": StubRun(code=3)})
    executor.start(spec)
    assert executor.wait("r", 0) == Exit(ExitReason.EXITED, 2)


def test_a_script_may_depend_on_hyperparameters_and_write_files(spec: RunSpec, tmp_path: Path) -> None:
    def script(spec: RunSpec) -> StubRun:
        rounds = hyperparameters(spec)["rounds"]
        return StubRun(lines=(f"rounds {rounds}",), files={"/opt/ml/model/m": rounds.encode()})

    executor = StubExecutor(script)
    executor.start(spec)
    assert executor.wait("r", 0) == Exit(ExitReason.EXITED, 0)
    assert (tmp_path / "ml" / "model" / "m").read_bytes() == b"7"
    assert spec.log.read_text().endswith(" rounds 7\n")


def test_a_file_outside_of_all_mounts_is_not_written_and_not_passed_over(spec: RunSpec) -> None:
    executor = StubExecutor(lambda _: StubRun(files={"/etc/passwd": b"x"}))
    executor.start(spec)
    over = executor.wait("r", 0)
    assert over is not None and over.reason is ExitReason.NOT_STARTED and "/etc/passwd" in over.detail


def test_delay_and_grace_pass_on_the_clock(spec: RunSpec) -> None:
    clock = ManualClock()
    executor = StubExecutor(lambda _: StubRun(delay=60.0, on_term=None), clock)
    executor.start(spec)
    clock.advance(59)
    assert executor.wait("r", 0) is None
    executor.stop("r", 10.0)
    clock.advance(5)
    assert executor.wait("r", 0) is None
    clock.advance(5)
    assert executor.wait("r", 0) == Exit(ExitReason.STOPPED, -9)


def test_a_stub_serves_until_it_is_stopped_and_leaves_no_thread(spec: RunSpec, tmp_path: Path) -> None:
    before = set(threading.enumerate())
    executor = StubExecutor(lambda _: StubRun(answer=b"1.5"))
    serve = RunSpec("s", "arn", "any", "serve", tmp_path, tmp_path / "log")
    executor.start(serve)
    address = executor.address("s")
    assert address is not None and executor.wait("s", 0) is None
    connection = http.client.HTTPConnection(address.host, address.port, timeout=5)
    connection.request("GET", "/ping")
    assert connection.getresponse().read() == b""
    connection.request("POST", "/invocations", b"x")
    assert connection.getresponse().read() == b"1.5"
    connection.close()
    executor.stop("s", 1.0)
    assert executor.wait("s", 0) == Exit(ExitReason.STOPPED, -15)
    assert executor.address("s") is None
    executor.release("s")
    assert {t for t in threading.enumerate() if t.name == "stub-server"} <= before
