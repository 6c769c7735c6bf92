"""Hyperparameter tuning and Autopilot."""

from __future__ import annotations

from emulator.kinds.kind import ASC, DESC, Kind, Listing, Missing

KINDS = (
    Kind(
        "HyperParameterTuningJob",
        work=True,
        missing=Missing("ResourceNotFound", "Amazon SageMaker can't find a tuning job with the name {name}."),
        listing=Listing(sort=("Name", ASC)),
        empty={"ListTrainingJobsForHyperParameterTuningJob": "HyperParameterTuningJobName"},
    ),
    Kind(
        "AutoMLJob",
        work=True,
        listing=Listing(sort=("Name", DESC)),
        empty={"ListCandidatesForAutoMLJob": "AutoMLJobName"},
    ),
    Kind("AutoMLJobV2", work=True, caseless=True),
)
