"""Notebook instances, their lifecycle configurations, and code repositories."""

from __future__ import annotations

from emulator.kinds.kind import ASC, Kind, Listing, Missing, Taken

KINDS = (
    Kind(
        "NotebookInstance",
        work=True,
        missing=Missing("ValidationException", "RecordNotFound"),
        taken=Taken("ValidationException", "Cannot create a duplicate Notebook Instance ({arn})"),
    ),
    Kind("NotebookInstanceLifecycleConfig"),
    Kind(
        "CodeRepository",
        missing=Missing("ValidationException", "Cannot find CodeRepository: {arn}"),
        listing=Listing(sort=("Name", ASC)),
    ),
)
