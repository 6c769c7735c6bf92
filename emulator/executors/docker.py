"""Runs programs in containers of the Docker Engine, or of Podman through its socket.

Keeps no state but what the containers' labels and the run's own folder say, so that a server that was killed finds
its runs again. Leaves the choice between executors to the room's table, and knows no jobs.
"""

from __future__ import annotations

import os
import shutil
import threading
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from emulator.executors.docker_engine import Engine, EngineAway, Family
from emulator.executors.docker_images import local_images, pull
from emulator.executors.docker_launch import STOP_MARK, Launcher, address_of, sentence, writer
from emulator.executors.docker_logs import say
from emulator.executors.docker_plan import Owner, Plan
from emulator.executors.docker_usage import usage
from emulator.executors.docker_watch import Watch
from emulator.ports import Address, Exit, ExitReason, Gateways, LocalImage, RunSpec, Usage
from emulator.settings import Settings

if TYPE_CHECKING:
    from docker.models.containers import Container


@dataclass
class _Run:
    """What is known about one run. `over` is set once; `told` when `wait` has handed it out.

    `grace` is set when a stop was asked for, perhaps before there was a container to be stopped. `pulling` while the
    image is on its way.
    """

    spec: RunSpec
    container: str = ""
    address: Address | None = None
    watch: Watch | None = None
    killer: threading.Timer | None = None
    grace: float | None = None
    pulling: bool = False
    over: Exit | None = None
    told: bool = False
    changed: threading.Condition = field(default_factory=threading.Condition)


class Catalog(Protocol):
    """What is asked of the catalogue: the algorithm that an image URI means."""

    def find(self, image: str, /) -> Family | None: ...


def _no_gateways() -> Gateways | None:
    return None


