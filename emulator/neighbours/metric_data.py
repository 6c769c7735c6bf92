"""GetMetricData within each query's own namespace: moto forgets it where dimensions are given, and jobs of different
kinds may have one name, and so the same dimension `Host`."""

from __future__ import annotations

import importlib
from collections.abc import Sequence
from functools import partial
from types import SimpleNamespace
from typing import Any

Query = dict[str, Any]


def keep_namespaces_apart(backend: Any) -> None:
    """From now on; may be called again."""
    backend.get_metric_data = partial(_get_metric_data, backend)


def _get_metric_data(backend: Any, queries: Sequence[Query], *span: Any, **more: Any) -> list[Query]:
    """moto's answers to each query alone; expressions have the results of all others to compute with."""
    moto: Any = importlib.import_module("moto.cloudwatch.models")

    def ask(query: Query, namespace: str | None) -> list[Query]:
        found = [datum for datum in backend.get_all_metrics() if namespace in (None, datum.namespace)]
        seen = SimpleNamespace(get_all_metrics=lambda: found)
        answer: list[Query] = moto.CloudWatchBackend.get_metric_data(seen, [query], *span, **more)
        return answer

    results: list[Query] = []
    told: list[Query] = []
    for query in (each for each in queries if "MetricStat" in each):
        result = ask({**query, "ReturnData": True}, query["MetricStat"]["Metric"]["Namespace"])
        results += result
        told += result if query.get("ReturnData", True) else []
    for query in (each for each in queries if "Expression" in each):
        if query["Expression"].startswith("SELECT"):
            told += ask(query, None)
        else:
            told.append(_computed(moto, query, results))
    return told


def _computed(moto: Any, query: Query, results: list[Query]) -> Query:
    values, timestamps = moto.parse_expression(query["Expression"], results)
    label = query.get("Label") or query["Id"]
    return {"id": query["Id"], "label": label, "values": values, "timestamps": timestamps, "status_code": "Complete"}
