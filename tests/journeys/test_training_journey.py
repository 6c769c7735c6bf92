"""Training through real boto3 against a real server: success, honest failure, stopping, metrics, logs, artifacts."""

import io
import re
import tarfile

import numpy as np
import pytest
import xgboost
from botocore.exceptions import ClientError

from sagelet import places
from tests.journeys.conftest import channel, table, training_request

PARAMS = {"objective": "reg:squarederror", "max_depth": 4, "nthread": 1, "seed": 0}


def booster_of(client, artifact: str) -> xgboost.Booster:
    bucket, key = artifact.removeprefix("s3://").split("/", 1)
    packed = client.s3.get_object(Bucket=bucket, Key=key)["Body"].read()
    with tarfile.open(fileobj=io.BytesIO(packed)) as tar:
        assert tar.getnames() == ["xgboost-model"]
        member = tar.extractfile("xgboost-model")
        booster = xgboost.Booster()
        booster.load_model(bytearray(member.read()))
        return booster


@pytest.mark.proves("CreateTrainingJob")
def test_a_trained_model_predicts_what_the_library_called_directly_predicts(client, training_data):
    # Given a job that trained on the same rows with the same parameters and seed
    job = client.train(training_data)
    assert job["TrainingJobStatus"] == "Completed", job.get("FailureReason")
    # When plain xgboost loads its artifact, and trains by itself
    booster = booster_of(client, job["ModelArtifacts"]["S3ModelArtifacts"])
    rows = table()
    direct = xgboost.train(PARAMS, xgboost.DMatrix(rows[:, 1:].astype(np.float32), rows[:, 0]), num_boost_round=10)
    # Then both say the same
    probe = xgboost.DMatrix(table(50, seed=9)[:, 1:].astype(np.float32))
    np.testing.assert_allclose(booster.predict(probe), direct.predict(probe), rtol=1e-6)


def test_describe_tells_the_truth_about_a_completed_job(client, training_data):
    job = client.train(training_data, InputDataConfig=[channel(training_data)])
    name = job["TrainingJobName"]
    assert job["TrainingJobArn"] == f"arn:aws:sagemaker:us-east-1:123456789012:training-job/{name}"
    assert job["SecondaryStatus"] == "Completed"
    steps = [step["Status"] for step in job["SecondaryStatusTransitions"]]
    assert steps == ["Starting", "Downloading", "Training", "Uploading", "Completed"]
    for earlier, later in zip(job["SecondaryStatusTransitions"], job["SecondaryStatusTransitions"][1:], strict=False):
        assert earlier["EndTime"] <= later["StartTime"]
    assert job["CreationTime"] <= job["TrainingStartTime"] <= job["TrainingEndTime"]
    assert job["TrainingTimeInSeconds"] >= 1 and job["BillableTimeInSeconds"] >= 1
    assert job["OutputDataConfig"]["KmsKeyId"] == ""
    assert job["ModelArtifacts"]["S3ModelArtifacts"] == f"s3://{training_data}/out/{name}/output/model.tar.gz"
    assert "VpcConfig" not in job and "Tags" not in job


def test_the_metric_is_the_last_value_of_the_log_and_the_log_is_in_cloudwatch(client, training_data):
    job = client.train(training_data)
    name = job["TrainingJobName"]
    streams = client.logs.describe_log_streams(
        logGroupName="/aws/sagemaker/TrainingJobs", logStreamNamePrefix=f"{name}/", orderBy="LogStreamName"
    )
    assert "nextToken" not in streams
    [stream] = streams["logStreams"]
    assert re.fullmatch(rf"{name}/algo-1-\d+", stream["logStreamName"])
    events = client.logs.get_log_events(
        logGroupName="/aws/sagemaker/TrainingJobs", logStreamName=stream["logStreamName"], startFromHead=True
    )["events"]
    values = re.findall(r"\[\d+\]#011train-rmse:(\S+)", "\n".join(e["message"] for e in events))
    assert len(values) == 10
    [metric] = job["FinalMetricDataList"]
    assert metric["MetricName"] == "train:rmse"
    assert metric["Value"] == pytest.approx(float(values[-1]))


def test_the_older_image_and_libsvm_work_for_any_account_and_region(client):
    bucket = client.bucket()
    lines = [f"{row[0]} " + " ".join(f"{i}:{v}" for i, v in enumerate(row[1:])) for row in table()]
    client.s3.put_object(Bucket=bucket, Key="train/rows.libsvm", Body="\n".join(lines).encode())
    job = client.train(
        bucket,
        AlgorithmSpecification={
            "TrainingImage": "501404015308.dkr.ecr.ap-northeast-1.amazonaws.com/xgboost:1",
            "TrainingInputMode": "File",
        },
        InputDataConfig=[channel(bucket, content_type="text/libsvm")],
    )
    assert job["TrainingJobStatus"] == "Completed", job.get("FailureReason")


