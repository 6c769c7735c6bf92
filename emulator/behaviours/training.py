"""Training jobs: what their operations check beyond the model, and the work they hand to the job engine."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from emulator import ids
from emulator.behaviours.rooms import Rooms
from emulator.call import Answer, Call, Scope
from emulator.errors import InUse, NotBuilt, Validation
from emulator.jobs import accept
from emulator.jobs.lifecycle import Job
from emulator.jobs.recipes import faces
from emulator.jobs.record import hidden_life, settled
from emulator.store.records import Record

KIND = "TrainingJob"

MAX_RUNTIME = 86400
"""Seconds: the service's default of StoppingCondition.MaxRuntimeInSeconds."""

NOT_BUILT = {
    "ServerlessJobConfig": "serverless jobs are not built; give AlgorithmSpecification and ResourceConfig",
    "MlflowConfig": "tracking in MLflow is not built; remove it",
    "ModelPackageConfig": "registering the output as a model package is not built; call CreateModelPackage",
    "DebugRuleConfigurations": "Debugger rules are not evaluated yet; remove them",
    "ProfilerRuleConfigurations": "profiler rules are not evaluated yet; remove them",
    "SessionChainingConfig": "session tag chaining is not built; remove it",
}
"""Members of CreateTrainingJob that ask for work which nothing here does."""


def create_training_job(rooms: Rooms, call: Call) -> Answer:
    """https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_CreateTrainingJob.html."""
    params = call.params
    _refuse_unbuilt(params)
    image = _image(rooms, call)
    _check_resources(params)
    stopping = _stopping_condition(params)
    specification = _specification(params, image)
    rooms.roles(params["RoleArn"], call.scope)
    accept.channels(rooms.storage, call)
    accept.bucket(rooms.storage, params["OutputDataConfig"]["S3OutputPath"], "OutputDataConfig")
    if params.get("CheckpointConfig"):
        accept.bucket(rooms.storage, params["CheckpointConfig"]["S3Uri"], "CheckpointConfig")
    now = rooms.clock.now()
    wait = stopping.get("MaxWaitTimeInSeconds")
    extra = {
        **faces.first_members(now),
        "AlgorithmSpecification": specification,
        "StoppingCondition": stopping,
    }
    if params.get("InputDataConfig"):
        extra["InputDataConfig"] = [accept.described(channel) for channel in params["InputDataConfig"]]
    hidden = {
        "life": hidden_life(Job()),
        "run_id": f"job-{ids.short_id(16)}",
        "image": image,
        "max_run": stopping["MaxRuntimeInSeconds"],
        "wait_until": now + wait if wait else None,
    }
    record = rooms.resources.create(KIND, call, status="InProgress", extra=extra, hidden=hidden)
    rooms.jobs.submit(KIND, call.scope, record.key)
    return {"TrainingJobArn": record.arn}


def stop_training_job(rooms: Rooms, call: Call) -> Answer:
    """https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_StopTrainingJob.html."""
    record = rooms.resources.get(KIND, call.scope, call.params["TrainingJobName"])
    _refuse_settled(record)
    rooms.jobs.request_stop(KIND, call.scope, record.key)
    return {}


def update_training_job(rooms: Rooms, call: Call) -> Answer:
    """https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_UpdateTrainingJob.html."""
    params = call.params
    if params.get("ProfilerRuleConfigurations"):
        raise NotBuilt(f"ProfilerRuleConfigurations: {NOT_BUILT['ProfilerRuleConfigurations']}.")
    record = rooms.resources.get(KIND, call.scope, params["TrainingJobName"])
    _refuse_settled(record)

    def edit(current: Record) -> Record:
        body = dict(current.body)
        for member in ("ProfilerConfig", "RemoteDebugConfig", "ResourceConfig"):
            if params.get(member):
                body[member] = {**(body.get(member) or {}), **params[member]}
        return replace(current, body=body)

    return {"TrainingJobArn": rooms.resources.change(KIND, call.scope, record.key, edit).arn}


def delete_training_job(rooms: Rooms, call: Call) -> Answer:
    """https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_DeleteTrainingJob.html."""
    record = rooms.resources.get(KIND, call.scope, call.params["TrainingJobName"])
    if not settled(record):
        raise InUse(
            f"The training job {record.arn} is in status {record.status} and cannot be deleted. "
            "Stop it, or wait for its end."
        )
    rooms.resources.remove(KIND, call.scope, record.key)
    return {}


