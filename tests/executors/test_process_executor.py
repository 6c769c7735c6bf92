"""The process executor under the executors' contract, in each of its three ways to shut a program in."""

from __future__ import annotations

import itertools
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import pytest

from emulator.executors.process.executor import ProcessExecutor
from emulator.ports import RunSpec
from emulator.settings import Settings
from tests.contracts.executor_contract import Describe, ExecutorContract, Program, as_shell

SHELLISH = "import os\ndef main():\n    os.execv('/bin/sh', ['sh', '-c', os.environ.pop('TEST_SCRIPT')])\n"
"""The algorithm under test: /bin/sh with the script that the run's environment holds."""


class Shell:
    """A catalog with one algorithm."""

    def names(self) -> tuple[str, ...]:
        return ("shell",)

    def find(self, image: str, /) -> SimpleNamespace | None:
        if image != "shell":
            return None
        main = "shellish:main"
        more = {"run": "", "prepare": "", "commands": True, "bin": ""}
        return SimpleNamespace(name="shell", train=main, serve=main, preload=("json",), **more)


@pytest.fixture
def code(tmp_path: Path) -> str:
    folder = tmp_path / "code"
    folder.mkdir()
    (folder / "shellish.py").write_text(SHELLISH)
    return str(folder)


class ProcessContract(ExecutorContract):
    sandbox = ""
    runs_commands = True
    clusters = True
    limits_memory = True
    shows_endpoint = True

    @pytest.fixture
    def reopen(self, tmp_path: Path, code: str) -> Callable[[], ProcessExecutor]:
        settings = Settings(data_dir=tmp_path / "house")
        return lambda: ProcessExecutor(settings, Shell(), self.sandbox, (code,))

    @pytest.fixture
    def describe(self, tmp_path: Path) -> Describe:
        numbers = itertools.count()

        def describe(program: Program, **members: object) -> RunSpec:
            run_id = str(members.pop("run_id", f"run-{next(numbers)}"))
            folder = tmp_path / "house" / "work" / run_id
            folder.mkdir(parents=True, exist_ok=True)
            environment = {"TEST_SCRIPT": as_shell(program), **dict(members.pop("environment", {}))}  # type: ignore[call-overload]
            log = tmp_path / "house" / "logs" / run_id
            verb = str(members.pop("verb", "train"))
            return RunSpec(run_id, "arn", "shell", verb, folder, log, environment, **members)  # type: ignore[arg-type]

        return describe


def namespaces_work() -> bool:
    pid = os.fork()
    if pid == 0:
        from emulator.executors.process import sandbox

        try:
            sandbox.separate()
            os._exit(0)
        except OSError:
            os._exit(1)
    return os.waitpid(pid, 0)[1] == 0


@pytest.mark.skipif(not namespaces_work(), reason="user namespaces are refused here")
class TestInNamespaces(ProcessContract):
    sandbox = "namespaces"


@pytest.mark.skipif(not shutil.which("bwrap"), reason="bwrap is not installed")
class TestInBubblewrap(ProcessContract):
    sandbox = "bwrap"
    isolates_clusters = False


class TestPlain(ProcessContract):
    sandbox = "plain"
    isolates = False
    clusters = False
