"""What the engine is told about a run: a RunSpec as the arguments of a container. Pure, apart from looking at uids.

Leaves finding the image to docker_engine and everything that happens in time to docker_watch.
"""

from __future__ import annotations

import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from emulator.executors.docker_engine import ChosenImage
from emulator.executors.docker_labels import (
    ARN_LABEL,
    DATA_LABEL,
    IMAGE_LABEL,
    NETWORK_LABEL,
    PART_LABEL,
    PREFIX,
    RUN_LABEL,
    SOCKET_LABEL,
)
from emulator.executors.docker_networks import SHARED, Wire
from emulator.executors.docker_place import HERE, Place
from emulator.ports import Mount, RunSpec

CREDENTIALS = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN")
SERVE_PORT = 8080
DOOR_INSIDE = "/run/sagelet"
DOOR_NAME = "8080.sock"
RELAY_SCRIPT = "/opt/sagelet/containers/relay.py"

# Images of strangers start as root and then change owners and users themselves (nginx, gosu). These are the
# capabilities that needs; none of them reaches beyond the container. Our own images need none.
STRANGER_CAPABILITIES = ["CHOWN", "DAC_OVERRIDE", "FOWNER", "KILL", "SETGID", "SETUID"]
MOST_PROCESSES = 4096
OLDEST_API = "1.40"
"""docker-py wants a version to check an alias against; every engine that it talks to has aliases."""

SHARED_MEMORY = 2 << 30
LOG_SIZE, LOG_FILES = "512m", "2"
"""The engine's own copy of a log. It is exact up to one file's size: see docs/adr/0005-docker.md."""

GIVE_BACK = 'chown -hR "$0" "$@" && chmod -R u+rwX "$@"'
"""-h: a link is given back itself; what it points to may lie outside. Root reads what it shut, its heir does not."""

LONGEST_SOCKET_PATH = 100


@dataclass(frozen=True)
class Owner:
    """Whose files the run's folders are. `inside` is how that user is called in a container ("" is root)."""

    uid: int
    gid: int
    rootless: bool = False

    @property
    def inside(self) -> str:
        return "" if self.uid == 0 or self.rootless else f"{self.uid}:{self.gid}"


@dataclass(frozen=True)
class Plan:
    """One container to be made for a run."""

    spec: RunSpec
    image: ChosenImage
    owner: Owner
    data_dir: str
    door: Path | None = None
    wire: Wire | None = None
    place: Place = HERE
    cpus: float = 0.0
    """What the engine has: it refuses a larger share."""

    @property
    def isolated_server(self) -> bool:
        return self.spec.verb == "serve" and not self.spec.network

    @property
    def relayed(self) -> bool:
        """A stranger's server knows port 8080 only, which nobody reaches without a network: a relay helps."""
        return self.isolated_server and not self.image.own

    @property
    def swept(self) -> bool:
        """Files in the run's folders may belong to somebody else afterwards and must be given back."""
        return not self.image.own and (self.owner.uid != 0 or self.owner.rootless)


def container_name(run_id: str, part: str = "run") -> str:
    """The name of a run's container, or of a part beside it (`relay`, `sweep`)."""
    return PREFIX + run_id if part == "run" else f"{PREFIX}{run_id}-{part}"


def door_folder(spec: RunSpec) -> Path:
    """Where the socket of an isolated server lies; sockets have short names only, so not always in the run's folder."""
    folder = spec.folder / "door"
    if len(str(folder / DOOR_NAME)) <= LONGEST_SOCKET_PATH:
        folder.mkdir(parents=True, exist_ok=True)
        return folder
    return Path(tempfile.mkdtemp(prefix="sagelet-door-"))


def labels(plan: Plan, part: str) -> dict[str, str]:
    """What adoption finds a container by, and what a person sees in `docker ps`."""
    found = {
        RUN_LABEL: plan.spec.run_id,
        ARN_LABEL: plan.spec.arn,
        DATA_LABEL: plan.data_dir,
        PART_LABEL: part,
        IMAGE_LABEL: "own" if plan.image.own else "stranger",
    }
    if plan.door is not None:
        found[SOCKET_LABEL] = str(plan.door / DOOR_NAME)
    if plan.wire is not None:
        found[NETWORK_LABEL] = plan.wire.network
    return found


def main_container(plan: Plan) -> dict[str, Any]:
    """The arguments of `containers.create` for the run itself."""
    spec = plan.spec
    arguments = _confined(plan, "run", [] if plan.image.own else STRANGER_CAPABILITIES)
    arguments |= {
        "image": plan.image.name,
        "hostname": spec.hostname,
        "environment": _environment(plan),
        "mounts": _mounts(plan),
        **_command(spec),
        **_share(plan),
        **_network(plan),
    }
    if plan.image.own and plan.owner.inside:
        arguments["user"] = plan.owner.inside
    return arguments


def _command(spec: RunSpec) -> dict[str, Any]:
    """The caller's own words, else the verb; a job that only says `run` gets the image as it was made."""
    if spec.entrypoint:
        return {"entrypoint": list(spec.entrypoint), "command": list(spec.arguments)}
    if spec.arguments:
        return {"command": list(spec.arguments)}
    return {} if spec.verb == "run" else {"command": [spec.verb]}


