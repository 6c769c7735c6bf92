"""The Docker Engine, or a Podman socket that speaks its API: where it is, which images it has, its words as sentences.

Knows no runs. Everything that goes wrong here is an EngineAway whose text says what to do.
"""

from __future__ import annotations

import os
import re
import socket
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from emulator.executors.docker_labels import OWN_LABEL
from emulator.executors.docker_place import Place, find_place

if TYPE_CHECKING:
    from docker import DockerClient
    from docker.models.images import Image

NVIDIA = Path("/proc/driver/nvidia/gpus")
CONNECT_SECONDS = 5
CALL_SECONDS = 60


class EngineAway(Exception):
    """No engine answers; the text is a sentence with the remedy."""


class Family(Protocol):
    """What is asked of an algorithm of the catalogue: its name, and the tag of the image that `make images` builds."""

    @property
    def name(self) -> str: ...
    @property
    def image(self) -> str: ...


_ECR = re.compile(r"\d{12}\.dkr\.ecr\.[a-z0-9-]+\.amazonaws\.com(\.cn)?/(?P<rest>.+)$")

FindFamily = Callable[[str], "Family | None"]


@dataclass(frozen=True)
class ChosenImage:
    """The image that a run really uses; `own` when it was built from `containers/`, and then the `algorithm` in it.

    `stands_in` when it is a local image that goes by the name of an ECR repository without its registry.
    """

    name: str
    own: bool
    algorithm: str = ""
    stands_in: bool = False
    machine: str = ""
    """The processor that it is for, when that is not the engine's."""


class Engine:
    """A connection that is made at the first question and made again after the engine went away."""

    def __init__(self, find: FindFamily, environ: Mapping[str, str] | None = None) -> None:
        self._find = find
        self._environ = os.environ if environ is None else environ
        self._lock = threading.Lock()
        self._client: DockerClient | None = None
        self._place = ""
        self._known: dict[str, Any] = {}
        """What was asked of the engine before; forgotten with the connection."""

    def client(self) -> DockerClient:
        """The connected client of the `docker` library; raises EngineAway."""
        with self._lock:
            if self._client is None:
                self._client, self._place = _connect(self._environ)
            return self._client

    def away(self) -> str:
        """Empty when the engine answers, else the sentence that says why not."""
        try:
            client = self.client()
            _knock(self._place)
            client.ping()
        except EngineAway as problem:
            return str(problem)
        except Exception as problem:
            self.forget()
            return f"The Docker Engine stopped answering ({_first_line(problem)}); start it again."
        return ""

    def forget(self) -> None:
        """Drop the connection."""
        with self._lock:
            client, self._client = self._client, None
            self._known.clear()
        if client is not None:
            client.close()

    def where(self) -> str:
        """The URL at which the engine answers."""
        return self._place

    def place(self) -> Place:
        """Where this process stands, seen from the engine."""
        place: Place = self.once("place", lambda: find_place(self.client(), self._place))
        return place

    def once(self, question: str, ask: Callable[[], Any]) -> Any:
        """The engine's answer to a question that it answers in the same way every time."""
        if question not in self._known:
            self._known[question] = ask()
        return self._known[question]

    def info(self) -> Mapping[str, Any]:
        """What the engine says of itself and its machine."""
        told: Mapping[str, Any] = self.once("info", lambda: self.client().info())
        return told

    def rootless(self) -> bool:
        """Whether root inside a container is the engine's own, unprivileged user outside."""
        return any("rootless" in option for option in self.info().get("SecurityOptions") or [])

    def podman(self) -> bool:
        """Whether it is Podman that answers."""
        told = self.once("version", lambda: self.client().version())
        return any("podman" in str(part.get("Name", "")).lower() for part in told.get("Components") or ())

    def cpus(self) -> float:
        """How many processors the engine has."""
        return float(self.info().get("NCPU") or 0)

    def machine(self) -> str:
        """The engine's processor, by the name that images have for it."""
        told = str(self.info().get("Architecture") or "")
        return {"x86_64": "amd64", "aarch64": "arm64"}.get(told, told)

    def gpus(self) -> int:
        """How many NVIDIA devices it can give to containers; its API has no number, the driver's folder does."""
        if not (self.place().near and "nvidia" in (self.info().get("Runtimes") or {})):
            return 0
        return len(list(NVIDIA.iterdir())) if NVIDIA.is_dir() else 0

    def image(self, name: str) -> ChosenImage | None:
        """The image of exactly this name, if the engine has it."""
        from docker.errors import ImageNotFound

        image: Image | None
        try:
            image = self.client().images.get(name)
        except ImageNotFound:
            image = self._by_own_id(name)
            if image is None:
                return None
            name = str(image.id)
        machine = str(image.attrs.get("Architecture") or "")
        if machine == self.machine():
            machine = ""
        # docker-py's `labels` fails for an image without any configuration, as `docker import` makes them.
        if OWN_LABEL not in ((image.attrs.get("Config") or {}).get("Labels") or {}):
            return ChosenImage(name, own=False, machine=machine)
        family = self._find(name)
        return ChosenImage(name, True, family.name if family else "", machine=machine)

    def _by_own_id(self, name: str) -> Image | None:
        """`repository@sha256:...` of an image that was built here: its id has that form."""
        from docker.errors import ImageNotFound

        repository, _, digest = name.partition("@")
        if not digest:
            return None
        try:
            image = self.client().images.get(digest)
        except ImageNotFound:
            return None
        return image if any(tag.rpartition(":")[0] == repository for tag in image.tags) else None

    def family_image(self, name: str) -> ChosenImage | None:
        """Our own image of the family that an AWS image name belongs to, if `make images` has built it."""
        family = self._find(name)
        found = self.image(family.image) if family is not None and family.image else None
        return replace(found, algorithm=family.name) if found and family else None

    def local_namesake(self, name: str) -> ChosenImage | None:
        """The image that goes by the name of an ECR repository without its registry: `repository:tag`."""
        found = _ECR.match(name)
        image = self.image(found.group("rest")) if found else None
        return replace(image, stands_in=True) if image else None

    def any_own_image(self) -> str:
        """The id of some image of ours, for small services such as the relay; empty when there is none."""
        images = self.client().api.images(filters={"label": OWN_LABEL})
        return str(images[0]["Id"]) if images else ""

    def choose(self, name: str) -> ChosenImage | None:
        """The very image before one of its name without the registry, before our own of its family."""
        return self.image(name) or self.local_namesake(name) or self.family_image(name)

    def image_absent(self, name: str) -> str:
        """The sentence for an image that `choose` did not find."""
        remedy = f"`docker pull {name}` fetches it where a registry can be reached (`--pull missing` does so by itself)"
        if self._find(name) is not None:
            remedy += "; `make images` builds our own image for it"
        return f"The Docker Engine has no image {name}: {remedy}."


