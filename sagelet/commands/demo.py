"""`sagelet demo`: a real data set, trained, deployed, invoked and batch-transformed through boto3, in a few lines."""

from __future__ import annotations

import argparse
import csv
import importlib.util
import io
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from sagelet.commands.up import EXECUTORS
from sagelet.server import Server

IMAGE = "683313688378.dkr.ecr.us-east-1.amazonaws.com/sagemaker-xgboost:1.7-1"
ROLE = "arn:aws:iam::123456789012:role/SageletExecutionRole"
BUCKET = "sagelet-demo"
ROUNDS = 60
HELD_OUT = 4
"""Every fourth row is kept from training."""


def options(parser: argparse.ArgumentParser) -> None:
    """How the jobs run."""
    parser.add_argument("--executor", choices=EXECUTORS, default="auto")


def run(options: argparse.Namespace) -> int:
    """Train, deploy, invoke and batch-transform a real model, on a server of its own that is gone afterwards."""
    executor, began = options.executor, time.monotonic()
    with (
        tempfile.TemporaryDirectory(prefix="sagelet-demo-") as folder,
        Server(folder, ("--executor", executor)) as server,
    ):
        print(f"Sagelet answers at {server.url} ({time.monotonic() - began:.1f} s, executor: {executor})")
        _Demo(server).run()
    print(f'Done in {time.monotonic() - began:.1f} s. Start your own: sagelet up; then: eval "$(sagelet env)"')
    return 0


class _Demo:
    """The steps, each with what it printed."""

    def __init__(self, server: Server) -> None:
        import boto3
        from botocore.config import Config

        env = server.env
        self._session = boto3.Session(
            env["AWS_ACCESS_KEY_ID"], env["AWS_SECRET_ACCESS_KEY"], region_name=env["AWS_REGION"]
        )
        config = Config(read_timeout=90, retries={"max_attempts": 1})

        def client(name: str) -> Any:
            return self._session.client(name, endpoint_url=server.url, config=config)

        self.sagemaker, self.runtime, self.s3 = client("sagemaker"), client("sagemaker-runtime"), client("s3")

    def run(self) -> None:
        """All steps in order."""
        train, held_out = _breast_cancer()
        self.s3.create_bucket(Bucket=BUCKET)
        self.s3.put_object(Bucket=BUCKET, Key="train/train.csv", Body=_csv(train))
        self.s3.put_object(Bucket=BUCKET, Key="validation/validation.csv", Body=_csv(held_out))
        print(f"Uploaded {len(train)} rows for training, {len(held_out)} held out (breast cancer, Wisconsin)")
        model = self._train()
        self._deploy(model)
        self._invoke(held_out)
        self._transform(held_out)

    def _train(self) -> str:
        began = time.monotonic()
        channels = [_channel("train"), _channel("validation")]
        self.sagemaker.create_training_job(
            TrainingJobName="demo-xgboost",
            AlgorithmSpecification={"TrainingImage": IMAGE, "TrainingInputMode": "File"},
            HyperParameters={"num_round": str(ROUNDS), "objective": "binary:logistic", "eval_metric": "auc,error"},
            InputDataConfig=channels,
            OutputDataConfig={"S3OutputPath": f"s3://{BUCKET}/models"},
            ResourceConfig={"InstanceType": "ml.m5.large", "InstanceCount": 1, "VolumeSizeInGB": 1},
            RoleArn=ROLE,
            StoppingCondition={"MaxRuntimeInSeconds": 600},
        )
        job = self._watch("Training", self.sagemaker.describe_training_job, {"TrainingJobName": "demo-xgboost"})
        metrics = {m["MetricName"]: m["Value"] for m in job.get("FinalMetricDataList", ())}
        shown = ", ".join(f"{name} {value:.3f}" for name, value in sorted(metrics.items()) if "validation" in name)
        print(f"Trained XGBoost in {time.monotonic() - began:.1f} s: {shown}")
        uri: str = job["ModelArtifacts"]["S3ModelArtifacts"]
        print(f"Model artifact: {uri}")
        return uri

    def _deploy(self, model: str) -> None:
        began = time.monotonic()
        container = {"Image": IMAGE, "ModelDataUrl": model}
        self.sagemaker.create_model(ModelName="demo", PrimaryContainer=container, ExecutionRoleArn=ROLE)
        variant = {"VariantName": "all", "ModelName": "demo", "InitialInstanceCount": 1, "InstanceType": "ml.m5.large"}
        self.sagemaker.create_endpoint_config(EndpointConfigName="demo", ProductionVariants=[variant])
        self.sagemaker.create_endpoint(EndpointName="demo", EndpointConfigName="demo")
        self._watch("Deploying", self.sagemaker.describe_endpoint, {"EndpointName": "demo"})
        print(f"Endpoint demo is InService after {time.monotonic() - began:.1f} s")

    def _invoke(self, rows: list[list[str]]) -> None:
        began = time.monotonic()
        right = 0
        for row in rows:
            answer = self.runtime.invoke_endpoint(EndpointName="demo", ContentType="text/csv", Body=",".join(row[1:]))
            right += (float(answer["Body"].read()) > 0.5) == (row[0] == "1")
        each = (time.monotonic() - began) / len(rows) * 1000
        print(f"Invoked it {len(rows)} times, {each:.1f} ms each: {right} of {len(rows)} held-out rows right")

    def _transform(self, rows: list[list[str]]) -> None:
        began = time.monotonic()
        self.s3.put_object(Bucket=BUCKET, Key="batch/rows.csv", Body=_csv([row[1:] for row in rows]))
        source = {"S3DataSource": {"S3DataType": "S3Prefix", "S3Uri": f"s3://{BUCKET}/batch"}}
        self.sagemaker.create_transform_job(
            TransformJobName="demo-batch",
            ModelName="demo",
            TransformInput={"DataSource": source, "ContentType": "text/csv", "SplitType": "Line"},
            TransformOutput={"S3OutputPath": f"s3://{BUCKET}/predictions", "AssembleWith": "Line"},
            TransformResources={"InstanceType": "ml.m5.large", "InstanceCount": 1},
        )
        self._watch("Transforming", self.sagemaker.describe_transform_job, {"TransformJobName": "demo-batch"})
        body = self.s3.get_object(Bucket=BUCKET, Key="predictions/rows.csv.out")["Body"].read().decode()
        lines, seconds = body.split(), time.monotonic() - began
        print(f"Batch transform wrote {len(lines)} predictions in {seconds:.1f} s: {', '.join(lines[:3])}, ...")

    def _watch(self, verb: str, describe: Any, name: dict[str, str]) -> dict[str, Any]:
        """Show a bar until the thing settles; exit with its reason when it failed."""
        began = time.monotonic()
        while True:
            answer: dict[str, Any] = describe(**name)
            status = next(
                answer[m] for m in ("TrainingJobStatus", "EndpointStatus", "TransformJobStatus") if m in answer
            )
            _bar(verb, answer.get("SecondaryStatus", status), time.monotonic() - began)
            if status in ("Completed", "InService"):
                _bar_done()
                return answer
            if status in ("Failed", "Stopped"):
                _bar_done()
                sys.exit(f"{verb} {status}: {answer.get('FailureReason', 'no reason given')}")
            time.sleep(0.05)


