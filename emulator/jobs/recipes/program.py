"""What training and processing jobs have in common: programs on hosts, with inputs, watched to their end."""

from __future__ import annotations

import shutil
import threading
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, TypeVar

from emulator.errors import SageletError
from emulator.jobs.cluster import Host
from emulator.jobs.crew import Crew, Member, Verdict
from emulator.jobs.failure import TOLD_BYTES, judged
from emulator.jobs.inputs.channel import Channel
from emulator.jobs.inputs.deliveries import Deliveries
from emulator.jobs.inputs.intake import Place
from emulator.jobs.left import Left
from emulator.jobs.lifecycle import Found, Phase
from emulator.jobs.opening import announced, versions
from emulator.jobs.recipes.members import member, meter, way_back, wheels
from emulator.jobs.recipes.recipe import JobBroken, Tools
from emulator.jobs.record import NOTHING, News, job_of
from emulator.jobs.syncing import Sync
from emulator.ports import Executor, Exit, Mount
from emulator.store.records import Record

POLL_SECONDS = 0.25
"""How soon a watcher notices that the house is closing; the end of a program is noticed at once."""

T = TypeVar("T")


class ProgramRun(ABC):
    """One job. With the abstract parts it fulfils `emulator.jobs.recipes.recipe.Recipe`.

    Each host has a folder of its own in the run's folder, with `ml`, which is /opt/ml to its program.
    """

    group = ""
    """The log group of the kind."""
    verb = ""
    """What images do for this kind of job."""

    def __init__(self, tools: Tools, record: Record, hosts: tuple[Host, ...], image: str) -> None:
        self.tools = tools
        self.record = record
        self.body = record.body
        self.hosts = hosts
        self.image = image
        self.run_id = str(record.hidden["run_id"])
        self.folder = tools.folder(self.run_id)
        self.given_up = threading.Event()
        self.syncs: list[Sync] = []
        self.began: float | None = None
        self.inputs = Deliveries(tools.storage, self.channels(), hosts, self.place)
        self.crew = Crew(tools, [member(self, host) for host in hosts])

    # --- what a kind of job says for itself ---------------------------------------------------------------------

    @abstractmethod
    def channels(self) -> list[Channel]:
        """What the programs read."""

    @abstractmethod
    def place(self, host: Host, channel: Channel) -> Place:
        """Where a host's program sees a channel."""

    @abstractmethod
    def prepare(self, host: Host) -> None:
        """Make the folders and files of one host; its channels are delivered afterwards."""

    @abstractmethod
    def command(self) -> tuple[tuple[str, ...], tuple[str, ...]]:
        """Entry point and arguments of the request."""

    @abstractmethod
    def environment(self) -> dict[str, str]:
        """What the kind of job sets, the request's own variables included."""

    @abstractmethod
    def network(self) -> bool:
        """False under network isolation."""

    @abstractmethod
    def mounts(self, host: Host) -> list[Mount]:
        """What the program of a host sees beside /opt/ml."""

    @abstractmethod
    def look(self, final: bool) -> None:
        """While the programs run, and once more in the end: read numbers."""

    def keep_in_step(self) -> list[Sync]:
        """The folders that are uploaded while the programs run."""
        return []

    def told(self, verdict: Verdict) -> Mapping[str, Any]:
        """Members of Describe that the end of the programs tells."""
        return {}

    # --- phases -------------------------------------------------------------------------------------------------

    def fetch(self) -> News:
        """Make every host's folders and put the inputs into them."""
        self.choose()
        self.inputs.close()
        for host in self.hosts:
            shutil.rmtree(self.host_folder(host.name), ignore_errors=True)
            self.prepare(host)
            self.inputs.deliver(host, self.halted)
        return NOTHING

    def launch(self) -> News:
        """Choose an executor and start the programs."""
        executor = self.choose()
        credentials = way_back(self)
        self.crew.members = tuple(member(self, host, credentials, wheels(self, executor)) for host in self.hosts)
        self._refuse_other_versions(executor.name)
        opening = announced(self.tools, self.image, executor.name, self.hosts, self.body)
        for each in self.crew.members:
            self.say(each, *opening.lines)
        self.tools.records.tag(self.record.arn, opening.tags)
        self.syncs = self.keep_in_step()
        self.crew.start()
        self.began = time.monotonic()
        self.inputs.start()
        return News(hidden={"executor": executor.name})

    def watch(self) -> tuple[str, News] | None:
        """Wait for the programs, reading numbers and uploading meanwhile."""
        with meter(self).running():
            verdict = self._verdict()
        if verdict is None:
            return None
        self.look(final=True)
        return self.judge(verdict.member, verdict.exit), News(self.told(verdict))

    def _verdict(self) -> Verdict | None:
        """None when the house is closing."""
        while True:
            verdict = self.crew.wait(POLL_SECONDS)
            if self.tools.closing.is_set():
                return None
            if verdict is not None:
                return verdict
            if self.inputs.failure:
                self.crew.stop(0.0)
            self.look(final=False)
            for sync in self.syncs:
                sync.now_and_then()

    def kill(self) -> None:
        """SIGTERM, and SIGKILL after the grace period; downloads in progress are given up."""
        self.given_up.set()
        self.crew.stop(self.tools.settings.stop_grace)

    def leave(self) -> None:
        """The programs go on, but for those that read pipes; the watcher looks at `closing` by itself."""
        if self.inputs.piped:
            self.crew.stop(0.0)
            self.inputs.close()

    def retreat(self) -> News:
        """Store what is kept in step, and free the run, so that the job can begin again."""
        self.finish_syncs()
        self.release()
        return NOTHING

    def release(self) -> None:
        """End what is left of the run and remove its folder."""
        if self.crew.executor is None and job_of(self.record).phase in (Phase.SAVING, Phase.RETREATING):
            self.crew.adopt()  # the run of a job that was saving when a former life of the house ended
        self.inputs.close()
        self.crew.release()
        shutil.rmtree(self.folder, ignore_errors=True)

    def resume(self) -> Found:
        """Programs that had not all been started for certain are ended, and the job is begun again."""
        found = self.crew.adopt()
        if self.inputs.piped:
            self.crew.release()
            return Found.AGAIN
        launching = job_of(self.record).phase is Phase.LAUNCHING
        if found and not (launching and found < len(self.hosts)):
            self.syncs = self.keep_in_step()
            return Found.ALIVE
        self.crew.release()
        return Found.AGAIN if launching else Found.GONE

    def _refuse_other_versions(self, executor: str) -> None:
        found = versions(self.image, executor) if self.tools.settings.strict_versions else None
        if found is not None and found.apart:
            raise JobBroken(f"ClientError: Cannot pull image '{self.image}'. {found.refusal(self.image)}")

    # --- parts --------------------------------------------------------------------------------------------------

    def host_folder(self, host: str) -> Path:
        """The folder of one host."""
        return self.folder / host

    def ml(self, host: str) -> Path:
        """What is /opt/ml on one host."""
        return self.folder / host / "ml"

    def say(self, member: Member, *lines: str) -> None:
        """Lines of ours in a host's log."""
        self.tools.logs.append(member.stream.group, member.stream.name, lines)

    def choose(self) -> Executor:
        """What no executor can run is an image that cannot be pulled."""
        try:
            return self.crew.choose()
        except SageletError as refusal:
            raise JobBroken(f"ClientError: Cannot pull image '{self.image}'. {refusal}") from refusal

    def judge(self, member: Member, over: Exit) -> str:
        """Why the program of a host failed; empty when it did not. One whose pipe ran dry had no chance."""
        if self.inputs.failure:
            return self.inputs.failure
        lines = self.tools.logs.read(member.stream.group, member.stream.name, 1)
        told = Left(self.ml(member.host), "output").beginning("failure", TOLD_BYTES)
        return judged(over, self.image, told, lines)

    def finish_syncs(self) -> None:
        """Upload what is not there yet."""
        for sync in self.syncs or self.keep_in_step():
            self.uploading(sync.finish)

    def downloading(self, work: Callable[[], T]) -> T:
        """Do it; what is absent fails the job in the service's words."""
        try:
            return work()
        except (FileNotFoundError, ValueError) as error:
            raise JobBroken(f"ClientError: Data download failed: {error}") from error

    def uploading(self, work: Callable[[], T]) -> T:
        """Do it; what is absent fails the job in the service's words."""
        try:
            return work()
        except FileNotFoundError as error:
            raise JobBroken(f"ClientError: Artifact upload failed: {error}") from error

    def halted(self) -> bool:
        """Whether what is done for the program is to be given up."""
        return self.given_up.is_set() or self.tools.closing.is_set()

    def each_ml(self, inside: str) -> Iterator[Left]:
        """A folder below /opt/ml of every host, the first host's last: of equal names its file stays."""
        for host in reversed(self.hosts):
            yield Left(self.ml(host.name), inside)
