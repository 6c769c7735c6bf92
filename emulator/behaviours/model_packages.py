"""Model packages: named ones, and the versions of a group; what their operations check beyond the model."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from emulator import spec
from emulator.behaviours import algorithm_checks, card_contents, packages
from emulator.behaviours.rooms import Rooms
from emulator.call import Answer, Call
from emulator.errors import CallerFault, Conflict, NotBuilt, Validation
from emulator.resources import making
from emulator.resources.listing import Only
from emulator.store.records import Record

PENDING = "PendingManualApproval"
SPECIFICATIONS = 15
"""https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_UpdateModelPackage.html."""
METADATA = 50


def create_model_package(rooms: Rooms, call: Call) -> Answer:
    """https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_CreateModelPackage.html."""
    params = call.params
    name, group = params.get("ModelPackageName"), params.get("ModelPackageGroupName")
    if name and group:
        raise Validation(
            "Both ModelPackageName and ModelPackageGroupName are provided in the input. "
            "Cannot determine which one to use."
        )
    if not name and not group:
        raise Validation("Missing ARN.")
    check_validation(params, "SkipModelValidation")
    _check_containers(params, versioned=bool(group))
    given = {name: value for name, value in packages.sourced(rooms, call.scope, params).items() if not params.get(name)}
    call = replace(call, params={**params, **given})
    if not group:
        return {"ModelPackageArn": rooms.resources.create("ModelPackage", call).arn}
    return {"ModelPackageArn": _create_version(rooms, call, group).arn}


def _create_version(rooms: Rooms, call: Call, group: str) -> Record:
    try:
        there = rooms.resources.get("ModelPackageGroup", call.scope, group)
    except Validation:
        raise Validation("Model Package Group does not exist.") from None
    if there.status == "Deleting":
        raise Conflict(f"Model Package Group {there.arn} is being deleted.")
    if call.params.get("Tags"):
        raise Validation(
            "Tags cannot be given for a model package of a group: it has the tags of its group. Leave Tags away."
        )
    extra = {"ModelApprovalStatus": call.params.get("ModelApprovalStatus") or PENDING}
    return rooms.resources.create("ModelPackage", call, version_of=there.key, status="Completed", extra=extra)


def describe_model_package(rooms: Rooms, call: Call) -> Answer:
    """https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_DescribeModelPackage.html."""
    body = rooms.resources.describe("ModelPackage", call)
    card = body.get("ModelCard") or {}
    if call.params.get("IncludedData") == "MetadataOnly" and card.get("ModelCardContent"):
        body["ModelCard"] = {**card, "ModelCardContent": card_contents.metadata(card["ModelCardContent"])}
    return body


def update_model_package(rooms: Rooms, call: Call) -> Answer:
    """https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_UpdateModelPackage.html."""
    facts = rooms.resources.facts("ModelPackage")
    _check_containers(call.params, versioned=True)

    def edit(package: Record) -> Record:
        edited = making.edited(facts, package, call)
        card_contents.check_change(package.body.get("ModelCard") or {}, call.params.get("ModelCard") or {})
        _check_sizes(edited.body)
        return edited

    arn = call.params["ModelPackageArn"]
    return {"ModelPackageArn": rooms.resources.move("ModelPackage", call.scope, arn, "Update", edit).arn}


def list_model_packages(rooms: Rooms, call: Call) -> Answer:
    """https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_ListModelPackages.html."""
    params = dict(call.params)
    wanted = params.pop("ModelPackageType", None) or ("Both" if params.get("ModelPackageGroupName") else "Unversioned")
    part = params.pop("NameContains", "")

    def test(package: Record) -> bool:
        """A version goes by the name of its group."""
        versioned = "Versioned" if package.parent else "Unversioned"
        return wanted in ("Both", versioned) and part in (package.parent or package.key)

    return rooms.resources.list("ModelPackage", replace(call, params=params), Only(f"{wanted} {part}", test))


def batch_describe(rooms: Rooms, call: Call) -> Answer:
    """https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_BatchDescribeModelPackage.html."""
    output = spec.load("sagemaker").operation_model("BatchDescribeModelPackage").output_shape
    members = output.members["ModelPackageSummaries"].value.members
    found: dict[str, Any] = {}
    errors: dict[str, Any] = {}
    for arn in call.params["ModelPackageArnList"]:
        try:
            body = rooms.resources.get("ModelPackage", call.scope, arn).body
            found[arn] = {name: body[name] for name in members if name in body}
        except CallerFault as fault:
            errors[arn] = {"ErrorCode": fault.code, "ErrorResponse": fault.message}
    return {"ModelPackageSummaries": found, "BatchDescribeModelPackageErrorMap": errors}


def create_algorithm(rooms: Rooms, call: Call) -> Answer:
    """https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_CreateAlgorithm.html."""
    check_validation(call.params, "")
    algorithm_checks.sound(call.params["TrainingSpecification"])
    return {"AlgorithmArn": rooms.resources.create("Algorithm", call).arn}


def check_validation(params: Mapping[str, Any], skip: str) -> None:
    """Validating means to run training and transform jobs: nothing may look as if that had been done."""
    if params.get("ValidationSpecification") and params.get(skip) != "All":
        remedy = f" or set {skip} to All" if skip else ""
        raise NotBuilt(f"Validation is not built: leave ValidationSpecification away{remedy}. Nothing was created.")


def _check_containers(params: Mapping[str, Any], versioned: bool) -> None:
    containers = (params.get("InferenceSpecification") or {}).get("Containers") or ()
    if any(container.get("AdditionalS3DataSource") for container in containers):
        raise Validation("AdditionalS3DataSource is not allowed in InferenceSpecification")
    if not versioned and any(container.get("Environment") for container in containers):
        raise Validation(
            "1 validation errors detected:Environment variable map cannot be specified when using "
            "non-versioned ModelPackages"
        )
    card_contents.check((params.get("ModelCard") or {}).get("ModelCardContent"), card_contents.PACKAGE)


def _check_sizes(body: Mapping[str, Any]) -> None:
    names = [additional["Name"] for additional in body.get("AdditionalInferenceSpecifications") or ()]
    if len(names) > SPECIFICATIONS:
        raise Validation(f"A model package can have at most {SPECIFICATIONS} additional inference specifications.")
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise Validation(f"The additional inference specification {twice[0]} is there already. Give it another name.")
    if len(body.get("CustomerMetadataProperties") or ()) > METADATA:
        raise Validation(f"A model package can have at most {METADATA} customer metadata properties.")
