"""What a function is given that does the work of a job: one object, which shows what a container would find in it."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

ML = "/opt/ml"


@dataclass(frozen=True)
class Run:
    """What all jobs have."""

    arn: str
    image: str
    host: str
    """`algo-1`, …: with several instances the function is called for each of them, at the same time."""
    hosts: tuple[str, ...]
    environment: Mapping[str, str]
    """The variables that a container would have. Those of the process stay the test's."""
    command: tuple[str, ...]
    """ContainerEntrypoint and ContainerArguments of the request."""
    mounts: tuple[tuple[str, str], ...]
    say: Callable[[str], None] = field(repr=False)
    stopping: threading.Event = field(default_factory=threading.Event, repr=False)
    """Set when the job is stopped: SIGTERM, to a container. Who has not returned after the server's grace period
    (`--stop-grace`, 120 seconds) is given up."""

    @property
    def name(self) -> str:
        """The name of the job."""
        return self.arn.rpartition("/")[2]

    def log(self, *words: object) -> None:
        """A line of the job's log, as `print` makes it. What the function prints gets there as well."""
        self.say(" ".join(str(word) for word in words) + "\n")

    def path(self, inside: str) -> Path:
        """The file or folder that a container would see at `inside` (`/opt/ml/input/config/resourceconfig.json`).
        `ValueError` for what a job does not see."""
        for outside, mounted in sorted(self.mounts, key=lambda mount: -len(mount[1])):
            if inside == mounted or inside.startswith(mounted.rstrip("/") + "/"):
                return Path(outside) / inside[len(mounted) :].lstrip("/")
        raise ValueError(f"{inside} is nothing that a job sees; it sees {', '.join(m for _, m in self.mounts)}.")

    def _read(self, inside: str) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self.path(inside).read_text(encoding="utf-8"))
        return found


class TrainingJob(Run):
    """What `train=` is given. What it leaves in `model_dir` becomes the model artifact."""

    @property
    def hyperparameters(self) -> dict[str, str]:
        """HyperParameters: texts, as a container reads them."""
        return self._read(f"{ML}/input/config/hyperparameters.json")

    @property
    def channels(self) -> dict[str, Path]:
        """The folder of each channel, with the data of S3 in it. It is for reading. A channel in Pipe mode has no
        folder: read `path("/opt/ml/input/data/<channel>_0")`."""
        names = self._read(f"{ML}/input/config/inputdataconfig.json")
        return {name: self.path(f"{ML}/input/data/{name}") for name in names}

    @property
    def model_dir(self) -> Path:
        """/opt/ml/model: becomes model.tar.gz."""
        return self.path(f"{ML}/model")

    @property
    def output_dir(self) -> Path:
        """/opt/ml/output/data: becomes output.tar.gz, also of a job that fails."""
        return self.path(f"{ML}/output/data")

    @property
    def checkpoint_dir(self) -> Path:
        """/opt/ml/checkpoints (or CheckpointConfig.LocalPath): kept in step with S3 while the job runs."""
        config = self.path(f"{ML}/input/config/checkpointconfig.json")
        return self.path(json.loads(config.read_text())["LocalPath"] if config.exists() else f"{ML}/checkpoints")


class ProcessingJob(Run):
    """What `process=` is given."""

    @property
    def config(self) -> dict[str, Any]:
        """/opt/ml/config/processingjobconfig.json: the request."""
        return self._read(f"{ML}/config/processingjobconfig.json")

    @property
    def inputs(self) -> dict[str, Path]:
        """The folder of each input by its name, with the data of S3 in it. It is for reading."""
        given = self.config["ProcessingInputs"]
        return {one["InputName"]: self.path(_local_path(one, "S3Input", "DatasetDefinition")) for one in given}

    @property
    def outputs(self) -> dict[str, Path]:
        """The folder of each output by its name: what is left there is uploaded."""
        given = self.config["ProcessingOutputConfig"]["Outputs"]
        return {one["OutputName"]: self.path(_local_path(one, "S3Output")) for one in given if one.get("S3Output")}


def _local_path(given: Mapping[str, Any], *members: str) -> str:
    return next(str(given[member]["LocalPath"]) for member in members if given.get(member))
