"""Chooses the executor of each run, and finds the one that still has a run after a restart.

`auto`: a container of that very image, else a container of our own image of its family, else a process of our own
implementation, else (where the user lets the engine pull) a container of an image that is fetched, else a refusal that
names the remedies. A forced executor is asked alone. Before all of them: a function of the user's that answers for the
image.
"""

from __future__ import annotations

import contextlib
import os
import threading
from collections.abc import Callable, Mapping, Sequence
from importlib import import_module
from inspect import signature
from typing import Any, Protocol

from emulator.clock import Clock, SystemClock
from emulator.errors import SageletError
from emulator.executors.docker_engine import places
from emulator.functions import FunctionBook
from emulator.ports import CALLER, Executor, Gateways, LocalImage, RunSpec
from emulator.settings import Settings

TABLE: tuple[tuple[str, str], ...] = (
    ("process", "emulator.executors.process.executor:ProcessExecutor"),
    ("docker", "emulator.executors.docker:DockerExecutor"),
    ("stub", "emulator.executors.stub:StubExecutor"),
    ("function", "emulator.executors.function:FunctionExecutor"),
)
"""In the order in which they are asked for a run that outlived the server: the cheapest question first."""


class NoExecutor(SageletError):
    """No executor can run the image; the message says why and what would help."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason
        self.message = reason


class Catalog(Protocol):
    """What is asked of `algorithms.catalog`."""

    def find(self, image: str, /) -> Any:
        """The algorithm that the image means, or None."""
        ...

    def names(self) -> tuple[str, ...]:
        """All algorithms by name."""
        ...


class Containers(Executor, Protocol):
    """What is asked of the docker executor besides the port."""

    def available(self) -> bool:
        """Whether an engine answers."""
        ...

    def has_image(self, image: str) -> bool:
        """Whether the engine has exactly this image."""
        ...

    def own_image(self, image: str) -> str | None:
        """Our own image of its family, if it was built."""
        ...

    def pulls(self) -> bool:
        """Whether the user lets the engine fetch images."""
        ...

    def images(self, repository: str) -> Sequence[LocalImage]:
        """What the engine holds under the name of a repository."""
        ...

    def gpus(self) -> int:
        """How many devices the engine can give to containers."""
        ...


class Executors:
    """The executors of one house, each made when it is first needed.

    `made` are ready ones by name, for instance a StubExecutor with a script; `clock` is the stub's; `gateways` gives
    the doors through which containers reach the house, once there are any.
    """

    def __init__(
        self,
        settings: Settings,
        catalog: Catalog,
        clock: Clock | None = None,
        made: Mapping[str, Executor] | None = None,
        gateways: Callable[[], Gateways | None] = lambda: None,
    ) -> None:
        self._settings = settings
        self._catalog = catalog
        self._clock = clock or SystemClock()
        self._made: dict[str, Executor] = dict(made or {})
        self._gateways = gateways
        self.functions = FunctionBook()
        """The images that programs of the user's answer for: the house gives its own."""
        self._lock = threading.Lock()

    def choose(self, spec: RunSpec, *others: RunSpec) -> Executor:
        """The executor that will run `spec`, and `others`, the further hosts of its job; NoExecutor when there is none.

        Ask once a job, keep the name, and find it again with `by_name`: an image that is built meanwhile must not
        send the next host of the same job elsewhere.
        """
        if self.functions.find(spec.image, spec.verb, spec.arn) is not None:
            return self.by_name("function")
        try:
            return self._without_functions(spec, *others)
        except NoExecutor as error:
            raise NoExecutor(error.reason + self.functions.hint(spec.image, spec.arn)) from None

    def by_name(self, name: str) -> Executor:
        """One of `process`, `docker`, `stub`, `function`."""
        with self._lock:
            if name not in self._made:
                self._made[name] = self._make(name)
            return self._made[name]

    def adopt(self, spec: RunSpec) -> Executor | None:
        """The executor that still has `spec`'s run, or its exit status; None when it is gone or was never started."""
        for name, _ in TABLE:
            if name == "docker" and self._containers() is None:
                continue
            executor = self.by_name(name)
            if executor.adopt(spec):
                return executor
        return None

    def local_images(self, repository: str) -> Sequence[LocalImage]:
        """What the local engine holds under the name of a repository; nothing without an engine."""
        docker = self._containers()
        return docker.images(repository) if docker is not None else ()

    def gpus(self) -> int:
        """How many devices the local engine can give to containers; 0 without an engine."""
        docker = self._containers()
        return docker.gpus() if docker is not None else 0

    def close(self) -> None:
        """Close those that were used. What still runs can be adopted by the next server."""
        with self._lock:
            made, self._made = list(self._made.values()), {}
        for executor in made:
            executor.close()

    def _without_functions(self, spec: RunSpec, *others: RunSpec) -> Executor:
        forced = self._settings.executor
        chosen = self.by_name(forced) if forced != "auto" else self._automatic(spec)
        for each in (spec, *others):
            refusal = chosen.refusal(each)
            if refusal:
                raise NoExecutor(refusal)
        return chosen

    def _automatic(self, spec: RunSpec) -> Executor:
        docker, known = self._containers(), self._catalog.find(spec.image) is not None
        # The image of a user's may hold what the caller's Python has; ours do not.
        remote = known and bool(spec.environment.get(CALLER))
        if docker is not None and (docker.has_image(spec.image) or (docker.own_image(spec.image) and not remote)):
            return docker
        if known:
            return self.by_name("process")
        if docker is not None and docker.pulls():
            return docker
        engine = (
            f"No Docker image {spec.image} is in the local engine and no"
            if docker is not None
            else f"There is no Docker engine here to run {spec.image} in, and no"
        )
        raise NoExecutor(
            f"{engine} built-in algorithm goes by that name. Either pull or build that very image with Docker "
            f"(docker pull {spec.image}; with --pull missing Sagelet does so), or use an image of a built-in "
            f"algorithm: {', '.join(self._catalog.names())}."
        )

    def _containers(self) -> Containers | None:
        """The docker executor where an engine answers. Its library is not loaded where none can."""
        if "docker" not in self._made and not engine_in_sight(os.environ):
            return None
        docker: Any = self.by_name("docker")
        with contextlib.suppress(Exception):
            if docker.available():
                found: Containers = docker
                return found
        return None

    def _make(self, name: str) -> Executor:
        target = dict(TABLE).get(name)
        if target is None:
            raise NoExecutor(f"There is no executor {name}; there are: {', '.join(n for n, _ in TABLE)}.")
        module, _, attribute = target.partition(":")
        made: Any = getattr(import_module(module), attribute)
        if name == "stub":
            stub: Executor = made(clock=self._clock)
            return stub
        if name == "function":
            function: Executor = made(self.functions)
            return function
        doors = {"gateways": self._gateways} if "gateways" in signature(made).parameters else {}
        executor: Executor = made(self._settings, self._catalog, **doors)
        return executor


def engine_in_sight(environ: Mapping[str, str]) -> bool:
    """Whether an engine of Docker or Podman is named or has a socket in one of the usual places."""
    return bool(places(environ))
