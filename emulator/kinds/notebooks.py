"""Notebook instances, lifecycle configurations and code repositories. An instance has no URL: nothing serves it."""

from __future__ import annotations

from emulator.kinds.kind import ASC, Kind, Listing, Missing, Move, Taken, Unready

WRONG_STATUS = "Status ({status}) not in ([{since}]). Unable to transition to ({via}) for Notebook Instance ({arn})."
NO_LIFECYCLE_CONFIG = (
    "Unable to describe Notebook Instance Lifecycle Config '{arn}'. "
    "(Details: Notebook Instance Lifecycle Config does not exist.)"
)
SAME_LIFECYCLE_CONFIG = (
    "Unable to create Notebook Instance Lifecycle Config {arn}. "
    "(Details: Notebook Instance Lifecycle Config already exists.)"
)
UNSERVED = "a notebook instance is a record here, and no Jupyter server stands behind it"

KINDS = (
    Kind(
        "NotebookInstance",
        moves={
            "Update": Move("Updating", "Stopped", ("Stopped",)),
            "Delete": Move("Deleting", "", ("Stopped", "Failed")),
            "Stop": Move("Stopping", "Stopped", ("InService",)),
        },
        missing=Missing("ValidationException", "RecordNotFound"),
        taken=Taken("ValidationException", "Cannot create a duplicate Notebook Instance ({arn})"),
        unready=Unready("ValidationException", WRONG_STATUS),
        listing=Listing(
            sort=("Name", ASC),
            summary={"AdditionalCodeRepository": "AdditionalCodeRepositories"},
            why="API_ListNotebookInstances: the default of SortBy is Name",
        ),
        defaults={
            "DirectInternetAccess": "Enabled",
            "RootAccess": "Enabled",
            "VolumeSizeInGB": 5,
            "PlatformIdentifier": "notebook-al2023-v1",
            "IpAddressType": "ipv4",
        },
        renamed={
            "SecurityGroupIds": "SecurityGroups",
            "LifecycleConfigName": "NotebookInstanceLifecycleConfigName",
        },
        refers={"LifecycleConfigName": "NotebookInstanceLifecycleConfig"},
        refuses={"CreatePresignedNotebookInstanceUrl": UNSERVED},
        why="API_CreateNotebookInstance has the defaults",
    ),
    Kind(
        "NotebookInstanceLifecycleConfig",
        missing=Missing("ValidationException", NO_LIFECYCLE_CONFIG),
        taken=Taken("ValidationException", SAME_LIFECYCLE_CONFIG),
    ),
    Kind(
        "CodeRepository",
        missing=Missing("ValidationException", "Cannot find CodeRepository: {arn}"),
        listing=Listing(sort=("Name", ASC)),
        merges=("GitConfig",),
    ),
)
