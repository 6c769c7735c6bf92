"""A container of your own: built here, trained and served through its ECR name, as AWS would run it.

Needs Docker, and a server that may use it (the default). BASE_IMAGE names another base, with Python 3 in it.
"""

import os
import subprocess
import tempfile
import time
from pathlib import Path

import boto3

ROLE = "arn:aws:iam::123456789012:role/SageletExecutionRole"
REPOSITORY = "mean-model"
NAME = f"own-{int(time.time())}"
DOCKERFILE = """
FROM {base}
COPY train serve /usr/local/bin/
RUN chmod +x /usr/local/bin/train /usr/local/bin/serve
"""
TRAIN = """#!/usr/bin/env python3
import json, pathlib
settings = json.load(open("/opt/ml/input/config/hyperparameters.json"))
files = sorted(pathlib.Path("/opt/ml/input/data/train").iterdir())
numbers = [float(line) for file in files for line in file.read_text().split()]
mean = sum(numbers) / len(numbers) * float(settings["scale"])
print(f"mean={mean};", flush=True)
pathlib.Path("/opt/ml/model/mean").write_text(str(mean))
"""
SERVE = """#!/usr/bin/env python3
import http.server, pathlib, signal, sys
MEAN = pathlib.Path("/opt/ml/model/mean").read_text().encode()

class Model(http.server.BaseHTTPRequestHandler):
    def answer(self, body):
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_GET(self):
        self.answer(b"")

    def do_POST(self):
        self.rfile.read(int(self.headers["Content-Length"]))
        self.answer(MEAN)

signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
http.server.ThreadingHTTPServer(("", 8080), Model).serve_forever()
"""

with tempfile.TemporaryDirectory() as folder:
    base = os.environ.get("BASE_IMAGE", "python:3.11-slim")
    for file, text in {"Dockerfile": DOCKERFILE.format(base=base), "train": TRAIN, "serve": SERVE}.items():
        (Path(folder) / file).write_text(text.lstrip())
    tag = f"{REPOSITORY}:{NAME}"
    subprocess.run(["docker", "build", "--quiet", "--tag", tag, folder], check=True)

s3, sagemaker = boto3.client("s3"), boto3.client("sagemaker")
account = boto3.client("sts").get_caller_identity()["Account"]
region = sagemaker.meta.region_name
bucket = f"sagemaker-{region}-{account}"
image = f"{account}.dkr.ecr.{region}.amazonaws.com/{tag}"

s3.put_object(Bucket=bucket, Key=f"{NAME}/train/numbers.txt", Body=b"1\n2\n3\n")
sagemaker.create_training_job(
    TrainingJobName=NAME,
    AlgorithmSpecification={
        "TrainingImage": image,
        "TrainingInputMode": "File",
        "MetricDefinitions": [{"Name": "mean", "Regex": "mean=(.*?);"}],
    },
    HyperParameters={"scale": "10"},
    InputDataConfig=[
        {
            "ChannelName": "train",
            "DataSource": {"S3DataSource": {"S3DataType": "S3Prefix", "S3Uri": f"s3://{bucket}/{NAME}/train"}},
        }
    ],
    OutputDataConfig={"S3OutputPath": f"s3://{bucket}/{NAME}/output"},
    ResourceConfig={"InstanceType": "ml.m5.large", "InstanceCount": 1, "VolumeSizeInGB": 1},
    RoleArn=ROLE,
    StoppingCondition={"MaxRuntimeInSeconds": 600},
)
sagemaker.get_waiter("training_job_completed_or_stopped").wait(TrainingJobName=NAME)
job = sagemaker.describe_training_job(TrainingJobName=NAME)
print(NAME, job["TrainingJobStatus"], {m["MetricName"]: m["Value"] for m in job["FinalMetricDataList"]})

container = {"Image": image, "ModelDataUrl": job["ModelArtifacts"]["S3ModelArtifacts"]}
sagemaker.create_model(ModelName=NAME, PrimaryContainer=container, ExecutionRoleArn=ROLE)
variant = {"VariantName": "all", "ModelName": NAME, "InitialInstanceCount": 1, "InstanceType": "ml.m5.large"}
sagemaker.create_endpoint_config(EndpointConfigName=NAME, ProductionVariants=[variant])
sagemaker.create_endpoint(EndpointName=NAME, EndpointConfigName=NAME)
sagemaker.get_waiter("endpoint_in_service").wait(EndpointName=NAME)
answer = boto3.client("sagemaker-runtime").invoke_endpoint(EndpointName=NAME, ContentType="text/plain", Body="?")
mean = float(answer["Body"].read())
print("the endpoint answers", mean)
sagemaker.delete_endpoint(EndpointName=NAME)
sagemaker.get_waiter("endpoint_deleted").wait(EndpointName=NAME)
subprocess.run(["docker", "rmi", "--force", tag], check=True, stdout=subprocess.DEVNULL)
assert job["FinalMetricDataList"][0]["Value"] == mean == 20
