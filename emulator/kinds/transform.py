"""Batch transform jobs."""

from __future__ import annotations

from emulator.kinds.kind import JOB, Kind, Missing, Taken
from emulator.kinds.processing import NO_JOB, UNIQUE_JOB_NAME

KINDS = (
    Kind(
        "TransformJob",
        lifecycle=JOB,
        recipe="transform",
        missing=Missing("ValidationException", NO_JOB),
        taken=Taken("ResourceInUse", UNIQUE_JOB_NAME),
        defaults={
            "TransformInput.CompressionType": "None",
            "TransformInput.SplitType": "None",
            "TransformOutput.AssembleWith": "None",
            "TransformOutput.KmsKeyId": "",
        },
    ),
)
