"""Ground Truth and Augmented AI: who labels, what they see; labeling itself is work."""

from __future__ import annotations

from emulator.kinds.kind import ASC, Kind, Listing, Missing

KINDS = (
    Kind("LabelingJob", work=True, listing=Listing(sort=("CreationTime", ASC))),
    Kind(
        "FlowDefinition",
        defaults={"HumanLoopConfig.TaskTimeLimitInSeconds": 3600},
        why="API_HumanLoopConfig has the default",
    ),
    Kind("HumanTaskUi"),
    Kind("Workforce", missing=Missing("ValidationException", "No workforce found with name {name}.")),
    Kind(
        "Workteam",
        arn="workteam/private-crowd/{key}",
        missing=Missing("ValidationException", "The work team {name} does not exist."),
        refers={"WorkforceName": "Workforce"},
        listing=Listing(sort=("CreationTime", ASC)),
    ),
    Kind("SubscribedWorkteam", work=True),
)
