"""Each of Amazon's own algorithms from the data in S3 to answers: trained, deployed, asked, and asked in a batch."""

from __future__ import annotations

import importlib
import json
import sys
from pathlib import Path
from typing import Any

import pytest

from algorithms import catalog
from algorithms.script_mode.train import there
from tests.algorithms.job import Job
from tests.contracts.first_party_contract import FirstPartyContract
from tests.journeys.conftest import ROLE, Client

JSONLINES = "application/jsonlines"


def contract_of(name: str) -> Any:
    """What the tests of an algorithm say of it: its hyperparameters, its data, a question.

    A test module that skips itself, because a library is missing, skips its algorithm here and no other.
    """
    missing = [module for module in catalog.get(name).requires if not there(module, sys.path)]
    if missing:
        return pytest.param(None, id=name, marks=pytest.mark.skip(reason=f"needs {', '.join(missing)}"))
    try:
        module = importlib.import_module(f"tests.algorithms.test_{name}")
    except pytest.skip.Exception as missing:
        return pytest.param(None, id=name, marks=pytest.mark.skip(reason=str(missing)))
    kinds = [one for one in vars(module).values() if isinstance(one, type)]
    [found] = [one for one in kinds if getattr(one, "name", None) == name]
    return pytest.param(found, id=name)


MANIFESTS = [json.loads(path.read_text()) for path in sorted(catalog.FOLDER.glob("*/manifest.json"))]
FOUND = [contract_of(told["name"]) for told in MANIFESTS if "definition" in told]


@pytest.mark.parametrize("contract", FOUND)
def test_from_data_to_answers(server, tmp_path: Path, contract: type[FirstPartyContract]) -> None:
    for library in catalog.get(contract.name).requires:
        pytest.importorskip(library)
    client = Client(server)
    bucket, name = client.bucket(), client.name(contract.name.replace("_", "-"))
    image = f"382416733822.dkr.ecr.us-east-1.amazonaws.com/{catalog.get(contract.name).repositories[0]}:1"

    trained = train(client, bucket, name, image, contract.job(tmp_path))
    assert trained["TrainingJobStatus"] == "Completed", trained.get("FailureReason")
    told = {metric["MetricName"] for metric in trained["FinalMetricDataList"]}
    assert set(contract.metrics) <= told

    client.sagemaker.create_model(
        ModelName=name,
        PrimaryContainer={"Image": image, "ModelDataUrl": trained["ModelArtifacts"]["S3ModelArtifacts"]},
        ExecutionRoleArn=ROLE,
    )
    body, content_type = contract.question()
    whole = isinstance(body, bytes)  # One record, which is no text: a picture.
    body = body if whole else body.encode()
    accept = getattr(contract, "accept", JSONLINES)
    now = ask(client, name, (body, content_type), accept)
    if accept == JSONLINES:
        assert now.count(b"\n") == (1 if whole else body.count(b"\n"))

    client.s3.put_object(Bucket=bucket, Key="asked/part", Body=body)
    client.sagemaker.create_transform_job(
        TransformJobName=name,
        ModelName=name,
        BatchStrategy="SingleRecord" if whole else "MultiRecord",
        TransformInput={
            "DataSource": {"S3DataSource": {"S3DataType": "S3Prefix", "S3Uri": f"s3://{bucket}/asked"}},
            "ContentType": content_type,
            "SplitType": "None" if whole else "Line",
        },
        TransformOutput={
            "S3OutputPath": f"s3://{bucket}/out",
            "Accept": accept,
            "AssembleWith": "None" if whole else "Line",
        },
        TransformResources={"InstanceType": "ml.m5.large", "InstanceCount": 1},
    )
    done = client.settle(lambda: client.sagemaker.describe_transform_job(TransformJobName=name), "TransformJobStatus")
    assert done["TransformJobStatus"] == "Completed", done.get("FailureReason")
    found = client.s3.get_object(Bucket=bucket, Key="out/part.out")["Body"].read()
    assert found == now if whole else found.splitlines() == now.splitlines()


def train(client: Client, bucket: str, name: str, image: str, job: Job) -> dict:
    """The job of a folder, as a training job."""
    data = job.base / "input/data"
    for file in data.rglob("*"):
        if file.is_file():
            client.s3.put_object(Bucket=bucket, Key=str(file.relative_to(data)), Body=file.read_bytes())
    config = job.base / "input/config"
    channels = json.loads((config / "inputdataconfig.json").read_text())
    client.sagemaker.create_training_job(
        TrainingJobName=name,
        AlgorithmSpecification={"TrainingImage": image, "TrainingInputMode": "File"},
        HyperParameters=json.loads((config / "hyperparameters.json").read_text()),
        InputDataConfig=[
            {
                "ChannelName": channel,
                "DataSource": {
                    "S3DataSource": {
                        "S3DataType": "S3Prefix",
                        "S3Uri": f"s3://{bucket}/{channel}/",
                        "S3DataDistributionType": told["S3DistributionType"],
                    }
                },
                **({"ContentType": told["ContentType"]} if told.get("ContentType") else {}),
            }
            for channel, told in channels.items()
        ],
        OutputDataConfig={"S3OutputPath": f"s3://{bucket}/models"},
        ResourceConfig={"InstanceType": "ml.m5.large", "InstanceCount": 1, "VolumeSizeInGB": 1},
        StoppingCondition={"MaxRuntimeInSeconds": 300},
        RoleArn=ROLE,
    )
    return client.settle(lambda: client.sagemaker.describe_training_job(TrainingJobName=name), "TrainingJobStatus")


def ask(client: Client, name: str, asked: tuple[bytes, str], accept: str) -> bytes:
    """The answer of an endpoint that is there for this question alone."""
    variant = {"VariantName": "v", "ModelName": name, "InitialInstanceCount": 1, "InstanceType": "ml.m5.large"}
    client.sagemaker.create_endpoint_config(EndpointConfigName=name, ProductionVariants=[variant])
    client.sagemaker.create_endpoint(EndpointName=name, EndpointConfigName=name)
    up = client.settle(lambda: client.sagemaker.describe_endpoint(EndpointName=name), "EndpointStatus")
    assert up["EndpointStatus"] == "InService", up.get("FailureReason")
    answer = client.runtime.invoke_endpoint(EndpointName=name, Body=asked[0], ContentType=asked[1], Accept=accept)
    assert answer["ContentType"] == accept
    client.sagemaker.delete_endpoint(EndpointName=name)
    return answer["Body"].read()
