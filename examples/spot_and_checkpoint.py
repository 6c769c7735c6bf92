"""Managed spot training that is interrupted, and goes on from its checkpoint instead of beginning anew.

On AWS an interruption comes when it comes. On a local server one is asked for (docs/extension-api.md, faults), as far
as a script can know that: by AWS_ENDPOINT_URL.
"""

import io
import json
import os
import tarfile
import time
import urllib.request

import boto3

ROLE = "arn:aws:iam::123456789012:role/SageletExecutionRole"
IMAGE = "683313688378.dkr.ecr.us-east-1.amazonaws.com/sagemaker-scikit-learn:1.2-1-cpu-py3"
NAME = f"spot-{int(time.time())}"
SCRIPT = """
import os, pathlib, signal, sys, time
interrupted = []
signal.signal(signal.SIGTERM, lambda *_: interrupted.append(True))  # there are two minutes to save what there is
kept = pathlib.Path("/opt/ml/checkpoints/epoch")
first = int(kept.read_text()) + 1 if kept.exists() else 1
print(f"begin={first};", flush=True)
for epoch in range(first, 11):
    time.sleep(0.4)
    kept.write_text(str(epoch))
    print(f"epoch={epoch};", flush=True)
    if interrupted:
        sys.exit(1)
pathlib.Path(os.environ["SM_MODEL_DIR"], "epochs").write_text(kept.read_text())
"""

s3, sagemaker = boto3.client("s3"), boto3.client("sagemaker")
bucket = f"sagemaker-{sagemaker.meta.region_name}-{boto3.client('sts').get_caller_identity()['Account']}"
server = os.environ.get("AWS_ENDPOINT_URL")
if server:
    rule = {"kind": "spot-interruption", "name": NAME, "seconds": 3, "times": 1}
    asked = {"Content-Type": "application/json"}
    urllib.request.urlopen(urllib.request.Request(f"{server}/_sagelet/faults", json.dumps(rule).encode(), asked))

packed = io.BytesIO()
with tarfile.open(fileobj=packed, mode="w:gz") as tar:
    entry = tarfile.TarInfo("train.py")
    entry.size = len(SCRIPT)
    tar.addfile(entry, io.BytesIO(SCRIPT.encode()))
s3.put_object(Bucket=bucket, Key=f"{NAME}/sourcedir.tar.gz", Body=packed.getvalue())
sagemaker.create_training_job(
    TrainingJobName=NAME,
    AlgorithmSpecification={
        "TrainingImage": IMAGE,
        "TrainingInputMode": "File",
        "MetricDefinitions": [{"Name": "begin", "Regex": "begin=(.*?);"}, {"Name": "epoch", "Regex": "epoch=(.*?);"}],
    },
    HyperParameters={
        "sagemaker_program": json.dumps("train.py"),
        "sagemaker_submit_directory": json.dumps(f"s3://{bucket}/{NAME}/sourcedir.tar.gz"),
    },
    EnableManagedSpotTraining=True,
    CheckpointConfig={"S3Uri": f"s3://{bucket}/{NAME}/checkpoints"},
    StoppingCondition={"MaxRuntimeInSeconds": 600, "MaxWaitTimeInSeconds": 900},
    OutputDataConfig={"S3OutputPath": f"s3://{bucket}/{NAME}/output"},
    ResourceConfig={"InstanceType": "ml.m5.large", "InstanceCount": 1, "VolumeSizeInGB": 1},
    RoleArn=ROLE,
)
sagemaker.get_waiter("training_job_completed_or_stopped").wait(TrainingJobName=NAME)
job = sagemaker.describe_training_job(TrainingJobName=NAME)
phases = [phase["Status"] for phase in job["SecondaryStatusTransitions"]]
metrics = {metric["MetricName"]: metric["Value"] for metric in job["FinalMetricDataList"]}
print(NAME, job["TrainingJobStatus"], ":", " > ".join(phases))
print(f"its last start began with epoch {metrics['begin']:.0f} and ended with epoch {metrics['epoch']:.0f}")

assert job["TrainingJobStatus"] == "Completed" and metrics["epoch"] == 10
if server:
    assert "Interrupted" in phases and metrics["begin"] > 1, "it went on from the checkpoint"
