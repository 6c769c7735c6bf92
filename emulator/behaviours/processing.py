"""Processing jobs: what their operations check beyond the model, and the work they hand to the job engine."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import PurePosixPath
from typing import Any

from emulator import ids
from emulator.behaviours import capacity, trials
from emulator.behaviours.rooms import Rooms
from emulator.call import Answer, Call
from emulator.errors import InUse, NotBuilt, Validation
from emulator.jobs import accept
from emulator.jobs.lifecycle import Job
from emulator.jobs.processing_workspace import ROOT, local_path, outputs
from emulator.jobs.record import hidden_life, settled

KIND = "ProcessingJob"

MAX_RUNTIME = 86400
"""Seconds: the service's default of StoppingCondition.MaxRuntimeInSeconds."""


def create_processing_job(rooms: Rooms, call: Call) -> Answer:
    """https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_CreateProcessingJob.html."""
    params = call.params
    _check_image(params["AppSpecification"]["ImageUri"])
    _check_inputs(params)
    _check_outputs(params)
    _check_paths(params)
    cluster = _cluster(params["ProcessingResources"]["ClusterConfig"])
    capacity.check(rooms, KIND, call)
    trials.check_config(rooms, call)
    rooms.roles(params["RoleArn"], call.scope)
    extra = {"ProcessingJobStatus": "InProgress", "ProcessingResources": {"ClusterConfig": cluster}}
    hidden = {
        "life": hidden_life(Job()),
        "run_id": f"job-{ids.short_id(16)}",
        "max_run": (params.get("StoppingCondition") or {}).get("MaxRuntimeInSeconds", MAX_RUNTIME),
    }
    record = rooms.resources.create(KIND, call, status="InProgress", extra=extra, hidden=hidden)
    rooms.jobs.submit(record)
    return {"ProcessingJobArn": record.arn}


def stop_processing_job(rooms: Rooms, call: Call) -> Answer:
    """https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_StopProcessingJob.html."""
    record = rooms.resources.get(KIND, call.scope, call.params["ProcessingJobName"])
    if settled(record):
        raise Validation(f"The request was rejected because the processing job is in status {record.status}.")
    rooms.jobs.request_stop(KIND, call.scope, record.key)
    return {}


def delete_processing_job(rooms: Rooms, call: Call) -> Answer:
    """https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_DeleteProcessingJob.html."""
    record = rooms.resources.get(KIND, call.scope, call.params["ProcessingJobName"])
    if not settled(record):
        raise InUse(
            f"The processing job {record.arn} is in status {record.status} and cannot be deleted. "
            "Stop it, or wait for its end."
        )
    rooms.resources.remove(KIND, call.scope, record.key)
    return {}


# --- checks -----------------------------------------------------------------------------------------------------


def _check_image(image: str) -> None:
    if not image or any(character.isspace() for character in image):
        raise Validation(
            f"Invalid image URI {image}. Please provide a valid Amazon Elastic Container Registry path of the "
            "Docker image to run."
        )


def _check_inputs(params: Mapping[str, Any]) -> None:
    inputs = params.get("ProcessingInputs") or []
    _check_names("input", [given["InputName"] for given in inputs])
    for given in inputs:
        name = given["InputName"]
        if bool(given.get("S3Input")) == bool(given.get("DatasetDefinition")):
            raise Validation(f"ProcessingInput {name!r} needs exactly one of S3Input and DatasetDefinition.")
        if given.get("DatasetDefinition") and not given.get("AppManaged"):
            _refuse_dataset(name, given["DatasetDefinition"])
        source = given.get("S3Input")
        if source:
            accept.parsed(source["S3Uri"])
            if source.get("S3CompressionType") == "Gzip" and source.get("S3InputMode") != "Pipe":
                raise Validation(
                    f"S3CompressionType Gzip of ProcessingInput {name!r} can only be used when Pipe is specified "
                    "as the S3InputMode."
                )


def _refuse_dataset(name: str, definition: Mapping[str, Any]) -> None:
    source = "Redshift" if definition.get("RedshiftDatasetDefinition") else "Athena"
    raise NotBuilt(
        f"CreateProcessingJob with the DatasetDefinition of ProcessingInput {name!r} is not implemented: there is no "
        f"{source} here that answers its query. Put the result of the query into S3, and give an S3Input."
    )


def _check_outputs(params: Mapping[str, Any]) -> None:
    given = outputs(params)
    _check_names("output", [output["OutputName"] for output in given])
    for output in given:
        name = output["OutputName"]
        if bool(output.get("S3Output")) == bool(output.get("FeatureStoreOutput")):
            raise Validation(f"ProcessingOutput {name!r} needs exactly one of S3Output and FeatureStoreOutput.")
        if output.get("FeatureStoreOutput") and not output.get("AppManaged"):
            raise Validation(
                f"FeatureStoreOutput of ProcessingOutput {name!r} is only supported when AppManaged is specified."
            )
        if output.get("S3Output"):
            accept.parsed(output["S3Output"]["S3Uri"])


def _check_names(what: str, names: list[str]) -> None:
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise Validation(f"Names of {what}s must be unique within a processing job: {', '.join(map(repr, twice))}.")


def _check_paths(params: Mapping[str, Any]) -> None:
    """Each is a folder of its own below /opt/ml/processing; one may lie in another."""
    seen: dict[PurePosixPath, str] = {}
    for what, given in _named(params):
        path = local_path(given)
        if not path:
            if not given.get("AppManaged"):
                raise Validation(f"LocalPath of {what} is required when AppManaged is false.")
            continue
        place = PurePosixPath(path)
        if not path.startswith(f"{ROOT}/") or str(place) == ROOT or ".." in place.parts or "\0" in path:
            raise Validation(f"LocalPath {path!r} of {what} must be an absolute path that begins with {ROOT}/.")
        if place in seen:
            raise Validation(f"LocalPath {path!r} is used by {seen[place]} and by {what}. Give each its own folder.")
        seen[place] = what


def _named(params: Mapping[str, Any]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    for given in params.get("ProcessingInputs") or ():
        yield f"ProcessingInput {given['InputName']!r}", given
    for given in outputs(params):
        if given.get("S3Output"):
            yield f"ProcessingOutput {given['OutputName']!r}", given


def _cluster(config: Mapping[str, Any]) -> dict[str, Any]:
    """The ClusterConfig as Describe answers it: there is always capacity for the first of InstancePreferences."""
    preferences = config.get("InstancePreferences") or []
    if bool(preferences) == bool(config.get("InstanceType")):
        raise Validation("ClusterConfig needs exactly one of InstanceType and InstancePreferences.")
    if not preferences:
        if not config.get("InstanceCount"):
            raise Validation("ClusterConfig needs an InstanceCount of at least 1.")
        return dict(config)
    first = preferences[0]
    count = config.get("InstanceCount") or first.get("InstanceCount")
    if not count:
        raise Validation("Neither ClusterConfig nor its first InstancePreference has an InstanceCount.")
    return {**config, "SelectedInstanceType": first["InstanceType"], "SelectedInstanceCount": count}
