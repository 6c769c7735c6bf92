"""The ports between rooms: what one room needs of another without importing it.

Executors write logs and know no S3; jobs and hosts know executors, storage, logs and metrics only as these
Protocols. Each port has one contract suite in `tests/contracts/`, which every adapter inherits.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from pathlib import Path
from typing import BinaryIO, Protocol

from emulator.call import Scope

# --- executors: run a program described by a RunSpec somewhere ------------------------------------------------


CALLER = "SAGELET_REMOTE_PYTHON"
"""In a run's environment: the Python of this machine that pickled what the run unpickles; it needs its packages."""

PICKLED_BY = "LOCAL_PYTHON"
"""In a model's environment, set by the SDK's ModelBuilder: the version of the Python that pickled the model."""


@dataclass(frozen=True)
class Mount:
    """A folder of the host shown to the program at `inside` (for example `/opt/ml`)."""

    outside: Path
    inside: str
    read_only: bool = False


@dataclass(frozen=True)
class Share:
    """What a program may use of the machine; 0 is no limit. `gpus` is how many devices it is given."""

    cpus: float = 0.0
    memory: int = 0
    """Bytes."""
    gpus: int = 0


@dataclass(frozen=True)
class Cluster:
    """The hosts of one job, which find each other by name. `name` is unique for ever and the same for all of them."""

    name: str
    hosts: tuple[str, ...] = ("algo-1",)


@dataclass(frozen=True)
class RunSpec:
    """One program to run. Everything an executor may know about a job or a model server, and nothing more.

    `run_id` is unique for ever and safe as a file name; `folder` is the run's own folder on the host, where the
    executor keeps whatever it needs to adopt the run after a restart (pid, exit status, container id).
    `log` is a file that receives the program's output as lines of `emulator.logs` format, by whoever survives
    the server (the supervisor of a process; the follower of a container).
    `verb` is `train` or `serve`; for `serve` the program listens on port 8080 of its own network namespace or on
    the port or unix socket that the executor tells it, see `Executor.address`.
    `entrypoint` and `arguments` are the caller's own command, as `docker run --entrypoint` takes it; without them the
    program is the image's for `verb`. For a `run` verb (processing) without an entry point: the image's own command.
    `endpoint` is the URL of this house on the loopback of this machine: with a network the executor makes it reachable
    and tells the program where it is in AWS_ENDPOINT_URL; the key that opens it there is AWS_ACCESS_KEY_ID of
    `environment`. Without a network there is none.
    """

    run_id: str
    arn: str
    image: str
    verb: str
    folder: Path
    log: Path
    environment: Mapping[str, str] = field(default_factory=dict)
    mounts: tuple[Mount, ...] = ()
    hostname: str = "algo-1"
    network: bool = True
    entrypoint: tuple[str, ...] = ()
    arguments: tuple[str, ...] = ()
    cluster: Cluster | None = None
    """With several hosts: each of their names is resolvable by all; `hostname` is one of them."""
    share: Share = Share()
    endpoint: str = ""


class ExitReason(Enum):
    """Why a run is over."""

    EXITED = "exited"
    """The program ended by itself; `code` is its exit status (negative: the signal that killed it)."""
    STOPPED = "stopped"
    """The program ended after `stop` was asked for."""
    LOST = "lost"
    """The run is gone without an exit status (machine restarted, container removed)."""
    NOT_STARTED = "not started"
    """The program could not be started; `detail` says why and what to do."""


@dataclass(frozen=True)
class Exit:
    """How a run ended. Each run that was started is reported exactly once by `wait`, also after an adoption."""

    reason: ExitReason
    code: int | None = None
    detail: str = ""


@dataclass(frozen=True)
class Address:
    """Where a model server listens: a TCP port on the loopback of this machine, or a unix socket."""

    host: str = "127.0.0.1"
    port: int = 0
    socket: str = ""


@dataclass(frozen=True)
class Usage:
    """What a run uses of the machine, as measured. `cpu_seconds` counts all its processes since its start, those that
    are over included; `memory` is bytes now, None when the run is over."""

    cpu_seconds: float
    memory: int | None = None


class Executor(Protocol):
    """Starts programs, watches and stops them, and finds them again after a restart of the server.

    Thread safety: all methods may be called from any thread. Nothing here blocks longer than it takes to start
    or to signal a program, except `wait`.
    """

    name: str
    interface: str
    """The network interface by which the hosts of a job reach each other, as their programs call it."""

    def refusal(self, spec: RunSpec) -> str:
        """Empty when this executor can run `spec`; else a sentence that says why not and what would help."""
        ...

    def start(self, spec: RunSpec) -> None:
        """Start the program. A failure to start is an `Exit(NOT_STARTED)` from `wait`, not an exception."""
        ...

    def wait(self, run_id: str, timeout: float | None = None) -> Exit | None:
        """Block until the run is over and say how; None when `timeout` seconds passed first."""
        ...

    def stop(self, run_id: str, grace: float) -> None:
        """SIGTERM now, SIGKILL after `grace` seconds to all that is left of the run. Returns at once."""
        ...

    def address(self, run_id: str) -> Address | None:
        """Where the run's server listens; None while unknown or for ever (a `train` run)."""
        ...

    def usage(self, run_id: str) -> Usage | None:
        """What the run uses; None when that cannot be measured (any more). Takes milliseconds."""
        ...

    def adopt(self, spec: RunSpec) -> bool:
        """After a restart: take over a run of this spec that still lives or has left its exit status; else False."""
        ...

    def release(self, run_id: str) -> None:
        """Forget a run that is over and free what it held (container, sandbox, socket). Idempotent."""
        ...

    def close(self) -> None:
        """The server stops: leave no process behind that `adopt` could not take over."""
        ...


