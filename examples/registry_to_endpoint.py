"""Processing, training, registry, approval, deployment: a model's way to production, with a gate that holds."""

import json
import time

import boto3
from botocore.exceptions import ClientError

ROLE = "arn:aws:iam::123456789012:role/SageletExecutionRole"
SKLEARN = "683313688378.dkr.ecr.us-east-1.amazonaws.com/sagemaker-scikit-learn:1.2-1-cpu-py3"
XGBOOST = "683313688378.dkr.ecr.us-east-1.amazonaws.com/sagemaker-xgboost:1.7-1"
NAME = f"registry-{int(time.time())}"
PREPARE = """
import numpy
from sklearn.datasets import load_breast_cancer
data = load_breast_cancer()
rows = numpy.column_stack([data.target, data.data])
numpy.random.default_rng(7).shuffle(rows)
for name, part in (("train", rows[:450]), ("validation", rows[450:])):
    numpy.savetxt(f"/opt/ml/processing/{name}/rows.csv", part, delimiter=",", fmt="%g")
"""

s3, sagemaker = boto3.client("s3"), boto3.client("sagemaker")
bucket = f"sagemaker-{sagemaker.meta.region_name}-{boto3.client('sts').get_caller_identity()['Account']}"
base = f"s3://{bucket}/{NAME}"
resources = {"InstanceType": "ml.m5.large", "InstanceCount": 1, "VolumeSizeInGB": 1}
CHANNELS = ("train", "validation")

# 1. A processing job splits the data.
s3.put_object(Bucket=bucket, Key=f"{NAME}/code/prepare.py", Body=PREPARE.encode())
code = "/opt/ml/processing/input/code"
local = {"S3DataType": "S3Prefix", "S3InputMode": "File"}
sagemaker.create_processing_job(
    ProcessingJobName=NAME,
    AppSpecification={"ImageUri": SKLEARN, "ContainerEntrypoint": ["python3", f"{code}/prepare.py"]},
    ProcessingInputs=[{"InputName": "code", "S3Input": {"S3Uri": f"{base}/code", "LocalPath": code, **local}}],
    ProcessingOutputConfig={
        "Outputs": [
            {
                "OutputName": channel,
                "S3Output": {
                    "S3Uri": f"{base}/{channel}",
                    "LocalPath": f"/opt/ml/processing/{channel}",
                    "S3UploadMode": "EndOfJob",
                },
            }
            for channel in CHANNELS
        ]
    },
    ProcessingResources={"ClusterConfig": resources},
    RoleArn=ROLE,
)
sagemaker.get_waiter("processing_job_completed_or_stopped").wait(ProcessingJobName=NAME)

# 2. A training job learns from it.
sagemaker.create_training_job(
    TrainingJobName=NAME,
    AlgorithmSpecification={"TrainingImage": XGBOOST, "TrainingInputMode": "File"},
    HyperParameters={"num_round": "30", "objective": "binary:logistic", "eval_metric": "auc"},
    InputDataConfig=[
        {
            "ChannelName": channel,
            "ContentType": "text/csv",
            "DataSource": {"S3DataSource": {"S3DataType": "S3Prefix", "S3Uri": f"{base}/{channel}"}},
        }
        for channel in CHANNELS
    ],
    OutputDataConfig={"S3OutputPath": f"{base}/output"},
    ResourceConfig=resources,
    RoleArn=ROLE,
    StoppingCondition={"MaxRuntimeInSeconds": 600},
)
sagemaker.get_waiter("training_job_completed_or_stopped").wait(TrainingJobName=NAME)
job = sagemaker.describe_training_job(TrainingJobName=NAME)
metrics = {metric["MetricName"]: metric["Value"] for metric in job["FinalMetricDataList"]}
print("trained:", job["TrainingJobStatus"], metrics)

# 3. The registry keeps it as version 1, with its metrics, and waits for somebody to approve it.
s3.put_object(Bucket=bucket, Key=f"{NAME}/metrics.json", Body=json.dumps(metrics).encode())
sagemaker.create_model_package_group(ModelPackageGroupName=NAME)
package = sagemaker.create_model_package(
    ModelPackageGroupName=NAME,
    InferenceSpecification={
        "Containers": [{"Image": XGBOOST, "ModelDataUrl": job["ModelArtifacts"]["S3ModelArtifacts"]}],
        "SupportedContentTypes": ["text/csv"],
        "SupportedResponseMIMETypes": ["text/csv"],
    },
    ModelMetrics={"ModelQuality": {"Statistics": {"ContentType": "application/json", "S3Uri": f"{base}/metrics.json"}}},
    ModelApprovalStatus="PendingManualApproval",
)["ModelPackageArn"]
print("registered:", package)

# 4. What is not approved cannot be deployed.
model = {"ModelName": NAME, "Containers": [{"ModelPackageName": package}], "ExecutionRoleArn": ROLE}
refusal = ""
try:
    sagemaker.create_model(**model)
except ClientError as error:
    refusal = str(error)
print("before the approval:", refusal)
sagemaker.update_model_package(ModelPackageArn=package, ModelApprovalStatus="Approved", ApprovalDescription="good")

# 5. What is approved can.
sagemaker.create_model(**model)
variant = {"VariantName": "all", "ModelName": NAME, "InitialInstanceCount": 1, "InstanceType": "ml.m5.large"}
sagemaker.create_endpoint_config(EndpointConfigName=NAME, ProductionVariants=[variant])
sagemaker.create_endpoint(EndpointName=NAME, EndpointConfigName=NAME)
sagemaker.get_waiter("endpoint_in_service").wait(EndpointName=NAME)
held_out = s3.get_object(Bucket=bucket, Key=f"{NAME}/validation/rows.csv")["Body"].read().decode().split()
labels, features = zip(*(row.split(",", 1) for row in held_out), strict=True)
answer = boto3.client("sagemaker-runtime").invoke_endpoint(
    EndpointName=NAME, ContentType="text/csv", Body="\n".join(features)
)
said = [float(value) > 0.5 for value in answer["Body"].read().decode().replace(",", "\n").split()]
right = sum(guess == (label == "1") for guess, label in zip(said, labels, strict=True))
print(f"deployed: {right} of {len(labels)} held-out patients right")
sagemaker.delete_endpoint(EndpointName=NAME)

assert "is not approved" in refusal
assert metrics["validation:auc"] > 0.97 and right / len(labels) > 0.9
