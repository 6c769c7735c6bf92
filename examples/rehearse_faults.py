"""Let things go wrong on purpose: throttled requests, no capacity, a job that fails. Does your code do the right thing?

This one is about Sagelet: the rules are its extension API (docs/extension-api.md). The code under test is plain boto3.
"""

import json
import os
import time
import urllib.request

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError, WaiterError

ROLE = "arn:aws:iam::123456789012:role/SageletExecutionRole"
IMAGE = "683313688378.dkr.ecr.us-east-1.amazonaws.com/sagemaker-xgboost:1.7-1"
NAME = f"faults-{int(time.time())}"
FAULTS = f"{os.environ['AWS_ENDPOINT_URL']}/_sagelet/faults"

s3, sagemaker = boto3.client("s3"), boto3.client("sagemaker")
bucket = f"sagemaker-{sagemaker.meta.region_name}-{boto3.client('sts').get_caller_identity()['Account']}"
s3.put_object(Bucket=bucket, Key=f"{NAME}/train/rows.csv", Body="\n".join(f"{2 * x},{x}" for x in range(100)).encode())


def rule(**told) -> str:
    """Add a rule; its id."""
    asked = urllib.request.Request(FAULTS, json.dumps(told).encode(), {"Content-Type": "application/json"})
    return json.loads(urllib.request.urlopen(asked).read())["id"]


def hits(identifier: str) -> int:
    told = json.loads(urllib.request.urlopen(FAULTS).read())["faults"]
    return next(one["hits"] for one in told if one["id"] == identifier)


def train(name: str) -> None:
    sagemaker.create_training_job(
        TrainingJobName=name,
        AlgorithmSpecification={"TrainingImage": IMAGE, "TrainingInputMode": "File"},
        HyperParameters={"num_round": "10"},
        InputDataConfig=[
            {
                "ChannelName": "train",
                "ContentType": "text/csv",
                "DataSource": {"S3DataSource": {"S3DataType": "S3Prefix", "S3Uri": f"s3://{bucket}/{NAME}/train"}},
            }
        ],
        OutputDataConfig={"S3OutputPath": f"s3://{bucket}/{NAME}/output"},
        ResourceConfig={"InstanceType": "ml.m5.large", "InstanceCount": 1, "VolumeSizeInGB": 1},
        RoleArn=ROLE,
        StoppingCondition={"MaxRuntimeInSeconds": 600},
    )
    sagemaker.get_waiter("training_job_completed_or_stopped").wait(TrainingJobName=name)


def train_with_patience(stem: str, tries: int = 3) -> tuple[str, list[str]]:
    """The code under test: a job that failed for want of capacity is tried again under another name."""
    reasons = []
    for number in range(tries):
        name = f"{stem}-{number}"
        try:
            train(name)
            return name, reasons
        except WaiterError:
            reasons.append(sagemaker.describe_training_job(TrainingJobName=name)["FailureReason"])
            if "CapacityError" not in reasons[-1]:
                break
    return "", reasons


# Throttled twice: botocore tries again by itself, the caller notices nothing.
throttle = rule(kind="throttle", operation="ListModels", times=2)
patient = boto3.client("sagemaker", config=Config(retries={"mode": "standard", "max_attempts": 4}))
models = patient.list_models()["Models"]
throttled = hits(throttle)
print("throttled", throttled, "times, then answered:", len(models), "models")

# Throttled for as long as one looks: the error is the service's.
rule(kind="throttle", operation="ListEndpoints")
impatient = boto3.client("sagemaker", config=Config(retries={"total_max_attempts": 1}))
code = ""
try:
    impatient.list_endpoints()
except ClientError as error:
    code = error.response["Error"]["Code"]
print("without patience:", code)

# No capacity for the first job: the second is as good.
rule(kind="capacity", operation="CreateTrainingJob", name=f"{NAME}-scarce-*", times=1)
trained, reasons = train_with_patience(f"{NAME}-scarce")
print("no capacity:", reasons, "then", trained, "was trained")

# A job that fails for another reason is not tried again.
rule(kind="job-failure", name=f"{NAME}-broken-*", reason="AlgorithmError: loss is nan, exit code: 1")
broken, why = train_with_patience(f"{NAME}-broken")
print("broken:", why)
urllib.request.urlopen(urllib.request.Request(FAULTS, method="DELETE"))

assert throttled == 2
assert code == "ThrottlingException"
assert trained == f"{NAME}-scarce-1" and len(reasons) == 1
assert not broken and len(why) == 1 and "loss is nan" in why[0]
