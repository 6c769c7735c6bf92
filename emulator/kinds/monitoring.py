"""Model Monitor: job definitions are records, schedules are work."""

from __future__ import annotations

from emulator.kinds.kind import Kind, Listing

SUMMARY = Listing(
    summary={
        "MonitoringJobDefinitionName": "JobDefinitionName",
        "MonitoringJobDefinitionArn": "JobDefinitionArn",
    }
)

KINDS = (
    Kind("DataQualityJobDefinition", listing=SUMMARY),
    Kind("ModelQualityJobDefinition", listing=SUMMARY),
    Kind("ModelBiasJobDefinition", listing=SUMMARY),
    Kind("ModelExplainabilityJobDefinition", listing=SUMMARY),
    Kind("MonitoringSchedule", work=True),
)
