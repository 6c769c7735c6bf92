"""One function a row: what is measured on each side, in one round. `__main__` says what must be reached."""

from __future__ import annotations

import contextlib
import itertools
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import orjson

from benchmarks import load, servers

Figures = tuple[float, float]
"""(ours, theirs) of one round, in the row's unit."""

ROLE = "arn:aws:iam::123456789012:role/SageletExecutionRole"

CREATED_RECORDS: dict[str, Callable[[str], dict[str, Any]]] = {
    "CreateModel": lambda name: {
        "ModelName": name,
        "ExecutionRoleArn": ROLE,
        "PrimaryContainer": {"Image": "123456789012.dkr.ecr.us-east-1.amazonaws.com/any:1"},
    },
    "CreateEndpointConfig": lambda name: {
        "EndpointConfigName": name,
        "ProductionVariants": [
            {"VariantName": "a", "ModelName": "bench", "InstanceType": "ml.m5.large", "InitialInstanceCount": 1}
        ],
    },
    "CreateExperiment": lambda name: {"ExperimentName": name},
    "CreateTrial": lambda name: {"TrialName": name, "ExperimentName": "bench"},
}
"""By operation: the request that creates a record of a name. What it refers to is called `bench`."""


def start() -> list[Figures]:
    """Process start to the first S3 and the first SageMaker answer; idle memory of the tree before the first job."""
    with servers.sagelet() as ours:
        mine = (*servers.first_answers(ours), ours.memory())
    with servers.moto() as theirs:
        other = (*servers.first_answers(theirs), theirs.memory())
    return [(mine[0], other[0]), (mine[1], other[1]), (mine[2], other[2])]


class Control:
    """Both servers with the same ten training jobs, for the control-plane and S3 rows."""

    def __init__(self, stack: contextlib.ExitStack) -> None:
        self.ours = stack.enter_context(servers.sagelet(None, "--executor", "stub"))
        self.theirs = stack.enter_context(servers.moto())
        self.numbers = itertools.count()
        for server in (self.ours, self.theirs):
            servers.first_answers(server)
            self._fill(server.url)

    @staticmethod
    def _fill(url: str) -> None:
        client, s3 = boto(url, "sagemaker"), boto(url, "s3")
        s3.create_bucket(Bucket="bench")
        s3.put_object(Bucket="bench", Key="train/a.csv", Body=b"1,2\n")
        for number in range(10):
            client.create_training_job(**training(f"job-{number}", "bench"))
        client.create_model(**CREATED_RECORDS["CreateModel"]("bench"))
        client.create_experiment(ExperimentName="bench")

    def describe(self) -> list[Figures]:
        """Requests per second of Describe and of List, eight connections each."""
        asks = load.sagemaker("DescribeTrainingJob", b'{"TrainingJobName": "job-3"}')
        return [self._rates(asks), self._rates(load.sagemaker("ListTrainingJobs"))]

    def pages(self) -> list[Figures]:
        """Requests per second of List, each for something else: no answer is one that is remembered."""
        bodies = [b'{"MaxResults": 10, "CreationTimeAfter": %d}' % number for number in range(4000)]
        return [self._rates(*[load.sagemaker("ListTrainingJobs", body) for body in bodies])]

    def created(self) -> list[Figures]:
        """Requests per second of creating records, by kind."""
        return [self._creating(operation, request) for operation, request in CREATED_RECORDS.items()]

    def jobs(self) -> list[Figures]:
        """Requests per second of CreateTrainingJob, which sets work going (not so moto's): to be measured last."""
        return [self._creating("CreateTrainingJob", lambda name: training(name, "bench"))]

    def _creating(self, operation: str, request: Callable[[str], dict[str, Any]]) -> Figures:
        names = [f"new-{next(self.numbers)}" for _ in range(8000)]
        return self._rates(*[load.sagemaker(operation, orjson.dumps(request(name))) for name in names])

    def tail(self) -> list[Figures]:
        """p99 of Describe with one connection, in ms."""
        asks = [load.sagemaker("DescribeTrainingJob", b'{"TrainingJobName": "job-3"}')]
        both = [load.run(s.url, asks, 1, 2.0).quantile(0.99) * 1000 for s in (self.ours, self.theirs)]
        return [(both[0], both[1])]

    def s3(self) -> list[Figures]:
        """Requests per second of put and of get of 1 KiB, eight connections."""
        puts = [load.request("PUT", f"/bench/k{i}", "s3", b"x" * 1024) for i in range(64)]
        gets = [load.request("GET", f"/bench/k{i}", "s3") for i in range(64)]
        return [self._rates(*puts), self._rates(*gets)]

    def _rates(self, *payloads: bytes) -> Figures:
        rates = []
        for server in (self.ours, self.theirs):
            done = load.run(server.url, list(payloads), 8, 2.0)
            if done.errors:
                raise SystemExit(f"{done.errors} of {len(done.times)} answers were errors at {server.url}")
            rates.append(done.rate)
        return rates[0], rates[1]


