"""Processing jobs."""

from __future__ import annotations

from emulator.kinds.kind import ASC, JOB, Kind, Listing, Missing, Taken

UNIQUE_JOB_NAME = (
    "Job name must be unique within an AWS account and region, and a job with this name already exists ({arn})"
)
NO_JOB = "Could not find requested job with name: {name}"

KINDS = (
    Kind(
        "ProcessingJob",
        lifecycle=JOB,
        work=True,
        missing=Missing("ValidationException", NO_JOB),
        taken=Taken("ResourceInUse", UNIQUE_JOB_NAME),
        listing=Listing(sort=("CreationTime", ASC)),
    ),
)
