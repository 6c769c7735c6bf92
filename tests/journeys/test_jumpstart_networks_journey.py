"""TensorFlow's models of JumpStart from their ids to an endpoint, by boto3 alone; a stand-in says what it is."""

from __future__ import annotations

import json

import numpy as np
import pytest

from tests.algorithms import drawn
from tests.journeys.conftest import channel
from tests.journeys.test_jumpstart_journey import BUCKET, image, specification

pytest.importorskip("torch", reason="pip install 'sagelet[vision]'")
IC = "tensorflow-ic-imagenet-mobilenet-v2-035-96"
TC = "tensorflow-tc-small-bert-bert-en-uncased-L-2-H-128-A-2"
OD = "tensorflow-od1-ssd-mobilenet-v2-fpnlite-320x320-coco17-tpu-8"
SCRATCH = {"SAGELET_TRAIN_FROM_SCRATCH": "true"}


def train(client, spec: dict, bucket: str, start: str, environment: dict[str, str]) -> dict:
    """A training job of one epoch as JumpStartEstimator asks for it; `start` is what its channel `model` has."""
    given = {
        "epochs": "1", "batch_size": "4", "sagemaker_program": "transfer_learning.py",
        "sagemaker_submit_directory": f's3://{BUCKET}/{spec["training_script_key"]}',
    }  # fmt: skip
    model = {
        "ChannelName": "model",
        "ContentType": "application/x-sagemaker-model",
        "DataSource": {"S3DataSource": {"S3DataType": "S3Prefix", "S3Uri": start}},
    }
    return client.train(
        bucket, job=client.name("jumpstart"), HyperParameters=given, Environment=environment,
        AlgorithmSpecification={
            "TrainingImage": image(spec, "training"), "TrainingInputMode": "File", "MetricDefinitions": spec["metrics"],
        },
        InputDataConfig=[channel(bucket, "training"), model],
    )  # fmt: skip


def refused(client, spec: dict, bucket: str) -> None:
    """Without being allowed to begin from scratch a job fails."""
    job = train(client, spec, bucket, f"s3://{BUCKET}/{spec['training_artifact_key']}", {})
    assert job["TrainingJobStatus"] == "Failed"
    assert job["FailureReason"].startswith(f"ClientError: {spec['model_id']} is fine-tuned from pretrained weights")
    assert "SAGELET_TRAIN_FROM_SCRATCH=true in the job's Environment" in job["FailureReason"]


def begun(client, spec: dict, bucket: str) -> str:
    """The artifact of a job that began from scratch."""
    job = train(client, spec, bucket, f"s3://{BUCKET}/{spec['training_artifact_key']}", SCRATCH)
    assert job["TrainingJobStatus"] == "Completed", job.get("FailureReason")
    tags = client.sagemaker.list_tags(ResourceArn=job["TrainingJobArn"])["Tags"]
    assert {"Key": "sagelet:stand-in", "Value": "PyTorch for TensorFlow"} in tags
    assert {row["MetricName"] for row in job["FinalMetricDataList"]} == {row["Name"] for row in spec["metrics"]}
    return job["ModelArtifacts"]["S3ModelArtifacts"]


def deployed(client, spec: dict, artifact: str) -> str:
    variables = {row["name"]: str(row["default"]) for row in spec["inference_environment_variables"]}
    return client.deploy(artifact, image(spec, "hosting"), Environment=variables)


def test_pictures_are_trained_with_deployed_and_trained_on(client):
    spec, bucket, draw = specification(client, IC), client.bucket(), np.random.default_rng(1)
    for number in range(8):
        name = ("square", "cross")[number % 2]
        picture = drawn.encoded(drawn.shape(draw, drawn.SHAPES.index(name), 40))
        client.s3.put_object(Bucket=bucket, Key=f"training/{name}/{number}.png", Body=picture)
    refused(client, spec, bucket)
    artifact = begun(client, spec, bucket)
    endpoint = deployed(client, spec, artifact)
    told = json.loads(client.invoke(endpoint, picture, "application/x-image", Accept="application/json;verbose"))
    assert told["labels"] == ["cross", "square"] and told["predicted_label"] in told["labels"]
    assert json.loads(client.invoke(endpoint, picture, "application/x-image")) == {
        "probabilities": told["probabilities"]
    }
    further = train(client, spec, bucket, artifact, {})
    assert further["TrainingJobStatus"] == "Completed", further.get("FailureReason")


