"""CloudWatch shows the metrics of jobs: their points are given to moto's CloudWatch before it answers a read."""

from __future__ import annotations

import importlib
import math
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any

from emulator.call import Scope
from emulator.neighbours.asked import Asked
from emulator.neighbours.http import HttpReply
from emulator.neighbours.metric_data import keep_namespaces_apart
from emulator.ports import Point

if TYPE_CHECKING:
    from emulator.neighbours.neighbours import Neighbours

ALGORITHMS = "/aws/sagemaker/TrainingJobs"
"""The namespace of what algorithms report; it has the numbers of training jobs' hosts as well, by another dimension."""


def read_metrics(front: Neighbours, asked: Asked) -> HttpReply:
    """moto's answer, with all points that jobs have reported until now."""
    with front.desk.lock:
        front.desk.wake()
        sizes = front.metrics.of(asked.scope).sizes()
        for resource in (name for name in sizes if not name.startswith("arn:")):
            if sizes[resource] > front.desk.shown_metrics.get((asked.scope, resource), 0):
                _show(front, asked.scope, resource)
        keep_namespaces_apart(_backend(front, asked.scope))
        return front.desk.forward(asked)


def _backend(front: Neighbours, scope: Scope) -> Any:
    return front.desk.moto.backend("monitoring", scope.account, scope.region)


def _show(front: Neighbours, scope: Scope, resource: str) -> None:
    points, offset = front.metrics.of(scope).since(resource, front.desk.shown_metrics.get((scope, resource), 0))
    front.desk.shown_metrics[(scope, resource)] = offset
    data = _backend(front, scope).metric_data
    models: Any = importlib.import_module("moto.cloudwatch.models")
    namespace, dimension, unit = _face(resource)
    for point in points:
        if math.isfinite(point.value):
            data.append(models.MetricDatum(namespace, point.name, point.value, [dimension], _when(point), unit))


def _face(resource: str) -> tuple[str, dict[str, str], str]:
    """Namespace, dimension and unit of a resource's points; see `ports.Point`."""
    if not resource.startswith("/"):
        return ALGORITHMS, {"Name": "TrainingJobName", "Value": resource}, "None"
    namespace, job, host = resource.rsplit("/", 2)
    return namespace, {"Name": "Host", "Value": f"{job}/{host}"}, "Percent"


def _when(point: Point) -> datetime:
    return datetime.fromtimestamp(point.timestamp, timezone.utc).replace(tzinfo=None)
