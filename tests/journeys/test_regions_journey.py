"""Two regions are two worlds: jobs of one name run in both, and neither sees the other's log and numbers."""

from botocore.config import Config

from tests.journeys.conftest import training_request

GROUP = "/aws/sagemaker/TrainingJobs"


def test_jobs_of_one_name_in_two_regions_have_logs_and_metrics_of_their_own(client, training_data):
    # Given two jobs of the same name in two regions, which train for a different number of rounds
    name = client.name("twin")
    rounds = {"us-east-1": 3, "eu-west-1": 5}
    for region, count in rounds.items():
        request = training_request(name, training_data)
        request["HyperParameters"]["num_round"] = str(count)
        of(client, "sagemaker", region).create_training_job(**request)
    for region, count in rounds.items():
        # When each is over
        sagemaker = of(client, "sagemaker", region)
        job = client.settle(lambda s=sagemaker: s.describe_training_job(TrainingJobName=name), "TrainingJobStatus")
        assert job["TrainingJobStatus"] == "Completed", job.get("FailureReason")
        # Then its log in its region is its own, and so are its numbers
        logs = of(client, "logs", region)
        (stream,) = logs.describe_log_streams(logGroupName=GROUP, logStreamNamePrefix=f"{name}/")["logStreams"]
        events = logs.get_log_events(logGroupName=GROUP, logStreamName=stream["logStreamName"], startFromHead=True)
        lines = [event["message"] for event in events["events"] if "train-rmse" in event["message"]]
        assert len(lines) == count
        metrics = of(client, "cloudwatch", region).list_metrics(
            Namespace=GROUP, Dimensions=[{"Name": "TrainingJobName", "Value": name}]
        )["Metrics"]
        assert "train:rmse" in {metric["MetricName"] for metric in metrics}
    # And a region without the job has nothing of it
    assert of(client, "logs", "eu-west-3").describe_log_groups()["logGroups"] == []


def of(client, service: str, region: str):
    config = Config(retries={"total_max_attempts": 1})
    return client.session.client(service, region_name=region, endpoint_url=client.server.url, config=config)
