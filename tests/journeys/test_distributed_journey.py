"""XGBoost on several hosts, through real boto3 against a real server whose hosts are processes that find each other."""

import re

from tests.journeys.conftest import channel, csv, table
from tests.journeys.test_training_journey import booster_of

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
