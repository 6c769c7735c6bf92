"""The /opt/ml tree of a training job, as the container contract says; made in the run's own folder."""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

CHECKPOINTS = "/opt/ml/checkpoints"
FOLDERS = (
    "code",
    "input/config",
    "input/data",
    "model",
    "output/data",
    "output/metrics/sagemaker",
    "output/tensors",
    "output/profiler/system",
    "output/profiler/framework",
    "checkpoints",
)


def prepare(ml: Path, body: Mapping[str, Any], resources: Mapping[str, Any]) -> None:
    """Make the tree of one host anew in the folder `ml` for the job that `body` (members of Describe) describes;
    `resources` is its resourceconfig.json."""
    shutil.rmtree(ml, ignore_errors=True)
    for folder in FOLDERS:
        (ml / folder).mkdir(parents=True, exist_ok=True)
    for name, content in config_files(body, resources).items():
        (ml / "input" / "config" / name).write_text(json.dumps(content), encoding="utf-8")


def config_files(body: Mapping[str, Any], resources: Mapping[str, Any]) -> dict[str, Any]:
    """The files of /opt/ml/input/config by name."""
    files: dict[str, Any] = {
        "hyperparameters.json": dict(body.get("HyperParameters") or {}),
        "inputdataconfig.json": {c["ChannelName"]: _channel(c, body) for c in body.get("InputDataConfig") or ()},
        "resourceconfig.json": dict(resources),
    }
    if body.get("CheckpointConfig"):
        files["checkpointconfig.json"] = {"LocalPath": CHECKPOINTS, **body["CheckpointConfig"]}
    if body.get("DebugHookConfig"):
        files["debughookconfig.json"] = {"LocalPath": "/opt/ml/output/tensors", **body["DebugHookConfig"]}
    if body.get("TensorBoardOutputConfig"):
        files["tensorboardoutputconfig.json"] = dict(body["TensorBoardOutputConfig"])
    return files


def input_mode(channel: Mapping[str, Any], body: Mapping[str, Any]) -> str:
    """File, FastFile or Pipe: the channel's own mode, else the job's."""
    return str(channel.get("InputMode") or body["AlgorithmSpecification"]["TrainingInputMode"])


def _channel(channel: Mapping[str, Any], body: Mapping[str, Any]) -> dict[str, str]:
    source = (channel.get("DataSource") or {}).get("S3DataSource") or {}
    facts = {
        "TrainingInputMode": input_mode(channel, body),
        "S3DistributionType": source.get("S3DataDistributionType", "FullyReplicated"),
        "RecordWrapperType": channel.get("RecordWrapperType", "None"),
    }
    if channel.get("ContentType"):
        facts["ContentType"] = channel["ContentType"]
    return facts