PHASES = ("Starting", "Downloading", "Training", "Uploading", "Completed")


def _bar(verb: str, status: str, seconds: float) -> None:
    if not sys.stdout.isatty():
        return
    done = PHASES.index(status) + 1 if status in PHASES else min(4, 1 + int(seconds))
    width = 5 * done
    print(f"\r{verb:<13}[{'#' * width}{'.' * (25 - width)}] {status} {seconds:.1f} s ", end="", flush=True)


def _bar_done() -> None:
    if sys.stdout.isatty():
        print("\r" + " " * 70 + "\r", end="")


def _channel(name: str) -> dict[str, Any]:
    source = {"S3DataType": "S3Prefix", "S3Uri": f"s3://{BUCKET}/{name}", "S3DataDistributionType": "FullyReplicated"}
    return {"ChannelName": name, "ContentType": "text/csv", "DataSource": {"S3DataSource": source}}


def _breast_cancer() -> tuple[list[list[str]], list[list[str]]]:
    """The UCI breast cancer data (569 rows, 30 features) that scikit-learn carries; the label (0 or 1) comes first."""
    found = importlib.util.find_spec("sklearn")
    if found is None or not found.submodule_search_locations:
        sys.exit("The demo reads its data from scikit-learn, which is not installed: pip install scikit-learn")
    path = Path(found.submodule_search_locations[0]) / "datasets" / "data" / "breast_cancer.csv"
    with path.open() as file:
        rows = [[row[-1], *row[:-1]] for row in list(csv.reader(file))[1:]]
    held_out = [row for number, row in enumerate(rows) if number % HELD_OUT == 0]
    return [row for number, row in enumerate(rows) if number % HELD_OUT], held_out


def _csv(rows: list[list[str]]) -> bytes:
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows(rows)
    return text.getvalue().encode()