@pytest.mark.parametrize(
    ("parameters", "words"),
    [
        ({"num_round": "5", "bogus": "1"}, "Extraneous hyperparameter found: bogus"),
        ({"max_depth": "3"}, "Missing required hyperparameter: num_round"),
        ({"num_round": "5", "eta": "7"}, "Hyperparameter eta: value 7"),
        ({"num_round": "many"}, "Hyperparameter num_round: could not parse value"),
    ],
)
def test_bad_hyperparameters_fail_in_the_algorithms_words(client, training_data, parameters, words):
    job = client.train(training_data, HyperParameters=parameters)
    assert job["TrainingJobStatus"] == "Failed" and job["SecondaryStatus"] == "Failed"
    assert "ClientError" in job["FailureReason"] and words in job["FailureReason"]
    assert "ModelArtifacts" not in job
    assert client.s3.list_objects_v2(Bucket=training_data, Prefix="out/" + job["TrainingJobName"])["KeyCount"] == 0


@pytest.mark.parametrize(
    ("body", "word"),
    [
        (b"label,a,b\n1,2,3\n4,5,6\n", "header"),
        (b"1,2,3\n2,3,4\nyes,3,4\n", "yes"),
        (b"1,2,3\n2,3\n4,5,6\n", "2"),
    ],
    ids=["header", "text", "ragged"],
)
def test_bad_csv_names_what_is_wrong(client, body, word):
    bucket = client.bucket()
    client.s3.put_object(Bucket=bucket, Key="train/rows.csv", Body=body)
    job = client.train(bucket)
    assert job["TrainingJobStatus"] == "Failed"
    assert "ClientError" in job["FailureReason"] and "rows.csv" in job["FailureReason"] and word in job["FailureReason"]


def test_absent_data_is_refused_when_the_job_is_created(client, training_data):
    request = training_request(client.name("job"), training_data)
    for uri in ("s3://no-such-bucket-here/x", f"s3://{training_data}/nothing-here"):
        request["InputDataConfig"][0]["DataSource"]["S3DataSource"]["S3Uri"] = uri
        with pytest.raises(ClientError) as caught:
            client.sagemaker.create_training_job(**request)
        assert caught.value.response["Error"]["Code"] == "ValidationException"
        assert f'No S3 objects found under S3 URL "{uri}"' in caught.value.response["Error"]["Message"]


def test_an_image_that_nothing_here_can_run_fails_and_names_the_remedies(client, training_data):
    spec = {"TrainingImage": "123456789012.dkr.ecr.us-east-1.amazonaws.com/mine:1", "TrainingInputMode": "File"}
    job = client.train(training_data, AlgorithmSpecification=spec)
    assert job["TrainingJobStatus"] == "Failed"
    assert "mine:1" in job["FailureReason"] and "Docker" in job["FailureReason"]


@pytest.mark.proves("StopTrainingJob", "DeleteTrainingJob")
def test_a_job_is_stopped_and_keeps_what_it_had(client, training_data):
    job = client.train(
        training_data,
        wait=False,
        HyperParameters={"num_round": "1000000", "objective": "reg:squarederror", "save_model_on_termination": "true"},
    )["TrainingJobName"]

    def trained():
        lines = places.ask(client.server.url, f"/_sagelet/logs?job={job}")["lines"]
        return {"s": "ok" if any("train-rmse" in line for line in lines) else "InProgress"}

    client.settle(trained, "s")
    client.sagemaker.stop_training_job(TrainingJobName=job)
    answer = client.settle(lambda: client.sagemaker.describe_training_job(TrainingJobName=job), "TrainingJobStatus")
    assert (answer["TrainingJobStatus"], answer["SecondaryStatus"]) == ("Stopped", "Stopped")
    assert booster_of(client, answer["ModelArtifacts"]["S3ModelArtifacts"]).num_boosted_rounds() > 0
    with pytest.raises(ClientError) as caught:
        client.sagemaker.stop_training_job(TrainingJobName=job)
    assert "The request was rejected because the training job is in status Stopped" in str(caught.value)
    client.sagemaker.delete_training_job(TrainingJobName=job)
    with pytest.raises(ClientError, match="Requested resource not found"):
        client.sagemaker.describe_training_job(TrainingJobName=job)


