"""Batch transform through real boto3: every object gets its `.out`, joined and filtered as asked."""

import numpy as np
import pytest
import xgboost
from botocore.exceptions import ClientError

from tests.journeys.conftest import IMAGE, archive, table


@pytest.fixture(scope="module")
def model(server):
    """(client, booster, model name): a model made by plain xgboost."""
    from tests.journeys.conftest import Client

    client = Client(server)
    rows = table()
    data = xgboost.DMatrix(rows[:, 1:].astype(np.float32), rows[:, 0])
    booster = xgboost.train({"max_depth": 3, "nthread": 1}, data, num_boost_round=5)
    bucket, name = client.bucket(), client.name("model")
    client.s3.put_object(
        Bucket=bucket, Key="m.tar.gz", Body=archive({"xgboost-model": bytes(booster.save_raw("json"))})
    )
    client.sagemaker.create_model(
        ModelName=name,
        PrimaryContainer={"Image": IMAGE, "ModelDataUrl": f"s3://{bucket}/m.tar.gz"},
        ExecutionRoleArn="arn:aws:iam::123456789012:role/x",
    )
    return client, booster, name


def transform(client, name, bucket, *, source=None, output=None, **more):
    job = client.name("transform")
    where = {"S3DataSource": {"S3DataType": "S3Prefix", "S3Uri": f"s3://{bucket}/in"}}
    client.sagemaker.create_transform_job(
        TransformJobName=job,
        ModelName=name,
        TransformInput={"DataSource": where, "ContentType": "text/csv", "SplitType": "Line", **(source or {})},
        TransformOutput={"S3OutputPath": f"s3://{bucket}/out", "AssembleWith": "Line", **(output or {})},
        TransformResources={"InstanceType": "ml.m5.large", "InstanceCount": 1},
        **more,
    )
    return client.settle(lambda: client.sagemaker.describe_transform_job(TransformJobName=job), "TransformJobStatus")


def lines(rows) -> bytes:
    return ("\n".join(",".join(map(str, row)) for row in rows) + "\n").encode()


def predicted(booster, rows):
    return booster.predict(xgboost.DMatrix(np.asarray(rows, np.float32)))


@pytest.mark.proves("CreateTransformJob")
def test_every_object_under_the_prefix_gets_its_predictions(model):
    client, booster, name = model
    bucket = client.bucket()
    inputs = {f"in/{folder}/part-{i}.csv": table(7, seed=i)[:, 1:] for i in range(6) for folder in ("x", "y")}
    for key, rows in inputs.items():
        client.s3.put_object(Bucket=bucket, Key=key, Body=lines(rows))
    client.s3.put_object(Bucket=bucket, Key="in/empty.csv", Body=b"")
    answer = transform(client, name, bucket, MaxConcurrentTransforms=3)
    assert answer["TransformJobStatus"] == "Completed", answer.get("FailureReason")
    assert answer["TransformStartTime"] <= answer["TransformEndTime"]
    listed = client.s3.list_objects_v2(Bucket=bucket, Prefix="out/")["Contents"]
    assert {o["Key"] for o in listed} == {f"out/{key.removeprefix('in/')}.out" for key in inputs}
    for key, rows in inputs.items():
        values = client.text(bucket, f"out/{key.removeprefix('in/')}.out").split()
        np.testing.assert_allclose([float(v) for v in values], predicted(booster, rows), rtol=1e-5)


@pytest.mark.parametrize("strategy", ["SingleRecord", "MultiRecord"])
def test_filters_and_joins(model, strategy):
    client, booster, name = model
    bucket = client.bucket()
    rows = table(9, seed=4)[:, 1:]
    body = [[f"id{i}", *row] for i, row in enumerate(rows)]
    client.s3.put_object(Bucket=bucket, Key="in/rows.csv", Body=lines(body))
    answer = transform(
        client,
        name,
        bucket,
        BatchStrategy=strategy,
        output={"Accept": "text/csv"},
        DataProcessing={"InputFilter": "$[1:]", "JoinSource": "Input", "OutputFilter": "$[0,-1]"},
    )
    assert answer["TransformJobStatus"] == "Completed", answer.get("FailureReason")
    got = [line.split(",") for line in client.text(bucket, "out/rows.csv.out").splitlines()]
    assert [row[0] for row in got] == [f"id{i}" for i in range(9)]
    np.testing.assert_allclose([float(row[1]) for row in got], predicted(booster, rows), rtol=1e-5)


