"""A training job: /opt/ml made on every host, the programs run, their numbers read, their artifacts stored."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path, PurePosixPath
from typing import Any

from emulator.jobs import outputs, workspace
from emulator.jobs.cluster import Host, resource_config, training_hosts
from emulator.jobs.crew import Member, Verdict
from emulator.jobs.inputs.channel import Channel, training_channels
from emulator.jobs.inputs.feeder import Feeder
from emulator.jobs.inputs.intake import Place, deliver, mounts_of, turn_of
from emulator.jobs.lifecycle import Found
from emulator.jobs.metrics import Collector, definitions
from emulator.jobs.recipes.program import ML, ProgramRun
from emulator.jobs.recipes.recipe import Tools
from emulator.jobs.record import NOTHING, News, settled
from emulator.jobs.syncing import Sync
from emulator.jobs.warmth import CACHE, Pool
from emulator.ports import Exit, Mount
from emulator.storage import uri
from emulator.store.records import Record

LOG_GROUP = "/aws/sagemaker/TrainingJobs"
METRICS_SECONDS = 1.0
TENSORS = "/opt/ml/output/tensors"
TENSORBOARD = "/opt/ml/output/tensorboard"


class TrainingRun(ProgramRun):
    """One training job. Fulfils `emulator.jobs.recipes.recipe.Recipe`."""

    group = LOG_GROUP
    verb = "train"

    def __init__(self, tools: Tools, record: Record) -> None:
        self._pool: Pool | None = None
        self._feeders: list[Feeder] = []
        super().__init__(tools, record, training_hosts(record.body), str(record.hidden["image"]))
        self._wanted = definitions(self.body["AlgorithmSpecification"].get("MetricDefinitions") or ())
        self._collectors = [
            Collector(tools.logs, tools.metrics, member.stream, record.key) for member in self.crew.members
        ]

    # --- phases -------------------------------------------------------------------------------------------------

    def fetch(self) -> News:
        """As every program's; a warm pool is entered first."""
        self._close_feeders()
        self._pool = self.tools.pools.enter(self.record)
        super().fetch()
        return News({"WarmPoolStatus": {"Status": "InUse"}}) if self._pool else NOTHING

    def prepare(self, host: Host) -> None:
        """Make /opt/ml, download the channels and the checkpoints."""
        resources = resource_config(host, self.hosts, self.choose().interface)
        workspace.prepare(self.ml(host.name), self.body, resources)
        for inside in self._kept():
            self._outside(host.name, inside).mkdir(parents=True, exist_ok=True)
        for channel in training_channels(self.body):
            self._deliver(host, channel)
        kept = self.body.get("CheckpointConfig")
        if kept:
            folder = self._outside(host.name, self._checkpoints())
            self.downloading(lambda: outputs.fetch_tree(self.tools.storage, kept["S3Uri"], folder))

    def keep_in_step(self) -> list[Sync]:
        """Checkpoints, tensors of the debugger's hook and TensorBoard's logs, of every host."""
        period = self.tools.settings.sync_seconds
        syncs = []
        for host in self.hosts:
            for inside, location in self._kept().items():
                sync = Sync(self.tools.storage, self._outside(host.name, inside), location, period)
                if inside == self._checkpoints():
                    sync.known()
                syncs.append(sync)
        return syncs

    def launch(self) -> News:
        """As every program's; pipes are fed from now on."""
        news = super().launch()
        for feeder in self._feeders:
            feeder.start()
        return news

    def leave(self) -> None:
        """Programs that read pipes do not outlive the house."""
        if self._feeders:
            self.crew.stop(0.0)
            self._close_feeders()

    def judge(self, member: Member, over: Exit) -> str:
        """A program whose pipe ran dry had no chance."""
        return self._starved() or super().judge(member, over)

    def look(self, final: bool) -> None:
        """Read metrics: every second, and once more in the end; end programs that wait for a pipe in vain."""
        if self._starved() and not final:
            self.crew.stop(0.0)
        for collector in self._collectors:
            if final:
                collector.collect(self._wanted, final=True)
            else:
                collector.now_and_then(self._wanted, METRICS_SECONDS)

    def told(self, verdict: Verdict) -> Mapping[str, Any]:
        """The last value of each metric; that of the first host where several have it."""
        final = {metric["MetricName"]: metric for c in reversed(self._collectors) for metric in c.final()}
        return {"FinalMetricDataList": list(final.values())} if final else {}

    def save(self) -> News:
        """Upload what is kept in step, output.tar.gz and the model: of each what exists, also of a failed program."""
        storage, config = self.tools.storage, self.body["OutputDataConfig"]
        target = uri.join(config["S3OutputPath"], self.record.key, "output")
        plain = config.get("CompressionType") == "NONE"
        save = outputs.save_tree if plain else outputs.save_archive
        ending = "/" if plain else ".tar.gz"
        self.finish_syncs()
        data, made = self._of_all("output/data"), self._of_all("model")
        self.uploading(lambda: save(storage, data, uri.join(target, "output") + ending))
        model = uri.join(target, "model") + ending
        stored = self.uploading(lambda: save(storage, made, model))
        return News({"ModelArtifacts": {"S3ModelArtifacts": model}} if stored else {})

    def release(self) -> None:
        """As every program's; what a warm pool keeps stays."""
        self._close_feeders()
        super().release()
        record = self.tools.records.find(self.record.kind, self.record.scope, self.record.key)
        if record is not None and settled(record):
            self.tools.pools.leave(record)

    def resume(self) -> Found:
        """The logs of adopted programs are read again from their beginning. Pipes ended with the house, and a program
        cannot tell that from the end of an epoch: it is begun again."""
        if any(channel.mode == "Pipe" for channel in training_channels(self.body)):
            self.crew.adopt()
            self.crew.release()
            return Found.AGAIN
        for collector in self._collectors:
            collector.begin_again()
        return super().resume()

    # --- parts --------------------------------------------------------------------------------------------------

    def command(self) -> tuple[tuple[str, ...], tuple[str, ...]]:
        """ContainerEntrypoint and ContainerArguments."""
        given = self.body["AlgorithmSpecification"]
        return tuple(given.get("ContainerEntrypoint") or ()), tuple(given.get("ContainerArguments") or ())

    def network(self) -> bool:
        """False under EnableNetworkIsolation."""
        return not self.body.get("EnableNetworkIsolation", False)

    def failure_file(self, host: str) -> Path:
        """/opt/ml/output/failure."""
        return self.ml(host) / "output" / "failure"

    def mounts(self, host: Host) -> list[Mount]:
        """What is kept in step outside of /opt/ml."""
        found = [(self._outside(host.name, inside), inside) for inside in self._kept()]
        mounts = [Mount(outside, inside) for outside, inside in found if not outside.is_relative_to(self.ml(host.name))]
        for channel in training_channels(self.body):
            if turn_of(channel, host, self.hosts) is not None:
                mounts += mounts_of(channel, self._place(host, channel))
        if self._pool:
            mounts.append(Mount(self.tools.pools.cache(self._pool), CACHE))
        return mounts

    def environment(self) -> dict[str, str]:
        """What the service sets; the request's own Environment cannot take it away."""
        return {
            **{str(k): str(v) for k, v in (self.body.get("Environment") or {}).items()},
            "TRAINING_JOB_NAME": self.record.key,
            "TRAINING_JOB_ARN": self.record.arn,
            "AWS_REGION": self.record.scope.region,
            "SAGEMAKER_HTTP_PORT": "8080",
            "SAGEMAKER_DATA_PATH": ML,
            "SAGEMAKER_METRICS_DIRECTORY": "/opt/ml/output/metrics/sagemaker",
            "SAGELET_IMAGE": self.image,
        }

    def _deliver(self, host: Host, channel: Channel) -> None:
        turn = turn_of(channel, host, self.hosts)
        if turn is not None:
            given = deliver(self.tools.storage, channel, self._place(host, channel), turn, self.halted)
            self._feeders += [given.feeder] if given.feeder else []

    def _place(self, host: Host, channel: Channel) -> Place:
        return Place(self.ml(host.name) / "input" / "data" / channel.name, f"{ML}/input/data/{channel.name}")

    def _starved(self) -> str:
        """Why a pipe cannot be fed any further; empty when all can."""
        return next((feeder.failure for feeder in self._feeders if feeder.failure), "")

    def _close_feeders(self) -> None:
        for feeder in self._feeders:
            feeder.close()
        self._feeders.clear()

    def _of_all(self, inside: str) -> Path:
        """A folder below /opt/ml with what all hosts have put into it."""
        return outputs.merged(self.each_ml(inside), self.folder / "merged" / inside)

    def _checkpoints(self) -> str:
        return str((self.body.get("CheckpointConfig") or {}).get("LocalPath") or workspace.CHECKPOINTS)

    def _kept(self) -> dict[str, str]:
        """Folders as the program sees them, and where they are uploaded to while it runs."""
        kept = {}
        if self.body.get("CheckpointConfig"):
            kept[self._checkpoints()] = self.body["CheckpointConfig"]["S3Uri"]
        board = self.body.get("TensorBoardOutputConfig")
        if board:
            kept[str(board.get("LocalPath") or TENSORBOARD)] = self._of_the_job(
                board["S3OutputPath"], "tensorboard-output"
            )
        hook = self.body.get("DebugHookConfig")
        if hook:
            kept[str(hook.get("LocalPath") or TENSORS)] = self._of_the_job(hook["S3OutputPath"], "debug-output")
        return kept

    def _of_the_job(self, location: str, what: str) -> str:
        return uri.join(location, self.record.key, what)

    def _outside(self, host: str, inside: str) -> Path:
        """The folder behind one that the program sees; a place outside of /opt/ml has a mount of its own."""
        path = PurePosixPath(inside)
        if path.is_relative_to(ML) and path != PurePosixPath(ML) and ".." not in path.parts:
            return self.ml(host) / path.relative_to(ML)
        return self.host_folder(host) / "kept" / inside.strip("/").replace("/", "-")
