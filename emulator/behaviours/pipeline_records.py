"""Pipelines as records: definitions that are JSON, each other one a new version, and aliases. Nothing executes them."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from emulator.behaviours.rooms import Rooms
from emulator.call import Answer, Call
from emulator.errors import CallerFault, Validation
from emulator.kinds.facts import Facts
from emulator.resources import making, versions
from emulator.storage import uri
from emulator.store.records import Record

HEAD, COPIES = "Pipeline", "PipelineVersion"
DEFINITION, LOCATION, ALIASES = "PipelineDefinition", "PipelineDefinitionS3Location", "PipelineVersionAliases"
OF_A_VERSION = ("PipelineVersionDisplayName", "PipelineVersionDescription")
"""What is said of one version, and not of the next."""
MOST_BYTES = 1 << 20
MOST_ALIASES = 10
"""https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_CreatePipeline.html."""


def create_pipeline(rooms: Rooms, call: Call) -> Answer:
    """https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_CreatePipeline.html."""
    aliases = call.params.get(ALIASES) or ()
    _check_aliases(aliases)
    rooms.roles(call.params["RoleArn"], call.scope)
    given = _defined(rooms, call)
    if DEFINITION not in given.params:
        raise Validation("Either Pipeline Definition or Pipeline Definition S3 location should be provided")
    hidden = {versions.COUNT: 1, versions.ALIASES: dict.fromkeys(aliases, 1)}
    return {"PipelineArn": rooms.resources.create(HEAD, given, hidden=hidden).arn}


def update_pipeline(rooms: Rooms, call: Call) -> Answer:
    """https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_UpdatePipeline.html.

    Another definition is a new version; "you can specify aliases only when the update changes the pipeline definition".
    What else is changed is changed of the latest version.
    """
    facts, copies = rooms.resources.facts(HEAD), rooms.resources.facts(COPIES)
    aliases = call.params.get(ALIASES) or ()
    _check_aliases(aliases)
    if call.params.get("RoleArn"):
        rooms.roles(call.params["RoleArn"], call.scope)
    given = _defined(rooms, call)
    plain = replace(given, params={name: value for name, value in given.params.items() if name != ALIASES})

    def edit(pipeline: Record) -> Record:
        edited = making.edited(facts, pipeline, plain)
        if edited.body[DEFINITION] != pipeline.body[DEFINITION]:
            body = {name: value for name, value in edited.body.items() if name not in OF_A_VERSION}
            return _named(copies, versions.following(copies, edited, body), aliases)
        if aliases:
            raise Validation(
                f"{ALIASES} are those of a new version, and the definition is as it was. "
                "Change the aliases of a version that is there by UpdatePipelineVersion."
            )
        return edited

    key = rooms.resources.get(HEAD, call.scope, call.params["PipelineName"]).key
    pipeline = rooms.resources.move(HEAD, call.scope, key, "Update", edit)
    return {"PipelineArn": pipeline.arn, "PipelineVersionId": versions.number_of(copies, pipeline)}


def describe_pipeline(rooms: Rooms, call: Call) -> Answer:
    """https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_DescribePipeline.html."""
    if call.params.get("PipelineVersionId") is not None and call.params.get("PipelineVersionAlias"):
        raise Validation("Give PipelineVersionId or PipelineVersionAlias, not both.")
    return rooms.resources.describe(HEAD, call)


def update_pipeline_version(rooms: Rooms, call: Call) -> Answer:
    """https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_UpdatePipelineVersion.html."""
    copies, params, number = rooms.resources.facts(COPIES), call.params, call.params["PipelineVersionId"]
    named = replace(call, params={"PipelineName": params["PipelineArn"], "PipelineVersionId": number})
    version = rooms.resources.named(HEAD, named)
    operations = params.get("PipelineVersionAliasOperations") or {}
    add, remove = operations.get("Add") or (), operations.get("Remove") or ()
    _check_aliases(add)

    def shown(record: Record, aliases: list[str]) -> Record:
        """The pipeline or the copy, as this version is now."""
        body = {**record.body, **{name: params[name] for name in OF_A_VERSION if name in params}}
        return replace(record, body={**{name: body[name] for name in body if name != ALIASES}, **_told(aliases)})

    def edit(pipeline: Record) -> Record:
        edited = versions.renamed(copies, pipeline, number, add, remove)
        aliases = versions.of_number(edited, number)
        _check_aliases(aliases)
        return shown(edited, aliases) if versions.number_of(copies, pipeline) == number else edited

    pipeline = rooms.resources.move(HEAD, call.scope, version.parent, "Update", edit)
    if versions.number_of(copies, pipeline) != number:
        aliases = versions.of_number(pipeline, number)
        rooms.resources.change(COPIES, call.scope, version.key, lambda copy: shown(copy, aliases))
    return {"PipelineArn": pipeline.arn, "PipelineVersionId": number}


def number_of(rooms: Rooms, version: Record) -> Any:
    """The number of a version, which Describe does not show but a search does."""
    return version.hidden[versions.LISTED]["PipelineVersionId"]


def created(rooms: Rooms, version: Record) -> float:
    """When a version was made; Describe shows when the pipeline was."""
    return version.created


# --- aliases ----------------------------------------------------------------------------------------------------------


def _named(copies: Facts, pipeline: Record, aliases: Iterable[str]) -> Record:
    """A pipeline whose new version has aliases."""
    number = versions.number_of(copies, pipeline)
    named = versions.renamed(copies, pipeline, number, aliases, ())
    return replace(named, body={**named.body, **_told(versions.of_number(named, number))})


def _told(aliases: list[str]) -> dict[str, Any]:
    return {ALIASES: aliases} if aliases else {}


def _check_aliases(aliases: Iterable[str]) -> None:
    """An alias "can't consist of numbers only", and "a version can have up to 10 aliases" (API_CreatePipeline)."""
    found = list(dict.fromkeys(aliases))
    numbers = [alias for alias in found if alias.isdigit()]
    if numbers:
        raise Validation(f"The alias {numbers[0]} consists of numbers only. Give it a letter.")
    if len(found) > MOST_ALIASES:
        raise Validation(f"A pipeline version can have up to {MOST_ALIASES} aliases; these are {len(found)}.")


# --- definitions ------------------------------------------------------------------------------------------------------


def _defined(rooms: Rooms, call: Call) -> Call:
    """A request with its definition, wherever that is; what a definition may say is checked by nobody here."""
    location = call.params.get(LOCATION)
    text = call.params.get(DEFINITION)
    if location and text is not None:
        raise Validation("Both Pipeline Definition and Pipeline Definition S3 Location shouldn't be present")
    if location:
        text = _read(rooms, call, location)
    if text is None:
        return call
    _check(text)
    rest = {name: value for name, value in call.params.items() if name != LOCATION}
    return replace(call, params={**rest, DEFINITION: text})


def _check(text: str) -> None:
    try:
        definition = json.loads(text)
    except ValueError as error:
        raise Validation(f"Unable to parse pipeline definition. {error}.") from None
    if not isinstance(definition, dict):
        raise Validation("Unable to parse pipeline definition. Expecting start of Json Object.")


def _read(rooms: Rooms, call: Call, location: Mapping[str, str]) -> str:
    """The definition that is in S3, in the version of the object that the location names."""
    where = uri.build(location["Bucket"], location["ObjectKey"])
    version = {"VersionId": location["VersionId"]} if location.get("VersionId") else {}
    params = {"Bucket": location["Bucket"], "Key": location["ObjectKey"], **version}
    try:
        size = rooms.dispatch(Call("s3", "HeadObject", params, call.scope))["ContentLength"]
        if size > MOST_BYTES:
            raise Validation(f"The pipeline definition {where} has {size} bytes, of at most {MOST_BYTES}.")
        body = rooms.dispatch(Call("s3", "GetObject", params, call.scope))["Body"]
        return (body if isinstance(body, bytes) else b"".join(body)).decode()
    except UnicodeDecodeError:
        raise Validation(f"Unable to parse pipeline definition. {where} is no text in UTF-8.") from None
    except Validation:
        raise
    except CallerFault as fault:
        raise Validation(f"The pipeline definition {where} cannot be read: {fault.message or fault.code}") from None