def test_a_job_that_takes_too_long_is_stopped_for_that(client, training_data):
    job = client.train(
        training_data,
        HyperParameters={"num_round": "100000000", "objective": "reg:squarederror"},
        StoppingCondition={"MaxRuntimeInSeconds": 1},
    )
    assert (job["TrainingJobStatus"], job["SecondaryStatus"]) == ("Stopped", "MaxRuntimeExceeded")


def test_names_are_unique_and_absent_names_are_told(client, training_data):
    name = client.train(training_data)["TrainingJobName"]
    with pytest.raises(ClientError) as caught:
        client.sagemaker.create_training_job(**training_request(name, training_data))
    assert caught.value.response["Error"]["Code"] == "ResourceInUse"
    assert "Training job names must be unique within an AWS account and region" in str(caught.value)
    with pytest.raises(ClientError) as caught:
        client.sagemaker.describe_training_job(TrainingJobName="nobody")
    assert caught.value.response["Error"] == {
        **caught.value.response["Error"],
        "Code": "ValidationException",
        "Message": "Requested resource not found.",
    }


def test_lists_filter_sort_and_page(client, training_data):
    stem = client.name("page")
    names = [f"{stem}-{i}" for i in range(5)]
    for name in names:
        client.train(training_data, job=name, wait=False)
    pages = client.sagemaker.get_paginator("list_training_jobs").paginate(
        NameContains=stem, SortBy="Name", SortOrder="Descending", PaginationConfig={"PageSize": 2}
    )
    seen = [[s["TrainingJobName"] for s in page["TrainingJobSummaries"]] for page in pages]
    assert seen == [[names[4], names[3]], [names[2], names[1]], [names[0]]]
    for name in names:
        client.settle(lambda n=name: client.sagemaker.describe_training_job(TrainingJobName=n), "TrainingJobStatus")


def test_tags_come_with_the_job_and_later(client, training_data):
    job = client.train(training_data, Tags=[{"Key": "team", "Value": "a"}])
    client.sagemaker.add_tags(ResourceArn=job["TrainingJobArn"], Tags=[{"Key": "cost", "Value": "0"}])
    client.sagemaker.delete_tags(ResourceArn=job["TrainingJobArn"], TagKeys=["team"])
    tags = {t["Key"]: t["Value"] for t in client.sagemaker.list_tags(ResourceArn=job["TrainingJobArn"])["Tags"]}
    assert tags.pop("sagelet:versions").startswith("xgboost: asked for 1.7 - ran 3.")
    assert tags == {"cost": "0", "sagelet:executor": "process"}


def test_what_is_not_built_is_refused_by_name(client, training_data):
    request = training_request(client.name("job"), training_data)
    request["DebugRuleConfigurations"] = [{"RuleConfigurationName": "r", "RuleEvaluatorImage": "i"}]
    with pytest.raises(ClientError) as caught:
        client.sagemaker.create_training_job(**request)
    assert caught.value.response["Error"]["Code"] == "NotImplementedException"
    assert caught.value.response["ResponseMetadata"]["HTTPStatusCode"] == 501
    with pytest.raises(ClientError) as caught:
        client.sagemaker.create_labeling_job(
            LabelingJobName="x",
            LabelAttributeName="y",
            InputConfig={"DataSource": {"S3DataSource": {"ManifestS3Uri": "s3://a/b"}}},
            OutputConfig={"S3OutputPath": "s3://a/c"},
            RoleArn=request["RoleArn"],
            HumanTaskConfig={
                "WorkteamArn": "arn:aws:sagemaker:us-east-1:123456789012:workteam/private-crowd/x",
                "UiConfig": {"UiTemplateS3Uri": "s3://a/t"},
                "TaskTitle": "t",
                "TaskDescription": "d",
                "NumberOfHumanWorkersPerDataObject": 1,
                "TaskTimeLimitInSeconds": 60,
            },
        )
    assert "CreateLabelingJob" in str(caught.value)
    assert caught.value.response["ResponseMetadata"]["RetryAttempts"] == 0


def test_several_violations_are_told_at_once(client, training_data):
    request = training_request("bad_name!", training_data)
    request["OutputDataConfig"] = {"S3OutputPath": "nowhere"}
    with pytest.raises(ClientError) as caught:
        client.sagemaker.create_training_job(**request)
    message = caught.value.response["Error"]["Message"]
    assert message.startswith("2 validation errors detected: ")
    assert "Value 'bad_name!' at 'trainingJobName' failed to satisfy constraint" in message
    assert "Value 'nowhere' at 'outputDataConfig.s3OutputPath' failed to satisfy constraint" in message
