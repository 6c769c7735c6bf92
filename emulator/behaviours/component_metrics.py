"""Metrics of trial components: numbers that programs put, those that jobs report, and what they come to."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from emulator.behaviours.rooms import Rooms
from emulator.call import Answer, Call
from emulator.lineage import jobs
from emulator.metrics.statistics import Statistics, by_name
from emulator.ports import Point
from emulator.store.records import Record

KIND = "TrialComponent"
INVALID = "VALIDATION_ERROR"


def batch_put_metrics(rooms: Rooms, call: Call) -> Answer:
    """https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_metrics_BatchPutMetrics.html.

    What is wrong with a number is told by its place, and the others are taken.
    """
    data = call.params["MetricData"]
    component = rooms.resources.find(KIND, call.scope, call.params["TrialComponentName"])
    wrong = [number for number, item in enumerate(data) if component is None or not math.isfinite(item["Value"])]
    taken = [_point(component, item) for number, item in enumerate(data) if component and number not in wrong]
    if component is not None and taken:
        rooms.metrics.of(call.scope).append(taken)
        rooms.resources.change(KIND, call.scope, component.key, lambda record: _grown(record, taken))
    return {"Errors": [{"Code": INVALID, "MetricIndex": number} for number in wrong]}


def of_job(rooms: Rooms, job: Record) -> list[dict[str, Any]]:
    """What a training job has reported, as its component shows it."""
    if job.kind != "TrainingJob":
        return []
    points = rooms.metrics.of(job.scope).read(job.key)
    return [_summary(name, found, job.arn) for name, found in by_name(points).items()]


def own(component: Record) -> list[dict[str, Any]]:
    """What programs have put for a component, as it shows it."""
    states = component.hidden.get("metrics") or {}
    return [_summary(name, Statistics.read(state), component.arn) for name, state in states.items()]


def growing(rooms: Rooms, component: Record) -> list[dict[str, Any]] | None:
    """Metrics of the component of a job that runs; those of others are in their record."""
    if "Metrics" in component.body:
        return None
    job = rooms.resources.by_arn((component.body.get("Source") or {}).get("SourceArn", ""))
    return [*(of_job(rooms, job) if job is not None and not jobs.over(job) else ()), *own(component)]


def forget(rooms: Rooms, component: Record) -> None:
    """A component was deleted, and so are its numbers."""
    rooms.metrics.of(component.scope).forget(component.arn)


def _point(component: Record, item: Mapping[str, Any]) -> Point:
    return Point(component.arn, item["MetricName"], item["Value"], item["Timestamp"].timestamp(), item.get("Step"))


def _grown(component: Record, points: list[Point]) -> Record:
    states = dict(component.hidden.get("metrics") or {})
    for point in points:
        known = Statistics.read(states.get(point.name))
        states[point.name] = known.add(point.value, point.timestamp).plain()
    after = replace(component, hidden={**component.hidden, "metrics": states})
    if "Metrics" not in component.body:
        return after
    others = [metric for metric in component.body["Metrics"] if metric["SourceArn"] != component.arn]
    return replace(after, body={**component.body, "Metrics": [*others, *own(after)]})


def _summary(name: str, found: Statistics, source: str) -> dict[str, Any]:
    return {
        "MetricName": name,
        "SourceArn": source,
        "TimeStamp": found.time,
        "Max": found.maximum,
        "Min": found.minimum,
        "Last": found.last,
        "Count": found.count,
        "Avg": found.mean,
        "StdDev": found.deviation,
    }
