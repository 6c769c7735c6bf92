"""The trial component of every training, processing and transform job, and what the job leaves in the lineage.

https://docs.aws.amazon.com/sagemaker/latest/dg/lineage-tracking-auto-creation.html
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from emulator.behaviours import component_metrics, trials
from emulator.behaviours.following import Writing
from emulator.behaviours.lineage_groups import ensure_group, group_arn
from emulator.behaviours.lineage_writing import artifact_of, associate
from emulator.behaviours.rooms import Rooms
from emulator.call import Call
from emulator.lineage import jobs
from emulator.store.records import Record, Transaction

KIND = "TrialComponent"


def track(rooms: Rooms, job: Record, fresh: bool) -> Writing:
    """Bring a job's trial component and lineage up to it. A component that somebody has deleted stays deleted."""
    trace = jobs.trace(job)
    metrics = component_metrics.of_job(rooms, job) if jobs.over(job) else None

    def write(transaction: Transaction) -> None:
        component = transaction.get_ignoring_case(KIND, job.scope, jobs.component_name(job))
        if component is None and fresh:
            component = _new(rooms, transaction, job)
        if component is None:
            return
        after = transaction.replace(_brought_up(component, job, trace, metrics))
        for thing in trace.inputs:
            artifact = artifact_of(rooms, transaction, job.scope, thing, job.created)
            associate(transaction, artifact, after, job.created, "ContributedTo")
        for thing in trace.outputs:
            artifact = artifact_of(rooms, transaction, job.scope, thing, job.modified)
            associate(transaction, after, artifact, job.modified, "Produced")

    return write


def _new(rooms: Rooms, transaction: Transaction, job: Record) -> Record:
    """The component of a job that was just created, in the trial that its ExperimentConfig names."""
    config = job.body.get("ExperimentConfig") or {}
    ensure_group(rooms, transaction, job.scope, job.created)
    params = {"TrialComponentName": jobs.component_name(job)}
    if config.get("TrialComponentDisplayName"):
        params["DisplayName"] = config["TrialComponentDisplayName"]
    given = {"Source": jobs.source(job), "LineageGroupArn": group_arn(job.scope)}
    call = Call("sagemaker", "CreateTrialComponent", params, job.scope)
    draft = rooms.resources.draft(KIND, call, job.created, extra=given, parent=job.arn.lower())
    run = config.get("RunName")
    record = transaction.insert(replace(draft, hidden={**draft.hidden, "run": run}) if run else draft)
    tags = dict(transaction.tags(job.arn))
    if tags:
        transaction.set_tags(record.arn, tags)
    trial = trials.of_config(rooms, transaction, job, config)
    if trial is not None:
        record = trials.join(transaction, record, trial, job.created)
    if run:
        _into_run(transaction, job, run)
    return record


def _into_run(transaction: Transaction, job: Record, name: str) -> None:
    """The component of a run of the SDK's names the jobs that ran in it."""
    run = transaction.get_ignoring_case(KIND, job.scope, name)
    if run is not None:
        sources = [*(run.body.get("Sources") or ()), jobs.source(job)]
        transaction.replace(replace(run, body={**run.body, "Sources": sources}))


def _brought_up(component: Record, job: Record, trace: jobs.Trace, metrics: list[Any] | None) -> Record:
    modified = max(component.modified, job.modified)
    body: dict[str, Any] = {**component.body, **jobs.status(job), "LastModifiedTime": modified}
    for name, members in (
        ("Parameters", trace.parameters),
        ("InputArtifacts", trace.input_artifacts),
        ("OutputArtifacts", trace.output_artifacts),
    ):
        body[name] = {**(body.get(name) or {}), **members}
    if metrics is None:
        body.pop("Metrics", None)  # while the job runs they are what they are when somebody asks
    else:
        body["Metrics"] = [*metrics, *component_metrics.own(component)]
    return replace(component, body=body, modified=modified)
