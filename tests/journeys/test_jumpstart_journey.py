"""JumpStart's models as the SDK finds and runs them, by boto3 alone: manifest, specification, job, endpoint."""

import io
import json
import tarfile

import numpy as np
import pytest
from botocore.exceptions import ClientError

from sagelet.server import Server
from tests.algorithms.jumpstart_job import table, text
from tests.journeys.conftest import Client, channel
from tests.neighbours import s3_server

BUCKET = "jumpstart-cache-prod-us-east-1"


def specification(client, model_id: str) -> dict:
    listed = json.loads(client.text(BUCKET, "models_manifest.json"))
    [row] = [row for row in listed if row["model_id"] == model_id]
    return json.loads(client.text(BUCKET, row["spec_key"]))


def image(spec: dict, scope: str) -> str:
    return spec[f"{scope}_instance_type_variants"]["variants"]["m5"]["properties"]["image_uri"]


def train(client, spec: dict, bucket: str, instances: int = 1, **hyperparameters: str) -> dict:
    """A training job as `Estimator.fit` asks for it with what the `retrieve` functions answered."""
    given = {row["name"]: str(row["default"]) for row in spec["hyperparameters"] if row["scope"] == "algorithm"}
    given |= {
        **hyperparameters,
        "sagemaker_program": "transfer_learning.py",
        "sagemaker_submit_directory": f"s3://{BUCKET}/{spec['training_script_key']}",
    }
    source = {"S3DataType": "S3Prefix", "S3Uri": f"s3://{BUCKET}/{spec['training_artifact_key']}"}
    model = {
        "ChannelName": "model",
        "ContentType": "application/x-sagemaker-model",
        "DataSource": {"S3DataSource": source},
    }
    return client.train(
        bucket, job=client.name(spec["resource_name_base"]), HyperParameters=given,
        AlgorithmSpecification={
            "TrainingImage": image(spec, "training"), "TrainingInputMode": "File", "MetricDefinitions": spec["metrics"],
        },
        InputDataConfig=[channel(bucket, "training"), model],
        ResourceConfig={"InstanceType": "ml.m5.large", "InstanceCount": instances, "VolumeSizeInGB": 10},
    )  # fmt: skip


def data(client, task: str, categorical: bool = False) -> tuple[str, np.ndarray]:
    bucket, rows = client.bucket(), table(task, 300)
    client.s3.put_object(Bucket=bucket, Key="training/train/data.csv", Body=text(rows[:200]).encode())
    client.s3.put_object(Bucket=bucket, Key="training/validation/data.csv", Body=text(rows[200:]).encode())
    if categorical:
        index = b'{"cat_index_list": [4]}'
        client.s3.put_object(Bucket=bucket, Key="training/categorical_index.json", Body=index)
    return bucket, rows


def transformed(client, model: str, bucket: str, rows: np.ndarray) -> dict:
    client.s3.put_object(Bucket=bucket, Key="in/rows.csv", Body=text(rows).encode())
    job, where = client.name("transform"), {"S3DataType": "S3Prefix", "S3Uri": f"s3://{bucket}/in"}
    client.sagemaker.create_transform_job(
        TransformJobName=job, ModelName=model,
        TransformInput={"DataSource": {"S3DataSource": where}, "ContentType": "text/csv"},
        TransformOutput={"S3OutputPath": f"s3://{bucket}/out", "Accept": "application/json"},
        TransformResources={"InstanceType": "ml.m5.large", "InstanceCount": 1},
    )  # fmt: skip
    answer = client.settle(lambda: client.sagemaker.describe_transform_job(TransformJobName=job), "TransformJobStatus")
    assert answer["TransformJobStatus"] == "Completed", answer.get("FailureReason")
    return json.loads(client.text(bucket, "out/rows.csv.out"))


def deployed(client, spec: dict, job: dict) -> str:
    variables = {row["name"]: str(row["default"]) for row in spec["inference_environment_variables"]}
    return client.deploy(job["ModelArtifacts"]["S3ModelArtifacts"], image(spec, "hosting"), Environment=variables)


