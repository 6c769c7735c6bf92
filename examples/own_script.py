"""Prepare data with a processing job, train on it with a script of your own, deploy: plain boto3, as for AWS.

Needs the exports of `sagelet env`. The script is in a string here; the SDK packs a file or a folder in the same way.
"""

import io
import json
import tarfile
import time

import boto3

ROLE = "arn:aws:iam::123456789012:role/SageletExecutionRole"
IMAGE = "683313688378.dkr.ecr.us-east-1.amazonaws.com/sagemaker-scikit-learn:1.2-1-cpu-py3"
NAME = f"script-{int(time.time())}"

PREPARE = """
import numpy
rows = numpy.random.default_rng(7).uniform(size=(1000, 2))
label = 3 * rows[:, 0] - 2 * rows[:, 1]
numpy.savetxt("/opt/ml/processing/prepared/rows.csv", numpy.column_stack([label, rows]), delimiter=",")
"""
SCRIPT = """
import argparse, os, joblib, numpy
from sklearn.linear_model import Ridge

def model_fn(folder):
    return joblib.load(os.path.join(folder, "model.joblib"))

if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--alpha", type=float)
    parser.add_argument("--train", default=os.environ.get("SM_CHANNEL_TRAIN"))
    given = parser.parse_args()
    rows = numpy.loadtxt(os.path.join(given.train, "rows.csv"), delimiter=",")
    model = Ridge(given.alpha).fit(rows[:, 1:], rows[:, 0])
    print(f"score={model.score(rows[:, 1:], rows[:, 0]):.4f};")
    joblib.dump(model, os.path.join(os.environ["SM_MODEL_DIR"], "model.joblib"))
"""

s3 = boto3.client("s3")
sagemaker = boto3.client("sagemaker")
runtime = boto3.client("sagemaker-runtime")
bucket = f"sagemaker-{sagemaker.meta.region_name}-{boto3.client('sts').get_caller_identity()['Account']}"
resources = {"InstanceType": "ml.m5.large", "InstanceCount": 1, "VolumeSizeInGB": 1}

# A processing job writes the data set.
s3.put_object(Bucket=bucket, Key=f"{NAME}/prepare.py", Body=PREPARE.encode())
code, prepared = "/opt/ml/processing/input/code", "/opt/ml/processing/prepared"
sagemaker.create_processing_job(
    ProcessingJobName=NAME,
    AppSpecification={"ImageUri": IMAGE, "ContainerEntrypoint": ["python3", f"{code}/prepare.py"]},
    ProcessingInputs=[
        {
            "InputName": "code",
            "S3Input": {
                "S3Uri": f"s3://{bucket}/{NAME}/prepare.py",
                "LocalPath": code,
                "S3DataType": "S3Prefix",
                "S3InputMode": "File",
            },
        }
    ],
    ProcessingOutputConfig={
        "Outputs": [
            {
                "OutputName": "train",
                "S3Output": {
                    "S3Uri": f"s3://{bucket}/{NAME}/train",
                    "LocalPath": prepared,
                    "S3UploadMode": "EndOfJob",
                },
            }
        ]
    },
    ProcessingResources={"ClusterConfig": resources},
    RoleArn=ROLE,
)
waiter = sagemaker.get_waiter("processing_job_completed_or_stopped")
waiter.wait(ProcessingJobName=NAME)
print(NAME, "prepared", s3.head_object(Bucket=bucket, Key=f"{NAME}/train/rows.csv")["ContentLength"], "bytes")

# A training job runs the script on it.
packed = io.BytesIO()
with tarfile.open(fileobj=packed, mode="w:gz") as tar:
    entry = tarfile.TarInfo("train.py")
    entry.size = len(SCRIPT)
    tar.addfile(entry, io.BytesIO(SCRIPT.encode()))
s3.put_object(Bucket=bucket, Key=f"{NAME}/sourcedir.tar.gz", Body=packed.getvalue())
source = f"s3://{bucket}/{NAME}/sourcedir.tar.gz"
sagemaker.create_training_job(
    TrainingJobName=NAME,
    AlgorithmSpecification={
        "TrainingImage": IMAGE,
        "TrainingInputMode": "File",
        "MetricDefinitions": [{"Name": "score", "Regex": "score=(.*?);"}],
    },
    HyperParameters={
        "alpha": "0.001",
        "sagemaker_program": json.dumps("train.py"),
        "sagemaker_submit_directory": json.dumps(source),
    },
    InputDataConfig=[
        {
            "ChannelName": "train",
            "DataSource": {"S3DataSource": {"S3DataType": "S3Prefix", "S3Uri": f"s3://{bucket}/{NAME}/train"}},
        }
    ],
    OutputDataConfig={"S3OutputPath": f"s3://{bucket}/{NAME}/output"},
    ResourceConfig=resources,
    RoleArn=ROLE,
    StoppingCondition={"MaxRuntimeInSeconds": 600},
)
sagemaker.get_waiter("training_job_completed_or_stopped").wait(TrainingJobName=NAME)
job = sagemaker.describe_training_job(TrainingJobName=NAME)
print(NAME, job["TrainingJobStatus"], [(m["MetricName"], round(m["Value"], 4)) for m in job["FinalMetricDataList"]])

# An endpoint asks the script's model_fn for the model.
sagemaker.create_model(
    ModelName=NAME,
    ExecutionRoleArn=ROLE,
    PrimaryContainer={
        "Image": IMAGE,
        "ModelDataUrl": job["ModelArtifacts"]["S3ModelArtifacts"],
        "Environment": {"SAGEMAKER_PROGRAM": "train.py", "SAGEMAKER_SUBMIT_DIRECTORY": source},
    },
)
variant = {"VariantName": "all", "ModelName": NAME, "InitialInstanceCount": 1, "InstanceType": "ml.m5.large"}
sagemaker.create_endpoint_config(EndpointConfigName=NAME, ProductionVariants=[variant])
sagemaker.create_endpoint(EndpointName=NAME, EndpointConfigName=NAME)
sagemaker.get_waiter("endpoint_in_service").wait(EndpointName=NAME)
answer = runtime.invoke_endpoint(EndpointName=NAME, ContentType="application/json", Body="[[0.5, 0.5]]")
value = json.loads(answer["Body"].read())[0]
print("f(0.5, 0.5) =", value, "(0.5 is right)")
sagemaker.delete_endpoint(EndpointName=NAME)
assert job["TrainingJobStatus"] == "Completed" and abs(value - 0.5) < 0.1
