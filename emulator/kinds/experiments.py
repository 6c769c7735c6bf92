"""Experiments, trials, their components."""

from __future__ import annotations

from emulator.kinds.kind import Kind, Taken

EXISTS = Taken(
    "ValidationException",
    "{kind} names must be unique within an AWS account and region. {kind} with name ({name}) already exists.",
    "SDKs load the existing one when a ValidationException says `already exists`",
)

SHOWN_AS = ("DisplayName",)

KINDS = (
    Kind("Experiment", taken=EXISTS, named=SHOWN_AS, caseless=True),
    Kind(
        "Trial",
        taken=EXISTS,
        named=SHOWN_AS,
        caseless=True,
        parent="ExperimentName",
        refers={"ExperimentName": "Experiment"},
    ),
    Kind(
        "TrialComponent",
        taken=EXISTS,
        named=SHOWN_AS,
        caseless=True,
        merges=("Parameters", "InputArtifacts", "OutputArtifacts"),
    ),
)
