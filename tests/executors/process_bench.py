"""A process executor on a folder of its own, for the tests that look at it from outside."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from emulator.executors.process.executor import ProcessExecutor
from emulator.ports import Exit, Mount, RunSpec
from emulator.settings import Settings


@dataclass
class Bench:
    """An executor on a folder of its own, and how to describe runs of PROGRAMS."""

    folder: Path
    code: Path
    sandbox: str = "auto"
    preload: tuple[str, ...] = ()
    bin: str = ""
    log_limit: int = 0
    count: int = 0
    executors: list[ProcessExecutor] = field(default_factory=list)

    def names(self) -> tuple[str, ...]:
        return ("programs",)

    def find(self, image: str, /) -> SimpleNamespace:
        main = f"programs:{image}"
        more = {"run": "", "prepare": "", "commands": True, "bin": self.bin}
        return SimpleNamespace(name=image, train=main, serve=main, preload=self.preload, **more)

    def open(self) -> ProcessExecutor:
        made = ProcessExecutor(
            Settings(data_dir=self.folder, log_limit=self.log_limit), self, self.sandbox, (str(self.code),)
        )
        self.executors.append(made)
        return made

    def spec(self, program: str, **members: Any) -> RunSpec:
        self.count += 1
        work = self.folder / "work" / f"run-{self.count}"
        (work / "ml").mkdir(parents=True)
        log = self.folder / "logs" / work.name
        spec = RunSpec(work.name, "arn", program, "train", work, log, mounts=(Mount(work / "ml", "/opt/ml"),))
        return replace(spec, **members)

    def run(self, executor: ProcessExecutor, spec: RunSpec) -> Exit:
        executor.start(spec)
        over = executor.wait(spec.run_id, 60)
        assert over is not None
        return over

    def look(self, executor: ProcessExecutor, *expressions: str, **members: Any) -> list[str]:
        environment = {"LOOK": ";".join(expressions), **members.pop("environment", {})}
        spec = self.spec("looks", environment=environment, **members)
        assert self.run(executor, spec).code == 0, spec.log.read_text()
        executor.release(spec.run_id)
        return texts(spec)


def texts(spec: RunSpec) -> list[str]:
    return [line.split(" ", 1)[1] for line in spec.log.read_text().split("\n")[:-1]]


def descendants(pid: int) -> set[int]:
    found: set[int] = set()
    with contextlib.suppress(OSError):
        for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split():
            found |= {int(child), *descendants(int(child))}
    return found


def opened(folder: Path, programs: str = "") -> Iterator[Bench]:
    """A bench with `programs` as its module; what it started is ended."""
    code = folder / "code"
    code.mkdir()
    (code / "programs.py").write_text(programs)
    made = Bench(folder / "house", code)
    yield made
    for executor in made.executors:
        for run_id in [f"run-{n + 1}" for n in range(made.count)]:
            executor.release(run_id)
        executor.close()
