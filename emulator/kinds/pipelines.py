"""Pipelines. A pipeline is a record; its executions are work."""

from __future__ import annotations

from emulator.kinds.kind import Kind, Taken

SAME_PIPELINE = (
    "Pipeline names must be unique within an AWS account and region. Pipeline with name ({name}) already exists."
)

KINDS = (
    Kind("Pipeline", taken=Taken("ValidationException", SAME_PIPELINE)),
    Kind("PipelineExecution", work=True, refers={"PipelineName": "Pipeline"}),
)
