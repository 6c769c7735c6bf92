"""Model Monitor: definitions of jobs, and the schedules that name them. No schedule is executed yet."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from emulator.kinds.kind import Kind, Listing, Move, Unready

SUMMARY = Listing(
    summary={
        "MonitoringJobDefinitionName": "JobDefinitionName",
        "MonitoringJobDefinitionArn": "JobDefinitionArn",
    }
)
READ = {"S3InputMode": "File", "S3DataDistributionType": "FullyReplicated"}
LIMIT = {"MaxRuntimeInSeconds": 3600}
INLINE = "MonitoringScheduleConfig.MonitoringJobDefinition"

SEEN = (
    "what accounts answered where the request gave nothing (go-to-k/cdk-real-drift): an inline definition and one of "
    "data quality; the defaults of inputs are also those of API_EndpointInput and API_BatchTransformInput"
)


def filled(inputs: str, outputs: str) -> Mapping[str, Any]:
    """The defaults of the inputs and outputs of a definition, which lie at these paths."""
    read = {f"{inputs}.{source}.{name}": value for source in SOURCES for name, value in READ.items()}
    return {**read, f"{outputs}.MonitoringOutputs[].S3Output.S3UploadMode": "EndOfJob"}


SOURCES = ("EndpointInput", "BatchTransformInput")

KINDS = (
    Kind(
        "DataQualityJobDefinition",
        listing=SUMMARY,
        defaults={**filled("DataQualityJobInput", "DataQualityJobOutputConfig"), "StoppingCondition": LIMIT},
        why=SEEN,
    ),
    Kind(
        "ModelQualityJobDefinition",
        listing=SUMMARY,
        defaults=filled("ModelQualityJobInput", "ModelQualityJobOutputConfig"),
        why=SEEN,
    ),
    Kind(
        "ModelBiasJobDefinition",
        listing=SUMMARY,
        defaults=filled("ModelBiasJobInput", "ModelBiasJobOutputConfig"),
        why=SEEN,
    ),
    Kind(
        "ModelExplainabilityJobDefinition",
        listing=SUMMARY,
        defaults=filled("ModelExplainabilityJobInput", "ModelExplainabilityJobOutputConfig"),
        why=SEEN,
    ),
    Kind(
        "MonitoringSchedule",
        moves={
            "Update": Move("Pending", "Scheduled"),
            "Start": Move("Pending", "Scheduled"),
            "Stop": Move("", "Stopped"),
        },
        unready=Unready(
            "ValidationException",
            "Monitoring schedule in status {status} does not allow to {verb} it.",
            "the beginning was seen of DeleteMonitoringSchedule (aws/amazon-sagemaker-examples issue 2342)",
        ),
        defaults={
            **filled(f"{INLINE}.MonitoringInputs[]", f"{INLINE}.MonitoringOutputConfig"),
            f"{INLINE}.StoppingCondition": LIMIT,
            "MonitoringScheduleConfig.MonitoringType": "DataQuality",
        },
        empty={"ListMonitoringExecutions": ""},
        why=SEEN,
    ),
)
