"""What many records cost: 100,000 stored training jobs against 100, for pages, descriptions, searches, the start."""

from __future__ import annotations

import contextlib
import itertools
import json
import random
import tempfile
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

from benchmarks import load, servers
from benchmarks.rows import Figures, boto

MANY, SOME = 100_000, 100
METRIC = "Metrics.validation:rmse"


class Records:
    """Two servers on stored jobs, many and some, that have been searched by nobody yet."""

    def __init__(self, stack: contextlib.ExitStack) -> None:
        self.folders = [stack.enter_context(tempfile.TemporaryDirectory()) for _ in (MANY, SOME)]
        for folder, count in zip(self.folders, (MANY, SOME), strict=True):
            store(folder, count)
        self.empty = stack.enter_context(tempfile.TemporaryDirectory())
        with self._server(self.empty) as server:
            servers.first_answers(server)
        self.numbers = itertools.count()
        self.first = 0.0
        self._stack = stack

    def start(self) -> list[Figures]:
        """Seconds from process start to the first SageMaker answer, on many records and on none."""
        seconds = []
        for folder in (self.folders[0], self.empty):
            with self._server(folder) as server:
                seconds.append(servers.first_answers(server)[1])
        return [(seconds[0], seconds[1])]

    def open(self) -> None:
        """Start the servers, and search for the first time: how long that takes is remembered."""
        self.many, self.some = (self._stack.enter_context(self._server(folder)) for folder in self.folders)
        for server in (self.many, self.some):
            servers.first_answers(server)
            client = boto(server.url, "sagemaker")
            for body in (*map(selective, range(3)), by_metric(0)):
                began = time.perf_counter()
                client.search(**json.loads(body))
                self.first = max(self.first, time.perf_counter() - began)

    def pages(self) -> list[Figures]:
        """p50 of a page of a list, and of a description, in ms."""
        lists = [b'{"MaxResults": 10, "CreationTimeAfter": %d}' % next(self.numbers) for _ in range(1000)]
        names = [json.dumps({"TrainingJobName": name_of(number)}).encode() for number in range(SOME)]
        return [self._p50("ListTrainingJobs", lists), self._p50("DescribeTrainingJob", names)]

    def searches(self) -> list[Figures]:
        """p50 of selective searches, and of a broad one by a metric, in ms; none asks what another did."""
        return [self._p50("Search", self._asks(selective)), self._p50("Search", self._asks(by_metric))]

    def writes(self) -> list[Figures]:
        """p50 of creating a tagged record of a kind that is searched, on the first server, and on the other one."""
        experiments = {"Name": "Tags.a", "Operator": "Equals", "Value": "b"}
        boto(self.many.url, "sagemaker").search(Resource="Experiment", SearchExpression={"Filters": [experiments]})
        bodies = [
            json.dumps({"ExperimentName": f"e-{next(self.numbers)}", "Tags": [{"Key": "a", "Value": "b"}]}).encode()
            for _ in range(20_000)
        ]
        return [self._p50("CreateExperiment", bodies)]

    def memory(self) -> float:
        """MiB of the server with many records, after all of this."""
        return self.many.memory()

    def _asks(self, ask: Callable[[int], bytes]) -> list[bytes]:
        return [ask(next(self.numbers)) for _ in range(1000)]

    def _p50(self, operation: str, bodies: list[bytes]) -> Figures:
        asks = [load.sagemaker(operation, body) for body in bodies]
        found = []
        for server in (self.many, self.some):
            done = load.run(server.url, asks, 1, 2.0)
            if done.errors:
                raise SystemExit(f"{done.errors} answers to {operation} were errors at {server.url}")
            found.append(done.quantile(0.5) * 1000)
        return found[0], found[1]

    @staticmethod
    def _server(folder: str) -> contextlib.AbstractContextManager[servers.Running]:
        return servers.sagelet(folder, "--executor", "stub")


def selective(number: int) -> bytes:
    """In turn: by a tag (100 of 100,000 jobs), by a hyperparameter (5), by a bound of a metric (100)."""
    project = {"Name": "Tags.project", "Operator": "Equals", "Value": f"p{number % 1000}"}
    run = {"Name": "HyperParameters.run_id", "Operator": "Equals", "Value": f"run-{number % 20_000}"}
    metric = {"Name": METRIC, "Operator": "LessThan", "Value": f"{0.001 + number / 1e9:.9f}"}
    return search([project, run, metric][number % 3])


