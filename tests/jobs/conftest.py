"""A house in miniature for the job engine: records in a dict, objects in folders, programs that are scripted."""

from __future__ import annotations

import shutil
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, BinaryIO

import pytest

from emulator.call import Scope
from emulator.clock import ManualClock
from emulator.errors import Validation
from emulator.jobs import JobEngine, Tools
from emulator.jobs.lifecycle import Job
from emulator.jobs.recipes import faces
from emulator.jobs.record import hidden_life
from emulator.ports import Address, Exit, ExitReason, LogLine, ObjectInfo, Point, RunSpec, Usage
from emulator.settings import Settings
from emulator.store.records import Record
from emulator.trouble import TroubleBook
from tests.jobs.stored import Bucket, bucket

SCOPE = Scope("123456789012", "eu-west-1")
IMAGE = "1.dkr.ecr.eu-west-1.amazonaws.com/sagemaker-xgboost:1.7-1"


class FakeRecords:
    """`emulator.resources.Resources` as far as jobs need it; survives an engine."""

    def __init__(self) -> None:
        self.records: dict[tuple[str, Scope, str], Record] = {}
        self.lock = threading.RLock()
        self.history: list[tuple[str, str]] = []
        self.tags: dict[str, dict[str, str]] = {}
        self.refuse = 0

    def get(self, kind: str, scope: Scope, key: str) -> Record:
        record = self.find(kind, scope, key)
        if record is None:
            raise Validation("Requested resource not found.")
        return record

    def find(self, kind: str, scope: Scope, key: str) -> Record | None:
        return self.records.get((kind, scope, key))

    def change(self, kind: str, scope: Scope, key: str, edit: Callable[[Record], Record]) -> Record:
        with self.lock:
            if self.refuse:
                self.refuse -= 1
                raise OSError(28, "No space left on device")
            after = edit(self.get(kind, scope, key))
            self.records[kind, scope, key] = replace(after, version=after.version + 1)
            self.history.append((key, after.hidden["life"]["phase"]))
            return after

    def tag(self, arn: str, tags: Mapping[str, str]) -> None:
        self.tags.setdefault(arn, {}).update(tags)

    def unsettled(self, kind: str, statuses: tuple[str, ...]) -> list[Record]:
        return [r for r in self.records.values() if r.kind == kind and r.status in statuses]


