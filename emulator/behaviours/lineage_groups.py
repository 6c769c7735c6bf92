"""The lineage group of an account in a region: there is one, from its first lineage entity on.

https://docs.aws.amazon.com/sagemaker/latest/dg/xaccount-lineage-tracking.html
"""

from __future__ import annotations

from emulator import arns
from emulator.behaviours.rooms import Rooms
from emulator.call import Answer, Call, Scope
from emulator.errors import NotFound
from emulator.store.records import Record, Transaction

KIND = "LineageGroup"
NAME = "sagemaker-default-lineage-group"


def group_arn(scope: Scope) -> str:
    """The ARN of the default group."""
    return arns.build(scope, f"lineage-group/{NAME}")


def ensure_group(rooms: Rooms, transaction: Transaction, scope: Scope, at: float) -> None:
    """The default group, unless it is there."""
    if transaction.get(KIND, scope, NAME) is None:
        call = Call("sagemaker", "CreateLineageGroup", {"LineageGroupName": NAME}, scope)
        transaction.insert(rooms.resources.draft(KIND, call, at, key=NAME))


def begin_group(rooms: Rooms, entity: Record) -> None:
    """The default group of a lineage entity that was just created, unless it is there."""
    if rooms.resources.find(KIND, entity.scope, NAME) is None:
        rooms.resources.together(lambda transaction: ensure_group(rooms, transaction, entity.scope, entity.created))


def get_lineage_group_policy(rooms: Rooms, call: Call) -> Answer:
    """https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_GetLineageGroupPolicy.html.

    A policy comes about when a group is shared with another account by Resource Access Manager, which is not here.
    """
    record: Record = rooms.resources.get(KIND, call.scope, call.params["LineageGroupName"])
    raise NotFound(f"Cannot find resource policy for: {record.arn}")