def by_metric(number: int) -> bytes:
    """Nearly half of all jobs, the best first."""
    metric = {"Name": METRIC, "Operator": "GreaterThan", "Value": f"{0.5 + number / 1e6:.6f}"}
    done = {"Name": "TrainingJobStatus", "Operator": "Equals", "Value": "Completed"}
    return search(metric, done, SortBy=METRIC, SortOrder="Ascending")


def search(*filters: dict[str, str], **params: str) -> bytes:
    """The body of a Search request for training jobs."""
    return json.dumps({"Resource": "TrainingJob", "SearchExpression": {"Filters": filters}, **params}).encode()


# --- the records ------------------------------------------------------------------------------------------------------


def name_of(number: int) -> str:
    """The name of a stored job."""
    return f"job-{number:06}"


def store(folder: str, count: int) -> None:
    """Write training jobs that are over straight into a data folder, each with two tags, as large as real ones."""
    from emulator.call import Scope
    from emulator.store import open_store
    from emulator.store.records import Record

    scope, dice = Scope("123456789012", "us-east-1"), random.Random(0)
    opened = open_store(Path(folder) / "house.db")
    with opened.write() as transaction:
        for number, body in enumerate(bodies(count, dice)):
            when, status = body["CreationTime"], body["TrainingJobStatus"]
            arn = body["TrainingJobArn"]
            made = partial(Record, "TrainingJob", scope, body["TrainingJobName"], arn, body, when, when + 60)
            transaction.insert(made(status=status, hidden={"run_id": f"job-{number}"}))
            transaction.set_tags(arn, {"project": f"p{number % 1000}", "team": "a"})
    opened.close()


def bodies(count: int, dice: random.Random) -> Iterator[dict[str, Any]]:
    """What DescribeTrainingJob says of jobs that are over."""
    for number in range(count):
        name, when = name_of(number), 1_700_000_000.0 + number
        status = "Completed" if dice.random() < 0.95 else "Failed"
        yield {
            "TrainingJobName": name,
            "TrainingJobArn": f"arn:aws:sagemaker:us-east-1:123456789012:training-job/{name}",
            "TrainingJobStatus": status,
            "SecondaryStatus": status,
            "RoleArn": "arn:aws:iam::123456789012:role/SageletExecutionRole",
            "CreationTime": when,
            "LastModifiedTime": when + 60,
            "HyperParameters": _parameters(number, dice),
            "FinalMetricDataList": [
                {"MetricName": metric, "Value": dice.random(), "Timestamp": when + 50}
                for metric in ("train:rmse", "validation:rmse")
            ],
            **_configuration(name),
            "SecondaryStatusTransitions": [
                {"Status": word, "StartTime": when, "EndTime": when + 50, "StatusMessage": f"{word} the training job"}
                for word in ("Starting", "Downloading", "Training", "Uploading", status)
            ],
        }


def _parameters(number: int, dice: random.Random) -> dict[str, str]:
    return {
        "eta": f"{dice.random():.4f}",
        "max_depth": str(dice.randrange(1, 12)),
        "objective": "reg:squarederror",
        "run_id": f"run-{number % 20_000}",
    }


def _configuration(name: str) -> dict[str, Any]:
    channels = [
        {
            "ChannelName": channel,
            "ContentType": "text/csv",
            "CompressionType": "None",
            "DataSource": {"S3DataSource": {"S3DataType": "S3Prefix", "S3Uri": f"s3://bucket/{channel}"}},
        }
        for channel in ("train", "validation")
    ]
    image = "683313688378.dkr.ecr.us-east-1.amazonaws.com/sagemaker-xgboost:1.7-1"
    return {
        "AlgorithmSpecification": {"TrainingImage": image, "TrainingInputMode": "File"},
        "InputDataConfig": channels,
        "OutputDataConfig": {"S3OutputPath": "s3://bucket/out"},
        "ModelArtifacts": {"S3ModelArtifacts": f"s3://bucket/out/{name}/output/model.tar.gz"},
        "ResourceConfig": {"InstanceType": "ml.m5.large", "InstanceCount": 1, "VolumeSizeInGB": 30},
        "StoppingCondition": {"MaxRuntimeInSeconds": 86400},
        "EnableNetworkIsolation": False,
        "TrainingTimeInSeconds": 50,
        "BillableTimeInSeconds": 50,
    }
