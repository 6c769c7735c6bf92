"""What a job leaves behind: its trial component, and the things that it was made from and made.

Parameters and artifacts are named as in answers of the service that users have published (docs/quirks.md).
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from emulator.kinds.kind import JOB
from emulator.lineage.entities import Thing
from emulator.store.records import Record

Body = Mapping[str, Any]
Members = dict[str, Any]

SUFFIXES = {"TrainingJob": "training-job", "ProcessingJob": "processing-job", "TransformJob": "transform-job"}
PARAMETERS, NAME, TEXT, ARTIFACTS, MESSAGE = 300, 320, 2500, 60, 1024
"""Limits of a trial component, from the service model: how many parameters; characters of a name, of a text; how many
artifacts; characters of a status message."""

_MEDIA_TYPE = re.compile(r"[-\w]{1,40}/[-\w+]{1,23}", re.ASCII)


@dataclass(frozen=True)
class Trace:
    """A job as a trial component. `inputs` and `outputs` are what becomes artifacts."""

    parameters: Members = field(default_factory=dict)
    input_artifacts: Members = field(default_factory=dict)
    output_artifacts: Members = field(default_factory=dict)
    inputs: tuple[Thing, ...] = ()
    outputs: tuple[Thing, ...] = ()


def over(job: Record) -> bool:
    """Whether nothing more comes of a job."""
    return job.status in JOB.settled


def component_name(job: Record) -> str:
    """The name of a job's trial component."""
    return f"{job.key.lower()}-aws-{SUFFIXES[job.kind]}"


def source(job: Record) -> dict[str, str]:
    """Source of a job's trial component."""
    return {"SourceArn": job.arn, "SourceType": f"SageMaker{job.kind}"}


def status(job: Record) -> Members:
    """Status, StartTime and EndTime of a job's trial component."""
    body, word = job.body, job.kind.removesuffix("Job")
    members: Members = {"Status": {"PrimaryStatus": job.status, "Message": _message(job)[:MESSAGE]}}
    for name in ("StartTime", "EndTime"):
        if f"{word}{name}" in body:
            members[name] = body[f"{word}{name}"]
    return members


def _message(job: Record) -> str:
    reason, body = job.body.get("FailureReason"), job.body
    if job.kind == "TrainingJob":
        second = body.get("SecondaryStatus", "")
        return f"Status: {job.status}, secondary status: {second}, failure reason: {reason or ''}."
    if job.kind == "ProcessingJob":
        said = body.get("ExitMessage") or "null"
        return f"Status: {job.status}, exit message: {said}, failure reason: {reason or 'null'}"
    return f"Status: {job.status}, failure reason: {reason or 'null'}"


def trace(job: Record) -> Trace:
    """What a job leaves, as far as it has come."""
    found = {"TrainingJob": _training, "ProcessingJob": _processing, "TransformJob": _transform}[job.kind](job)
    return Trace(
        _first(found.parameters, PARAMETERS),
        _first(found.input_artifacts, ARTIFACTS),
        _first(found.output_artifacts, ARTIFACTS),
        found.inputs,
        found.outputs,
    )


def _training(job: Record) -> Trace:
    body, image = job.body, str(job.hidden.get("image") or "")
    model = (body.get("ModelArtifacts") or {}).get("S3ModelArtifacts")
    outputs = {"SageMaker.ModelArtifact": model, "SageMaker.DebugHookOutput": _at(body, "DebugHookConfig.S3OutputPath")}
    channels = body.get("InputDataConfig") or []
    given = {channel["ChannelName"]: _artifact(_channel_uri(channel), channel) for channel in channels}
    things = [Thing(image, "Image"), *(Thing(_channel_uri(channel), "DataSet") for channel in channels)]
    made = [
        Thing(model or "", "Model"),
        Thing(_at(body, "CheckpointConfig.S3Uri"), "Checkpoint"),
        Thing(_at(body, "TensorBoardOutputConfig.S3OutputPath"), "TensorBoard"),
    ]
    return Trace(
        {
            **_named_text("SageMaker.ImageUri", image),
            **_machines(body.get("ResourceConfig") or {}),
            **_hyperparameters(body),
        },
        {name: value for name, value in given.items() if value},
        {name: {"Value": value} for name, value in outputs.items() if value},
        _known(things),
        _known(made) if job.status == "Completed" or model else (),
    )


