"""What the examples of docs/search.md are made with: training jobs in a store of their own, and short questions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import count
from typing import Any

from emulator.call import Call, Scope
from emulator.kinds import KINDS
from emulator.resources.search import Search
from emulator.store import Record, open_store

SCOPE = Scope("123456789012", "us-east-1")
STORE = open_store()
AGES = count(1.0)


def job(
    name: str,
    parameters: Mapping[str, str],
    metrics: Mapping[str, float],
    project: str,
    **more: Any,
) -> None:
    """Write a training job that is over; each is newer than the one before."""
    now = next(AGES)
    status: str = more.get("status", "Completed")
    channels: Sequence[str] = more.get("channels", ("train",))
    body = {
        "TrainingJobName": name,
        "TrainingJobStatus": status,
        "HyperParameters": dict(parameters),
        "FinalMetricDataList": [
            {"MetricName": key, "Value": value, "Timestamp": now} for key, value in metrics.items()
        ],
        "InputDataConfig": [{"ChannelName": channel} for channel in channels],
    }
    arn = f"arn:aws:sagemaker:us-east-1:123456789012:training-job/{name}"
    with STORE.write() as transaction:
        transaction.insert(Record("TrainingJob", SCOPE, name, arn, body, now, now, status=status))
        transaction.set_tags(arn, {"project": project})


def search(expression: Mapping[str, Any] | None = None, **params: Any) -> list[str]:
    """The names of the training jobs that an expression finds."""
    asked = {"Resource": "TrainingJob", **params, **({"SearchExpression": expression} if expression else {})}
    found = Search(STORE.search, KINDS).answer(Call("sagemaker", "Search", asked, SCOPE))
    return [result["TrainingJob"]["TrainingJobName"] for result in found["Results"]]


def suggest(hint: str) -> list[str]:
    """The names of properties that a hint means."""
    asked = {"Resource": "TrainingJob", "SuggestionQuery": {"PropertyNameQuery": {"PropertyNameHint": hint}}}
    found = Search(STORE.search, KINDS).suggest(Call("sagemaker", "GetSearchSuggestions", asked, SCOPE))
    return [one["PropertyName"] for one in found["PropertyNameSuggestions"]]
