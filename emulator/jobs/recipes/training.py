"""A training job: /opt/ml made, the program run, its numbers read, its artifacts stored."""

from __future__ import annotations

import shutil
import threading
from collections.abc import Mapping
from pathlib import Path, PurePosixPath
from typing import Any

from emulator.errors import SageletError
from emulator.jobs import channels, outputs, workspace
from emulator.jobs.failure import judged
from emulator.jobs.lifecycle import INTERNAL, Found, Phase
from emulator.jobs.metrics import Collector, LogStream, definitions
from emulator.jobs.recipes.recipe import JobBroken, Tools
from emulator.jobs.record import NOTHING, News, job_of
from emulator.ports import Executor, Exit, Mount, RunSpec
from emulator.storage import uri
from emulator.store.records import Record

LOG_GROUP = "/aws/sagemaker/TrainingJobs"
POLL_SECONDS = 0.25
"""How soon a watcher notices that the house is closing; the end of a program is noticed at once."""
METRICS_SECONDS = 1.0
ML = "/opt/ml"


class TrainingRun:
    """One training job. Fulfils `emulator.jobs.recipes.recipe.Recipe`."""

    def __init__(self, tools: Tools, record: Record) -> None:
        self._tools = tools
        self._record = record
        self._body = record.body
        self._image = str(record.hidden["image"])
        self._folder = tools.folder(record.hidden["run_id"])
        self._ml = self._folder / "ml"
        self._stream = LogStream(LOG_GROUP, f"{record.key}/{workspace.HOST}-{int(record.created)}")
        self._collector = Collector(tools.logs, tools.metrics, self._stream, record.key)
        self._executor: Executor | None = None
        self._given_up = threading.Event()
        self._over = False
        """Whether the run's end was reported: `wait` does so only once."""

    # --- phases -------------------------------------------------------------------------------------------------

    def fetch(self) -> News:
        """Make /opt/ml, download the channels and the checkpoints; an executor that can warm up does so meanwhile."""
        warm = getattr(self._choose(), "warm", None)
        if warm is not None:
            warm(self._spec())
        workspace.prepare(self._ml, self._body)
        self._local_checkpoints().mkdir(parents=True, exist_ok=True)
        for channel in self._body.get("InputDataConfig") or ():
            self._fetch_channel(channel)
        kept = self._body.get("CheckpointConfig")
        if kept:
            folder = self._local_checkpoints()
            self._download(lambda: outputs.fetch_tree(self._tools.storage, kept["S3Uri"], folder))
        return NOTHING

    def launch(self) -> News:
        """Choose an executor and start the program."""
        executor = self._choose()
        first = f"Sagelet runs {self._image} with the {executor.name} executor."
        self._tools.logs.append(self._stream.group, self._stream.name, [first])
        executor.start(self._spec())
        self._executor = executor
        return News(hidden={"executor": executor.name})

    def watch(self) -> tuple[str, News] | None:
        """Wait for the program, reading its metrics every second and once more in the end."""
        executor = self._adopted()
        wanted = definitions(self._body["AlgorithmSpecification"].get("MetricDefinitions") or ())
        over: Exit | None = None
        while over is None:
            over = executor.wait(self._run_id, POLL_SECONDS)
            if self._tools.closing.is_set():
                return None
            if over is None:
                self._collector.now_and_then(wanted, METRICS_SECONDS)
        self._over = True
        self._collector.collect(wanted, final=True)
        lines = self._tools.logs.read(self._stream.group, self._stream.name, 1)
        failure = judged(over, self._image, self._ml / "output" / "failure", lines)
        final = self._collector.final()
        return failure, News({"FinalMetricDataList": final} if final else {})

    def kill(self) -> None:
        """SIGTERM, and SIGKILL after the grace period; downloads in progress are given up."""
        self._given_up.set()
        if self._executor is not None:
            self._executor.stop(self._run_id, self._tools.settings.stop_grace)

    def leave(self) -> None:
        """Nothing to do: the program goes on, and the watcher looks at `closing` by itself."""

    def save(self) -> News:
        """Upload the checkpoints, output.tar.gz and the model: of each what exists."""
        storage = self._tools.storage
        target = uri.join(self._body["OutputDataConfig"]["S3OutputPath"], self._record.key, "output")
        try:
            checkpoints = self._body.get("CheckpointConfig")
            if checkpoints:
                outputs.save_tree(storage, self._local_checkpoints(), checkpoints["S3Uri"])
            plain = self._body["OutputDataConfig"].get("CompressionType") == "NONE"
            save = outputs.save_tree if plain else outputs.save_archive
            ending = "/" if plain else ".tar.gz"
            save(storage, self._ml / "output" / "data", uri.join(target, "output") + ending)
            model = uri.join(target, "model") + ending
            stored = save(storage, self._ml / "model", model)
        except FileNotFoundError as error:
            raise JobBroken(f"ClientError: Artifact upload failed: {error}") from error
        return News({"ModelArtifacts": {"S3ModelArtifacts": model}} if stored else {})

    def release(self) -> None:
        """End what is left of the run and remove its folder."""
        executor = self._executor or self._left_over()
        if executor is not None:
            if not self._over and executor.wait(self._run_id, 0.0) is None:
                executor.stop(self._run_id, 0.0)
                executor.wait(self._run_id, 5.0)
            executor.release(self._run_id)
        shutil.rmtree(self._folder, ignore_errors=True)

    def resume(self) -> Found:
        """A program that had not been launched for certain, and has left no trace, is begun again."""
        self._executor = self._tools.executors.adopt(self._spec())
        if self._executor is not None:
            self._collector.begin_again()
            return Found.ALIVE
        return Found.AGAIN if job_of(self._record).phase is Phase.LAUNCHING else Found.GONE

    # --- parts --------------------------------------------------------------------------------------------------

    @property
    def _run_id(self) -> str:
        return str(self._record.hidden["run_id"])

    def _choose(self) -> Executor:
        """What no executor can run is an image that cannot be pulled."""
        try:
            return self._tools.executors.choose(self._spec())
        except SageletError as refusal:
            raise JobBroken(f"ClientError: Cannot pull image '{self._image}'. {refusal}") from refusal

    def _fetch_channel(self, channel: Mapping[str, Any]) -> None:
        name = channel["ChannelName"]
        folder = self._ml / "input" / "data" / name
        count = self._download(lambda: channels.download(self._tools.storage, channel, folder, self._halted))
        if not count and not self._halted():
            where = channels.source_of(channel).location
            raise JobBroken(
                f'ClientError: Data download failed: No S3 objects found under S3 URL "{where}" of channel "{name}".'
            )

    def _download(self, work: Any) -> Any:
        try:
            return work()
        except (FileNotFoundError, ValueError) as error:
            raise JobBroken(f"ClientError: Data download failed: {error}") from error

    def _halted(self) -> bool:
        return self._given_up.is_set() or self._tools.closing.is_set()

    def _adopted(self) -> Executor:
        executor = self._executor or self._tools.executors.adopt(self._spec())
        if executor is None:
            raise JobBroken(f"{INTERNAL} (The run is gone.)")
        self._executor = executor
        return executor

    def _left_over(self) -> Executor | None:
        """The run of a job that was saving when a former life of the house ended."""
        over = job_of(self._record).phase is Phase.SAVING
        return self._tools.executors.adopt(self._spec()) if over else None

    def _local_checkpoints(self) -> Path:
        """Where the program sees its checkpoints; a place outside of /opt/ml has a mount of its own."""
        inside = PurePosixPath((self._body.get("CheckpointConfig") or {}).get("LocalPath") or workspace.CHECKPOINTS)
        if inside.is_relative_to(ML) and inside != PurePosixPath(ML) and ".." not in inside.parts:
            return self._ml / inside.relative_to(ML)
        return self._folder / "checkpoints"

    def _spec(self) -> RunSpec:
        algorithm = self._body["AlgorithmSpecification"]
        mounts = [Mount(self._ml, ML)]
        if not self._local_checkpoints().is_relative_to(self._ml):
            mounts.append(Mount(self._local_checkpoints(), self._body["CheckpointConfig"]["LocalPath"]))
        return RunSpec(
            run_id=self._run_id,
            arn=self._record.arn,
            image=self._image,
            verb="train",
            folder=self._folder,
            log=self._tools.logs.path(self._stream.group, self._stream.name),
            environment=self._environment(),
            mounts=tuple(mounts),
            hostname=workspace.HOST,
            network=not self._body.get("EnableNetworkIsolation", False),
            entrypoint=tuple(algorithm.get("ContainerEntrypoint") or ()),
            arguments=tuple(algorithm.get("ContainerArguments") or ()),
        )

    def _environment(self) -> dict[str, str]:
        """What the service sets; the request's own Environment cannot take it away."""
        return {
            **{str(k): str(v) for k, v in (self._body.get("Environment") or {}).items()},
            "TRAINING_JOB_NAME": self._record.key,
            "TRAINING_JOB_ARN": self._record.arn,
            "AWS_REGION": self._record.scope.region,
            "SAGEMAKER_HTTP_PORT": "8080",
            "SAGEMAKER_DATA_PATH": ML,
            "SAGEMAKER_METRICS_DIRECTORY": "/opt/ml/output/metrics/sagemaker",
            "SAGELET_IMAGE": self._image,
        }