def growth() -> list[Figures]:
    """Seconds of a page of ListTrainingJobs with 10,000 stored jobs against 10 (median of many)."""
    medians = []
    for count in (10_000, 10):
        with tempfile.TemporaryDirectory() as folder:
            store_jobs(folder, count)
            with servers.sagelet(folder, "--executor", "stub") as server:
                servers.first_answers(server)
                # Each asks for something else, so that no answer is one that is remembered.
                bodies = [b'{"MaxResults": 10, "CreationTimeAfter": %d}' % number for number in range(1000)]
                asks = [load.sagemaker("ListTrainingJobs", body) for body in bodies]
                load.run(server.url, asks, 1, 0.3)
                medians.append(load.run(server.url, asks, 1, 2.0).quantile(0.5) * 1000)
    return [(medians[0], medians[1])]


def store_jobs(folder: str, count: int) -> None:
    """Write `count` training jobs that are over straight into a data folder."""
    from emulator.call import Scope
    from emulator.store import open_store
    from emulator.store.records import Record

    scope = Scope("123456789012", "us-east-1")
    store = open_store(Path(folder) / "house.db")
    with store.write() as transaction:
        for number in range(count):
            name, when = f"job-{number:05}", 1_700_000_000.0 + number
            arn = f"arn:aws:sagemaker:us-east-1:123456789012:training-job/{name}"
            body = {"TrainingJobName": name, "TrainingJobArn": arn, "TrainingJobStatus": "Completed"}
            body |= {"CreationTime": when, "LastModifiedTime": when, "SecondaryStatus": "Completed"}
            transaction.insert(Record("TrainingJob", scope, name, arn, body, when, when, status="Completed"))
    store.close()


BARE = """
import sys, numpy as np, xgboost
rows = np.loadtxt(sys.argv[1], delimiter=",", dtype=np.float32)
data = xgboost.DMatrix(rows[:, 1:], rows[:, 0])
params = {"objective": "reg:squarederror", "max_depth": 6, "nthread": 2}
booster = xgboost.train(params, data, num_boost_round=50, evals=[(data, "train")], verbose_eval=True)
booster.save_model(sys.argv[2])
"""


class Jobs:
    """Our server after one job, so that the zygote is warm; and the same training as a bare script."""

    def __init__(self, stack: contextlib.ExitStack) -> None:
        import numpy as np

        self.folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        rows = np.random.default_rng(0).uniform(size=(20_000, 11)).round(5)
        np.savetxt(self.folder / "rows.csv", rows, delimiter=",", fmt="%.5f")
        (self.folder / "train.py").write_text(BARE)
        self.server = stack.enter_context(servers.sagelet(None, "--executor", "process"))
        servers.first_answers(self.server)
        self.client = boto(self.server.url, "sagemaker")
        s3 = boto(self.server.url, "s3")
        s3.create_bucket(Bucket="bench")
        s3.upload_file(str(self.folder / "rows.csv"), "bench", "train/rows.csv")
        self.number = 0
        self.cold = self._job()

    def measure(self) -> list[Figures]:
        """Seconds of CreateTrainingJob -> Completed, and of `python train.py`, which saves the same model."""
        mine = self._job()
        began = time.perf_counter()
        command = [sys.executable, "train.py", "rows.csv", "model.json"]
        subprocess.run(command, cwd=self.folder, check=True, capture_output=True)
        return [(mine, time.perf_counter() - began)]

    def _job(self) -> float:
        self.number += 1
        name = f"bench-{self.number}"
        began = time.perf_counter()
        self.client.create_training_job(**training(name, "bench", num_round="50", nthread="2"))
        while True:
            job = self.client.describe_training_job(TrainingJobName=name)
            if job["TrainingJobStatus"] == "Completed":
                return time.perf_counter() - began
            if job["TrainingJobStatus"] != "InProgress":
                raise SystemExit(f"{name} {job['TrainingJobStatus']}: {job.get('FailureReason')}")
            time.sleep(0.005)