def _processing(job: Record) -> Trace:
    body = job.body
    image = _at(body, "AppSpecification.ImageUri")
    inputs = {given["InputName"]: _at(given, "S3Input.S3Uri") for given in body.get("ProcessingInputs") or ()}
    given = (body.get("ProcessingOutputConfig") or {}).get("Outputs") or ()
    outputs = {output["OutputName"]: _at(output, "S3Output.S3Uri") for output in given}
    read = [Thing(image, "Image"), *(Thing(uri, "DataSet") for uri in inputs.values())]
    made = [Thing(uri, "DataSet") for uri in outputs.values()]
    return Trace(
        _machines((body.get("ProcessingResources") or {}).get("ClusterConfig") or {}),
        {"SageMaker.ImageUri": {"Value": image}, **_values(inputs)},
        _values(outputs),
        _known(read),
        _known(made) if job.status == "Completed" else (),
    )


def _transform(job: Record) -> Trace:
    body, container = job.body, job.hidden.get("container") or {}
    source_, target = body["TransformInput"], body["TransformOutput"]
    uri, model = _at(source_, "DataSource.S3DataSource.S3Uri"), str(container.get("model_data") or "")
    image = str(container.get("image") or "")
    parameters = {
        **_named_text("SageMaker.ModelName", body["ModelName"]),
        **_named_text("SageMaker.ModelPrimary.DataUrl", model),
        **_named_text("SageMaker.ModelPrimary.Image", image),
    }
    made = _known([Thing(target["S3OutputPath"], "DataSet")])
    return Trace(
        {**_machines(body["TransformResources"]), **parameters},
        {"SageMaker.TransformInput": _artifact(uri, source_)} if uri else {},
        {"SageMaker.TransformOutput": _artifact(target["S3OutputPath"], {"ContentType": target.get("Accept")})},
        _known([Thing(image, "Image"), Thing(model, "Model"), Thing(uri, "DataSet")]),
        made if job.status == "Completed" else (),
    )


# --- parts --------------------------------------------------------------------------------------------------------


def _at(body: Body, path: str) -> str:
    value: Any = body
    for name in path.split("."):
        value = value.get(name) if isinstance(value, Mapping) else None
    return str(value or "")


def _channel_uri(channel: Body) -> str:
    return _at(channel, "DataSource.S3DataSource.S3Uri")


def _known(things: list[Thing]) -> tuple[Thing, ...]:
    return tuple(dict.fromkeys(thing for thing in things if thing.uri))


def _first(members: Members, most: int) -> Members:
    return dict(list(members.items())[:most])


def _named_text(name: str, value: str) -> Members:
    return {name: {"StringValue": value[:TEXT]}} if value else {}


def _values(uris: Mapping[str, str]) -> Members:
    return {name: {"Value": uri} for name, uri in uris.items() if uri}


def _artifact(uri: str, described: Body) -> Members:
    media = described.get("ContentType") or ""
    kind = {"MediaType": media} if _MEDIA_TYPE.fullmatch(media) else {}
    return {**kind, "Value": uri} if uri else {}


def _machines(config: Body) -> Members:
    """What a job ran on, in the names that the service gives its parameters."""
    found: Members = {}
    for name in ("InstanceCount", "InstanceType", "VolumeSizeInGB"):
        value = config.get(name)
        if value is not None:
            text = isinstance(value, str)
            found[f"SageMaker.{name}"] = {"StringValue": value} if text else {"NumberValue": float(value)}
    return found


def _hyperparameters(body: Body) -> Members:
    """A text that reads as a number has both values."""
    found: Members = {}
    for name, value in (body.get("HyperParameters") or {}).items():
        found[name[:NAME]] = {"StringValue": str(value)[:TEXT], **_number(value)}
    return found


def _number(value: Any) -> Members:
    try:
        number = float(value)
    except (TypeError, ValueError):
        return {}
    return {"NumberValue": number} if math.isfinite(number) else {}
