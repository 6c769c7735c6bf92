"""What clients see of a job's life: statuses, times and transitions, in the service's words. Pure."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from emulator.jobs.lifecycle import TERMINAL, UNSTARTED, Cause, Job, Phase
from emulator.jobs.record import status
from emulator.jobs.warmth import period

MESSAGES = {
    "Starting": "Starting the training job",
    "Pending": "Training job waiting for capacity",
    "Downloading": "Downloading input data",
    "Training": "Training image download completed. Training in progress.",
    "Interrupted": "Training job was interrupted: its spot capacity was taken away",
    "Restarting": "Restarting the training job after an internal error",
    "Stopping": "Stopping the training job",
    "Uploading": "Uploading generated training model",
    "Completed": "Training job completed",
    "Failed": "Training job failed",
    "Stopped": "Training job stopped",
    "MaxRuntimeExceeded": "Training job runtime exceeded MaxRuntimeInSeconds provided",
    "MaxWaitTimeExceeded": "Training job wait time exceeded MaxWaitTimeInSeconds provided",
}
PENDING_TOO_LONG = "Training job pending time exceeded MaxPendingTimeInSeconds provided"
"""StatusMessage of each secondary status, as DescribeTrainingJob words it."""

SECONDARY = {
    Phase.QUEUED: "Starting",
    Phase.PENDING: "Pending",
    Phase.PREPARING: "Downloading",
    Phase.LAUNCHING: "Training",
    Phase.RUNNING: "Training",
    Phase.RETREATING: "Restarting",
    Phase.SAVING: "Uploading",
    Phase.COMPLETED: "Completed",
    Phase.FAILED: "Failed",
}


def secondary(job: Job) -> str:
    """The secondary status of a training job."""
    if job.phase is Phase.STOPPED:
        return job.cause.value
    if job.cause not in (Cause.NONE, Cause.INTERRUPT) and job.phase not in (Phase.SAVING, *TERMINAL):
        return "Stopping"
    if job.cause is Cause.INTERRUPT:
        return "Interrupted"
    return SECONDARY[job.phase]


def first_members(now: float) -> dict[str, Any]:
    """The status members of a training job that was just accepted."""
    first = {"Status": "Starting", "StartTime": now, "StatusMessage": MESSAGES["Starting"]}
    return {"TrainingJobStatus": "InProgress", "SecondaryStatus": "Starting", "SecondaryStatusTransitions": [first]}


def training(body: Mapping[str, Any], before: Job, after: Job, now: float) -> dict[str, Any]:
    """The face of a training job."""
    members = _primary("Training", body, after, now)
    members["SecondaryStatus"] = secondary(after)
    if secondary(after) != secondary(before):
        members["SecondaryStatusTransitions"] = _moved_on(body, after, now)
    start = body.get("TrainingStartTime")
    if after.phase in TERMINAL and start is not None:
        seconds = max(1, math.ceil(now - start))
        members |= {"TrainingTimeInSeconds": seconds, "BillableTimeInSeconds": seconds}
    if after.phase in TERMINAL and (body.get("WarmPoolStatus") or {}).get("Status") == "InUse":
        members["WarmPoolStatus"] = _left_pool(body, after)
    return members


def transform(body: Mapping[str, Any], before: Job, after: Job, now: float) -> dict[str, Any]:
    """The face of a transform job: it has no secondary status."""
    return _primary("Transform", body, after, now)


def processing(body: Mapping[str, Any], before: Job, after: Job, now: float) -> dict[str, Any]:
    """The face of a processing job: it has no secondary status."""
    return _primary("Processing", body, after, now)


def _left_pool(body: Mapping[str, Any], after: Job) -> dict[str, Any]:
    """Told in the same breath as the end: who sees a job completed sees at once whether its pool waits for the next."""
    waits = after.phase is Phase.COMPLETED and period(body) > 0
    return {"Status": "Available" if waits else "Terminated", "ResourceRetainedBillableTimeInSeconds": 0}


def _primary(word: str, body: Mapping[str, Any], after: Job, now: float) -> dict[str, Any]:
    members: dict[str, Any] = {f"{word}JobStatus": status(after)}
    start, end = f"{word}StartTime", f"{word}EndTime"
    if after.phase not in UNSTARTED | TERMINAL and start not in body:
        members[start] = now
    if after.phase in TERMINAL and start in body:
        members[end] = now
    return members


def _moved_on(body: Mapping[str, Any], after: Job, now: float) -> list[dict[str, Any]]:
    word = secondary(after)
    transitions = list(body.get("SecondaryStatusTransitions", ()))
    if transitions:
        transitions[-1] = {**transitions[-1], "EndTime": now}
    new = {"Status": word, "StartTime": now, "StatusMessage": _message(word, body)}
    if after.phase in TERMINAL:
        new["EndTime"] = now
    return [*transitions, new]


def _message(word: str, body: Mapping[str, Any]) -> str:
    """The model has no status for MaxPendingTimeInSeconds; a job without the other limit can have met only this one."""
    if word == Cause.WAIT.value and not (body.get("StoppingCondition") or {}).get("MaxWaitTimeInSeconds"):
        return PENDING_TOO_LONG
    return MESSAGES[word]
