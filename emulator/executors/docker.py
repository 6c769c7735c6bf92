"""Runs programs in containers of the Docker Engine, or of Podman through its socket.

Keeps no state but what the containers' labels and the run's own folder say, so that a server that was killed finds
its runs again. Leaves the choice between executors to the room's table, and knows no jobs.
"""

from __future__ import annotations

import os
import shutil
import threading
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from emulator.executors.docker_engine import ChosenImage, Engine, EngineAway, Family, start_failure
from emulator.executors.docker_logs import LogWriter
from emulator.executors.docker_plan import (
    DATA_LABEL,
    IMAGE_LABEL,
    PART_LABEL,
    RUN_LABEL,
    SOCKET_LABEL,
    Owner,
    Plan,
    door_folder,
    main_container,
    relay_container,
    serve_port,
    sweep_container,
)
from emulator.executors.docker_usage import usage
from emulator.executors.docker_watch import Watch
from emulator.ports import Address, Exit, ExitReason, RunSpec, Usage
from emulator.settings import Settings

if TYPE_CHECKING:
    from docker.models.containers import Container

STOP_MARK = "docker-stopped"
CURSOR = "docker-cursor"


@dataclass
class _Run:
    """What is known about one run. `over` is set once; `told` when `wait` has handed it out.

    `grace` is set when a stop was asked for, perhaps before there was a container to be stopped.
    """

    spec: RunSpec
    container: str = ""
    address: Address | None = None
    watch: Watch | None = None
    killer: threading.Timer | None = None
    grace: float | None = None
    over: Exit | None = None
    told: bool = False
    changed: threading.Condition = field(default_factory=threading.Condition)


class Catalog(Protocol):
    """What is asked of the catalogue: the algorithm that an image URI means."""

    def find(self, image: str, /) -> Family | None: ...