RATE = {"learning_rate": "0.2"}
SMALL = {"n_epochs": "30", "batch_size": "16", "n_blocks": "2", "learning_rate": "0.005"}
TRIED = [
    ("lightgbm-classification-model", "lightgbm", RATE), ("catboost-regression-model", "catboost", RATE),
    ("xgboost-classification-model", "xgboost", RATE),
    ("pytorch-tabtransformerclassification-model", "torch", SMALL),
]  # fmt: skip


@pytest.mark.parametrize(("model_id", "library", "given"), TRIED, ids=[row[0] for row in TRIED])
def test_a_model_is_found_trained_deployed_and_asked(client, model_id, library, given):
    pytest.importorskip("pandas")
    pytest.importorskip(library)
    spec = specification(client, model_id)
    bucket, rows = data(client, "classification" if "classification" in model_id else "regression", library == "torch")
    job = train(client, spec, bucket, **given)
    assert job["TrainingJobStatus"] == "Completed", job.get("FailureReason")
    metrics = {metric["MetricName"]: metric["Value"] for metric in job["FinalMetricDataList"]}
    # An image of XGBoost reads its own metrics besides.
    value = metrics[next(row["Name"] for row in spec["metrics"] if row["Name"] in metrics)]
    good = metrics.keys() & {"accuracy_score", "f1_score"}
    assert value > 0.85 if good else 0 < value < 0.4, metrics
    endpoint, features = deployed(client, spec, job), rows[200:, 1:]
    told = json.loads(client.invoke(endpoint, text(features), Accept="application/json;verbose"))
    if "prediction" in told:
        assert np.mean((np.array(told["prediction"]) - rows[200:, 0]) ** 2) < 0.3 * np.var(rows[200:, 0])
    else:
        assert np.mean(np.array(told["predicted_label"]) == rows[200:, 0]) > 0.85
    with pytest.raises(ClientError, match="Leave the target out"):
        client.invoke(endpoint, text(rows[:2]))
    answer = transformed(client, endpoint, bucket, features)
    assert answer == {name: told[name] for name in answer} and len(answer) == 1


def test_autogluon_is_found_trained_deployed_and_asked(client):
    """It has no metrics of its own; the user reads AutoGluon's log, where a tab is #011 as in CloudWatch."""
    pytest.importorskip("autogluon.tabular", reason="pip install 'sagelet[autogluon]' (.ci/autogluon test)")
    spec = specification(client, "autogluon-classification-ensemble")
    bucket, rows = data(client, "classification")
    mine = {"Name": "auc", "Regex": r"#011([0-9.]+)#011 = Validation score +\(roc_auc\)"}
    job = train(client, {**spec, "metrics": [mine]}, bucket, presets="interpretable")
    assert job["TrainingJobStatus"] == "Completed", job.get("FailureReason")
    assert 0.8 < job["FinalMetricDataList"][0]["Value"] <= 1
    endpoint, features = deployed(client, spec, job), rows[200:, 1:]
    told = json.loads(client.invoke(endpoint, text(features), Accept="application/json;verbose"))
    assert np.mean(np.array(told["predicted_label"]) == rows[200:, 0]) > 0.8
    with pytest.raises(ClientError, match="Leave the target out"):
        client.invoke(endpoint, text(rows[:2]))
    assert transformed(client, endpoint, bucket, features) == {"probabilities": told["probabilities"]}


def test_lightgbm_trains_on_two_instances(client):
    pytest.importorskip("lightgbm")
    bucket, rows = data(client, "regression")
    job = train(client, specification(client, "lightgbm-regression-model"), bucket, 2, num_leaves="15")
    assert job["TrainingJobStatus"] == "Completed", job.get("FailureReason")
    [metric] = job["FinalMetricDataList"]
    assert metric["MetricName"] == "rmse" and metric["Value"] ** 2 < 0.3 * np.var(rows[200:, 0])
    key = job["ModelArtifacts"]["S3ModelArtifacts"].removeprefix(f"s3://{bucket}/")
    packed = io.BytesIO(client.s3.get_object(Bucket=bucket, Key=key)["Body"].read())
    with tarfile.open(fileobj=packed) as tar:
        assert {"model.pkl", "model.txt", "model_info.json"} <= set(tar.getnames())


