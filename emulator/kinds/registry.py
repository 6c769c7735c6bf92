"""The model registry: packages and their groups, cards, algorithms."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from emulator.kinds.kind import ASC, Kind, Listing, Missing, Move, Occupied, Taken, Versions

NO_STATUSES: Mapping[str, Any] = {"ValidationStatuses": []}

KINDS = (
    Kind(
        "Algorithm",
        missing=Missing("ValidationException", "Algorithm {arn} does not exist."),
        listing=Listing(sort=("CreationTime", ASC)),
        defaults={"AlgorithmStatusDetails": NO_STATUSES},
    ),
    Kind(
        "ModelPackage",
        missing=Missing("ValidationException", "ModelPackage {arn} does not exist."),
        taken=Taken("ValidationException", "ModelPackage already exists: {arn}"),
        defaults={
            "ModelPackageStatusDetails": {"ValidationStatuses": [], "ImageScanStatuses": []},
            "CertifyForMarketplace": False,
        },
        moves={"Delete": Move()},
        versions=Versions(of="ModelPackageGroup", number="ModelPackageVersion"),
        refers={"ModelPackageGroupName": "ModelPackageGroup"},
        parent="ModelPackageGroupName",
        merges=("CustomerMetadataProperties",),
        refuses={"ListModelMetadata": "it lists models of public zoos that AWS has measured, and none are here"},
        why="the developer guide shows empty lists of statuses; a group can be deleted as soon as its versions are",
    ),
    Kind(
        "ModelPackageGroup",
        missing=Missing("ValidationException", "ModelPackageGroup {arn} does not exist."),
        taken=Taken("ValidationException", "Model Package Group already exists: {arn}"),
        occupied=Occupied(
            "ConflictException", "Model Package Group cannot be deleted, because it still contains Model Packages."
        ),
        listing=Listing(sort=("CreationTime", ASC), same={"CrossAccountFilterOption": "SameAccount"}),
        moves={"Create": Move(to="Completed")},
        why="no account shares its groups with another one here; a group is Completed at once",
    ),
    Kind(
        "ModelCard",
        missing=Missing("ResourceNotFound", "Modelcard {name} does not exist."),
        taken=Taken("ConflictException", "Modelcard {name} already exists"),
        defaults={"ModelCardVersion": 1},
        listing=Listing(sort=("CreationTime", ASC)),
    ),
    Kind(
        "ModelCardVersion",
        missing=Missing("ResourceNotFound", "Modelcard with name {parent} and version: {name} does not exist"),
        versions=Versions(of="ModelCard", number="ModelCardVersion"),
        listing=Listing(sort=("Version", ASC), summary={"CreationTime": "created"}),
        why="a version was created when it was made, which is later than the card was (API_ModelCardVersionSummary)",
    ),
    Kind(
        "ModelCardExportJob",
        refers={"ModelCardName": "ModelCard"},
        parent="ModelCardName",
        bound=True,
        why="a card is deleted with its export jobs: ExportJobsDeleted is a step of that (API_DescribeModelCard)",
    ),
)
