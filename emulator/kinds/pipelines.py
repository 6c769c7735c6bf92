"""Pipelines. A pipeline is a record; its executions are work."""

from __future__ import annotations

from emulator.kinds.kind import Kind, Listing, Missing, Taken, Versions

SAME_PIPELINE = (
    "Pipeline names must be unique within an AWS account and region. Pipeline with name ({name}) already exists."
)

KINDS = (
    Kind(
        "Pipeline",
        taken=Taken("ValidationException", SAME_PIPELINE),
        named=("PipelineDisplayName",),
        listing=Listing(same={"ManagedBy": "CUSTOMER"}, why="none of the pipelines here is one that AWS manages"),
    ),
    Kind(
        "PipelineVersion",
        versions=Versions(
            of="Pipeline", number="PipelineVersionId", alias="PipelineVersionAlias", aliases="PipelineVersionAliases"
        ),
        missing=Missing("ResourceNotFound", "Version {name} of pipeline '{parent}' does not exist."),
        listing=Listing(summary={"PipelineVersionId": "listed.PipelineVersionId", "CreationTime": "created"}),
        why="a version was created when it was made, which is later than the pipeline was (API_PipelineVersionSummary)",
    ),
    Kind(
        "PipelineExecution",
        work=True,
        missing=Missing("ResourceNotFound", "PipelineExecution '{arn}' does not exist"),
        refers={"PipelineName": "Pipeline"},
        refuses=dict.fromkeys(
            ("DescribePipelineDefinitionForExecution", "RetryPipelineExecution"), "no pipeline is executed here"
        ),
        empty=dict.fromkeys(
            ("ListPipelineExecutionSteps", "ListPipelineParametersForExecution"), "PipelineExecutionArn"
        ),
        why="clients look for a message that ends without a full stop",
    ),
)