class DockerExecutor:
    """The `docker` executor; see `ports.Executor`. `owner` is whose the folders are (this process's user)."""

    name = "docker"
    interface = "eth0"

    def __init__(
        self, settings: Settings, catalog: Catalog, engine: Engine | None = None, owner: Owner | None = None
    ) -> None:
        self._data_dir = settings.data_dir.resolve()
        self._engine = engine or Engine(catalog.find)
        self._owner = owner or Owner(os.getuid(), os.getgid())
        self._runs: dict[str, _Run] = {}
        self._lock = threading.Lock()
        self._closed = threading.Event()

    # --- what can be run ---------------------------------------------------------------------------------------

    def available(self) -> bool:
        """Whether an engine answers."""
        return not self._engine.away()

    def has_image(self, image: str) -> bool:
        """Whether the engine has exactly this image."""
        return self.available() and self._engine.image(image) is not None

    def own_image(self, image: str) -> str:
        """The tag of our own image of that family if it was built; else empty."""
        found = self._engine.family_image(image) if self.available() else None
        return found.name if found else ""

    def refusal(self, spec: RunSpec) -> str:
        """Empty when `spec` can run here; else why not, and what would help."""
        away = self._engine.away()
        if away:
            return away
        image = self._engine.choose(spec.image)
        if image is None:
            return self._engine.image_absent(spec.image)
        if self._plan(spec, image).relayed and not self._engine.any_own_image():
            return (
                f"{spec.image} is to serve without a network, which needs a relay from one of our own images; "
                "`make images` builds them."
            )
        return ""

    # --- the life of a run -------------------------------------------------------------------------------------

    def start(self, spec: RunSpec) -> None:
        """Make and start the container; what goes wrong is told by `wait`."""
        run = _Run(spec)
        with self._lock:
            self._runs[spec.run_id] = run
        try:
            refused = self.refusal(spec)
            if refused:
                self._end(run, Exit(ExitReason.NOT_STARTED, detail=refused))
            else:
                self._launch(run)
        except Exception as problem:  # whatever docker-py raises, the run did not start, and that is an Exit
            self._end(run, Exit(ExitReason.NOT_STARTED, detail=_sentence(problem)))
            self._remove_containers(spec.run_id)

    def wait(self, run_id: str, timeout: float | None = None) -> Exit | None:
        """The run's end, once; None after `timeout` seconds without one, or when it was told already."""
        run = self._runs.get(run_id)
        if run is None:
            return None
        with run.changed:
            run.changed.wait_for(lambda: run.over is not None or self._closed.is_set(), timeout)
            if run.over is None or run.told:
                return None
            run.told = True
            return run.over

    def stop(self, run_id: str, grace: float) -> None:
        """SIGTERM, and SIGKILL after `grace` seconds."""
        run = self._runs.get(run_id)
        if run is None or run.over is not None:
            return
        run.grace = grace
        if not run.container:  # `start` is still busy in another thread, and will look
            return
        mark = run.spec.folder / STOP_MARK
        mark.touch()
        if not self._signal(run, "SIGTERM" if grace > 0 else "SIGKILL"):
            mark.unlink(missing_ok=True)
        elif grace > 0 and run.killer is None:
            run.killer = threading.Timer(grace, self._signal, (run, "SIGKILL"))
            run.killer.name = f"docker-killer-{run_id}"
            run.killer.daemon = True
            run.killer.start()

    def address(self, run_id: str) -> Address | None:
        """The published port, or the socket of a server without a network."""
        run = self._runs.get(run_id)
        return run.address if run else None

    def usage(self, run_id: str) -> Usage | None:
        """See ports.Executor."""
        run = self._runs.get(run_id)
        return usage(self._engine, run.container) if run and run.container and run.over is None else None

    def adopt(self, spec: RunSpec) -> bool:
        """Find the run's container by its labels and watch it again from where its log stopped."""
        if self._engine.away():
            return False
        found = self._find(spec.run_id, "run")
        if not found:
            return False
        container = found[0]
        if container.status == "created":  # the server was killed before it could start it
            self._remove_containers(spec.run_id)
            return False
        image = ChosenImage(spec.image, container.labels.get(IMAGE_LABEL) == "own")
        socket = container.labels.get(SOCKET_LABEL, "")
        plan = replace(self._plan(spec, image), door=Path(socket).parent if socket else None)
        run = _Run(spec)
        with self._lock:
            self._runs[spec.run_id] = run
        self._attend(run, plan, container)
        return True

    def release(self, run_id: str) -> None:
        """Remove the run's containers with their anonymous volumes, and its socket."""
        with self._lock:
            run = self._runs.pop(run_id, None)
        if run is None:
            return
        if run.killer:
            run.killer.cancel()
        if run.watch:
            run.watch.close()
        if run.address and run.address.socket:
            shutil.rmtree(Path(run.address.socket).parent, ignore_errors=True)
        self._remove_containers(run_id)

    def close(self) -> None:
        """Stop watching; containers go on and can be adopted."""
        self._closed.set()
        with self._lock:
            runs = list(self._runs.values())
        for run in runs:
            with run.changed:
                run.changed.notify_all()
            if run.killer:
                run.killer.cancel()
            if run.watch:
                run.watch.close()
        self._engine.forget()

    # --- inside ------------------------------------------------------------------------------------------------

    def _plan(self, spec: RunSpec, image: ChosenImage) -> Plan:
        owner = replace(self._owner, rootless=self._engine.rootless())
        return Plan(spec, image, owner, self._data_dir)

    def _launch(self, run: _Run) -> None:
        spec = run.spec
        image = self._engine.choose(spec.image)
        if image is None:
            raise EngineAway(self._engine.image_absent(spec.image))
        plan = self._plan(spec, image)
        if plan.isolated_server:
            plan = replace(plan, door=door_folder(spec))
            os.chown(plan.door or "", self._owner.uid, self._owner.gid)
        spec.folder.mkdir(parents=True, exist_ok=True)
        for left_over in (STOP_MARK, CURSOR):
            (spec.folder / left_over).unlink(missing_ok=True)
        self._remove_containers(spec.run_id)
        container = self._engine.client().containers.create(**main_container(plan))
        self._writer(spec).begin()
        container.start()
        if plan.relayed:
            relay = relay_container(plan, str(container.id), self._engine.any_own_image())
            self._engine.client().containers.create(**relay).start()
        container.reload()
        self._attend(run, plan, container)
        if run.grace is not None:
            self.stop(spec.run_id, run.grace)

    def _attend(self, run: _Run, plan: Plan, container: Container) -> None:
        run.container = str(container.id)
        run.address = _address(plan, container)
        run.watch = Watch(
            self._engine, run.container, self._writer(run.spec), lambda over: self._ended(run, plan, over)
        )
        run.watch.start()

    def _writer(self, spec: RunSpec) -> LogWriter:
        return LogWriter(spec.log, spec.folder / CURSOR)

    def _ended(self, run: _Run, plan: Plan, over: Exit) -> None:
        if run.killer:
            run.killer.cancel()
        if plan.relayed:
            self._remove_containers(run.spec.run_id, "relay")
        if plan.swept:
            over = self._sweep(plan, over)
        if over.reason is ExitReason.EXITED and (run.spec.folder / STOP_MARK).exists():
            over = replace(over, reason=ExitReason.STOPPED)
        self._end(run, over)

    def _end(self, run: _Run, over: Exit) -> None:
        with run.changed:
            run.over = run.over or over
            run.changed.notify_all()

    def _sweep(self, plan: Plan, over: Exit) -> Exit:
        """Give the files back, by a program of ours where there is one, for a stranger's image may lack `chown`."""
        self._remove_containers(plan.spec.run_id, "sweep")  # one that a killed server left
        try:
            image = self._engine.any_own_image() or plan.image.name
            sweeper = self._engine.client().containers.create(**sweep_container(plan, image))
            try:
                sweeper.start()
                code = int(sweeper.wait()["StatusCode"])
            finally:
                sweeper.remove(v=True, force=True)
        except Exception as problem:  # the run itself is over and judged; this is told beside it
            return replace(over, detail=f"{over.detail} Files may belong to root: {_sentence(problem)}".strip())
        if code:
            return replace(over, detail=f"{over.detail} Files may belong to root: chown ended with {code}.".strip())
        return over

    def _signal(self, run: _Run, name: str) -> bool:
        """Whether the container was there to be signalled; when not, the watch tells what became of it."""
        try:
            self._engine.client().containers.get(run.container).kill(signal=name)
        except Exception:  # over already, or the engine is away
            return False
        return True

    def _find(self, run_id: str, part: str = "") -> list[Container]:
        filters = [f"{RUN_LABEL}={run_id}", f"{DATA_LABEL}={self._data_dir}"]
        if part:
            filters.append(f"{PART_LABEL}={part}")
        return self._engine.client().containers.list(all=True, filters={"label": filters})

    def _remove_containers(self, run_id: str, part: str = "") -> None:
        try:
            for container in self._find(run_id, part):
                container.remove(v=True, force=True)
        except Exception:  # an engine that is away has nothing that could be removed now
            self._engine.forget()


def _address(plan: Plan, container: Container) -> Address | None:
    if plan.spec.verb != "serve":
        return None
    if plan.door is not None:
        return Address(socket=str(plan.door / "8080.sock"))
    published = (container.attrs["NetworkSettings"].get("Ports") or {}).get(f"{serve_port(plan.spec)}/tcp")
    return Address(port=int(published[0]["HostPort"])) if published else None


def _sentence(problem: Exception) -> str:
    return str(problem) if isinstance(problem, EngineAway) else start_failure(problem)
