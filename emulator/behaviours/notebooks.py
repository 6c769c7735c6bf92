"""Notebook instances and their lifecycle configurations: what is checked about them, and what an update takes away."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from emulator.behaviours.rooms import Rooms
from emulator.call import Answer, Call
from emulator.errors import Validation
from emulator.resources import making
from emulator.store.records import Record

DISASSOCIATED = {
    "DisassociateLifecycleConfig": "NotebookInstanceLifecycleConfigName",
    "DisassociateAcceleratorTypes": "AcceleratorTypes",
    "DisassociateDefaultCodeRepository": "DefaultCodeRepository",
    "DisassociateAdditionalCodeRepositories": "AdditionalCodeRepositories",
}
"""Flags of UpdateNotebookInstance, each with the member of Describe that it takes away."""


def create_notebook_instance(rooms: Rooms, call: Call) -> Answer:
    """https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_CreateNotebookInstance.html."""
    if call.params.get("DirectInternetAccess") == "Disabled" and not call.params.get("SubnetId"):
        raise Validation("DirectInternetAccess can be Disabled only where a SubnetId is given. Give a SubnetId.")
    _check(rooms, call)
    return {"NotebookInstanceArn": rooms.resources.create("NotebookInstance", call).arn}


def update_notebook_instance(rooms: Rooms, call: Call) -> Answer:
    """https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_UpdateNotebookInstance.html."""
    facts = rooms.resources.facts("NotebookInstance")
    name, config = call.params["NotebookInstanceName"], call.params.get("LifecycleConfigName")
    rooms.resources.get("NotebookInstance", call.scope, name)
    if config:
        rooms.resources.get("NotebookInstanceLifecycleConfig", call.scope, config)
    _check(rooms, call)
    gone = [member for flag, member in DISASSOCIATED.items() if call.params.get(flag)]
    given = replace(call, params={key: value for key, value in call.params.items() if key not in DISASSOCIATED})

    def edit(record: Record) -> Record:
        size, wanted = record.body["VolumeSizeInGB"], given.params.get("VolumeSizeInGB")
        if wanted is not None and wanted < size:
            raise Validation(f"The volume of {name} has {size} GB, and a volume cannot shrink. Give {size} or more.")
        kept = {member: value for member, value in record.body.items() if member not in gone}
        return making.edited(facts, replace(record, body=kept), given)

    rooms.resources.move("NotebookInstance", call.scope, name, "Update", edit)
    return {}


def update_lifecycle_config(rooms: Rooms, call: Call) -> Answer:
    """https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_UpdateNotebookInstanceLifecycleConfig.html."""
    _find_lifecycle_config(rooms, call, "update")
    return rooms.resources.update("NotebookInstanceLifecycleConfig", call)


def delete_lifecycle_config(rooms: Rooms, call: Call) -> Answer:
    """https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_DeleteNotebookInstanceLifecycleConfig.html."""
    _find_lifecycle_config(rooms, call, "delete")
    return rooms.resources.delete("NotebookInstanceLifecycleConfig", call)


def _find_lifecycle_config(rooms: Rooms, call: Call, verb: str) -> None:
    """The service says in the error for an absent one what it was asked to do with it."""
    try:
        rooms.resources.get("NotebookInstanceLifecycleConfig", call.scope, _name(call))
    except Validation as absent:
        raise Validation(absent.message.replace("Unable to describe", f"Unable to {verb}")) from None


def _name(call: Call) -> str:
    return str(call.params["NotebookInstanceLifecycleConfigName"])


def _check(rooms: Rooms, call: Call) -> None:
    """The role, and the repositories that are given by name instead of by URL."""
    params: dict[str, Any] = dict(call.params)
    if params.get("RoleArn"):
        rooms.roles(params["RoleArn"], call.scope)
    for repository in (params.get("DefaultCodeRepository"), *(params.get("AdditionalCodeRepositories") or ())):
        if repository and not repository.startswith("https://"):
            rooms.resources.get("CodeRepository", call.scope, repository)
