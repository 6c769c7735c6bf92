"""Batch transform jobs: what their operations check beyond the model, and the work they hand to the job engine."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from emulator import ids
from emulator.behaviours import capacity, trials
from emulator.behaviours.rooms import Rooms
from emulator.call import Answer, Call
from emulator.errors import NotBuilt, Validation
from emulator.hosts.models import containers_of
from emulator.jobs import accept
from emulator.jobs.inputs.channel import source_of
from emulator.jobs.lifecycle import Job
from emulator.jobs.processing import CSV, FORMATS, JSON_LINES, media_type, processing
from emulator.jobs.record import hidden_life, settled
from emulator.store.records import Record

KIND = "TransformJob"

LIMIT_MB = 100
"""MaxConcurrentTransforms x MaxPayloadInMB must not be more."""


def create_transform_job(rooms: Rooms, call: Call) -> Answer:
    """https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_CreateTransformJob.html."""
    params = call.params
    if params.get("DataCaptureConfig"):
        raise NotBuilt("CreateTransformJob with DataCaptureConfig is not implemented; remove it.")
    model = rooms.resources.get("Model", call.scope, params["ModelName"])
    container = _container(model)
    capacity.check(rooms, KIND, call)
    trials.check_config(rooms, call)
    _check_limits(params)
    _check_processing(params)
    source = params["TransformInput"]
    kind = source["DataSource"]["S3DataSource"]["S3DataType"]
    if kind not in ("S3Prefix", "ManifestFile"):
        raise NotBuilt(f"A transform job with S3DataType {kind} is not implemented: use S3Prefix or ManifestFile.")
    role = model.body.get("ExecutionRoleArn", "")
    accept.has_objects(rooms.storage, source_of(source), role, call.scope.region)
    accept.bucket(rooms.storage, params["TransformOutput"]["S3OutputPath"], "TransformOutput")
    extra = {
        "TransformJobStatus": "InProgress",
        "DataProcessing": {
            "InputFilter": "$",
            "OutputFilter": "$",
            "JoinSource": "None",
            **(params.get("DataProcessing") or {}),
        },
    }
    hidden = {"life": hidden_life(Job()), "run_id": f"job-{ids.short_id(16)}", "container": container}
    record = rooms.resources.create(KIND, call, status="InProgress", extra=extra, hidden=hidden)
    rooms.jobs.submit(record)
    return {"TransformJobArn": record.arn}


def stop_transform_job(rooms: Rooms, call: Call) -> Answer:
    """https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_StopTransformJob.html."""
    name = call.params["TransformJobName"]
    record = rooms.resources.find(KIND, call.scope, name)
    if record is None:
        raise Validation(f"Could not find job to update with name: {name}")
    if settled(record):
        raise Validation(f"The request was rejected because the transform job is in status {record.status}.")
    rooms.jobs.request_stop(KIND, call.scope, name)
    return {}


# --- checks -----------------------------------------------------------------------------------------------------


def _container(record: Record) -> dict[str, Any]:
    """What the job's server is made of: kept with the job, since the model may be deleted while it runs."""
    model, containers = record.body, containers_of(record)
    name = model["ModelName"]
    if len(containers) != 1 or not containers[0].get("Image") or containers[0].get("Mode") == "MultiModel":
        raise NotBuilt(
            f"A transform job with the model {name} is not implemented: only a single container with an Image, "
            "in Mode SingleModel, is served in batches yet."
        )
    container = containers[0]
    source = (container.get("ModelDataSource") or {}).get("S3DataSource") or {}
    return {
        "image": container["Image"],
        "model_data": container.get("ModelDataUrl") or source.get("S3Uri", ""),
        "uncompressed": source.get("CompressionType") == "None",
        "environment": {str(k): str(v) for k, v in (container.get("Environment") or {}).items()},
        "network": not model.get("EnableNetworkIsolation", False),
        "role": str(model.get("ExecutionRoleArn") or ""),
    }


def _check_limits(params: Mapping[str, Any]) -> None:
    payload, at_once = params.get("MaxPayloadInMB"), params.get("MaxConcurrentTransforms") or 1
    if payload is not None and payload > LIMIT_MB:
        raise Validation(f"MaxPayloadInMB is {payload}; it cannot be greater than {LIMIT_MB}.")
    if (6 if payload is None else payload) * at_once > LIMIT_MB:
        raise Validation(
            f"MaxConcurrentTransforms ({at_once}) times MaxPayloadInMB ({6 if payload is None else payload}) "
            f"cannot be greater than {LIMIT_MB} MB."
        )


def _check_processing(params: Mapping[str, Any]) -> None:
    data = params.get("DataProcessing") or {}
    source, target = params["TransformInput"], params["TransformOutput"]
    content, accepted = media_type(source.get("ContentType")), media_type(target.get("Accept"))
    try:
        work = processing(data, content, accepted)
    except ValueError as error:
        raise Validation(f"Invalid DataProcessing: {error}.") from error
    if not work.show.whole and content not in FORMATS:
        raise Validation(f"InputFilter needs a ContentType of {', '.join(FORMATS)}; it is {content or 'not given'!r}.")
    if not work.keep.whole and work.output_format not in FORMATS:
        raise Validation(f"OutputFilter needs an Accept of {', '.join(FORMATS)}; it is {accepted or 'not given'!r}.")
    if work.join:
        _check_join(content, accepted, source.get("SplitType", "None"), target.get("AssembleWith", "None"))


def _check_join(content: str, accepted: str, split: str, assemble: str) -> None:
    if content not in FORMATS or accepted != content:
        raise Validation(
            f"JoinSource Input needs the same ContentType and Accept, one of {', '.join(FORMATS)}; "
            f"they are {content or 'not given'!r} and {accepted or 'not given'!r}."
        )
    needed = content in (CSV, JSON_LINES)
    if split != assemble or (needed and split != "Line"):
        raise Validation(
            f"JoinSource Input with {content} needs SplitType and AssembleWith "
            f"{'to be Line' if needed else 'to be the same, None or Line'}; they are {split} and {assemble}."
        )
    if split not in ("None", "Line"):
        raise Validation(f"JoinSource Input cannot be used with SplitType {split}.")
