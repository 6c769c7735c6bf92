"""CloudWatch shows the metrics of jobs: their points are given to moto's CloudWatch before it answers a read."""

from __future__ import annotations

import importlib
import math
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any

from emulator.call import Scope
from emulator.neighbours.asked import Asked
from emulator.neighbours.http import HttpReply
from emulator.ports import Point

if TYPE_CHECKING:
    from emulator.neighbours.neighbours import Neighbours

NAMESPACE = "/aws/sagemaker/TrainingJobs"
DIMENSION = "TrainingJobName"


def read_metrics(front: Neighbours, asked: Asked) -> HttpReply:
    """moto's answer, with all points that jobs have reported until now."""
    with front.desk.lock:
        front.desk.wake()
        sizes = front.metrics.of(asked.scope).sizes()
        for resource in sizes:
            if sizes[resource] > front.desk.shown_metrics.get((asked.scope, resource), 0):
                _show(front, asked.scope, resource)
        return front.desk.forward(asked)


def _show(front: Neighbours, scope: Scope, resource: str) -> None:
    points, offset = front.metrics.of(scope).since(resource, front.desk.shown_metrics.get((scope, resource), 0))
    front.desk.shown_metrics[(scope, resource)] = offset
    data = front.desk.moto.backend("monitoring", scope.account, scope.region).metric_data
    models: Any = importlib.import_module("moto.cloudwatch.models")
    dimensions = [{"Name": DIMENSION, "Value": resource}]
    for point in points:
        if math.isfinite(point.value):
            data.append(models.MetricDatum(NAMESPACE, point.name, point.value, dimensions, _when(point), "None"))


def _when(point: Point) -> datetime:
    return datetime.fromtimestamp(point.timestamp, timezone.utc).replace(tzinfo=None)
