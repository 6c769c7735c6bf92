"""The /opt/ml tree of a processing job, as the container contract says; made in the run's own folder.

https://docs.aws.amazon.com/sagemaker/latest/dg/build-your-own-processing-container.html
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path, PurePosixPath
from typing import Any

from emulator.store.records import Record

ROOT = "/opt/ml/processing"
"""Where every LocalPath lies."""

ECHOED = ("NetworkConfig", "ExperimentConfig")
"""Members that the configuration file has when the request had them."""


def prepare(ml: Path, record: Record, resources: Mapping[str, Any]) -> None:
    """Make the tree of one host: configuration, the place of the message, and every folder that the request names.

    `resources` is the content of its resourceconfig.json."""
    for folder in (ml / "config", ml / "output", *(inside(ml, path) for path in local_paths(record.body))):
        folder.mkdir(parents=True, exist_ok=True)
    files = {"processingjobconfig.json": job_config(record), "resourceconfig.json": resources}
    for name, content in files.items():
        (ml / "config" / name).write_text(json.dumps(content), encoding="utf-8")


def inside(ml: Path, path: str) -> Path:
    """The folder behind a LocalPath."""
    return ml / PurePosixPath(path).relative_to("/opt/ml")


def local_paths(body: Mapping[str, Any]) -> Iterator[str]:
    """The LocalPaths of all inputs and outputs, those that the program manages itself included."""
    for given in (*(body.get("ProcessingInputs") or ()), *outputs(body)):
        if path := local_path(given):
            yield path


def local_path(given: Mapping[str, Any]) -> str:
    """The LocalPath of an input or an output; "" when it has none."""
    source = given.get("S3Input") or given.get("DatasetDefinition") or given.get("S3Output") or {}
    return str(source.get("LocalPath") or "")


def outputs(body: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The outputs of a job."""
    return list((body.get("ProcessingOutputConfig") or {}).get("Outputs") or ())


def job_config(record: Record) -> dict[str, Any]:
    """The content of processingjobconfig.json: the request, with null for some of what it does not give."""
    body = record.body
    application = {"ContainerEntrypoint": None, "ContainerArguments": None, **body["AppSpecification"]}
    output = {"Outputs": [], "KmsKeyId": None, **(body.get("ProcessingOutputConfig") or {})}
    cluster = {"VolumeKmsKeyId": None, **body["ProcessingResources"]["ClusterConfig"]}
    return {
        "ProcessingJobArn": record.arn,
        "ProcessingJobName": record.key,
        "AppSpecification": application,
        "Environment": dict(body.get("Environment") or {}),
        "ProcessingInputs": [_input(given) for given in body.get("ProcessingInputs") or ()],
        "ProcessingOutputConfig": output,
        "ProcessingResources": {"ClusterConfig": cluster},
        "RoleArn": body.get("RoleArn"),
        "StoppingCondition": body.get("StoppingCondition"),
        **{member: body[member] for member in ECHOED if body.get(member)},
    }


def _input(given: Mapping[str, Any]) -> dict[str, Any]:
    if not given.get("S3Input"):
        return dict(given)
    return {**given, "S3Input": {**given["S3Input"], "S3DownloadMode": "StartOfJob"}}
