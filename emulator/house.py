"""The composition root: settings become a House. The only module that knows every room."""

from __future__ import annotations

import fcntl
import importlib
import logging
import shutil
import tempfile
import threading
from collections.abc import Callable, Mapping, Sequence
from functools import cache, cached_property, partial
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from emulator import behaviours, emptying, reports, spec
from emulator.behaviours.following import Followers, sees
from emulator.call import EVERYTHING, Answer, Call, Extent, Scope
from emulator.clock import AdjustableClock, Clock, ManualClock
from emulator.errors import SageletError
from emulator.functions import FunctionBook
from emulator.kinds import KINDS
from emulator.logs import FileLogs
from emulator.metrics import FileMetrics
from emulator.operations.dispatch import Dispatch
from emulator.ports import Gateways, LocalImage, LocalImages, Storage
from emulator.resources import Hooks, Resources, generic_operations
from emulator.resources.quotas import QUOTAS
from emulator.settings import Settings
from emulator.store import SCHEMA, open_store
from emulator.store.records import Record
from emulator.trouble import TroubleBook

if TYPE_CHECKING:
    from emulator.executors import Executors
    from emulator.hosts import HostEngine
    from emulator.jobs import JobEngine
    from emulator.neighbours import Neighbours
    from emulator.neighbours.s3 import S3
    from emulator.resources.search import Computed, Search
    from emulator.servers import ModelServers
    from emulator.snapshot.saving import Saving

log = logging.getLogger(__name__)

ENGINES = ("search", "jobs", "hosts", "servers", "executors", "neighbours")
"""The rooms that open when they are first entered, in the order in which they are closed."""


class FolderInUse(SageletError):
    """Another server uses the data folder."""


@cache
def _function(path: str) -> Callable[..., Any]:
    module, _, name = path.partition(":")
    function: Callable[..., Any] = getattr(importlib.import_module(module), name)
    return function


@cache
def _reactions(event: str, noun: str) -> tuple[str, ...]:
    return tuple(path for *known, path in behaviours.REACTIONS if known == [event, noun])


