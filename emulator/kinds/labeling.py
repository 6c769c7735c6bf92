"""Ground Truth and Augmented AI: who labels, what they see; labeling itself is work."""

from __future__ import annotations

from emulator.kinds.kind import ASC, Kind, Listing, Missing, Occupied

KINDS = (
    Kind("LabelingJob", work=True, listing=Listing(sort=("CreationTime", ASC))),
    Kind(
        "FlowDefinition",
        defaults={"HumanLoopConfig.TaskTimeLimitInSeconds": 3600},
        why="API_HumanLoopConfig has the default",
    ),
    Kind("HumanTaskUi", refuses={"RenderUiTemplate": "nothing here renders a template as a worker would see it"}),
    Kind(
        "Workforce",
        missing=Missing("ValidationException", "No workforce found with name {name}."),
        occupied=Occupied(
            "ResourceInUse",
            "Unable to delete {kind} [{arn}] because {others}(s) are associated with it.",
            "API_DeleteWorkforce: with work teams it is a ResourceInUse error, which the model does not have",
        ),
    ),
    Kind(
        "Workteam",
        arn="workteam/private-crowd/{key}",
        missing=Missing("ValidationException", "The work team {name} does not exist."),
        refers={"WorkforceName": "Workforce"},
        parent="WorkforceName",
        listing=Listing(sort=("CreationTime", ASC)),
    ),
    Kind("SubscribedWorkteam", work=True, why="vendors sell them on a marketplace that is not here"),
)
