"""The Docker Engine, or a Podman socket that speaks its API: where it is, which images it has, its words as sentences.

Knows no runs. Everything that goes wrong here is an EngineAway whose text says what to do.
"""

from __future__ import annotations

import os
import re
import socket
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from docker import DockerClient

OWN_LABEL = "sagelet.algorithm"
"""The label that `containers/` puts on images of ours; its value is the algorithm's name."""

CONNECT_SECONDS = 5
CALL_SECONDS = 60


class EngineAway(Exception):
    """No engine answers; the text is a sentence with the remedy."""


class Family(Protocol):
    """What is asked of an algorithm of the catalogue: the tag of the image that `make images` builds for it."""

    @property
    def image(self) -> str: ...


FindFamily = Callable[[str], "Family | None"]


@dataclass(frozen=True)
class ChosenImage:
    """The image that a run really uses; `own` when it was built from `containers/`."""

    name: str
    own: bool


class Engine:
    """A connection that is made at the first question and made again after the engine went away."""

    def __init__(self, find: FindFamily, environ: Mapping[str, str] | None = None) -> None:
        self._find = find
        self._environ = os.environ if environ is None else environ
        self._lock = threading.Lock()
        self._client: DockerClient | None = None
        self._place = ""
        self._rootless: bool | None = None

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
            client, self._client, self._rootless = self._client, None, None
        if client is not None:
            client.close()

    def rootless(self) -> bool:
        """Whether root inside a container is the engine's own, unprivileged user outside."""
        if self._rootless is None:
            options = self.client().info().get("SecurityOptions") or []
            self._rootless = any("rootless" in option for option in options)
        return self._rootless

    def image(self, name: str) -> ChosenImage | None:
        """The image of exactly this name, if the engine has it."""
        from docker.errors import ImageNotFound

        try:
            image = self.client().images.get(name)
        except ImageNotFound:
            return None
        return ChosenImage(name, OWN_LABEL in image.labels)

    def family_image(self, name: str) -> ChosenImage | None:
        """Our own image of the family that an AWS image name belongs to, if `make images` has built it."""
        family = self._find(name)
        return self.image(family.image) if family is not None and family.image else None

    def any_own_image(self) -> str:
        """The id of some image of ours, for small services such as the relay; empty when there is none."""
        images = self.client().images.list(filters={"label": OWN_LABEL})
        return str(images[0].id) if images else ""

    def choose(self, name: str) -> ChosenImage | None:
        """The very image before our own of its family."""
        return self.image(name) or self.family_image(name)

    def image_absent(self, name: str) -> str:
        """The sentence for an image that `choose` did not find."""
        remedy = f"`docker pull {name}` fetches it where a registry can be reached"
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