def _environment(plan: Plan) -> dict[str, str]:
    told = dict(plan.spec.environment)
    if plan.spec.endpoint and not plan.spec.network:  # there is nobody whom they would open a door to
        for name in CREDENTIALS:
            told.pop(name, None)
    if plan.image.own and plan.image.algorithm:
        told.setdefault("SAGELET_ALGORITHM", plan.image.algorithm)
    if plan.wire is not None and plan.wire.url:
        told.setdefault("AWS_ENDPOINT_URL", plan.wire.url)
    if plan.isolated_server and plan.image.own:
        told["SAGEMAKER_BIND_TO_SOCKET"] = f"{DOOR_INSIDE}/{DOOR_NAME}"
    return told


def _share(plan: Plan) -> dict[str, Any]:
    share = plan.spec.share
    told: dict[str, Any] = {"shm_size": min(SHARED_MEMORY, share.memory or SHARED_MEMORY)}
    if share.cpus > 0:
        told["nano_cpus"] = int(min(share.cpus, plan.cpus or share.cpus) * 1e9)
    if share.memory > 0:
        told |= {"mem_limit": share.memory, "memswap_limit": share.memory}
    if share.gpus > 0:
        from docker.types import DeviceRequest

        told["device_requests"] = [DeviceRequest(driver="nvidia", count=share.gpus, capabilities=[["gpu"]])]
    return told


def _network(plan: Plan) -> dict[str, Any]:
    """No network without one of its own is `none`, where the engine writes no name of the container into its hosts."""
    spec, wire = plan.spec, plan.wire
    if wire is None and not spec.network:
        return {"network_mode": "none", "extra_hosts": {spec.hostname: "127.0.0.1"}}
    told: dict[str, Any] = {}
    if wire is not None:
        told["network"] = wire.network
        if wire.network != SHARED:
            told["networking_config"] = {wire.network: _endpoint(spec.hostname, wire.addresses.get(spec.hostname))}
        told["extra_hosts"] = dict(wire.addresses) | ({wire.mapped: "host-gateway"} if wire.mapped else {})
    if spec.verb == "serve" and not plan.place.container:
        told["ports"] = {f"{serve_port(spec)}/tcp": ("127.0.0.1", None)}
    return told


def _endpoint(alias: str, address: str | None) -> Any:
    from docker.types import EndpointConfig

    return EndpointConfig(OLDEST_API, aliases=[alias], ipv4_address=address)


def relay_container(plan: Plan, main_id: str, image: str) -> dict[str, Any]:
    """A container in the run's own (empty) network that passes a unix socket on to its port."""
    arguments = _confined(plan, "relay", [])
    arguments |= {
        "image": image,
        "entrypoint": ["python3", RELAY_SCRIPT],
        "command": [f"{DOOR_INSIDE}/{DOOR_NAME}", str(serve_port(plan.spec))],
        "network_mode": f"container:{main_id}",
        "mounts": [_bind(plan, plan.door, DOOR_INSIDE)],
    }
    if plan.owner.inside:
        arguments["user"] = plan.owner.inside
    return arguments


def sweep_container(plan: Plan, image: str) -> dict[str, Any]:
    """A container that gives what the run wrote back to the owner of the folders."""
    owner = "0:0" if plan.owner.rootless else f"{plan.owner.uid}:{plan.owner.gid}"
    folders = [mount for mount in plan.spec.mounts if not mount.read_only]
    arguments = _confined(plan, "sweep", ["CHOWN", "DAC_OVERRIDE", "FOWNER"])
    return arguments | {
        "image": image,
        "entrypoint": ["sh", "-c", GIVE_BACK, owner],
        "command": [mount.inside for mount in folders],
        "user": "0:0",
        "network_mode": "none",
        "mounts": [_bind(plan, mount.outside, mount.inside) for mount in folders],
    }


def serve_port(spec: RunSpec) -> int:
    """The port inside the container on which a server listens."""
    return int(spec.environment.get("SAGEMAKER_BIND_TO_PORT", SERVE_PORT))


def _confined(plan: Plan, part: str, capabilities: list[str]) -> dict[str, Any]:
    return {
        "name": container_name(plan.spec.run_id, part),
        "labels": labels(plan, part),
        "detach": True,
        "cap_drop": ["ALL"],
        "cap_add": list(capabilities),
        "security_opt": ["no-new-privileges"],
        "pids_limit": MOST_PROCESSES,
        # The driver whose entries the log follower can count; an engine may be set to one that keeps nothing.
        "log_config": {"type": "json-file", "config": {"max-size": LOG_SIZE, "max-file": LOG_FILES}},
        # docker-py would pass the proxies of ~/.docker/config.json into the container.
        "use_config_proxy": False,
    }


def mount_points(mounts: tuple[Mount, ...]) -> list[tuple[Path, bool]]:
    """(path on the host, whether it is a folder) of mounts that lie inside others.

    The engine makes those that are missing, as root: better they are there before.
    """
    found = []
    for mount in mounts:
        around = [m for m in mounts if m is not mount and Path(mount.inside).is_relative_to(m.inside)]
        if around:
            outer = max(around, key=lambda m: len(m.inside))
            found.append((outer.outside / Path(mount.inside).relative_to(outer.inside), mount.outside.is_dir()))
    return found


def _mounts(plan: Plan) -> list[Any]:
    binds = [_bind(plan, mount.outside, mount.inside, mount.read_only) for mount in plan.spec.mounts]
    if plan.isolated_server and plan.image.own:
        binds.append(_bind(plan, plan.door, DOOR_INSIDE))
    return binds


def _bind(plan: Plan, outside: Path | None, inside: str, read_only: bool = False) -> Any:
    from docker.types import Mount as Bind

    assert outside is not None, "an isolated server has a door"
    return Bind(target=inside, source=plan.place.outside(outside), type="bind", read_only=read_only)
