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
        recipe="processing",
        missing=Missing("ValidationException", NO_JOB),
        taken=Taken("ResourceInUse", UNIQUE_JOB_NAME),
        listing=Listing(sort=("CreationTime", ASC)),
        defaults={
            "StoppingCondition": {"MaxRuntimeInSeconds": 86400},
            "ProcessingInputs[].AppManaged": False,
            "ProcessingInputs[].S3Input.S3InputMode": "File",
            "ProcessingInputs[].S3Input.S3DataDistributionType": "FullyReplicated",
            "ProcessingInputs[].S3Input.S3CompressionType": "None",
            "ProcessingOutputConfig.Outputs[].AppManaged": False,
        },
        why="waiters of the SDKs read them unguarded; the defaults are those of the API reference",
    ),
)