class House:
    """Everything that one server holds. `open` it, `start` it, use `dispatch`, `close` it.

    The rooms of the engines open when they are first entered: their imports would double the time to the first answer.
    """

    schema = SCHEMA

    def __init__(self, settings: Settings, clock: Clock | None = None) -> None:
        self.settings = settings
        self.clock = clock or AdjustableClock()
        self.trouble = TroubleBook()
        self.functions = FunctionBook()
        self.data_dir = Path(settings.data_dir)
        self.url = ""
        """Where programs of this machine reach the house; empty until the front door is bound."""
        self.gateways: Gateways | None = None
        """Further doors, for programs that cannot reach that URL; None until the front door is bound."""
        self._folder_is_ours = False
        self._turn = threading.Lock()
        """Held while the house is emptied."""
        self._recovering = threading.Lock()
        self._open_rooms: Resources | None = None
        self._lock = _take(self.data_dir)
        self._finish_loading()
        self._furnish()

    @classmethod
    def open(cls, settings: Settings) -> House:
        """The house of a data folder; `FolderInUse` when another server has it."""
        return cls(settings)

    @classmethod
    def for_tests(cls, clock: Clock | None = None, **settings: Any) -> House:
        """A house on a folder of its own, with a stub executor and a clock that the test moves."""
        folder = Path(tempfile.mkdtemp(prefix="sagelet-test-"))
        given = {"executor": "stub", "settle_seconds": 0.0, **settings}
        house = cls(Settings(data_dir=folder, **given), clock or ManualClock())
        house._folder_is_ours = True
        return house

    def start(self) -> None:
        """Bring back what a former life left: jobs that were under way, endpoints."""
        if self._fresh:
            return
        self.jobs.recover()
        self.hosts.recover()
        # Beside the start: it reads the model of every kind.
        rooms = self.resources
        self.clock.call_at(self.clock.now(), lambda: self._recover(rooms))
        self.followers.note()

    def _recover(self, rooms: Resources) -> None:
        """Let records go on their way, unless those rooms were closed before this began; closing waits for it."""
        with self._recovering:
            if rooms is not self._open_rooms:
                return
            rooms.recover()
            for noun, status, path in behaviours.RESUMED:
                for record in rooms.unsettled(noun, (status,)):
                    _function(path)(self, record)

    def close(self) -> None:
        """End everything that runs, and let go of the folder."""
        self._close_rooms()
        self._lock.close()
        if self._folder_is_ours:
            shutil.rmtree(self.data_dir, ignore_errors=True)

    def snapshot(self) -> Saving:
        """All that the house holds as one archive, made while it is read; `close` it."""
        from emulator.snapshot.saving import Saving

        return Saving(self)

    def load(self, source: IO[bytes]) -> dict[str, Any]:
        """Empty the house and fill it from an archive; what was loaded, for people. `Validation` for an archive that
        cannot be used: then the house is as it was, which answers until the new state is ready."""
        from emulator.snapshot import loading

        with loading.spooled(self.data_dir, source) as archive, self._turn:
            arrival = loading.prepare(self.data_dir, archive, round(self.clock.now(), 3))
            emptying.forget(self, EVERYTHING)
            self._close_rooms(but="executors")
            loading.settle(self.data_dir)
            self._furnish()
        self.start()
        return arrival.told()

    def reset(self, extent: Extent = EVERYTHING) -> list[str]:
        """Forget everything, or a part: jobs, endpoints, records, objects, logs, what the other services keep. The
        server goes on. Sentences about what could not be forgotten."""
        with self._turn:
            return emptying.forget(self, extent)

    def status(self) -> dict[str, Any]:
        """What the house is doing, for people."""
        return reports.status(self)

    def log_lines(self, name: str, places: Mapping[str, int] | None = None) -> dict[str, Any]:
        """The next part of the log of a job or an endpoint (`reports.log_lines`)."""
        return reports.log_lines(self, name, places)

    def opened(self, room: str) -> Any:
        """A room that opens when it is first entered, if it was."""
        return self.__dict__.get(room)

    def leave(self, room: str) -> None:
        """Let such a room be made anew when it is entered again."""
        self.__dict__.pop(room, None)

    def _finish_loading(self) -> None:
        """Of a snapshot, if a former life was killed over it."""
        if any(self.data_dir.glob("arriv*")):
            from emulator.snapshot import loading

            loading.settle(self.data_dir)

    # --- furniture ----------------------------------------------------------------------------------------------

    def _furnish(self) -> None:
        database = self.data_dir / "house.db"
        self._fresh = not database.exists()
        self.store = open_store(database)
        quotas = QUOTAS if self.settings.quotas else {}
        followed = frozenset(noun for noun, _ in behaviours.FOLLOWED)
        hooks = Hooks(self._publish, self._compute, self.settings.settle_seconds, quotas, followed)
        self._open_rooms = self.resources = Resources(self.store, KINDS, self.clock, hooks)
        self.logs = FileLogs(self.data_dir / "logs", self.clock)
        self.metrics = FileMetrics(self.data_dir / "metrics")
        self.storage, self.s3, answer = self._objects()
        self.followers = Followers(self, behaviours.FOLLOWED)
        generic = generic_operations(KINDS, self.resources)
        self._dispatch = Dispatch(spec.load, behaviours.OPERATIONS, self, generic, {"s3": answer})

    def _close_rooms(self, but: str = "") -> None:
        """Close the rooms that were opened, from the top down, so that each can still use those below it."""
        with self._recovering:
            self._open_rooms = None
        self.resources.close()
        self.followers.close()
        for name in ENGINES:
            opened = self.__dict__.pop(name, None) if name != but else None
            if opened is not None and name != "servers":
                opened.close()
        self.store.close()

    @cached_property
    def search(self) -> Search:
        """Searches of records."""
        from emulator.resources.search import Search

        return Search(self.store.search, KINDS, self._searched)

    @cached_property
    def executors(self) -> Executors:
        """Where programs run."""
        from algorithms import catalog
        from emulator.executors import Executors

        made = Executors(self.settings, catalog, self.clock, gateways=lambda: self.gateways)
        made.functions = self.functions
        return made

    @cached_property
    def servers(self) -> ModelServers:
        """Model servers, for endpoints and transform jobs."""
        from emulator.servers import ModelServers, WayBack

        way_back = WayBack(lambda: self.url, self.credentials, self.settings.remote_python)
        return ModelServers(self.executors, self.storage, self.logs, way_back)

    @cached_property
    def jobs(self) -> JobEngine:
        """The engine of jobs."""
        from emulator.jobs import JobEngine, Tools

        rooms = (self.resources, self.storage, self.logs, self.metrics, self.executors, self.servers)
        way_back = (lambda: self.url, self.credentials)
        return JobEngine(Tools(self.settings, self.clock, *rooms, *way_back, trouble=self.trouble))

    @cached_property
    def hosts(self) -> HostEngine:
        """The engine of endpoints."""
        from emulator.hosts import HostEngine

        return HostEngine(self.resources, self.servers, self.clock, self.settings, self.trouble)

    @cached_property
    def neighbours(self) -> Neighbours:
        """The other AWS services."""
        from emulator.neighbours import Neighbours

        return Neighbours(self.settings, self.logs, self.metrics, self.clock, self._local_images)

    def credentials(self, role_arn: str, scope: Scope, session_name: str = "SageMaker") -> Mapping[str, str]:
        """Environment variables with temporary credentials of a role, for a program that may call this house."""
        given = self.neighbours.credentials(role_arn, scope, session_name)
        return {
            "AWS_ACCESS_KEY_ID": given.access_key,
            "AWS_SECRET_ACCESS_KEY": given.secret_key,
            "AWS_SESSION_TOKEN": given.token,
        }

    def _local_images(self, repository: str) -> Sequence[LocalImage]:
        """What the local engine holds under a repository's name."""
        find: LocalImages | None = getattr(self.executors, "local_images", None)
        return find(repository) if find else ()

    def roles(self, role: str, scope: Scope) -> None:
        """Raise `Validation` for a role that cannot be assumed (with --check-roles only)."""
        if self.settings.check_roles:
            self.neighbours.check_role(role, scope)

    def dispatch(self, call: Call) -> Answer:
        """Answer one operation."""
        if call.service.startswith("sagemaker") and sees(call.operation):
            self.followers.settle()
        return self._dispatch.dispatch(call)

    def _objects(self) -> tuple[Storage, S3, Callable[[Call], Answer]]:
        """The storage of jobs, our own S3, and what answers S3's calls: our own, or the external S3 that was named for
        all but AWS's public buckets."""
        from algorithms import catalog
        from emulator.neighbours.s3 import S3
        from emulator.storage.folder import FolderStorage
        from emulator.storage.shelf import Shelf

        shelf = Shelf(self.store.objects, self.data_dir / "s3", self.clock, catalog.published)
        s3, ours = S3(shelf), FolderStorage(shelf, self.settings.account_id)
        if not self.settings.s3_endpoint:
            return ours, s3, s3.answer
        from emulator.storage.divided import DividedS3, DividedStorage
        from emulator.storage.external import ExternalS3, ExternalStorage

        where = (self.settings.s3_endpoint, self.settings.region)
        is_public = partial(shelf.public.holds, shelf)
        answer = DividedS3(s3.answer, ExternalS3(*where).answer, is_public).answer
        return DividedStorage(ours, ExternalStorage(*where), is_public), s3, answer

    def _publish(self, event: str, record: Record) -> None:
        for path in _reactions(event, record.kind):
            _function(path)(self, record)

    def _compute(self, record: Record, body: Mapping[str, Any]) -> dict[str, Any]:
        computed = dict(body)
        for noun, member, path in behaviours.COMPUTED:
            if noun == record.kind and (value := _function(path)(self, record)) is not None:
                computed[member] = value
        return computed

    def _searched(self, noun: str) -> dict[str, Computed]:
        """What a search computes of the records of a kind."""
        from emulator.resources.search import GROWING, Computed

        rows = [(kind, member, path, GROWING) for kind, member, path in behaviours.COMPUTED]
        return {
            member: Computed(partial(_function(path), self), keeps)
            for kind, member, path, keeps in (*rows, *behaviours.SEARCHED)
            if kind == noun
        }


def _take(folder: Path) -> IO[str]:
    """The folder's lock. It dies with the process, however that ends."""
    folder.mkdir(parents=True, exist_ok=True)
    lock = (folder / "lock").open("a")
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        lock.close()
        raise FolderInUse(
            f"The folder {folder} is in use by another Sagelet. "
            "Stop that one, or choose another folder with --data-dir."
        ) from None
    return lock