def _connect(environ: Mapping[str, str]) -> tuple[DockerClient, str]:
    import docker
    from docker.utils import kwargs_from_env

    tried: list[str] = []
    for place in places(environ):
        try:
            # A bag of keywords: a URL, and TLS files when DOCKER_HOST comes with them.
            options: Any = kwargs_from_env(dict(environ)) if environ.get("DOCKER_HOST") else {"base_url": place}
            _knock(place)
            client = docker.DockerClient(version="auto", timeout=CONNECT_SECONDS, **options)
        except Exception as problem:
            tried.append(f"{place}: {_first_line(problem)}")
            continue
        client.api.timeout = CALL_SECONDS
        return client, place
    reason = "; ".join(tried) or "no socket of Docker or Podman was found"
    raise EngineAway(f"No Docker Engine answers ({reason}); start one, or name it in DOCKER_HOST.")


def _knock(place: str) -> None:
    # docker-py forgets to close a unix socket that it could not connect, so it must not be the one to find out.
    if place.startswith("unix://"):
        with socket.socket(socket.AF_UNIX) as door:
            door.settimeout(CONNECT_SECONDS)
            door.connect(place.removeprefix("unix://"))


def places(environ: Mapping[str, str]) -> list[str]:
    """Where an engine may be found: DOCKER_HOST alone when it is set, else the sockets that exist here."""
    named = environ.get("DOCKER_HOST")
    if named:
        return [named]
    runtime = environ.get("XDG_RUNTIME_DIR", f"/run/user/{os.getuid()}")
    home = environ.get("HOME", "/nonexistent")
    candidates = (
        "/var/run/docker.sock",
        f"{home}/.docker/run/docker.sock",
        f"{runtime}/docker.sock",
        f"{runtime}/podman/podman.sock",
        "/run/podman/podman.sock",
    )
    return [f"unix://{path}" for path in candidates if _is_socket(path)]


def _is_socket(path: str) -> bool:
    try:
        return Path(path).is_socket()
    except OSError:
        return False


_REMEDIES: tuple[tuple[str, str], ...] = (
    (
        r'exec: "?(?P<what>[^":]+)"?: (executable file not found|stat .*no such file)',
        "The image has no program {what} "
        "on its PATH: SageMaker runs an image with the argument `train` or `serve`, unless an entry point is given.",
    ),
    (r'exec: "?(?P<what>[^":]+)"?: permission denied', "The image's entry point {what} is not executable."),
    (
        r"(?P<what>\S*): exec format error|exec format error",
        "The image's entry point {what} is not a program for this "
        "machine: the image is for another processor, or a script lacks its #! line.",
    ),
    (
        r"bind source path does not exist: (?P<what>\S+)",
        "The Docker Engine does not see the folder {what}: it runs on "
        "another machine or does not share that folder; run the server where the engine runs.",
    ),
)


def start_failure(problem: object) -> str:
    """The engine's refusal to start a container, as a sentence with the remedy."""
    text = _first_line(getattr(problem, "explanation", None) or problem)
    for pattern, sentence in _REMEDIES:
        found = re.search(pattern, text)
        if found:
            return sentence.format(what=(found.group("what") or "").strip("\"'")) + f" ({text})"
    return f"The Docker Engine could not start the container: {text}"


def _first_line(problem: object) -> str:
    text = str(problem).strip() or type(problem).__name__
    return text.splitlines()[0].strip()