def test_what_training_refuses_is_the_reason_of_its_failure(client):
    pytest.importorskip("lightgbm")
    bucket, _ = data(client, "classification")
    job = train(client, specification(client, "lightgbm-classification-model"), bucket, num_leaves="1")
    assert job["TrainingJobStatus"] == "Failed"
    assert job["FailureReason"].startswith(
        "ClientError: The hyperparameter num_leaves is 1; it has to be an integer at least 2 and at most 131072."
    )


def test_the_untrained_artifact_is_not_served(client):
    pytest.importorskip("lightgbm")
    spec = specification(client, "lightgbm-classification-model")
    script = f"s3://{BUCKET}/{spec['hosting_script_key']}"
    endpoint = client.name("untrained")
    client.sagemaker.create_model(
        ModelName=endpoint, ExecutionRoleArn="arn:aws:iam::123456789012:role/x",
        PrimaryContainer={
            "Image": image(spec, "hosting"), "ModelDataUrl": f"s3://{BUCKET}/{spec['hosting_artifact_key']}",
            "Environment": {"SAGEMAKER_PROGRAM": "inference.py", "SAGEMAKER_SUBMIT_DIRECTORY": script},
        },
    )  # fmt: skip
    variant = {"VariantName": "all", "ModelName": endpoint, "InitialInstanceCount": 1, "InstanceType": "ml.m5.large"}
    client.sagemaker.create_endpoint_config(EndpointConfigName=endpoint, ProductionVariants=[variant])
    client.sagemaker.create_endpoint(EndpointName=endpoint, EndpointConfigName=endpoint)
    answer = client.in_service(endpoint, "Failed")
    group = f"/aws/sagemaker/Endpoints/{endpoint}"
    [stream, *_] = client.logs.describe_log_streams(logGroupName=group)["logStreams"]
    events = client.logs.get_log_events(logGroupName=group, logStreamName=stream["logStreamName"])["events"]
    assert "holds no trained model" in "".join(event["message"] for event in events), answer


def test_the_bucket_is_there_for_every_region_and_for_no_one_to_change(client):
    manifest = json.loads(client.text("jumpstart-cache-prod-eu-west-1", "models_manifest.json"))
    assert {row["model_id"] for row in manifest} >= {"lightgbm-regression-model", "catboost-classification-model"}
    bought = json.loads(client.text("jumpstart-cache-prod-eu-west-1", "proprietary-sdk-manifest.json"))
    assert bought[0]["min_version"] == "9999.0.0", "the SDK reads the first entry unguarded"
    european = json.loads(client.text("jumpstart-cache-prod-eu-west-1", manifest[0]["spec_key"]))
    assert ".dkr.ecr.eu-west-1.amazonaws.com/" in image(european, "training")
    with pytest.raises(ClientError, match="AccessDenied"):
        client.s3.put_object(Bucket=BUCKET, Key="models_manifest.json", Body=b"[]")
    with pytest.raises(ClientError, match="NoSuchBucket"):
        client.s3.get_object(Bucket="jumpstart-cache-prod-nowhere", Key="models_manifest.json")


def test_the_bucket_is_there_with_an_external_s3_which_has_all_others(tmp_path):
    pytest.importorskip("pandas")
    with s3_server.house(tmp_path / "far") as far, s3_server.serving(far) as url:
        with Server(tmp_path / "near", ["--executor", "process", "--s3-endpoint", url]) as server:
            client = Client(server)
            spec = specification(client, "sklearn-regression-linear")
            bucket, _ = data(client, "regression")
            job = train(client, spec, bucket)
            assert job["TrainingJobStatus"] == "Completed", job.get("FailureReason")
            with pytest.raises(ClientError, match="AccessDenied"):
                client.s3.delete_object(Bucket=BUCKET, Key="models_manifest.json")
        key = job["ModelArtifacts"]["S3ModelArtifacts"].removeprefix(f"s3://{bucket}/")
        assert far.shelf.index.get(bucket, key) is not None and far.shelf.index.bucket(BUCKET) is None
