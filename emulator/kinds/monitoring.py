"""Model Monitor: job definitions are records, schedules are work."""

from __future__ import annotations

from emulator.kinds.kind import Kind, Listing

SUMMARY = Listing(
    summary={
        "MonitoringJobDefinitionName": "JobDefinitionName",
        "MonitoringJobDefinitionArn": "JobDefinitionArn",
    }
)

INPUTS_HAVE_DEFAULTS = "API_EndpointInput and API_BatchTransformInput have the defaults of how an input is read"

KINDS = (
    Kind(
        "DataQualityJobDefinition",
        listing=SUMMARY,
        defaults={
            "DataQualityJobInput.EndpointInput.S3InputMode": "File",
            "DataQualityJobInput.EndpointInput.S3DataDistributionType": "FullyReplicated",
            "DataQualityJobInput.BatchTransformInput.S3InputMode": "File",
            "DataQualityJobInput.BatchTransformInput.S3DataDistributionType": "FullyReplicated",
        },
        why=INPUTS_HAVE_DEFAULTS,
    ),
    Kind(
        "ModelQualityJobDefinition",
        listing=SUMMARY,
        defaults={
            "ModelQualityJobInput.EndpointInput.S3InputMode": "File",
            "ModelQualityJobInput.EndpointInput.S3DataDistributionType": "FullyReplicated",
            "ModelQualityJobInput.BatchTransformInput.S3InputMode": "File",
            "ModelQualityJobInput.BatchTransformInput.S3DataDistributionType": "FullyReplicated",
        },
        why=INPUTS_HAVE_DEFAULTS,
    ),
    Kind(
        "ModelBiasJobDefinition",
        listing=SUMMARY,
        defaults={
            "ModelBiasJobInput.EndpointInput.S3InputMode": "File",
            "ModelBiasJobInput.EndpointInput.S3DataDistributionType": "FullyReplicated",
            "ModelBiasJobInput.BatchTransformInput.S3InputMode": "File",
            "ModelBiasJobInput.BatchTransformInput.S3DataDistributionType": "FullyReplicated",
        },
        why=INPUTS_HAVE_DEFAULTS,
    ),
    Kind(
        "ModelExplainabilityJobDefinition",
        listing=SUMMARY,
        defaults={
            "ModelExplainabilityJobInput.EndpointInput.S3InputMode": "File",
            "ModelExplainabilityJobInput.EndpointInput.S3DataDistributionType": "FullyReplicated",
            "ModelExplainabilityJobInput.BatchTransformInput.S3InputMode": "File",
            "ModelExplainabilityJobInput.BatchTransformInput.S3DataDistributionType": "FullyReplicated",
        },
        why=INPUTS_HAVE_DEFAULTS,
    ),
    Kind("MonitoringSchedule", work=True),
)