class DockerExecutor:
    """The `docker` executor; see `ports.Executor`. `owner` is whose the folders are (this process's user);
    `gateways` gives the house's further doors, once there are any.
    """

    name = "docker"
    interface = "eth0"

    def __init__(
        self,
        settings: Settings,
        catalog: Catalog,
        engine: Engine | None = None,
        owner: Owner | None = None,
        gateways: Callable[[], Gateways | None] = _no_gateways,
    ) -> None:
        self._pull = settings.pull
        self._engine = engine or Engine(catalog.find)
        owner = owner or Owner(os.getuid(), os.getgid())
        self._launcher = Launcher(self._engine, settings.data_dir.resolve(), owner, gateways)
        self._runs: dict[str, _Run] = {}
        self._lock = threading.Lock()
        self._closed = threading.Event()

    # --- what can be run ---------------------------------------------------------------------------------------

    def available(self) -> bool:
        """Whether an engine answers."""
        return not self._engine.away()

    def has_image(self, image: str) -> bool:
        """Whether the engine has exactly this image, or one of its name without the registry."""
        return self.available() and bool(self._engine.image(image) or self._engine.local_namesake(image))

    def own_image(self, image: str) -> str:
        """The tag of our own image of that family if it was built; else empty."""
        found = self._engine.family_image(image) if self.available() else None
        return found.name if found else ""

    def pulls(self) -> bool:
        """Whether images that are not there may be fetched."""
        return self._pull != "never"

    def images(self, repository: str) -> list[LocalImage]:
        """What the engine holds under the name of a repository."""
        return local_images(self._engine.client(), repository) if self.available() else []

    def gpus(self) -> int:
        """How many NVIDIA devices containers can be given."""
        return self._engine.gpus() if self.available() else 0

    def refusal(self, spec: RunSpec) -> str:
        """Empty when `spec` can run here; else why not, and what would help."""
        away = self._engine.away()
        if away:
            return away
        if spec.share.gpus > self._engine.gpus():
            return (
                f"The job asks for {spec.share.gpus} GPU(s) and the Docker Engine has {self._engine.gpus()}: install "
                "NVIDIA's container toolkit, or let the job run without (`--gpu cpu`)."
            )
        image = self._engine.choose(spec.image)
        if image is None:
            return "" if self.pulls() else self._engine.image_absent(spec.image)
        if self._launcher.plan(spec, image).relayed and not self._engine.any_own_image():
            return (
                f"{spec.image} is to serve without a network, which needs a relay from one of our own images; "
                "`make images` builds them."
            )
        return ""

    # --- the life of a run -------------------------------------------------------------------------------------

    def start(self, spec: RunSpec) -> None:
        """Make and start the container, in a thread of its own when its image must be pulled; `wait` tells the rest."""
        run = _Run(spec)
        with self._lock:
            self._runs[spec.run_id] = run
        try:
            refused = self.refusal(spec)
            if refused:
                return self._end(run, Exit(ExitReason.NOT_STARTED, detail=refused))
            run.pulling = self._must_pull(spec.image)
        except Exception as problem:  # whatever docker-py raises, the run did not start, and that is an Exit
            return self._end(run, Exit(ExitReason.NOT_STARTED, detail=sentence(problem)))
        if not run.pulling:
            return self._launch(run)
        name = f"docker-pull-{spec.run_id}"
        threading.Thread(target=self._launch, args=(run,), name=name, daemon=True).start()
        return None

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
            return None
        with run.changed:
            run.grace = grace
            pulling = run.pulling
        if pulling:  # the engine may finish that; there will be no container
            return self._end(run, Exit(ExitReason.STOPPED))
        if not run.container:  # `start` is still busy in another thread, and will look
            return None
        mark = run.spec.folder / STOP_MARK
        mark.touch()
        if not self._signal(run, "SIGTERM" if grace > 0 else "SIGKILL"):
            mark.unlink(missing_ok=True)
        elif grace > 0 and run.killer is None:
            run.killer = threading.Timer(grace, self._signal, (run, "SIGKILL"))
            run.killer.name = f"docker-killer-{run_id}"
            run.killer.daemon = True
            run.killer.start()
        return None

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
        found = self._launcher.find(spec.run_id, "run")
        if not found:
            return False
        container = found[0]
        if container.status == "created":  # the server was killed before it could start it
            self._launcher.remove(spec.run_id)
            return False
        run = _Run(spec)
        with self._lock:
            self._runs[spec.run_id] = run
        self._attend(run, self._launcher.plan_again(spec, container), container)
        return True

    def release(self, run_id: str) -> None:
        """Remove the run's containers with their anonymous volumes, and its socket."""
        with self._lock:
            run = self._runs.pop(run_id, None)
        if run is None:
            return
        if run.pulling:  # when the image is there, nobody wants it any longer
            self._end(run, Exit(ExitReason.STOPPED))
        if run.killer:
            run.killer.cancel()
        if run.watch:
            run.watch.close()
        if run.address and run.address.socket:
            shutil.rmtree(Path(run.address.socket).parent, ignore_errors=True)
        self._launcher.remove(run_id)
        self._launcher.networks.leave(run_id)

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
        self._launcher.networks.close()
        self._engine.forget()

    # --- inside ------------------------------------------------------------------------------------------------

    def _must_pull(self, name: str) -> bool:
        """By the user's policy. Images that were built here have no registry to be fetched from."""
        if self._pull == "always":
            chosen = self._engine.choose(name)
            return chosen is None or not (chosen.own or chosen.stands_in)
        return self._pull == "missing" and self._engine.choose(name) is None

    def _launch(self, run: _Run) -> None:
        spec = run.spec
        try:
            spec.folder.mkdir(parents=True, exist_ok=True)
            if run.pulling:
                pull(self._engine.client(), spec.image, lambda text: say(spec, text))
            with run.changed:
                run.pulling = False
            if run.over is not None or self._closed.is_set():
                return
            image = self._engine.choose(spec.image)
            if image is None:
                raise EngineAway(self._engine.image_absent(spec.image))
            self._attend(run, *self._launcher.launch(self._launcher.plan(spec, image)))
        except Exception as problem:  # as in `start`
            self._end(run, Exit(ExitReason.NOT_STARTED, detail=sentence(problem)))
            self._launcher.remove(spec.run_id)
            self._launcher.networks.leave(spec.run_id)
            return
        if run.grace is not None:
            self.stop(spec.run_id, run.grace)

    def _attend(self, run: _Run, plan: Plan, container: Container) -> None:
        spec = run.spec
        run.container = str(container.id)
        run.address = address_of(plan, container)
        run.watch = Watch(
            self._engine, run.container, writer(spec), lambda over: self._ended(run, plan, over), spec.share.memory
        )
        run.watch.start()

    def _ended(self, run: _Run, plan: Plan, over: Exit) -> None:
        if run.killer:
            run.killer.cancel()
        if plan.relayed:
            self._launcher.remove(run.spec.run_id, "relay")
        if plan.swept:
            over = self._launcher.sweep(plan, over)
        if over.reason is ExitReason.EXITED and (run.spec.folder / STOP_MARK).exists():
            over = replace(over, reason=ExitReason.STOPPED)
        self._end(run, over)

    def _end(self, run: _Run, over: Exit) -> None:
        with run.changed:
            run.over = run.over or over
            run.changed.notify_all()

    def _signal(self, run: _Run, name: str) -> bool:
        """Whether the container was there to be signalled; when not, the watch tells what became of it."""
        try:
            self._engine.client().containers.get(run.container).kill(signal=name)
        except Exception:  # over already, or the engine is away
            return False
        return True
