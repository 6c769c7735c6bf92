"""XGBoost on several hosts, through real boto3 against a real server whose hosts are processes that find each other."""

import re

import numpy as np
import xgboost

from tests.journeys.conftest import channel, csv, table
from tests.journeys.test_training_journey import PARAMS, booster_of

GROUP = "/aws/sagemaker/TrainingJobs"
TWO = {"InstanceType": "ml.m5.large", "InstanceCount": 2, "VolumeSizeInGB": 1}


def sharded(bucket):
    one = channel(bucket)
    one["DataSource"]["S3DataSource"]["S3DataDistributionType"] = "ShardedByS3Key"
    return [one]


def logs_of(client, job):
    """The text of each host's stream."""
    streams = client.logs.describe_log_streams(logGroupName=GROUP, logStreamNamePrefix=f"{job}/")["logStreams"]
    found = {}
    for stream in streams:
        name = stream["logStreamName"]
        host = re.fullmatch(rf"{job}/(algo-\d+)-\d+", name).group(1)
        answer = client.logs.get_log_events(logGroupName=GROUP, logStreamName=name, startFromHead=True)
        found[host] = "\n".join(event["message"] for event in answer["events"])
    return found


def test_two_hosts_train_one_model_on_their_shards(client):
    # Given rows in two objects, of which each of two hosts gets one
    bucket, rows = client.bucket(), table()
    client.s3.put_object(Bucket=bucket, Key="train/0.csv", Body=csv(rows[:250]))
    client.s3.put_object(Bucket=bucket, Key="train/1.csv", Body=csv(rows[250:]))
    # When they train
    job = client.train(bucket, ResourceConfig=TWO, InputDataConfig=sharded(bucket))
    # Then the model is one of all the rows: its histograms are cut a little differently
    assert job["TrainingJobStatus"] == "Completed", job.get("FailureReason")
    logs = logs_of(client, job["TrainingJobName"])
    assert {host: re.search(r"Train matrix has (\d+) rows", text).group(1) for host, text in logs.items()} == {
        "algo-1": "250",
        "algo-2": "150",
    }
    booster = booster_of(client, job["ModelArtifacts"]["S3ModelArtifacts"])
    whole = xgboost.train(PARAMS, xgboost.DMatrix(rows[:, 1:].astype(np.float32), rows[:, 0]), num_boost_round=10)
    probe, label = (part := table(200, seed=9))[:, 1:].astype(np.float32), part[:, 0]
    errors = [np.abs(one.predict(xgboost.DMatrix(probe)) - label).mean() for one in (booster, whole)]
    assert errors[0] < 1.2 * errors[1], errors
    # And the metric is of both, printed once
    assert len(re.findall(r"^\[\d+\]#011train-rmse:", logs["algo-1"], re.MULTILINE)) == 10
    assert "train-rmse" not in logs["algo-2"]
    printed = re.findall(r"train-rmse:(\S+)", logs["algo-1"])[-1]
    assert job["FinalMetricDataList"][0]["Value"] == float(printed)
    # And it predicts behind an endpoint
    endpoint = client.deploy(job["ModelArtifacts"]["S3ModelArtifacts"])
    answer = float(client.invoke(endpoint, "0.5,0.1,-0.2"))
    assert abs(answer - booster.predict(xgboost.DMatrix(np.array([[0.5, 0.1, -0.2]])))[0]) < 1e-5


def test_a_corrupt_shard_fails_the_job_for_that_reason(client):
    # Given a second shard that is no CSV of numbers
    bucket = client.bucket()
    client.s3.put_object(Bucket=bucket, Key="train/0.csv", Body=csv(table()))
    client.s3.put_object(Bucket=bucket, Key="train/1.csv", Body=b"1,2,3,4\n5,6,red,8\n")
    # When two hosts train
    job = client.train(bucket, ResourceConfig=TWO, InputDataConfig=sharded(bucket))
    # Then the job has failed for what is wrong with the shard, whichever host is asked
    assert job["TrainingJobStatus"] == "Failed"
    assert job["FailureReason"].startswith("ClientError: ")
    assert "column 2 in line 2 of file '1.csv' is not a number: 'red'" in job["FailureReason"]
    logs = logs_of(client, job["TrainingJobName"])
    assert set(logs) == {"algo-1", "algo-2"}
    assert "is not a number: 'red'" in logs["algo-2"]


def test_a_host_without_an_object_leaves_the_training_to_the_other(client, training_data):
    job = client.train(training_data, ResourceConfig=TWO, InputDataConfig=sharded(training_data))
    assert job["TrainingJobStatus"] == "Completed", job.get("FailureReason")
    logs = logs_of(client, job["TrainingJobName"])
    assert "Host algo-2 does not have training data" in logs["algo-2"]
    rows = table()
    direct = xgboost.train(PARAMS, xgboost.DMatrix(rows[:, 1:].astype(np.float32), rows[:, 0]), num_boost_round=10)
    booster = booster_of(client, job["ModelArtifacts"]["S3ModelArtifacts"])
    probe = xgboost.DMatrix(rows[:50, 1:].astype(np.float32))
    np.testing.assert_allclose(booster.predict(probe), direct.predict(probe), rtol=1e-6)


def test_a_job_of_two_hosts_that_is_stopped_keeps_the_model_it_was_asked_to_save(client, training_data):
    # Given two hosts that train for long
    parameters = {"num_round": "100000", "max_depth": "2", "nthread": "1", "save_model_on_termination": "true"}
    job = client.train(training_data, ResourceConfig=TWO, HyperParameters=parameters, wait=False)["TrainingJobName"]
    while "[20]#011" not in logs_of(client, job).get("algo-1", ""):
        assert client.sagemaker.describe_training_job(TrainingJobName=job)["TrainingJobStatus"] == "InProgress"
    # When the job is stopped
    client.sagemaker.stop_training_job(TrainingJobName=job)
    told = client.settle(lambda: client.sagemaker.describe_training_job(TrainingJobName=job), "TrainingJobStatus")
    # Then both have ended after the same round, and the model of that round is the artifact
    assert told["TrainingJobStatus"] == "Stopped"
    logs = logs_of(client, job)
    rounds = {re.search(r"Stopped after (\d+) rounds", text).group(1) for text in logs.values()}
    booster = booster_of(client, told["ModelArtifacts"]["S3ModelArtifacts"])
    assert rounds == {str(booster.num_boosted_rounds())}


def test_pipes_train_on_two_hosts_as_files_do(client):
    bucket, rows = client.bucket(), table()
    for number, part in enumerate(np.array_split(rows, 4)):
        client.s3.put_object(Bucket=bucket, Key=f"train/{number}.csv", Body=csv(part))
    jobs = [
        client.train(bucket, ResourceConfig=TWO, InputDataConfig=[dict(sharded(bucket)[0], InputMode=mode)])
        for mode in ("File", "Pipe")
    ]
    assert [job["TrainingJobStatus"] for job in jobs] == ["Completed"] * 2, jobs[1].get("FailureReason")
    probe = xgboost.DMatrix(rows[:, 1:].astype(np.float32))
    files, pipes = (booster_of(client, job["ModelArtifacts"]["S3ModelArtifacts"]).predict(probe) for job in jobs)
    np.testing.assert_array_equal(files, pipes)
