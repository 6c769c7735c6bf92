"""Trials and their components: who is in which, and which trial a job's ExperimentConfig means."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from emulator.behaviours.rooms import Rooms
from emulator.call import Call
from emulator.errors import Validation
from emulator.kinds.relations import IN_EXPERIMENT, IN_TRIAL
from emulator.store.links import SOURCE, Link
from emulator.store.records import Record, Transaction

Parent = dict[str, str]


def check_config(rooms: Rooms, call: Call) -> None:
    """ExperimentConfig of a job names an experiment and a trial of it that exist (API_ExperimentConfig)."""
    config = call.params.get("ExperimentConfig") or {}
    experiment = config.get("ExperimentName") and rooms.resources.get(
        "Experiment", call.scope, config["ExperimentName"]
    )
    trial = config.get("TrialName") and rooms.resources.get("Trial", call.scope, config["TrialName"])
    if experiment and trial and trial.parent != experiment.key:
        raise Validation(f"Trial '{trial.arn}' is not part of experiment '{experiment.arn}'.")


def of_config(rooms: Rooms, transaction: Transaction, job: Record, config: Mapping[str, Any]) -> Record | None:
    """The trial that a job's component belongs to. An experiment without a trial gets one of the job's own."""
    if config.get("TrialName"):
        return transaction.get_ignoring_case("Trial", job.scope, config["TrialName"])
    named = config.get("ExperimentName")
    experiment = transaction.get_ignoring_case("Experiment", job.scope, named) if named else None
    if experiment is None:
        return None
    name = f"{job.key.lower()}-aws-trial"
    there = transaction.get_ignoring_case("Trial", job.scope, name)
    if there is not None:
        return there
    params = {"TrialName": name, "ExperimentName": experiment.key}
    call = Call("sagemaker", "CreateTrial", params, job.scope)
    source = {"Source": {"SourceArn": job.arn, "SourceType": f"SageMaker{job.kind}"}}
    return transaction.insert(rooms.resources.draft("Trial", call, job.created, parent=experiment.key, extra=source))


def join(transaction: Transaction, component: Record, trial: Record, at: float) -> Record:
    """Put a component into a trial, and so into its experiment; nothing happens when it is in it."""
    if transaction.get_link(IN_TRIAL, component.arn, trial.arn) is not None:
        return component
    transaction.link(Link(component.scope, IN_TRIAL, component.arn, trial.arn, at, {"ExperimentName": trial.parent}))
    experiment = transaction.get("Experiment", component.scope, trial.parent)
    if experiment is not None and transaction.get_link(IN_EXPERIMENT, component.arn, experiment.arn) is None:
        transaction.link(Link(component.scope, IN_EXPERIMENT, component.arn, experiment.arn, at))
    return _with_parents(transaction, component, [*_parents(component), _parent(trial)])


def leave(transaction: Transaction, component: Record, trial: Record) -> None:
    """Take a component out of a trial, and out of its experiment with the last of its trials."""
    if not transaction.unlink(IN_TRIAL, component.arn, trial.arn):
        return
    left = transaction.links_of(IN_TRIAL, SOURCE, [component.arn])
    experiment = transaction.get("Experiment", component.scope, trial.parent)
    if experiment is not None and all(link.facts["ExperimentName"] != trial.parent for link in left):
        transaction.unlink(IN_EXPERIMENT, component.arn, experiment.arn)
    _with_parents(transaction, component, [parent for parent in _parents(component) if parent != _parent(trial)])


def parents(rooms: Rooms, record: Record) -> list[Parent] | None:
    """Parents of a component in a search: its trials and their experiments. They are kept with it, so that a search
    through many components reads nothing else."""
    return _parents(record) or None


def run_name(rooms: Rooms, record: Record) -> str | None:
    """RunName of a component in a search: the run that its job was part of."""
    return record.hidden.get("run")


def _parent(trial: Record) -> Parent:
    return {"TrialName": trial.key, "ExperimentName": trial.parent}


def _parents(component: Record) -> list[Parent]:
    return list(component.hidden.get("parents") or ())


def _with_parents(transaction: Transaction, component: Record, found: list[Parent]) -> Record:
    return transaction.replace(replace(component, hidden={**component.hidden, "parents": found}))