@dataclass(frozen=True)
class Strike:
    """That something is to go wrong on purpose: by which rule, after how many seconds, and for which reason."""

    rule: str
    seconds: float = 0.0
    reason: str = ""


class Trouble(Protocol):
    """What is to go wrong on purpose. Engines ask it where in life things go wrong."""

    @property
    def work(self) -> bool:
        """Whether anything may be struck at all."""
        ...

    def strike(self, kind: str, operation: str, scope: Scope, name: str) -> Strike | None:
        """Whether a job or an endpoint, named by the operation that made it, is struck now: by `capacity` (there is no
        instance for it), `job-failure` or `spot-interruption`. Asking counts."""
        ...


class Gateways(Protocol):
    """Further doors to this house, for programs that cannot reach its loopback address: each is bound to one key."""

    def open(self, host: str, access_key: str, port: int = 0) -> int:
        """Listen at `host` (an address of this machine) and answer only requests that are signed with `access_key`,
        and nothing of our own pages; the port. Opening the same host and port again (after a restart) is fine."""
        ...

    def close(self, host: str, port: int) -> None:
        """Stop listening. Idempotent."""
        ...


# --- images of the local engine --------------------------------------------------------------------------------


@dataclass(frozen=True)
class LocalImage:
    """An image that the local engine holds under some repository's name; several tags may mean the same one."""

    tags: tuple[str, ...]
    digest: str
    """`sha256:` and 64 hexadecimal digits."""
    size_bytes: int
    pushed_at: float
    """Seconds since the epoch."""


LocalImages = Callable[[str], Sequence[LocalImage]]
"""What the engine holds under the name of a repository (`team/model`), of any registry; without an engine: nothing."""


# --- storage: objects by URI -----------------------------------------------------------------------------------


@dataclass(frozen=True)
class ObjectInfo:
    """An object of a listing: its bucket, key, size in bytes, and ETag without quotes."""

    bucket: str
    key: str
    size: int
    etag: str


class Storage(Protocol):
    """S3 as jobs need it: list, read, write. The same objects that clients see through the S3 neighbour.

    A missing bucket or key is `FileNotFoundError` with the URI; nothing is ever held in memory whole.
    """

    def list(self, bucket: str, prefix: str) -> Iterator[ObjectInfo]:
        """All objects whose key starts with `prefix`, in key order."""
        ...

    def head(self, bucket: str, key: str) -> ObjectInfo:
        """One object's facts."""
        ...

    def open(self, bucket: str, key: str) -> BinaryIO:
        """Read an object as a stream."""
        ...

    def fetch(self, bucket: str, key: str, target: Path) -> None:
        """Write an object to the file `target` (a read-only copy, never a link: programs may spoil their inputs)."""
        ...

    def link(self, bucket: str, key: str, target: Path) -> None:
        """Make `target` show an object without copying its bytes where that is possible (a hard link); a copy where
        it is not. Only for folders that programs see through a read-only mount."""
        ...

    def take(self, found: ObjectInfo, target: str, linked: bool, halt: Callable[[], bool]) -> None:
        """Make the new file `target` of an object that was just listed, as `fetch` or (`linked`) `link` would, but many
        times faster for many (hence the path as text). `FileExistsError` where something is in the way;
        `InterruptedError`, and no file, once `halt()`, which may be asked now and then for a large object."""
        ...

    def store(self, source: Path, bucket: str, key: str) -> None:
        """Create or replace an object from a file, atomically."""
        ...

    def make_bucket(self, bucket: str, region: str) -> None:
        """Create a bucket; nothing happens when it exists already."""
        ...


# --- logs and metrics ------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class LogLine:
    """One line of a stream: milliseconds since the epoch and the text (a TAB reads as `#011`, as in CloudWatch)."""

    timestamp: int
    message: str


class Logs(Protocol):
    """Streams of lines in groups, readable while they are written. Each account has its own in each region."""

    def of(self, scope: Scope) -> Logs:
        """The logs of one account and region: of equal names, other ones than those of another."""
        ...

    def path(self, group: str, stream: str) -> Path:
        """The file behind a stream, created empty when it is new; hand it to a run as `RunSpec.log`."""
        ...

    def append(self, group: str, stream: str, lines: Iterable[str]) -> None:
        """Add lines, stamped with the time now."""
        ...

    def read(self, group: str, stream: str, start: int = 0) -> Iterator[LogLine]:
        """The lines of a stream from line number `start` on."""
        ...


@dataclass(frozen=True)
class Point:
    """One number of a metric: `name` of `resource`, at `timestamp` (seconds since the epoch).

    `resource` is the name of a training job, for what its algorithm reports; of what is measured of a host it is
    `<namespace>/<job name>/<host>`, with CloudWatch's namespace, which begins with a slash; of what is put for a trial
    component it is that one's ARN, and CloudWatch has nothing of it.
    """

    resource: str
    name: str
    value: float
    timestamp: float
    step: int | None = None


class Metrics(Protocol):
    """Streams of numbers. Each account has its own in each region."""

    def of(self, scope: Scope) -> Metrics:
        """The metrics of one account and region."""
        ...

    def append(self, points: Iterable[Point]) -> None:
        """Add points."""
        ...

    def read(self, resource: str, name: str | None = None) -> list[Point]:
        """The points of one resource in the order of their arrival."""
        ...

    def forget(self, resource: str) -> None:
        """Remove the points of a resource."""
        ...
