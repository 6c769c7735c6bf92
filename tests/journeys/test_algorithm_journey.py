"""A built-in algorithm as an algorithm resource: made of its own specification, trained by its name, held to it."""

import time

import numpy as np
import pytest
from botocore.exceptions import ClientError

from algorithms import catalog
from tests.journeys.conftest import ROLE, channel, csv

KMEANS = "382416733822.dkr.ecr.us-east-1.amazonaws.com/kmeans:1"


@pytest.fixture
def blobs(client) -> str:
    """A bucket with rows around three places, to train and to test with."""
    bucket, draw = client.bucket(), np.random.default_rng(3)
    rows = np.concatenate([draw.normal(place, 0.1, (50, 2)) for place in (0, 5, 10)])
    for name in ("train", "test"):
        client.s3.put_object(Bucket=bucket, Key=f"{name}/rows.csv", Body=csv(rows))
    return bucket


def request(client, bucket: str, algorithm: str, **changes) -> dict:
    kind = "text/csv;label_size=0"
    return {
        "TrainingJobName": client.name("job"),
        "AlgorithmSpecification": {"AlgorithmName": algorithm, "TrainingInputMode": "File"},
        "HyperParameters": {"k": "3", "feature_dim": "2"},
        "InputDataConfig": [channel(bucket, "train", kind), channel(bucket, "test", kind)],
        "OutputDataConfig": {"S3OutputPath": f"s3://{bucket}/out"},
        "ResourceConfig": {"InstanceType": "ml.m5.large", "InstanceCount": 1, "VolumeSizeInGB": 1},
        "RoleArn": ROLE,
        "StoppingCondition": {"MaxRuntimeInSeconds": 120},
        **changes,
    }


def test_every_built_in_algorithm_can_be_made_a_resource_and_one_is_trained_by_its_name(client, blobs):
    # Given a resource of each built-in algorithm, of the specification that the catalogue has
    types = client.sagemaker.meta.service_model.shape_for("TrainingInstanceType").enum
    for name in catalog.names():
        described = catalog.specification(f"{catalog.get(name).repositories[0]}:1", types)
        if described is None:
            continue
        made = client.sagemaker.create_algorithm(AlgorithmName=name.replace("_", "-"), TrainingSpecification=described)
        told = client.sagemaker.describe_algorithm(AlgorithmName=made["AlgorithmArn"])
        assert told["TrainingSpecification"] == described
    client.sagemaker.create_algorithm(
        AlgorithmName="clusters", TrainingSpecification=catalog.specification(KMEANS, types)
    )
    # When a job asks one of them for what it does not have, it is refused; else it is trained
    for changes, said in (
        ({"HyperParameters": {"k": "3"}}, "Required hyperparameter: feature_dim is not set"),
        ({"HyperParameters": {"k": "1", "feature_dim": "2"}}, "Invalid value: 1 Supported range: 2 to 2147483647"),
        ({"InputDataConfig": [channel(blobs, "model")]}, "Unknown input channel: model is not supported by: clusters"),
    ):
        with pytest.raises(ClientError) as refused:
            client.sagemaker.create_training_job(**request(client, blobs, "clusters", **changes))
        assert refused.value.response["Error"]["Code"] == "ValidationException"
        assert said in refused.value.response["Error"]["Message"]
    wish = request(client, blobs, "clusters")
    name = wish["TrainingJobName"]
    client.sagemaker.create_training_job(**wish)
    job = client.settle(lambda: client.sagemaker.describe_training_job(TrainingJobName=name), "TrainingJobStatus")
    # Then the metrics of the algorithm are those of the job, and CloudWatch has them
    assert job["TrainingJobStatus"] == "Completed", job.get("FailureReason")
    finals = {metric["MetricName"]: metric["Value"] for metric in job["FinalMetricDataList"]}
    assert finals["test:msd"] == pytest.approx(2 * 0.1**2, rel=0.3) and finals["train:progress"] == 100
    now = time.time()
    points = client.of("cloudwatch").get_metric_statistics(
        Namespace="/aws/sagemaker/TrainingJobs", MetricName="test:msd", Period=60, Statistics=["Average"],
        Dimensions=[{"Name": "TrainingJobName", "Value": name}], StartTime=now - 600, EndTime=now + 60,
    )["Datapoints"]  # fmt: skip
    assert points, "CloudWatch has no test:msd"
    assert points[-1]["Average"] == pytest.approx(finals["test:msd"])
