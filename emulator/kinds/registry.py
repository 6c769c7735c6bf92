"""The model registry: packages and their groups, cards, algorithms."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from emulator.kinds.kind import ASC, Kind, Listing, Missing, Taken

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
        defaults={"ModelPackageStatusDetails": NO_STATUSES, "CertifyForMarketplace": False},
    ),
    Kind(
        "ModelPackageGroup",
        missing=Missing("ValidationException", "ModelPackageGroup {arn} does not exist."),
        taken=Taken("ValidationException", "Model Package Group already exists: {arn}"),
        listing=Listing(sort=("CreationTime", ASC)),
    ),
    Kind(
        "ModelCard",
        missing=Missing("ResourceNotFound", "Modelcard {name} does not exist."),
        taken=Taken("ConflictException", "Modelcard {name} already exists"),
        defaults={"ModelCardVersion": 1},
        without={"Update": "an update makes a new version of the card, and versions are not kept"},
    ),
    Kind(
        "ModelCardExportJob",
        work=True,
        refers={"ModelCardName": "ModelCard"},
    ),
)