class FolderStorage:
    """Objects as files of a folder; no links, so that a test may look at them at any time."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.full = False

    def put(self, bucket: str, key: str, content: bytes) -> None:
        target = self.root / bucket / key.replace("/", "%")
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(content)

    def read(self, bucket: str, key: str) -> bytes:
        with self.open(bucket, key) as stream:
            return stream.read()

    def keys(self, bucket: str, prefix: str = "") -> list[str]:
        return [item.key for item in self.list(bucket, prefix)]

    def list(self, bucket: str, prefix: str) -> Iterator[ObjectInfo]:
        if not (self.root / bucket).is_dir():
            raise FileNotFoundError(f"s3://{bucket}")
        for name in sorted(p.name.replace("%", "/") for p in (self.root / bucket).iterdir()):
            if name.startswith(prefix):
                yield self.head(bucket, name)

    def head(self, bucket: str, key: str) -> ObjectInfo:
        return ObjectInfo(bucket, key, self._file(bucket, key).stat().st_size, "etag")

    def open(self, bucket: str, key: str) -> BinaryIO:
        return self._file(bucket, key).open("rb")

    def fetch(self, bucket: str, key: str, target: Path) -> None:
        if self.full:
            raise OSError(28, "No space left on device", str(target))
        shutil.copyfile(self._file(bucket, key), target)
        target.chmod(0o444)

    def link(self, bucket: str, key: str, target: Path) -> None:
        self.fetch(bucket, key, target)

    def take(self, found: ObjectInfo, target: str, linked: bool, halt: Callable[[], bool]) -> None:
        if Path(target).exists():
            raise FileExistsError(target)
        self.fetch(found.bucket, found.key, Path(target))

    def store(self, source: Path, bucket: str, key: str) -> None:
        if self.full:
            raise OSError(28, "No space left on device", key)
        if not (self.root / bucket).is_dir():
            raise FileNotFoundError(f"s3://{bucket}")
        self.put(bucket, key, source.read_bytes())

    def make_bucket(self, bucket: str, region: str) -> None:
        (self.root / bucket).mkdir(parents=True, exist_ok=True)

    def _file(self, bucket: str, key: str) -> Path:
        path = self.root / bucket / key.replace("/", "%")
        if not path.is_file():
            raise FileNotFoundError(f"s3://{bucket}/{key}")
        return path


class ListLogs:
    """Streams as lists; `path` is a file that nobody reads."""

    def __init__(self, folder: Path, clock: ManualClock) -> None:
        self.folder = folder
        self.clock = clock
        self.streams: dict[tuple[str, str], list[LogLine]] = {}

    def of(self, scope: Scope) -> ListLogs:
        return self

    def path(self, group: str, stream: str) -> Path:
        return self.folder / "log"

    def append(self, group: str, stream: str, lines: Iterable[str]) -> None:
        kept = self.streams.setdefault((group, stream), [])
        kept += [LogLine(int(self.clock.now() * 1000), line) for line in lines]

    def read(self, group: str, stream: str, start: int = 0) -> Iterator[LogLine]:
        return iter(self.streams.get((group, stream), [])[start:])


class ListMetrics:
    def __init__(self) -> None:
        self.points: list[Point] = []

    def of(self, scope: Scope) -> ListMetrics:
        return self

    def append(self, points: Iterable[Point]) -> None:
        self.points += points

    def read(self, resource: str, name: str | None = None) -> list[Point]:
        return [p for p in self.points if p.resource == resource and name in (None, p.name)]


@dataclass
class Program:
    """A run of the scripted executor: what it sees, and how a test ends it."""

    spec: RunSpec
    over: threading.Event = field(default_factory=threading.Event)
    exit: Exit | None = None
    stops: list[float] = field(default_factory=list)
    released: int = 0

    @property
    def ml(self) -> Path:
        return self.spec.folder / "ml"

    def end(self, code: int = 0, reason: ExitReason = ExitReason.EXITED, detail: str = "") -> None:
        self.exit = Exit(reason, code, detail)
        self.over.set()


class Scripted:
    """An executor whose programs do what a test says: `script` is called when one starts. Programs outlive engines."""

    name = "scripted"
    interface = "eth0"

    def __init__(self) -> None:
        self.programs: dict[str, Program] = {}
        self.started = threading.Semaphore(0)
        self.script: Callable[[Program], None] = lambda program: None
        self.stop_ends = True
        self.uses: dict[str, Usage] = {}
        self.none: Exception | None = None

    def choose(self, spec: RunSpec, *others: RunSpec) -> Scripted:
        if self.none:
            raise self.none
        return self

    def adopt(self, spec: RunSpec) -> Scripted | None:
        return self if spec.run_id in self.programs else None

    def refusal(self, spec: RunSpec) -> str:
        return ""

    def start(self, spec: RunSpec) -> None:
        program = self.programs[spec.run_id] = Program(spec)
        self.script(program)
        self.started.release()

    def next(self) -> Program:
        assert self.started.acquire(timeout=5)
        return list(self.programs.values())[-1]

    def wait(self, run_id: str, timeout: float | None = None) -> Exit | None:
        program = self.programs.get(run_id)
        if program is None:
            return None
        program.over.wait(timeout)
        return program.exit

    def stop(self, run_id: str, grace: float) -> None:
        program = self.programs.get(run_id)
        if program is None:
            return
        program.stops.append(grace)
        if self.stop_ends and not program.over.is_set():
            program.end(-15, ExitReason.STOPPED)

    def address(self, run_id: str) -> Address | None:
        return None

    def usage(self, run_id: str) -> Usage | None:
        return self.uses.get(run_id)

    def release(self, run_id: str) -> None:
        if run_id in self.programs:
            self.programs[run_id].released += 1

    def close(self) -> None:
        return None


class MiniHouse:
    """All of it, with an engine that can be killed and started anew."""

    def __init__(self, folder: Path) -> None:
        self.settings = Settings(data_dir=folder / "data", max_jobs=2)
        self.clock = ManualClock()
        self.records = FakeRecords()
        self.storage = FolderStorage(folder / "s3")
        self.storage.make_bucket("b", SCOPE.region)
        self.storage.put("b", "in/train.csv", b"1,2\n")
        self.logs = ListLogs(folder, self.clock)
        self.metrics = ListMetrics()
        self.executor = Scripted()
        self.servers: Any = None
        self.trouble = TroubleBook()
        self.engine = self.start()

    def start(self) -> JobEngine:
        parts = (self.settings, self.clock, self.records, self.storage, self.logs, self.metrics)
        self.engine = JobEngine(Tools(*parts, self.executor, self.servers, trouble=self.trouble))
        return self.engine

    def restart(self, settings: Settings) -> None:
        """With other settings."""
        self.engine.close()
        self.settings = settings
        self.start()

    def kill(self) -> None:
        """What `kill -9` leaves: the records as they are, the programs running."""
        self.engine.close(end_runs=False)

    def submit(self, name: str = "job", **members: Any) -> None:
        hidden = {k: members.pop(k) for k in ("max_run", "wait_until", "run_id") if k in members}
        self.engine.submit(self.accept(name, hidden, **members))

    def accept(self, name: str, hidden: dict[str, Any], **members: Any) -> Record:
        """The record of an accepted job, not yet submitted."""
        now = self.clock.now()
        body = {
            "AlgorithmSpecification": {"TrainingImage": IMAGE, "TrainingInputMode": "File"},
            "HyperParameters": {"num_round": "3"},
            "InputDataConfig": [channel("train", "s3://b/in/train.csv")],
            "OutputDataConfig": {"S3OutputPath": "s3://b/out"},
            "ResourceConfig": {"InstanceType": "ml.m5.large", "InstanceCount": 1, "VolumeSizeInGB": 1},
            **faces.first_members(now),
            **members,
        }
        kept = {"life": hidden_life(Job()), "run_id": f"job-{name}", "image": IMAGE, **hidden}
        arn = f"arn:aws:sagemaker:{SCOPE.region}:{SCOPE.account}:training-job/{name}"
        record = Record("TrainingJob", SCOPE, name, arn, body, now, now, "InProgress", hidden=kept)
        self.records.records["TrainingJob", SCOPE, name] = record
        return record

    def stop(self, name: str = "job") -> None:
        self.engine.request_stop("TrainingJob", SCOPE, name)

    def body(self, name: str = "job") -> dict[str, Any]:
        return dict(self.records.get("TrainingJob", SCOPE, name).body)

    def finish(self) -> dict[str, Any]:
        """Wait until all jobs are over; the Describe members of `job`."""
        assert self.engine.idle(5)
        return self.body()

    def log(self, *lines: str, name: str = "job") -> None:
        stream = f"{name}/algo-1-{int(self.records.get('TrainingJob', SCOPE, name).created)}"
        self.logs.append("/aws/sagemaker/TrainingJobs", stream, lines)


def channel(name: str, location: str, **members: Any) -> dict[str, Any]:
    source = {"S3DataType": "S3Prefix", "S3Uri": location, "S3DataDistributionType": "FullyReplicated"}
    return {"ChannelName": name, "DataSource": {"S3DataSource": source}, **members}


@pytest.fixture
def mini(tmp_path: Path) -> Iterator[MiniHouse]:
    house = MiniHouse(tmp_path)
    yield house
    for program in house.executor.programs.values():
        program.end()
    house.engine.close()


@pytest.fixture(params=["files", "folder", "external"])
def stored(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Bucket]:
    """A bucket in each storage that inputs may come from."""
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "x")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "y")
    with bucket(request.param, tmp_path) as found:
        yield found