def test_texts_are_trained_with_and_deployed(client):
    spec, bucket = specification(client, TC), client.bucket()
    client.s3.put_object(Bucket=bucket, Key="training/data.csv", Body=b"0,all is well\n1,nothing works\n" * 8)
    endpoint = deployed(client, spec, begun(client, spec, bucket))
    told = json.loads(client.invoke(endpoint, "all works", "application/x-text", Accept="application/json;verbose"))
    assert told["labels"] == [0, 1] and told["predicted_label"] == int(np.argmax(told["probabilities"]))


def test_objects_are_trained_with_deployed_and_found_in_a_batch(client):
    spec, bucket, draw = specification(client, OD), client.bucket(), np.random.default_rng(1)
    images, boxes = [], []
    for number in range(4):
        pixels, found = drawn.objects(draw)
        client.s3.put_object(Bucket=bucket, Key=f"training/images/{number}.png", Body=drawn.encoded(pixels))
        images.append({"file_name": f"{number}.png", "height": 100, "width": 100, "id": number})
        for kind, *box in found:
            boxes.append({"image_id": number, "bbox": [100 * value for value in box], "category_id": kind})
    told = json.dumps({"images": images, "annotations": boxes}).encode()
    client.s3.put_object(Bucket=bucket, Key="training/annotations.json", Body=told)
    endpoint = deployed(client, spec, begun(client, spec, bucket))
    accept = "application/json;verbose;n_predictions=3"
    told = json.loads(client.invoke(endpoint, drawn.encoded(pixels), "application/x-image", Accept=accept))
    assert told["labels"] == [0, 1] and len(told["normalized_boxes"]) == len(told["scores"]) == 3
    assert json.loads(transformed(client, endpoint, bucket, accept)) == told


def transformed(client, model: str, bucket: str, accept: str) -> str:
    """The answer of a batch transform to the last picture."""
    job, where = client.name("transform"), {"S3DataType": "S3Prefix", "S3Uri": f"s3://{bucket}/training/images/3.png"}
    client.sagemaker.create_transform_job(
        TransformJobName=job, ModelName=model,
        TransformInput={"DataSource": {"S3DataSource": where}, "ContentType": "application/x-image"},
        TransformOutput={"S3OutputPath": f"s3://{bucket}/out", "Accept": accept},
        TransformResources={"InstanceType": "ml.m5.large", "InstanceCount": 1},
    )  # fmt: skip
    ended = client.settle(lambda: client.sagemaker.describe_transform_job(TransformJobName=job), "TransformJobStatus")
    assert ended["TransformJobStatus"] == "Completed", ended.get("FailureReason")
    return client.text(bucket, "out/3.png.out")


def test_a_model_that_is_not_here_is_not_listed_and_its_script_is_missed_by_name(client):
    listed = {row["model_id"] for row in json.loads(client.text(BUCKET, "models_manifest.json"))}
    assert {IC, TC, OD} <= listed and not any(model_id.startswith("mxnet-semseg") for model_id in listed)
    spec = {
        **specification(client, TC),
        "training_script_key": "source-directory-tarballs/mxnet/transfer_learning/semseg/v1.0.0/sourcedir.tar.gz",
    }
    bucket = client.bucket()
    client.s3.put_object(Bucket=bucket, Key="training/annotations.json", Body=b"{}")
    job = train(client, spec, bucket, f"s3://{BUCKET}/{spec['training_artifact_key']}", SCRATCH)
    assert job["TrainingJobStatus"] == "Failed"
    assert f"{BUCKET}/{spec['training_script_key']} cannot be read: HTTP 404" in job["FailureReason"]
