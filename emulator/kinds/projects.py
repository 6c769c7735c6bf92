"""Projects: records of what a template would have set up. Service Catalog and CloudFormation provision nothing here."""

from __future__ import annotations

from emulator.kinds.kind import ASC, Kind, Listing, Missing, Move

DONE = ("CreateCompleted", "UpdateCompleted")
FAILED = ("CreateFailed", "UpdateFailed", "DeleteFailed")

KINDS = (
    Kind(
        "Project",
        moves={
            "Create": Move("CreateInProgress", "CreateCompleted", ("DeleteCompleted",)),
            "Update": Move("UpdateInProgress", "UpdateCompleted", (*DONE, "UpdateFailed")),
            "Delete": Move("DeleteInProgress", "DeleteCompleted", (*DONE, *FAILED)),
        },
        missing=Missing("ValidationException", "Project {name} does not exist."),
        listing=Listing(sort=("CreationTime", ASC)),
    ),
)
