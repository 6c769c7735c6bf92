"""The process executor: starts, watches, stops and adopts runs of built-in algorithms on this machine.

It holds no thread: a run is a file descriptor that becomes readable when the run is over, and the files that its
supervisor leaves in `process/` of the run's folder.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import threading
import time
from functools import partial
from typing import Protocol

from emulator.executors.process import clusters, plan, probe, state
from emulator.executors.process.plan import Program
from emulator.executors.process.request import BWRAP, Request
from emulator.executors.process.run import Run, ended, socket_for, usage
from emulator.executors.process.zygotes import Zygote, ZygoteFailed, Zygotes, rooms
from emulator.ports import Address, Exit, ExitReason, RunSpec, Usage
from emulator.settings import Settings

MIB = 1024 * 1024


class Catalog(Protocol):
    """Finds the algorithm behind an image."""

    def find(self, image: str, /) -> Program | None: ...
    def names(self) -> tuple[str, ...]: ...


class ProcessExecutor:
    """ports.Executor for everything that `catalog` knows.

    `sandbox` forces one of request.SANDBOXES, `auto` takes the first that works; `path` are further folders of Python
    modules that programs may import.
    """

    name = "process"
    interface = "lo"

    def __init__(self, settings: Settings, catalog: Catalog, sandbox: str = "auto", path: tuple[str, ...] = ()) -> None:
        self._data_dir = os.path.realpath(settings.data_dir)
        self._catalog = catalog
        self._path = path
        self._log_limit = settings.log_limit * MIB
        self._zygotes = Zygotes(path)
        self._fences = clusters.Fences()
        self._runs: dict[str, Run] = {}
        self._lock = threading.Lock()
        self._sandbox = sandbox
        self._choosing = threading.Lock()
        self._closed = False

    def refusal(self, spec: RunSpec) -> str:
        """Empty when there is an implementation of the image that does what `spec` asks."""
        algorithm = self._catalog.find(spec.image)
        if algorithm is None:
            return (
                f"The process executor has no implementation of the image {spec.image}; it runs the built-in "
                f"algorithms {', '.join(self._catalog.names())}. Run images of your own with Docker "
                "(--executor auto or docker)."
            )
        refused = plan.refusal(spec, algorithm)
        if refused or not clusters.is_several(spec):
            return refused
        return plan.cluster_refusal(spec, self._chosen(algorithm))

    def sandbox(self) -> str:
        """The sandbox in use, after the first run; `auto` before."""
        return self._sandbox

    def start(self, spec: RunSpec) -> None:
        """See ports.Executor."""
        run = Run(os.path.join(os.path.realpath(spec.folder), "process"))
        with self._lock:
            self._runs[spec.run_id] = run
        try:
            self._start(spec, run)
        except (OSError, ZygoteFailed, ValueError) as error:
            run.exit = Exit(ExitReason.NOT_STARTED, detail=str(error))

    def wait(self, run_id: str, timeout: float | None = None) -> Exit | None:
        """See ports.Executor. None, too, when the end was told before, the run is not known, or the server stops."""
        run = self._runs.get(run_id)
        if run is None:
            return None
        return run.tell() if self._await(run, timeout) else None

    def _await(self, run: Run, timeout: float | None) -> bool:
        if run.exit is not None:
            return True
        end = None if timeout is None else time.monotonic() + timeout
        handle = run.watch()
        try:
            while not ended(run, handle, end):
                if self._closed or (end is not None and time.monotonic() >= end):
                    return False
        finally:
            if handle is not None:
                os.close(handle)
        run.settle()
        return True

    def stop(self, run_id: str, grace: float) -> None:
        """See ports.Executor. The supervisor keeps the time, so that the grace outlives the server."""
        run = self._runs.get(run_id)
        if run is None or run.exit is not None or not os.path.isdir(run.folder):
            return
        state.write(run.folder, "stop.json", {"grace": grace})
        process = state.read_process(run.folder)
        if process is not None:  # else it reads the file before it begins.
            process.send(15)

    def address(self, run_id: str) -> Address | None:
        """The unix socket of a `serve` run."""
        run = self._runs.get(run_id)
        return Address(socket=run.socket) if run is not None and run.socket else None

    def usage(self, run_id: str) -> Usage | None:
        """See ports.Executor."""
        run = self._runs.get(run_id)
        return usage(run.folder) if run is not None else None

    def adopt(self, spec: RunSpec) -> bool:
        """See ports.Executor."""
        folder = os.path.join(os.path.realpath(spec.folder), "process")
        process = state.read_process(folder)
        over = state.read(folder, "exit.json") is not None
        if not over and (process is None or not process.alive()):
            return False
        try:
            request = Request.load(folder)
        except (OSError, ValueError, KeyError, TypeError):
            return False
        run = Run(folder, request.socket, request.scratch)
        run.handle = None if over or process is None else process.open()
        if process is not None and not over and request.fenced:
            with contextlib.suppress(OSError):
                self._fences.join(spec, partial(clusters.reopen, process))
        with self._lock:
            self._runs[spec.run_id] = run
        return True

    def release(self, run_id: str) -> None:
        """See ports.Executor. A run that is not over is ended first."""
        run = self._runs.get(run_id)
        if run is None:
            return
        if not self._await(run, 0):
            self.stop(run_id, 0.0)
            self._await(run, 10.0)
        with self._lock:
            self._runs.pop(run_id, None)
        self._fences.leave(run_id)
        run.close()
        for left in (run.folder, run.scratch):
            if left:
                shutil.rmtree(left, ignore_errors=True)

    def close(self) -> None:
        """End the zygotes; the runs go on under their supervisors and can be adopted."""
        self._closed = True
        self._zygotes.close()
        self._fences.close()
        with self._lock:
            runs = list(self._runs.values())
        for run in runs:
            run.close()

    def _start(self, spec: RunSpec, run: Run) -> None:
        refusal = self.refusal(spec)
        algorithm = self._catalog.find(spec.image)
        if refusal or algorithm is None:
            raise ValueError(refusal)
        sandbox = self._chosen(algorithm)
        shutil.rmtree(run.folder, ignore_errors=True)
        os.makedirs(run.folder, 0o700)
        if spec.verb == "serve":
            run.socket, run.scratch = socket_for(run.folder)
        request = self._request(spec, run, algorithm, sandbox)
        request.save()
        state.reserve(run.folder, "exit.json", "stop.json")
        # A command imports nothing of ours.
        self._launch(() if request.command else _family(algorithm), request, run, self._fence(spec, request))

    def _fence(self, spec: RunSpec, request: Request) -> tuple[int, ...]:
        return self._fences.join(spec, lambda: clusters.make(self._zygotes.of(()))) if request.fenced else ()

    def _launch(self, family: tuple[str, ...], request: Request, run: Run, fence: tuple[int, ...] = ()) -> None:
        done, theirs = os.pipe()
        run.handle = done
        try:
            try:
                self._zygote(request.sandbox, family).fork(request.folder, (theirs, *fence))
            except ZygoteFailed:
                # It may have been killed since the last run; once is forgiven.
                self._zygote(request.sandbox, family).fork(request.folder, (theirs, *fence))
        finally:
            os.close(theirs)

    def _zygote(self, sandbox: str, family: tuple[str, ...]) -> Zygote:
        """The family's; a bare one where the program is executed anew."""
        return self._zygotes.of(() if sandbox == BWRAP else family)

    def _request(self, spec: RunSpec, run: Run, algorithm: Program, sandbox: str) -> Request:
        mounts = sorted(spec.mounts, key=lambda mount: mount.inside.count("/"))
        return Request(
            folder=run.folder,
            log=os.path.realpath(spec.log),
            sandbox=sandbox,
            program="" if spec.entrypoint else plan.program_of(algorithm, spec.verb),
            arguments=spec.arguments,
            prepare=algorithm.prepare,
            command=(*spec.entrypoint, *spec.arguments) if spec.entrypoint else (),
            environment=tuple(plan.environment(spec).items()),
            mounts=tuple((os.path.realpath(m.outside), m.inside, m.read_only) for m in mounts),
            path=(rooms(), *self._path),
            bins=plan.bins(algorithm, run.folder, sandbox),
            hidden=self._data_dir,
            hostname=spec.hostname,
            network=spec.network,
            cluster=clusters.addresses(spec),
            fenced=clusters.is_several(spec) and not spec.network,
            memory=spec.share.memory,
            log_limit=self._log_limit,
            socket=run.socket,
            scratch=run.scratch,
        )

    def _chosen(self, algorithm: Program) -> str:
        with self._choosing:
            if self._sandbox == "auto":
                self._sandbox = probe.best(self._data_dir, partial(self._launch, _family(algorithm)))
            return self._sandbox


def _family(algorithm: Program) -> tuple[str, ...]:
    return tuple(algorithm.preload)