class Invocations:
    """An XGBoost and an ONNX endpoint, and the libraries with the same models."""

    def __init__(self, stack: contextlib.ExitStack) -> None:
        self.server = stack.enter_context(servers.sagelet(None, "--executor", "process"))
        servers.first_answers(self.server)
        self.boost = _boosted()
        self.onnx = _linear()
        self._deploy("xgb", "sagemaker-xgboost:1.7-1", {"xgboost-model": self.boost[1]})
        self._deploy("onnx", "sagemaker-inference-pytorch:1.8-cpu-py3", {"model.onnx": self.onnx[1]})

    def measure(self) -> list[Figures]:
        """p50 of InvokeEndpoint with one connection, and of the library's own predict of the same row, in ms."""
        body = ",".join(["0.5"] * 10).encode()
        return [(self._p50("xgb", body), _p50(self.boost[0])), (self._p50("onnx", body), _p50(self.onnx[0]))]

    def _p50(self, endpoint: str, body: bytes) -> float:
        path = f"/endpoints/{endpoint}/invocations"
        asks = [load.request("POST", path, "sagemaker", body, {"Content-Type": "text/csv"})]
        load.run(self.server.url, asks, 1, 0.3)
        done = load.run(self.server.url, asks, 1, 2.0)
        if done.errors:
            raise SystemExit(f"{done.errors} invocations of {endpoint} failed")
        return done.quantile(0.5) * 1000

    def _deploy(self, name: str, image: str, files: dict[str, bytes]) -> None:
        import io
        import tarfile

        packed = io.BytesIO()
        with tarfile.open(fileobj=packed, mode="w:gz") as tar:
            for file, content in files.items():
                entry = tarfile.TarInfo(file)
                entry.size = len(content)
                tar.addfile(entry, io.BytesIO(content))
        client, s3 = boto(self.server.url, "sagemaker"), boto(self.server.url, "s3")
        s3.create_bucket(Bucket=f"bench-{name}")
        s3.put_object(Bucket=f"bench-{name}", Key="model.tar.gz", Body=packed.getvalue())
        container = {
            "Image": f"123456789012.dkr.ecr.us-east-1.amazonaws.com/{image}",
            "ModelDataUrl": f"s3://bench-{name}/model.tar.gz",
        }
        client.create_model(ModelName=name, PrimaryContainer=container, ExecutionRoleArn=ROLE)
        variant = {"VariantName": "a", "ModelName": name, "InitialInstanceCount": 1, "InstanceType": "ml.m5.large"}
        client.create_endpoint_config(EndpointConfigName=name, ProductionVariants=[variant])
        client.create_endpoint(EndpointName=name, EndpointConfigName=name)
        while (answer := client.describe_endpoint(EndpointName=name))["EndpointStatus"] == "Creating":
            time.sleep(0.02)
        if answer["EndpointStatus"] != "InService":
            raise SystemExit(answer.get("FailureReason"))


def _boosted() -> tuple[Callable[[], Any], bytes]:
    import numpy as np
    import xgboost

    rows = np.random.default_rng(0).uniform(size=(1000, 11)).astype(np.float32)
    data = xgboost.DMatrix(rows[:, 1:], rows[:, 0])
    booster = xgboost.train({"max_depth": 6, "nthread": 1}, data, num_boost_round=50)
    row = rows[:1, 1:]
    return partial(lambda r: booster.predict(xgboost.DMatrix(r)), row), bytes(booster.save_raw("json"))


def _linear() -> tuple[Callable[[], Any], bytes]:
    import numpy as np
    import onnx
    import onnxruntime

    weights = onnx.numpy_helper.from_array(np.ones((10, 2), np.float32), "w")
    inputs = [onnx.helper.make_tensor_value_info("x", onnx.TensorProto.FLOAT, ["n", 10])]
    outputs = [onnx.helper.make_tensor_value_info("y", onnx.TensorProto.FLOAT, ["n", 2])]
    node = onnx.helper.make_node("MatMul", ["x", "w"], ["y"])
    graph = onnx.helper.make_graph([node], "g", inputs, outputs, [weights])
    model = onnx.helper.make_model(graph, opset_imports=[onnx.helper.make_opsetid("", 13)], ir_version=8)
    raw: bytes = model.SerializeToString()
    session = onnxruntime.InferenceSession(raw)
    return partial(session.run, None, {"x": np.ones((1, 10), np.float32)}), raw


def _p50(predict: Callable[[], Any]) -> float:
    times = []
    for _ in range(300):
        began = time.perf_counter()
        predict()
        times.append(time.perf_counter() - began)
    return statistics.median(times) * 1000


def boto(url: str, service: str) -> Any:
    """A client of one of the servers."""
    import boto3

    return boto3.Session("test", "test", region_name="us-east-1").client(service, endpoint_url=url)


def training(name: str, bucket: str, **parameters: str) -> dict[str, Any]:
    """A CreateTrainingJob request."""
    source = {"S3DataType": "S3Prefix", "S3Uri": f"s3://{bucket}/train"}
    image = "683313688378.dkr.ecr.us-east-1.amazonaws.com/sagemaker-xgboost:1.7-1"
    return {
        "TrainingJobName": name,
        "AlgorithmSpecification": {"TrainingImage": image, "TrainingInputMode": "File"},
        "HyperParameters": {"num_round": "5", "objective": "reg:squarederror", "max_depth": "6", **parameters},
        "InputDataConfig": [
            {"ChannelName": "train", "ContentType": "text/csv", "DataSource": {"S3DataSource": source}}
        ],
        "OutputDataConfig": {"S3OutputPath": f"s3://{bucket}/out"},
        "ResourceConfig": {"InstanceType": "ml.m5.large", "InstanceCount": 1, "VolumeSizeInGB": 1},
        "RoleArn": ROLE,
        "StoppingCondition": {"MaxRuntimeInSeconds": 600},
    }
