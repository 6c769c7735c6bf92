"""Makes and removes the containers of runs. What happens to them in time is docker.py's and docker_watch's."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from emulator.executors.docker_engine import ChosenImage, Engine, EngineAway, start_failure
from emulator.executors.docker_images import PullFailed
from emulator.executors.docker_labels import DATA_LABEL, IMAGE_LABEL, NETWORK_LABEL, PART_LABEL, RUN_LABEL, SOCKET_LABEL
from emulator.executors.docker_logs import LogWriter, say
from emulator.executors.docker_networks import Networks, Wire
from emulator.executors.docker_place import NotShared
from emulator.executors.docker_plan import (
    Owner,
    Plan,
    door_folder,
    main_container,
    mount_points,
    relay_container,
    serve_port,
    sweep_container,
)
from emulator.ports import Address, Exit, Gateways, RunSpec

if TYPE_CHECKING:
    from docker.models.containers import Container

STOP_MARK = "docker-stopped"
CURSOR = "docker-cursor"


class Launcher:
    """The containers of one data directory. `owner` is whose the folders are."""

    def __init__(self, engine: Engine, data_dir: Path, owner: Owner, gateways: Callable[[], Gateways | None]) -> None:
        self._engine = engine
        self._data_dir = data_dir
        self._owner = owner
        self.networks = Networks(engine, data_dir, gateways)

    def plan(self, spec: RunSpec, image: ChosenImage) -> Plan:
        """What a run's container will be, as far as it is known before its network is."""
        owner = replace(self._owner, rootless=self._engine.rootless())
        place, cpus = self._engine.place(), self._engine.cpus()
        return Plan(spec, image, owner, place.mark(self._data_dir), place=place, cpus=cpus)

    def plan_again(self, spec: RunSpec, container: Container) -> Plan:
        """The plan of a container that outlived a server, from its labels."""
        labels = container.labels
        plan = self.plan(spec, ChosenImage(spec.image, labels.get(IMAGE_LABEL) == "own"))
        socket, network = labels.get(SOCKET_LABEL, ""), labels.get(NETWORK_LABEL, "")
        if network:
            self.networks.rejoin(spec, network)
        return replace(plan, door=Path(socket).parent if socket else None, wire=Wire(network) if network else None)

    def launch(self, plan: Plan) -> tuple[Plan, Container]:
        """Make and start the container of a run, and what stands beside it."""
        spec = plan.spec
        for left_over in (STOP_MARK, CURSOR):
            (spec.folder / left_over).unlink(missing_ok=True)
        self.remove(spec.run_id)
        plan = replace(plan, wire=self.networks.join(spec))
        if plan.isolated_server:
            plan = replace(plan, door=door_folder(spec))
            os.chown(plan.door or "", self._owner.uid, self._owner.gid)
        if plan.wire and plan.wire.notice:
            say(spec, plan.wire.notice)
        if plan.image.stands_in:
            say(spec, f"The local image {plan.image.name} is taken for {spec.image}.")
        if plan.image.machine:
            say(
                spec,
                f"The image is for {plan.image.machine}; a {self._engine.machine()} engine runs it by emulation only.",
            )
        self._make_mount_points(spec)
        container = self._engine.client().containers.create(**main_container(plan))
        writer(spec).begin()
        container.start()
        if plan.relayed:
            relay = relay_container(plan, str(container.id), self._engine.any_own_image())
            self._engine.client().containers.create(**relay).start()
        container.reload()
        return plan, container

    def sweep(self, plan: Plan, over: Exit) -> Exit:
        """Give the files back, by a program of ours where there is one, for a stranger's image may lack `chown`."""
        self.remove(plan.spec.run_id, "sweep")  # one that a killed server left
        try:
            image = self._engine.any_own_image() or plan.image.name
            sweeper = self._engine.client().containers.create(**sweep_container(plan, image))
            try:
                sweeper.start()
                code = int(sweeper.wait()["StatusCode"])
            finally:
                sweeper.remove(v=True, force=True)
        except Exception as problem:  # the run itself is over and judged; this is told beside it
            return replace(over, detail=f"{over.detail} Files may belong to root: {sentence(problem)}".strip())
        if code:
            return replace(over, detail=f"{over.detail} Files may belong to root: chown ended with {code}.".strip())
        return over

    def find(self, run_id: str, part: str = "") -> list[Container]:
        """The containers of a run; `part` is one of run, relay, sweep."""
        filters = [f"{RUN_LABEL}={run_id}", f"{DATA_LABEL}={self._engine.place().mark(self._data_dir)}"]
        if part:
            filters.append(f"{PART_LABEL}={part}")
        return self._engine.client().containers.list(all=True, ignore_removed=True, filters={"label": filters})

    def remove(self, run_id: str, part: str = "") -> None:
        """Remove containers of a run with their anonymous volumes."""
        try:
            for container in self.find(run_id, part):
                container.remove(v=True, force=True)
        except Exception:  # an engine that is away has nothing that could be removed now
            self._engine.forget()

    def _make_mount_points(self, spec: RunSpec) -> None:
        for path, is_folder in mount_points(spec.mounts):
            if not path.exists():
                (path if is_folder else path.parent).mkdir(parents=True, exist_ok=True)
                if not is_folder:
                    path.touch()


def writer(spec: RunSpec) -> LogWriter:
    """What writes the log of a run."""
    return LogWriter(spec.log, spec.folder / CURSOR)


def address_of(plan: Plan, container: Container) -> Address | None:
    """Where the run's server is reached: a socket, a published port, or, from a container, the other one's address."""
    if plan.spec.verb != "serve":
        return None
    if plan.door is not None:
        return Address(socket=str(plan.door / "8080.sock"))
    port, settings = serve_port(plan.spec), container.attrs["NetworkSettings"]
    if plan.place.container:
        joined = (settings.get("Networks") or {}).get(plan.wire.network if plan.wire else "") or {}
        return Address(joined["IPAddress"], port) if joined.get("IPAddress") else None
    published = (settings.get("Ports") or {}).get(f"{port}/tcp")
    return Address(port=int(published[0]["HostPort"])) if published else None


def sentence(problem: Exception) -> str:
    """Whatever went wrong before a container ran, in words for the user."""
    return str(problem) if isinstance(problem, EngineAway | PullFailed | NotShared) else start_failure(problem)
