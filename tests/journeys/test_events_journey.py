"""A rule of EventBridge and a queue: what happens to a job and an endpoint arrives there, in order."""

import json
import time

from tests.journeys.conftest import IMAGE, archive


def watch(client, name: str, pattern: dict) -> str:
    """A queue that a rule sends what matches to; its URL."""
    sqs, events = client.of("sqs"), client.of("events")
    url = sqs.create_queue(QueueName=name)["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    events.put_rule(Name=name, EventPattern=json.dumps({"source": ["aws.sagemaker"], **pattern}))
    events.put_targets(Rule=name, Targets=[{"Id": "queue", "Arn": arn}])
    return url


def collect(client, url: str, over) -> list[dict]:
    """The events that arrive until one of them is the last."""
    sqs, found, end = client.of("sqs"), [], time.monotonic() + 60
    while time.monotonic() < end and not (found and over(found[-1])):
        for message in sqs.receive_message(QueueUrl=url, WaitTimeSeconds=1).get("Messages", []):
            found.append(json.loads(message["Body"]))
            sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
    return found


def test_a_rule_hears_every_step_of_a_job(client, training_data):
    # Given a rule for training jobs whose target is a queue, and one for those that failed
    every = watch(client, client.name("jobs"), {"detail-type": ["SageMaker Training Job State Change"]})
    failed = watch(client, client.name("failed"), {"detail": {"TrainingJobStatus": ["Failed"]}})
    # When one job runs to its end, and another cannot
    job = client.train(training_data, Tags=[{"Key": "team", "Value": "blue"}])
    broken = client.train(training_data, HyperParameters={"num_round": "many"})
    # Then the queue has each step of both in order, as Describe tells it, with times in milliseconds
    found = collect(client, every, lambda last: last["detail"]["TrainingJobStatus"] == "Failed")
    steps = {name: [] for name in (job["TrainingJobName"], broken["TrainingJobName"])}
    for event in found:
        steps[event["detail"]["TrainingJobName"]].append(event["detail"]["SecondaryStatus"])
    assert steps[job["TrainingJobName"]] == ["Starting", "Downloading", "Training", "Uploading", "Completed"]
    assert steps[broken["TrainingJobName"]][-1] == "Failed"
    (completed,) = [e for e in found if e["detail"]["TrainingJobStatus"] == "Completed"]
    detail = completed["detail"]
    assert completed["resources"] == [job["TrainingJobArn"]] and completed["account"] == "123456789012"
    assert detail["ModelArtifacts"] == job["ModelArtifacts"] and detail["Tags"]["team"] == "blue"
    assert abs(detail["TrainingEndTime"] - job["TrainingEndTime"].timestamp() * 1000) < 1
    assert len(detail["SecondaryStatusTransitions"]) == 5
    # And the other queue has the failure alone, with its reason
    (told,) = collect(client, failed, lambda last: True)
    assert told["detail"]["FailureReason"] == broken["FailureReason"]


def test_a_rule_hears_of_an_endpoint(client):
    url = watch(client, client.name("endpoints"), {"detail-type": ["SageMaker Endpoint State Change"]})
    bucket = client.bucket()
    client.s3.put_object(Bucket=bucket, Key="model.tar.gz", Body=archive({"nothing": b""}))
    name = client.name("endpoint")
    model = {"Image": IMAGE, "ModelDataUrl": f"s3://{bucket}/missing.tar.gz"}
    client.sagemaker.create_model(
        ModelName=name, PrimaryContainer=model, ExecutionRoleArn="arn:aws:iam::123456789012:role/r"
    )
    variant = {"VariantName": "v", "ModelName": name, "InitialInstanceCount": 1, "InstanceType": "ml.m5.large"}
    client.sagemaker.create_endpoint_config(EndpointConfigName=name, ProductionVariants=[variant])
    client.sagemaker.create_endpoint(EndpointName=name, EndpointConfigName=name)
    found = collect(client, url, lambda last: last["detail"]["EndpointStatus"] == "FAILED")
    assert [event["detail"]["EndpointStatus"] for event in found] == ["CREATING", "FAILED"]
    assert found[0]["resources"] == [f"arn:aws:sagemaker:us-east-1:123456789012:endpoint/{name}"]
    client.sagemaker.delete_endpoint(EndpointName=name)
