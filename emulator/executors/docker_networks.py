"""Networks of jobs: one for each cluster, with a door to the house in it, made by the first of its runs that comes and
removed with the last.

A run that needs neither names nor the house stays on the engine's own bridge (or, isolated, on none at all).
"""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

from emulator.executors.docker_addresses import gateway_address, host_addresses, subnet, used_up
from emulator.executors.docker_doors import Door, Doors, remember, remembered
from emulator.executors.docker_engine import Engine, EngineAway
from emulator.executors.docker_labels import DATA_LABEL, PREFIX
from emulator.executors.docker_logs import say
from emulator.executors.docker_place import Place
from emulator.executors.docker_reach import reaches_loopback
from emulator.ports import Gateways, RunSpec

if TYPE_CHECKING:
    from docker import DockerClient
    from docker.models.networks import Network
    from docker.types import IPAMConfig

SHARED = "bridge"
"""The engine's own network: where a run of one host goes when the engine has no address left for another network."""

ATTEMPTS = 4
DESKTOP_NAME = "host.docker.internal"
NO_ADDRESS = "com.docker.network.bridge.inhibit_ipv4"
"""Leaves the bridge without an address, so that an isolated container cannot reach the host through it."""


@dataclass(frozen=True)
class Wire:
    """What a run's network gives it. `url` is the house's; `name` of a host that must be mapped to the engine's own."""

    network: str
    url: str = ""
    mapped: str = ""
    addresses: Mapping[str, str] = field(default_factory=dict)
    """Of the hosts of a cluster, by name: every one is known to all before it has started."""
    notice: str = ""
    """A sentence for the first lines of the log: why there is no way to the house."""


