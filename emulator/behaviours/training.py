"""Training jobs: what their operations check beyond the model, and the work they hand to the job engine."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from emulator import ids
from emulator.behaviours import algorithm_checks, capacity, trials
from emulator.behaviours import training_checks as checks
from emulator.behaviours.rooms import Rooms
from emulator.call import Answer, Call
from emulator.errors import InUse, NotBuilt, Validation
from emulator.jobs import accept
from emulator.jobs.lifecycle import Job
from emulator.jobs.recipes import faces
from emulator.jobs.record import hidden_life, settled
from emulator.store.records import Record

KIND = "TrainingJob"
DEBUGGED = ("Downloading", "Training")
"""When RemoteDebugConfig can be updated (API_UpdateTrainingJob)."""


def create_training_job(rooms: Rooms, call: Call) -> Answer:
    """https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_CreateTrainingJob.html."""
    params = call.params
    checks.refuse_unbuilt(params)
    training = checks.training_specification(rooms, call)
    checks.resources(params, training)
    if name := params["AlgorithmSpecification"].get("AlgorithmName"):
        algorithm_checks.kept(name, training, params)
    capacity.check(rooms, KIND, call)
    trials.check_config(rooms, call)
    stopping = checks.stopping_condition(params, training)
    specification = checks.algorithm_specification(params, training)
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
        "life": hidden_life(Job(retries=(params.get("RetryStrategy") or {}).get("MaximumRetryAttempts", 0))),
        "run_id": f"job-{ids.short_id(16)}",
        "image": training["TrainingImage"],
        "max_run": stopping["MaxRuntimeInSeconds"],
        "wait_until": now + wait if wait else None,
    }
    record = rooms.resources.create(KIND, call, status="InProgress", extra=extra, hidden=hidden)
    rooms.jobs.submit(record)
    return {"TrainingJobArn": record.arn}


def stop_training_job(rooms: Rooms, call: Call) -> Answer:
    """https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_StopTrainingJob.html."""
    record = rooms.resources.get(KIND, call.scope, call.params["TrainingJobName"])
    _refuse_settled(record)
    rooms.jobs.request_stop(KIND, call.scope, record.key)
    return {}


def update_training_job(rooms: Rooms, call: Call) -> Answer:
    """https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_UpdateTrainingJob.html.

    Of a job that is over only the period of its warm pool can be changed, while that pool is there.
    """
    params = call.params
    if params.get("ProfilerRuleConfigurations"):
        raise NotBuilt(f"ProfilerRuleConfigurations: {checks.NOT_BUILT['ProfilerRuleConfigurations']}.")
    record = rooms.resources.get(KIND, call.scope, params["TrainingJobName"])
    seconds = (params.get("ResourceConfig") or {}).get("KeepAlivePeriodInSeconds")
    checks.warm_pool({**record.body["ResourceConfig"], **(params.get("ResourceConfig") or {})}, record.body)
    if settled(record) and not (seconds is not None and rooms.jobs.keep_warm(record, seconds)):
        _refuse_settled(record)
    if params.get("RemoteDebugConfig") and record.body["SecondaryStatus"] not in DEBUGGED:
        raise Validation(
            f"RemoteDebugConfig can be updated while the SecondaryStatus is {' or '.join(DEBUGGED)}; it is "
            f"{record.body['SecondaryStatus']}."
        )

    def edit(current: Record) -> Record:
        body: dict[str, Any] = dict(current.body)
        for member in ("ProfilerConfig", "RemoteDebugConfig", "ResourceConfig"):
            if params.get(member):
                body[member] = {**(body.get(member) or {}), **params[member]}
        return replace(current, body=body)

    return {"TrainingJobArn": rooms.resources.change(KIND, call.scope, record.key, edit).arn}


def delete_training_job(rooms: Rooms, call: Call) -> Answer:
    """https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_DeleteTrainingJob.html."""
    record = rooms.resources.get(KIND, call.scope, call.params["TrainingJobName"])
    if (record.body.get("WarmPoolStatus") or {}).get("Status") == "Available":
        raise InUse(
            f"The training job {record.arn} retains an Available warm pool and cannot be deleted. Wait until the pool "
            "has ended, or end it: UpdateTrainingJob with a KeepAlivePeriodInSeconds of 0."
        )
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


def _refuse_settled(record: Record) -> None:
    if settled(record):
        raise Validation(f"The request was rejected because the training job is in status {record.status}")
