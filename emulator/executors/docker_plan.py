"""What the engine is told about a run: a RunSpec as the arguments of a container. Pure, apart from looking at uids.

Leaves finding the image to docker_engine and everything that happens in time to docker_watch.
"""

from __future__ import annotations

import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from emulator.executors.docker_engine import ChosenImage
from emulator.ports import RunSpec

RUN_LABEL = "sagelet.run"
ARN_LABEL = "sagelet.arn"
DATA_LABEL = "sagelet.data-dir"
PART_LABEL = "sagelet.part"
SOCKET_LABEL = "sagelet.socket"
IMAGE_LABEL = "sagelet.image"

SERVE_PORT = 8080
DOOR_INSIDE = "/run/sagelet"
DOOR_NAME = "8080.sock"
RELAY_SCRIPT = "/opt/sagelet/containers/relay.py"

# Images of strangers start as root and then change owners and users themselves (nginx, gosu). These are the
# capabilities that needs; none of them reaches beyond the container. Our own images need none.
STRANGER_CAPABILITIES = ["CHOWN", "DAC_OVERRIDE", "FOWNER", "KILL", "SETGID", "SETUID"]
MOST_PROCESSES = 4096
SHARED_MEMORY = "2g"
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
    data_dir: Path
    door: Path | None = None

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
    return f"sagelet-{run_id}" if part == "run" else f"sagelet-{run_id}-{part}"


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
        DATA_LABEL: str(plan.data_dir),
        PART_LABEL: part,
        IMAGE_LABEL: "own" if plan.image.own else "stranger",
    }
    if plan.door is not None:
        found[SOCKET_LABEL] = str(plan.door / DOOR_NAME)
    return found


def main_container(plan: Plan) -> dict[str, Any]:
    """The arguments of `containers.create` for the run itself."""
    spec = plan.spec
    arguments = _confined(plan, "run", [] if plan.image.own else STRANGER_CAPABILITIES)
    arguments |= {
        "image": plan.image.name,
        "command": list(spec.arguments) if spec.entrypoint or spec.arguments else [spec.verb],
        "hostname": spec.hostname,
        "environment": dict(spec.environment),
        "mounts": _mounts(plan),
        "shm_size": SHARED_MEMORY,
    }
    if spec.entrypoint:
        arguments["entrypoint"] = list(spec.entrypoint)
    if plan.image.own and plan.owner.inside:
        arguments["user"] = plan.owner.inside
    if not spec.network:
        arguments |= {"network_mode": "none", "extra_hosts": {spec.hostname: "127.0.0.1"}}
    elif spec.verb == "serve":
        arguments["ports"] = {f"{serve_port(spec)}/tcp": ("127.0.0.1", None)}
    if plan.isolated_server and plan.image.own:
        arguments["environment"]["SAGEMAKER_BIND_TO_SOCKET"] = f"{DOOR_INSIDE}/{DOOR_NAME}"
    return arguments


def relay_container(plan: Plan, main_id: str, image: str) -> dict[str, Any]:
    """A container in the run's own (empty) network that passes a unix socket on to its port."""
    arguments = _confined(plan, "relay", [])
    arguments |= {
        "image": image,
        "entrypoint": ["python3", RELAY_SCRIPT],
        "command": [f"{DOOR_INSIDE}/{DOOR_NAME}", str(serve_port(plan.spec))],
        "network_mode": f"container:{main_id}",
        "mounts": [_bind(plan.door, DOOR_INSIDE)],
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
        "entrypoint": ["chown"],
        # -h: a link is given back itself; what it points to may lie outside.
        "command": ["-hR", owner, *(mount.inside for mount in folders)],
        "user": "0:0",
        "network_mode": "none",
        "mounts": [_bind(mount.outside, mount.inside) for mount in folders],
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
        "log_config": {"type": "json-file", "config": {}},
        # docker-py would pass the proxies of ~/.docker/config.json into the container.
        "use_config_proxy": False,
    }


def _mounts(plan: Plan) -> list[Any]:
    binds = [_bind(mount.outside, mount.inside, mount.read_only) for mount in plan.spec.mounts]
    if plan.isolated_server and plan.image.own:
        binds.append(_bind(plan.door, DOOR_INSIDE))
    return binds


def _bind(outside: Path | None, inside: str, read_only: bool = False) -> Any:
    from docker.types import Mount

    assert outside is not None, "an isolated server has a door"
    return Mount(target=inside, source=str(outside.resolve()), type="bind", read_only=read_only)
