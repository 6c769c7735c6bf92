"""An augmented manifest from S3 through a pipe into a built-in algorithm."""

from __future__ import annotations

import json

import pytest

from tests.algorithms.test_blazingtext import TestBlazingText, labelled, reviews
from tests.journeys.conftest import ROLE, Client

pytest.importorskip("floret", reason="pip install 'sagelet[text]'")
IMAGE = "811284229777.dkr.ecr.us-east-1.amazonaws.com/blazingtext:1"
VALUES = TestBlazingText.values
del TestBlazingText  # Its tests are of the other module.


def test_blazingtext_learns_the_classes_of_an_augmented_manifest(server) -> None:
    client = Client(server)
    bucket, name = client.bucket(), client.name("augmented")
    texts, kinds = reviews(1500, 1)
    lines = [json.dumps({"source": text, "label": kind}) for text, kind in zip(texts, kinds, strict=True)]
    client.s3.put_object(Bucket=bucket, Key="all.manifest", Body="\n".join(lines).encode())
    client.s3.put_object(Bucket=bucket, Key="held/a", Body=labelled(*reviews(200, 2)).encode())
    manifest = {
        "S3DataType": "AugmentedManifestFile", "S3Uri": f"s3://{bucket}/all.manifest",
        "AttributeNames": ["source", "label"],
    }  # fmt: skip
    client.sagemaker.create_training_job(
        TrainingJobName=name,
        AlgorithmSpecification={"TrainingImage": IMAGE, "TrainingInputMode": "File"},
        HyperParameters={**VALUES, "epochs": "15"},
        InputDataConfig=[
            {
                "ChannelName": "train", "DataSource": {"S3DataSource": manifest}, "InputMode": "Pipe",
                "ContentType": "application/jsonlines", "RecordWrapperType": "RecordIO",
            },
            {
                "ChannelName": "validation", "ContentType": "text/plain",
                "DataSource": {"S3DataSource": {"S3DataType": "S3Prefix", "S3Uri": f"s3://{bucket}/held/"}},
            },
        ],
        OutputDataConfig={"S3OutputPath": f"s3://{bucket}/models"},
        ResourceConfig={"InstanceType": "ml.m5.large", "InstanceCount": 1, "VolumeSizeInGB": 1},
        StoppingCondition={"MaxRuntimeInSeconds": 300},
        RoleArn=ROLE,
    )  # fmt: skip
    done = client.settle(lambda: client.sagemaker.describe_training_job(TrainingJobName=name), "TrainingJobStatus")
    assert done["TrainingJobStatus"] == "Completed", done.get("FailureReason")
    told = {metric["MetricName"]: metric["Value"] for metric in done["FinalMetricDataList"]}
    assert told["validation:accuracy"] > 0.9
