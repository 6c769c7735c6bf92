"""Hello, training: a hundred rows in S3, one training job, and what it left behind."""

import io
import tarfile
import time

import boto3

ROLE = "arn:aws:iam::123456789012:role/SageletExecutionRole"
IMAGE = "683313688378.dkr.ecr.us-east-1.amazonaws.com/sagemaker-xgboost:1.7-1"
NAME = f"hello-{int(time.time())}"

s3, sagemaker = boto3.client("s3"), boto3.client("sagemaker")
bucket = f"sagemaker-{sagemaker.meta.region_name}-{boto3.client('sts').get_caller_identity()['Account']}"

# The label comes first, and there is no header: what XGBoost's image expects of CSV.
rows = "\n".join(f"{2 * x},{x}" for x in range(100))
s3.put_object(Bucket=bucket, Key=f"{NAME}/train/rows.csv", Body=rows.encode())

sagemaker.create_training_job(
    TrainingJobName=NAME,
    AlgorithmSpecification={"TrainingImage": IMAGE, "TrainingInputMode": "File"},
    HyperParameters={"num_round": "30", "objective": "reg:squarederror"},
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
sagemaker.get_waiter("training_job_completed_or_stopped").wait(TrainingJobName=NAME)

job = sagemaker.describe_training_job(TrainingJobName=NAME)
print(NAME, job["TrainingJobStatus"], "in", (job["TrainingEndTime"] - job["CreationTime"]).total_seconds(), "s")
print("phases:", " > ".join(phase["Status"] for phase in job["SecondaryStatusTransitions"]))
metrics = {metric["MetricName"]: metric["Value"] for metric in job["FinalMetricDataList"]}
print("metrics:", metrics)

key = job["ModelArtifacts"]["S3ModelArtifacts"].split("/", 3)[3]
packed = s3.get_object(Bucket=bucket, Key=key)["Body"].read()
with tarfile.open(fileobj=io.BytesIO(packed)) as tar:
    files = tar.getnames()
print("model:", f"s3://{bucket}/{key}", files)

logs = boto3.client("logs")
group = "/aws/sagemaker/TrainingJobs"
stream = logs.describe_log_streams(logGroupName=group, logStreamNamePrefix=NAME)["logStreams"][0]["logStreamName"]
lines = [e["message"] for e in logs.get_log_events(logGroupName=group, logStreamName=stream)["events"]]
print("the log ends:", lines[-1])

assert job["TrainingJobStatus"] == "Completed"
assert metrics["train:rmse"] < 2, "the labels run from 0 to 198"
assert "xgboost-model" in files