@pytest.mark.proves("StopTransformJob")
def test_a_job_can_be_stopped(model):
    client, _booster, name = model
    bucket, job = client.bucket(), client.name("transform")
    client.s3.put_object(Bucket=bucket, Key="in/long.csv", Body=lines(table(20_000)[:, 1:]))
    where = {"S3DataSource": {"S3DataType": "S3Prefix", "S3Uri": f"s3://{bucket}/in"}}
    client.sagemaker.create_transform_job(
        TransformJobName=job,
        ModelName=name,
        BatchStrategy="SingleRecord",
        TransformInput={"DataSource": where, "ContentType": "text/csv", "SplitType": "Line"},
        TransformOutput={"S3OutputPath": f"s3://{bucket}/out", "AssembleWith": "Line"},
        TransformResources={"InstanceType": "ml.m5.large", "InstanceCount": 1},
    )
    client.sagemaker.stop_transform_job(TransformJobName=job)
    describe = client.sagemaker.describe_transform_job
    told = client.settle(lambda: describe(TransformJobName=job), "TransformJobStatus")
    assert told["TransformJobStatus"] == "Stopped", told
    assert client.s3.list_objects_v2(Bucket=bucket, Prefix="out/")["KeyCount"] == 0
    with pytest.raises(ClientError, match="rejected because the transform job is in status Stopped"):
        client.sagemaker.stop_transform_job(TransformJobName=job)


def test_a_bad_file_fails_the_job_and_leaves_the_good_ones(model):
    client, _, name = model
    bucket = client.bucket()
    client.s3.put_object(Bucket=bucket, Key="in/a-good.csv", Body=lines(table(3)[:, 1:]))
    client.s3.put_object(Bucket=bucket, Key="in/b-bad.csv", Body=b"not,a,number\n")
    answer = transform(client, name, bucket)
    assert answer["TransformJobStatus"] == "Failed" and answer["FailureReason"]
    keys = [o["Key"] for o in client.s3.list_objects_v2(Bucket=bucket, Prefix="out/").get("Contents", ())]
    assert keys == ["out/a-good.csv.out"]


def test_a_join_needs_lines_on_both_sides(model):
    client, _, name = model
    bucket = client.bucket()
    client.s3.put_object(Bucket=bucket, Key="in/rows.csv", Body=b"1,2,3\n")
    with pytest.raises(ClientError) as caught:
        transform(client, name, bucket, source={"SplitType": "None"}, DataProcessing={"JoinSource": "Input"})
    assert caught.value.response["Error"]["Code"] == "ValidationException"


def test_absent_data_and_models_are_refused(model):
    client, _, name = model
    bucket = client.bucket()
    with pytest.raises(ClientError, match=r"No S3 objects found|Could not find"):
        transform(client, name, bucket)
    client.s3.put_object(Bucket=bucket, Key="in/rows.csv", Body=b"1,2,3\n")
    with pytest.raises(ClientError, match="Could not find model"):
        transform(client, "no-such-model", bucket)


def test_describe_echoes_the_defaults_of_the_service(model):
    client, _, name = model
    bucket = client.bucket()
    client.s3.put_object(Bucket=bucket, Key="in/rows.csv", Body=b"0.1,0.2,0.3\n")
    answer = transform(client, name, bucket)
    assert answer["TransformOutput"]["KmsKeyId"] == ""
    assert answer["TransformInput"]["CompressionType"] == "None"
    assert answer["DataProcessing"] == {"InputFilter": "$", "OutputFilter": "$", "JoinSource": "None"}
