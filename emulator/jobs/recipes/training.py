"""A training job: /opt/ml made on every host, the programs run, their numbers read, their artifacts stored."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path, PurePosixPath
from typing import Any

from emulator.jobs import outputs, workspace
from emulator.jobs.cluster import Host, resource_config, training_hosts
from emulator.jobs.crew import Verdict
from emulator.jobs.inputs.channel import Channel, training_channels
from emulator.jobs.inputs.intake import Place
from emulator.jobs.left import Left
from emulator.jobs.lifecycle import Found
from emulator.jobs.metrics import Collector, definitions
from emulator.jobs.recipes.members import ML
from emulator.jobs.recipes.program import ProgramRun
from emulator.jobs.recipes.recipe import Tools
from emulator.jobs.record import NOTHING, News, settled
from emulator.jobs.syncing import Sync
from emulator.jobs.warmth import CACHE, Pool
from emulator.ports import CALLER, Mount
from emulator.storage import uri
from emulator.store.records import Record

LOG_GROUP = "/aws/sagemaker/TrainingJobs"
METRICS_SECONDS = 1.0
SCRATCH = "SAGELET_TRAIN_FROM_SCRATCH"
"""Tells an algorithm that it may begin from scratch (`algorithms.common.scratch`)."""
TENSORS = "/opt/ml/output/tensors"
TENSORBOARD = "/opt/ml/output/tensorboard"


class TrainingRun(ProgramRun):
    """One training job. Fulfils `emulator.jobs.recipes.recipe.Recipe`."""

    group = LOG_GROUP
    verb = "train"

    def __init__(self, tools: Tools, record: Record) -> None:
        self._pool: Pool | None = None
        super().__init__(tools, record, training_hosts(record.body), str(record.hidden["image"]))
        self._wanted = definitions(self.body["AlgorithmSpecification"].get("MetricDefinitions") or ())
        self._collectors = [
            Collector(tools.logs, tools.metrics, member.stream, record.key) for member in self.crew.members
        ]

    # --- phases -------------------------------------------------------------------------------------------------

    def fetch(self) -> News:
        """As every program's; a warm pool is entered first."""
        self._pool = self.tools.pools.enter(self.record)
        super().fetch()
        return News({"WarmPoolStatus": {"Status": "InUse"}}) if self._pool else NOTHING

    def prepare(self, host: Host) -> None:
        """Make /opt/ml, and download the checkpoints."""
        resources = resource_config(host, self.hosts, self.choose().interface)
        received = {channel.name for channel in self.inputs.received(host)}
        told = [given for given in self.body.get("InputDataConfig") or () if given["ChannelName"] in received]
        workspace.prepare(self.ml(host.name), {**self.body, "InputDataConfig": told}, resources)
        for inside in self._kept():
            self._outside(host.name, inside).mkdir(parents=True, exist_ok=True)
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
                sync = Sync(self.tools.storage, self._left(host.name, inside), location, period)
                if inside == self._checkpoints():
                    sync.known()
                syncs.append(sync)
        return syncs

    def look(self, final: bool) -> None:
        """Read metrics: every second, and once more in the end."""
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
        super().release()
        now = self.tools.records.find(self.record.kind, self.record.scope, self.record.key)
        if now is None or now.hidden["run_id"] != self.run_id or settled(now):  # deleted, or over
            self.tools.pools.leave(self.record)

    def resume(self) -> Found:
        """The logs of adopted programs are read again from their beginning."""
        for collector in self._collectors:
            collector.begin_again()
        return super().resume()

    # --- parts --------------------------------------------------------------------------------------------------

    def channels(self) -> list[Channel]:
        """InputDataConfig."""
        return training_channels(self.body)

    def place(self, host: Host, channel: Channel) -> Place:
        """A folder of /opt/ml/input/data."""
        return Place(self.ml(host.name) / "input" / "data" / channel.name, f"{ML}/input/data/{channel.name}")

    def command(self) -> tuple[tuple[str, ...], tuple[str, ...]]:
        """ContainerEntrypoint and ContainerArguments."""
        given = self.body["AlgorithmSpecification"]
        return tuple(given.get("ContainerEntrypoint") or ()), tuple(given.get("ContainerArguments") or ())

    def network(self) -> bool:
        """False under EnableNetworkIsolation."""
        return not self.body.get("EnableNetworkIsolation", False)

    def mounts(self, host: Host) -> list[Mount]:
        """What is kept in step outside of /opt/ml."""
        found = [(self._outside(host.name, inside), inside) for inside in self._kept()]
        mounts = [Mount(outside, inside) for outside, inside in found if not outside.is_relative_to(self.ml(host.name))]
        if self._pool:
            mounts.append(Mount(self.tools.pools.cache(self._pool), CACHE))
        return mounts

    def environment(self) -> dict[str, str]:
        """What the service sets; the request's own Environment cannot take it away."""
        return {
            **({SCRATCH: "true"} if self.tools.settings.train_from_scratch else {}),
            **({CALLER: self.tools.settings.remote_python} if self.tools.settings.remote_python else {}),
            **{str(k): str(v) for k, v in (self.body.get("Environment") or {}).items()},
            "TRAINING_JOB_NAME": self.record.key,
            "TRAINING_JOB_ARN": self.record.arn,
            "AWS_REGION": self.record.scope.region,
            "SAGEMAKER_HTTP_PORT": "8080",
            "SAGEMAKER_DATA_PATH": ML,
            "SAGEMAKER_METRICS_DIRECTORY": "/opt/ml/output/metrics/sagemaker",
            "SAGELET_IMAGE": self.image,
        }

    def _of_all(self, inside: str) -> Left:
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

    def _left(self, host: str, inside: str) -> Left:
        """The same, after the program has had it."""
        outside, ml = self._outside(host, inside), self.ml(host)
        return Left(ml, outside.relative_to(ml).as_posix()) if outside.is_relative_to(ml) else Left(outside)
