"""Experiments, trials, their components."""

from __future__ import annotations

from emulator.kinds.kind import Kind, Taken

EXISTS = Taken(
    "ValidationException",
    "{kind} {name} already exists ({arn})",
    "SDKs load the existing one when a ValidationException says `already exists`",
)

KINDS = (
    Kind("Experiment", taken=EXISTS),
    Kind("Trial", taken=EXISTS, parent="ExperimentName", refers={"ExperimentName": "Experiment"}),
    Kind("TrialComponent", taken=EXISTS, merges=("Parameters", "InputArtifacts", "OutputArtifacts")),
)
