"""The stub executor: runs nothing, and finishes each run as scripted. It is never mistaken for work that was done.

For orchestration under test: `StubExecutor({"*xgboost*": StubRun(code=1, lines=("boom",))})`, or a function of the
RunSpec. Its name is `stub`, and the first line of every log says that nothing was run.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from pathlib import Path
from typing import TYPE_CHECKING, Any

from emulator.clock import Clock, SystemClock
from emulator.executors.outcome import Outcome
from emulator.ports import Address, Exit, ExitReason, RunSpec, Usage

if TYPE_CHECKING:
    from emulator.executors.stub_server import StubServer


@dataclass(frozen=True)
class StubRun:
    """How a run goes: log lines and files at once, the exit after `delay` seconds of the clock.

    `files` are contents by path inside (`/opt/ml/model/m.txt`), written into the run's mounts. On a stop it ends with
    `on_term`; None means that it ignores SIGTERM and ends with -9 after the grace. A `serve` run ends only when it is
    stopped, and answers every invocation with `answer` (200).
    """

    code: int = 0
    lines: tuple[str, ...] = ()
    files: Mapping[str, bytes] = field(default_factory=dict)
    delay: float = 0.0
    on_term: int | None = -15
    term_lines: tuple[str, ...] = ()
    answer: bytes = b'{"stub": true}'


Script = Callable[[RunSpec], StubRun] | Mapping[str, StubRun] | None
"""A function of the spec, or runs by image (fnmatch patterns, the first that fits); else exit 0."""


def hyperparameters(spec: RunSpec) -> dict[str, Any]:
    """The job's hyperparameters, for scripts that depend on them."""
    file = _outside(spec, "/opt/ml/input/config/hyperparameters.json")
    if file is None or not file.is_file():
        return {}
    found: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
    return found


class _Run(Outcome):
    def __init__(self, spec: RunSpec, script: StubRun) -> None:
        super().__init__()
        self.spec = spec
        self.script = script
        self.stopping = False
        self.cancel: Callable[[], None] | None = None
        self.server: StubServer | None = None

    def end(self, over: Exit) -> None:
        super().end(over)
        if self.server is not None:
            self.server.close()


class StubExecutor:
    """ports.Executor that runs nothing."""

    name = "stub"
    interface = "eth0"

    def __init__(self, script: Script = None, clock: Clock | None = None) -> None:
        self._script = script
        self._clock = clock or SystemClock()
        self._runs: dict[str, _Run] = {}

    def refusal(self, spec: RunSpec) -> str:
        """It takes everything."""
        return ""

    def start(self, spec: RunSpec) -> None:
        """Write the scripted lines and files; exit at once, or after the scripted delay."""
        run = self._runs[spec.run_id] = _Run(spec, self._scripted(spec))
        self._write(spec, (f"Sagelet's stub executor ran nothing for {spec.image} ({spec.verb}).", *run.script.lines))
        for inside, content in run.script.files.items():
            target = _outside(spec, inside)
            if target is None:
                run.end(Exit(ExitReason.NOT_STARTED, detail=f"The stub's script writes {inside}: in no mount."))
                return
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(content)
        if spec.verb == "serve":
            from emulator.executors.stub_server import StubServer

            run.server = StubServer(run.script.answer)
        else:
            self._exit_later(run, run.script.delay, Exit(ExitReason.EXITED, run.script.code))

    def wait(self, run_id: str, timeout: float | None = None) -> Exit | None:
        """See ports.Executor."""
        run = self._runs.get(run_id)
        return run.tell(timeout) if run else None

    def stop(self, run_id: str, grace: float) -> None:
        """See ports.Executor. The grace, too, passes on the clock."""
        run = self._runs.get(run_id)
        if run is None or run.exit is not None or run.stopping:
            return
        run.stopping = True
        if run.cancel is not None:
            run.cancel()
        script = run.script
        if script.on_term is None:
            self._exit_later(run, grace, Exit(ExitReason.STOPPED, -9))
        else:
            self._write(run.spec, script.term_lines)
            run.end(Exit(ExitReason.STOPPED, script.on_term))

    def address(self, run_id: str) -> Address | None:
        """The scripted server of a `serve` run."""
        run = self._runs.get(run_id)
        return Address(port=run.server.port) if run and run.server and run.exit is None else None

    def usage(self, run_id: str) -> Usage | None:
        """Nothing runs, so nothing is used."""
        return None

    def adopt(self, spec: RunSpec) -> bool:
        """Nothing of a stub's run outlives the server."""
        return False

    def release(self, run_id: str) -> None:
        """See ports.Executor."""
        run = self._runs.pop(run_id, None)
        if run is not None:
            self._drop(run)

    def close(self) -> None:
        """Forget all runs."""
        for run in list(self._runs.values()):
            self._drop(run)
        self._runs.clear()

    def _drop(self, run: _Run) -> None:
        if run.cancel is not None:
            run.cancel()
        if run.server is not None:
            run.server.close()
        run.close()

    def _exit_later(self, run: _Run, delay: float, over: Exit) -> None:
        if delay <= 0:
            run.end(over)
        else:
            run.cancel = self._clock.call_at(self._clock.now() + delay, lambda: run.end(over))

    def _scripted(self, spec: RunSpec) -> StubRun:
        if callable(self._script):
            return self._script(spec)
        for pattern, run in (self._script or {}).items():
            if fnmatchcase(spec.image, pattern):
                return run
        return StubRun()

    def _write(self, spec: RunSpec, lines: tuple[str, ...]) -> None:
        stamp = int(self._clock.now() * 1000)
        spec.log.parent.mkdir(parents=True, exist_ok=True)
        with spec.log.open("a", encoding="utf-8") as log:
            log.writelines(f"{stamp} {line}\n" for line in lines)


def _outside(spec: RunSpec, inside: str) -> Path | None:
    """The file of the host behind a path inside, in the innermost mount that holds it."""
    for mount in sorted(spec.mounts, key=lambda mount: -len(mount.inside)):
        if inside == mount.inside or inside.startswith(mount.inside.rstrip("/") + "/"):
            return mount.outside / inside[len(mount.inside) :].lstrip("/")
    return None
