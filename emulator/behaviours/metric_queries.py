"""BatchGetMetrics: the numbers of a trial component or a training job in steps of time, or of their own."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from emulator.behaviours.rooms import Rooms
from emulator.call import Answer, Call
from emulator.lineage.entities import name_of
from emulator.metrics.statistics import in_steps
from emulator.ports import Point
from emulator.store.records import Record

SECONDS = {"OneMinute": 60, "FiveMinute": 300, "OneHour": 3600, "IterationNumber": 0}
"""Of each Period; 0: the steps that were given with the numbers."""

ITERATION = "IterationNumber"
MILLISECONDS = 1000


def batch_get_metrics(rooms: Rooms, call: Call) -> Answer:
    """https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_metrics_BatchGetMetrics.html."""
    return {"MetricQueryResults": [_result(rooms, call, query) for query in call.params["MetricQueries"]]}


def _result(rooms: Rooms, call: Call, query: Mapping[str, Any]) -> dict[str, Any]:
    record = rooms.resources.by_arn(query["ResourceArn"])
    if record is None or record.scope != call.scope or record.kind not in ("TrialComponent", "TrainingJob"):
        return _invalid(f"There is no trial component or training job {query['ResourceArn']}.")
    if (query["Period"] == ITERATION) != (query["XAxisType"] == ITERATION):
        return _invalid(f"Period {query['Period']} cannot be used with XAxisType {query['XAxisType']}.")
    points = [point for point in _points(rooms, record) if point.name == query["MetricName"]]
    seconds = SECONDS[query["Period"]]
    scale = MILLISECONDS if seconds else 1
    start, end = query.get("Start"), query.get("End")
    steps = [
        (step * scale, found)
        for step, found in in_steps(points, seconds)
        if (start is None or step * scale >= start) and (end is None or step * scale <= end)
    ]
    return {
        "Status": "Complete",
        "XAxisValues": [step for step, _ in steps],
        "MetricValues": [found.value(query["MetricStat"]) for _, found in steps],
    }


def _points(rooms: Rooms, record: Record) -> list[Point]:
    """A component has what was put for it, and what its training job has reported."""
    metrics = rooms.metrics.of(record.scope)
    if record.kind == "TrainingJob":
        return metrics.read(record.key)
    source = record.body.get("Source") or {}
    job = name_of(source["SourceArn"]) if source.get("SourceType") == "SageMakerTrainingJob" else ""
    return [*(metrics.read(job) if job else ()), *metrics.read(record.arn)]


def _invalid(message: str) -> dict[str, Any]:
    return {"Status": "ValidationError", "Message": message, "XAxisValues": [], "MetricValues": []}
