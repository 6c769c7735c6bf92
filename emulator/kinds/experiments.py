"""Experiments, trials, their components."""

from __future__ import annotations

from emulator.kinds.kind import Kind, Occupied, Taken
from emulator.kinds.relations import IN_EXPERIMENT, IN_TRIAL

EXISTS = Taken(
    "ValidationException",
    "{kind} names must be unique within an AWS account and region. {kind} with name ({name}) already exists.",
    "SDKs load the existing one when a ValidationException says `already exists`",
)

SHOWN_AS = ("DisplayName",)


def _linked_to(others: str) -> Occupied:
    """As the service says of components; of trials and experiments only the rule is known (API_DeleteTrial)."""
    return Occupied(
        "ValidationException", f"{{kind}} '{{arn}}' is linked to 1 or more {others} and cannot be deleted.", SEEN
    )


SEEN = "https://github.com/aws/sagemaker-python-sdk/pull/1515"

KINDS = (
    Kind("Experiment", taken=EXISTS, occupied=_linked_to("trials"), named=SHOWN_AS, caseless=True),
    Kind(
        "Trial",
        taken=EXISTS,
        occupied=_linked_to("trial components"),
        named=SHOWN_AS,
        caseless=True,
        parent="ExperimentName",
        refers={"ExperimentName": "Experiment", "TrialComponentName": "TrialComponent"},
        linked={"TrialComponentName": (IN_TRIAL, "source")},
        tied=(IN_TRIAL,),
    ),
    Kind(
        "TrialComponent",
        taken=EXISTS,
        occupied=_linked_to("trials"),
        named=SHOWN_AS,
        caseless=True,
        parent="SourceArn",
        refers={"TrialName": "Trial", "ExperimentName": "Experiment"},
        linked={"TrialName": (IN_TRIAL, "destination"), "ExperimentName": (IN_EXPERIMENT, "destination")},
        tied=(IN_TRIAL,),
        defaults={"Parameters": {}, "InputArtifacts": {}, "OutputArtifacts": {}, "Metrics": [], "Sources": []},
        merges=("Parameters", "InputArtifacts", "OutputArtifacts"),
        why="answers that users have published have them empty; they are found by their source's ARN in small letters",
    ),
)
