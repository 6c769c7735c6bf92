"""Experiments: which components are in which trials, and how components are found."""

from __future__ import annotations

from dataclasses import replace

from emulator.behaviours import lineage_groups, trials
from emulator.behaviours.rooms import Rooms
from emulator.call import Answer, Call
from emulator.errors import Validation
from emulator.store.records import Record, Transaction

NARROWED = ("ExperimentName", "TrialName", "SourceArn")


def create_trial_component(rooms: Rooms, call: Call) -> Answer:
    """https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_CreateTrialComponent.html."""
    extra = {"LineageGroupArn": lineage_groups.group_arn(call.scope)}
    record = rooms.resources.create("TrialComponent", call, extra=extra)
    lineage_groups.begin_group(rooms, record)
    return rooms.resources.answer("Create", record)


def associate_trial_component(rooms: Rooms, call: Call) -> Answer:
    """https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_AssociateTrialComponent.html."""
    trial = rooms.resources.get("Trial", call.scope, call.params["TrialName"])
    component = rooms.resources.get("TrialComponent", call.scope, call.params["TrialComponentName"])

    def write(transaction: Transaction) -> None:
        ends = transaction.get_by_arns([trial.arn, component.arn])
        if len(ends) == 2:
            trials.join(transaction, ends[component.arn], ends[trial.arn], rooms.clock.now())

    rooms.resources.together(write)
    return {"TrialComponentArn": component.arn, "TrialArn": trial.arn}


def disassociate_trial_component(rooms: Rooms, call: Call) -> Answer:
    """https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_DisassociateTrialComponent.html.

    What is not associated, or does not even exist, is answered as if it had been (docs/quirks.md).
    """
    names = {kind: call.params[f"{kind}Name"] for kind in ("Trial", "TrialComponent")}

    def write(transaction: Transaction) -> dict[str, Record | None]:
        found = {kind: transaction.get_ignoring_case(kind, call.scope, name) for kind, name in names.items()}
        trial, component = found["Trial"], found["TrialComponent"]
        if trial is not None and component is not None:
            trials.leave(transaction, component, trial)
        return found

    found = rooms.resources.together(write)
    return {
        f"{kind}Arn": record.arn if record is not None else rooms.resources.arn(kind, call.scope, names[kind])
        for kind, record in found.items()
    }


def list_trial_components(rooms: Rooms, call: Call) -> Answer:
    """https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_ListTrialComponents.html.

    The SDK asks for the component of the job that it runs in by that one's ARN in small letters.
    """
    given = [name for name in NARROWED if call.params.get(name)]
    if len(given) > 1:
        raise Validation(f"Only one of {', '.join(NARROWED)} can be given; these are: {', '.join(given)}.")
    if "SourceArn" in given:
        call = replace(call, params={**call.params, "SourceArn": call.params["SourceArn"].lower()})
    return rooms.resources.list("TrialComponent", call)