def training_time(rooms: Rooms, record: Record) -> int | None:
    """TrainingTimeInSeconds of a job that still runs grows; that of one that is over is what was written then."""
    if "TrainingTimeInSeconds" in record.body:
        return int(record.body["TrainingTimeInSeconds"])
    start = record.body.get("TrainingStartTime")
    return None if start is None else max(1, int(rooms.clock.now() - start))


# --- checks -----------------------------------------------------------------------------------------------------


def _refuse_unbuilt(params: Mapping[str, Any]) -> None:
    for member, reason in NOT_BUILT.items():
        if params.get(member):
            raise NotBuilt(f"CreateTrainingJob with {member} is not implemented: {reason}.")


def _refuse_settled(record: Record) -> None:
    if settled(record):
        raise Validation(f"The request was rejected because the training job is in status {record.status}")


def _image(rooms: Rooms, call: Call) -> str:
    """The image to run: TrainingImage, or that of the algorithm resource named by AlgorithmName."""
    wanted = call.params.get("AlgorithmSpecification") or {}
    image, name = wanted.get("TrainingImage"), wanted.get("AlgorithmName")
    if bool(image) == bool(name):
        both = "Both TrainingImage and AlgorithmName are" if image else "Neither TrainingImage nor AlgorithmName is"
        raise Validation(f"{both} given in AlgorithmSpecification. Give exactly one of them.")
    if image:
        if any(character.isspace() for character in image):
            raise Validation(f"The training image {image!r} is not an image URI: it contains white space.")
        return str(image)
    return _algorithm_image(rooms, call.scope, str(name))


def _algorithm_image(rooms: Rooms, scope: Scope, name: str) -> str:
    record = rooms.resources.by_arn(name) if name.startswith("arn:") else rooms.resources.find("Algorithm", scope, name)
    image = ((record.body.get("TrainingSpecification") or {}) if record else {}).get("TrainingImage")
    if not image:
        raise Validation(f"Algorithm {name} does not exist.")
    return str(image)


def _check_resources(params: Mapping[str, Any]) -> None:
    config = params.get("ResourceConfig")
    if not config:
        raise Validation("ResourceConfig is required for a training job that is not serverless.")
    groups = config.get("InstanceGroups") or []
    if groups and (config.get("InstanceType") or config.get("InstanceCount")):
        raise Validation("ResourceConfig has InstanceGroups and InstanceType or InstanceCount. Give one or the other.")
    if not groups and not (config.get("InstanceType") and config.get("InstanceCount")):
        raise Validation("ResourceConfig needs InstanceType and InstanceCount (at least 1), or InstanceGroups.")
    count = sum(group["InstanceCount"] for group in groups) if groups else config["InstanceCount"]
    if count > 1 or len(groups) > 1:
        raise NotBuilt(
            f"A training job on {count} instances is not implemented: distributed training is not built yet. "
            "Use InstanceCount 1."
        )


def _stopping_condition(params: Mapping[str, Any]) -> dict[str, Any]:
    given = dict(params.get("StoppingCondition") or {})
    stopping = {"MaxRuntimeInSeconds": MAX_RUNTIME, **given}
    wait = stopping.get("MaxWaitTimeInSeconds")
    if params.get("EnableManagedSpotTraining"):
        if wait is None or wait < stopping["MaxRuntimeInSeconds"]:
            raise Validation(
                "Invalid MaxWaitTimeInSeconds. It must be present and be greater than or equal to MaxRuntimeInSeconds"
            )
    elif wait is not None:
        raise Validation(
            "MaxWaitTimeInSeconds above 0 is not allowed for an on-demand training job. "
            "Set EnableManagedSpotTraining, or remove it from StoppingCondition."
        )
    return stopping


def _specification(params: Mapping[str, Any], image: str) -> dict[str, Any]:
    """AlgorithmSpecification as Describe answers it: with the metrics that a built-in algorithm is known to log."""
    from algorithms import catalog
    from emulator.jobs.metrics import definitions

    given = dict(params["AlgorithmSpecification"])
    own = list(given.get("MetricDefinitions") or [])
    try:
        definitions(own)
    except ValueError as error:
        raise Validation(f"{error}.") from error
    named = {definition["Name"] for definition in own}
    known = catalog.find(image)
    own += [dict(metric) for metric in (known.metrics if known else ()) if metric["Name"] not in named]
    if own:
        given["MetricDefinitions"] = own
    given.setdefault("EnableSageMakerMetricsTimeSeries", known is not None)
    return given
