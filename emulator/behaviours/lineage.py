"""Lineage entities: artifacts, of which there is one for a source, contexts and actions."""

from __future__ import annotations

from typing import Any

from emulator.behaviours import lineage_groups
from emulator.behaviours.rooms import Rooms
from emulator.call import Answer, Call
from emulator.errors import CallerFault, Validation
from emulator.lineage.entities import artifact_key, kind_of, name_of
from emulator.resources.faults import fault
from emulator.store.records import Record


def create_entity(rooms: Rooms, call: Call) -> Answer:
    """CreateArtifact, CreateContext and CreateAction. There is one artifact for a source
    (https://docs.aws.amazon.com/sagemaker/latest/dg/lineage-tracking-entities.html).
    """
    noun, source = call.operation.removeprefix("Create"), call.params["Source"]["SourceUri"]
    given: dict[str, Any] = {"parent": source, "extra": {"LineageGroupArn": lineage_groups.group_arn(call.scope)}}
    if noun == "Artifact":
        given["key"] = artifact_key(source)
        if rooms.resources.find(noun, call.scope, given["key"]) is not None:
            raise Validation(
                "Artifact sources must be unique within an AWS account and region. "
                f"Artifact with source ({source}) already exists."
            )
    record = rooms.resources.create(noun, call, **given)
    lineage_groups.begin_group(rooms, record)
    return rooms.resources.answer("Create", record)


def delete_artifact(rooms: Rooms, call: Call) -> Answer:
    """https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_DeleteArtifact.html."""
    arn, source = call.params.get("ArtifactArn"), (call.params.get("Source") or {}).get("SourceUri")
    if not arn and not source:
        raise Validation("Either ArtifactArn or Source must be specified.")
    record = rooms.resources.get("Artifact", call.scope, arn or artifact_key(str(source)))
    rooms.resources.remove("Artifact", call.scope, record.key)
    return {"ArtifactArn": record.arn}


def entity(rooms: Rooms, call: Call, arn: str) -> Record:
    """The entity of an ARN; one of another account or region is as good as absent."""
    record = rooms.resources.by_arn(arn)
    if record is None or record.scope != call.scope:
        raise absent(rooms, arn)
    return record


def absent(rooms: Rooms, arn: str) -> CallerFault:
    """The error for an entity that is not there."""
    facts = rooms.resources.facts(kind_of(arn) or "Experiment")
    return fault(facts.missing, facts, name_of(arn), arn)
