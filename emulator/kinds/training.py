"""Training jobs, and what else trains."""

from __future__ import annotations

from emulator.kinds.kind import ASC, JOB, Kind, Listing, Missing, Move, Taken

PAGES_BEFORE_FILTERING = (
    "API_ListTrainingJobs: when StatusEquals and MaxResults are set at the same time, the MaxResults jobs are first "
    "retrieved ignoring StatusEquals, from the most current to the oldest, and then filtered by it"
)

TRAINING_JOB = Kind(
    "TrainingJob",
    lifecycle=JOB,
    recipe="training",
    missing=Missing("ValidationException", "Requested resource not found.", "SDKs compare the whole message"),
    taken=Taken(
        "ResourceInUse",
        "Training job names must be unique within an AWS account and region, "
        "and a training job with this name already exists ({arn})",
    ),
    listing=Listing(sort=("CreationTime", ASC), page_first=("StatusEquals",), why=PAGES_BEFORE_FILTERING),
    defaults={
        "OutputDataConfig.KmsKeyId": "",
        "OutputDataConfig.CompressionType": "GZIP",
        "InputDataConfig[].CompressionType": "None",
        "InputDataConfig[].RecordWrapperType": "None",
        "EnableNetworkIsolation": False,
        "EnableManagedSpotTraining": False,
        "EnableInterContainerTrafficEncryption": False,
    },
    why="Estimator.attach reads OutputDataConfig.KmsKeyId unguarded",
)

RESERVED = Move("Pending", "Scheduled")
"""Whether a reservation has begun or is over follows from the time (`behaviours.training_plans`)."""

KINDS = (
    TRAINING_JOB,
    Kind(
        "TrainingPlan",
        moves={"Create": RESERVED},
        unshown={
            "TrainingPlanOfferingId": "what it offered is in the plan",
            "SpareInstanceCountPerUltraServer": "only plans of UltraServers have spare instances, and none are offered",
        },
    ),
    Kind(
        "ReservedCapacity",
        moves={"Create": RESERVED},
        empty={"ListUltraServersByReservedCapacity": "ReservedCapacityArn"},
    ),
    Kind("TrainingSession", work=True),
    Kind("Job", work=True, listing=Listing(page=50)),
)