class Networks:
    """All networks of one executor. Thread safe. `gateways` gives the house's doors, once there are any."""

    def __init__(self, engine: Engine, data_dir: Path, gateways: Callable[[], Gateways | None]) -> None:
        self._engine = engine
        self._data_dir = data_dir
        self._doors = Doors(gateways)
        self._lock = threading.RLock()
        self._users: dict[str, set[str]] = {}
        """Runs by the network that they use."""
        self._tidied = False

    def join(self, spec: RunSpec) -> Wire | None:
        """The network for a run that is about to start; None when it needs no network of its own."""
        if not _needed(spec, self._engine.place()):
            return None
        with self._lock:
            self._tidy()
            network = self._network(spec)
            self._use(str(network.name), spec.run_id)
            addresses = host_addresses(spec.cluster, network.attrs) if spec.cluster and _clustered(spec) else {}
            return replace(self._equip(spec, network), addresses=addresses)

    def rejoin(self, spec: RunSpec, name: str) -> None:
        """Take over the network of a run that outlived a server, and open its door again."""
        with self._lock:
            self._use(name, spec.run_id)
            if self._engine.place().container and spec.network:
                self._enter(self._engine.client().networks.get(name))
            if door := remembered(spec.folder):
                try:
                    self._doors.open(name, door)
                except OSError as problem:
                    say(spec, f"The program can no longer reach this server: {problem}.")

    def leave(self, run_id: str) -> None:
        """A run is released; what nobody uses any longer is closed and removed."""
        with self._lock:
            for name, users in list(self._users.items()):
                users.discard(run_id)
                if not users:
                    del self._users[name]
                    self._doors.close(name)
                    self._remove(name)

    def close(self) -> None:
        """The server stops: its doors close, the networks stay for those who run in them."""
        with self._lock:
            self._doors.close_all()
            self._users.clear()

    # --- networks ----------------------------------------------------------------------------------------------

    def _use(self, name: str, run_id: str) -> None:
        self._users.setdefault(name, set()).add(run_id)

    def _network(self, spec: RunSpec) -> Network:
        name = network_name(spec)
        found = [network for network in self._engine.client().networks.list(names=[name]) if network.name == name]
        if found:
            return found[0]
        try:
            return self._make_fixed(name, spec) if _clustered(spec) else self._make(name, spec)
        except Exception as problem:
            if not used_up(problem):
                raise
            if _clustered(spec):
                raise EngineAway(
                    "The Docker Engine has no address left for another network: remove networks that are not used "
                    "(docker network prune), or give it more (default-address-pools in /etc/docker/daemon.json)."
                ) from problem
            return self._engine.client().networks.get(SHARED)

    def _make_fixed(self, name: str, spec: RunSpec) -> Network:
        """A network whose hosts can be given addresses: only where the subnet is named, so the engine's choice is."""
        from docker.types import IPAMConfig, IPAMPool

        for attempt in range(ATTEMPTS):
            chosen = self._make(name, spec)
            found = str(subnet(chosen.attrs))
            chosen.remove()
            try:
                return self._make(name, spec, IPAMConfig(pool_configs=[IPAMPool(subnet=found)]))
            except Exception:  # somebody else took the subnet between the two
                if attempt == ATTEMPTS - 1:
                    raise
        raise AssertionError("the loop returns or raises")

    def _make(self, name: str, spec: RunSpec, ipam: IPAMConfig | None = None) -> Network:
        internal = not spec.network
        options = {NO_ADDRESS: "true"} if internal and not self._engine.podman() else {}
        made = self._engine.client().networks.create(
            name, driver="bridge", internal=internal, labels={DATA_LABEL: self._mark()}, options=options, ipam=ipam
        )
        made.reload()
        return made

    def _mark(self) -> str:
        return self._engine.place().mark(self._data_dir)

    def _remove(self, name: str) -> None:
        if name == SHARED:
            return
        try:
            network = self._engine.client().networks.get(name)
            self._drop(network)
        except Exception:  # the engine is away, or another run that was not adopted yet is in there
            return

    def _drop(self, network: Network) -> None:
        own = self._engine.place().container
        if own and own in (network.attrs.get("Containers") or {}):
            network.disconnect(own, force=True)
        network.remove()

    def _tidy(self) -> None:
        """Once: remove what a former life of the server left. Networks that still have a container are in use."""
        if self._tidied:
            return
        self._tidied = True
        for network in _without_containers(self._engine.client(), self._mark()):
            if network.name not in self._users:
                self._remove(str(network.name))

    # --- the door to the house ---------------------------------------------------------------------------------

    def _equip(self, spec: RunSpec, network: Network) -> Wire:
        name = str(network.name)
        own = self._enter(network) if self._engine.place().container and spec.network else ""
        if not (spec.endpoint and spec.network):
            return Wire(name)
        key = spec.environment.get("AWS_ACCESS_KEY_ID", "")
        if not self._doors.any or not key:
            return Wire(name, notice="This server opens no door for containers: the program cannot reach it.")
        host = own or self._bridge_address(network)
        mapped = "" if host or not self._reaches_loopback() else DESKTOP_NAME
        if not host and not mapped:
            return Wire(name, notice=_too_far(self._engine.where()))
        try:
            door = self._doors.open(name, Door(host or "127.0.0.1", 0, key))
        except OSError as problem:
            return Wire(name, notice=f"The program cannot reach this server: {problem}.")
        remember(spec, door)
        return Wire(name, f"http://{mapped or host}:{door.port}", mapped)

    def _enter(self, network: Network) -> str:
        """Put the server's own container into the network; its address there."""
        own = self._engine.place().container
        network.reload()
        if own not in (network.attrs.get("Containers") or {}):
            network.connect(own)
            network.reload()
        return str(network.attrs["Containers"][own]["IPv4Address"]).partition("/")[0]

    def _bridge_address(self, network: Network) -> str:
        """The address of the network's bridge, if that is one of this machine's."""
        address = gateway_address(network.attrs)
        if not address or not self._engine.place().near:
            return ""
        with socket.socket() as probe:
            try:
                probe.bind((address, 0))
            except OSError:
                return ""
        return address

    def _reaches_loopback(self) -> bool:
        return reaches_loopback(self._engine, DESKTOP_NAME)


def network_name(spec: RunSpec) -> str:
    """The name of a run's network: its cluster's."""
    return PREFIX + (spec.cluster.name if spec.cluster else spec.run_id)


def _without_containers(client: DockerClient, mark: str) -> list[Network]:
    """Networks of a data directory in which no container is left, running or not."""
    found = client.networks.list(filters={"label": f"{DATA_LABEL}={mark}"})
    return [
        network
        for network in found
        if not client.containers.list(all=True, ignore_removed=True, filters={"network": str(network.name)})
    ]


def _clustered(spec: RunSpec) -> bool:
    return spec.cluster is not None and len(spec.cluster.hosts) > 1


def _needed(spec: RunSpec, place: Place) -> bool:
    called_from_inside = bool(place.container) and spec.verb == "serve"
    return _clustered(spec) or (spec.network and (bool(spec.endpoint) or called_from_inside))


def _too_far(where: str) -> str:
    return (
        f"The program cannot reach this server: the engine at {where} runs elsewhere, and its containers reach no "
        "address of this machine. Run the server where the engine runs."
    )
