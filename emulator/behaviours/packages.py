"""What is in a model package: where its containers come from when it is made, and what a model of it runs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from emulator.behaviours.rooms import Rooms
from emulator.call import Scope
from emulator.errors import NotBuilt, Validation
from emulator.hosts.models import containers_of
from emulator.store.records import Record

CLONED = (
    "ModelPackageDescription",
    "InferenceSpecification",
    "AdditionalInferenceSpecifications",
    "SourceAlgorithmSpecification",
    "ModelMetrics",
    "DriftCheckBaselines",
    "MetadataProperties",
    "CustomerMetadataProperties",
    "Domain",
    "Task",
    "SamplePayloadUrl",
    "ModelCard",
)
"""What a clone has of its original where its own request says nothing."""

CARRIED = ("ContainerHostname", "Image", "ModelDataUrl", "ModelDataSource", "AdditionalModelDataSources", "Environment")
"""What the definitions of a model's container and of a package's have in common."""


def sourced(rooms: Rooms, scope: Scope, params: Mapping[str, Any]) -> dict[str, Any]:
    """What a package has from its source: a model, another package, an algorithm. All others are only remembered."""
    uri = str(params.get("SourceUri") or "")
    if params.get("SourceAlgorithmSpecification"):
        return {"InferenceSpecification": _of_algorithm(rooms, scope, params["SourceAlgorithmSpecification"])}
    if uri.startswith("arn:") and ":model/" in uri:
        model = rooms.resources.get("Model", scope, uri)
        carried = [{name: part[name] for name in CARRIED if part.get(name)} for part in containers_of(model)]
        return {"InferenceSpecification": {"Containers": carried}}
    if uri.startswith("arn:") and ":model-package/" in uri:
        original = rooms.resources.get("ModelPackage", scope, uri).body
        return {name: original[name] for name in CLONED if original.get(name)}
    return {}


def _of_algorithm(rooms: Rooms, scope: Scope, source: Mapping[str, Any]) -> dict[str, Any]:
    """The algorithm's inference specification, with the artifacts of the model that it has trained."""
    given = source["SourceAlgorithms"][0]
    algorithm = rooms.resources.get("Algorithm", scope, given["AlgorithmName"])
    specification = algorithm.body.get("InferenceSpecification")
    if not specification:
        raise Validation(f"Algorithm {algorithm.arn} has no InferenceSpecification, so no model can be made from it.")
    artifacts = {name: given[name] for name in ("ModelDataUrl", "ModelDataSource") if given.get(name)}
    containers = [{**container, **artifacts} for container in specification["Containers"]]
    return {**specification, "Containers": containers}


def unpacked(rooms: Rooms, scope: Scope, container: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The containers that a container of a CreateModel request stands for: itself, or those of its package."""
    if not container.get("ModelPackageName"):
        return [dict(container)]
    own = [name for name in ("Image", "ModelDataUrl", "ModelDataSource") if container.get(name)]
    if own:
        raise Validation(f"ModelPackageName and {own[0]} cannot both be given for a container: give one of them.")
    package = rooms.resources.get("ModelPackage", scope, container["ModelPackageName"])
    _check_deployable(package)
    parts = _specification(package, container.get("InferenceSpecificationName", ""))["Containers"]
    more = {str(k): str(v) for k, v in (container.get("Environment") or {}).items()}
    return [_part(package, part, more) for part in parts]


def _check_deployable(package: Record) -> None:
    body = package.body
    if package.status != "Completed":
        raise Validation(
            f"Model package {package.arn} is {package.status}; a model can be made of a Completed one only."
        )
    approval = body.get("ModelApprovalStatus")
    if "ModelPackageVersion" in body and approval != "Approved":
        raise Validation(
            f"Model package {package.arn} is not approved: its ModelApprovalStatus is {approval}, and must be Approved."
        )


def _specification(package: Record, name: str) -> Mapping[str, Any]:
    body = package.body
    if not name and body.get("InferenceSpecification"):
        specification: Mapping[str, Any] = body["InferenceSpecification"]
        return specification
    for additional in body.get("AdditionalInferenceSpecifications") or () if name else ():
        if additional["Name"] == name:
            found: Mapping[str, Any] = additional
            return found
    wanted = f"inference specification named {name}" if name else "InferenceSpecification"
    raise Validation(f"Model package {package.arn} has no {wanted}.")


def _part(package: Record, part: Mapping[str, Any], more: Mapping[str, str]) -> dict[str, Any]:
    if part.get("ProductId") and not part.get("Image"):
        raise NotBuilt(
            f"Model package {package.arn} is a product of AWS Marketplace, and there are none of those here."
        )
    return {**part, "Environment": {**(part.get("Environment") or {}), **more}}
