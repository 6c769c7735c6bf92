"""Batch transform that keeps each row's id beside its prediction: InputFilter, JoinSource and OutputFilter."""

import time

import boto3

ROLE = "arn:aws:iam::123456789012:role/SageletExecutionRole"
IMAGE = "683313688378.dkr.ecr.us-east-1.amazonaws.com/sagemaker-xgboost:1.7-1"
NAME = f"batch-{int(time.time())}"

s3, sagemaker = boto3.client("s3"), boto3.client("sagemaker")
bucket = f"sagemaker-{sagemaker.meta.region_name}-{boto3.client('sts').get_caller_identity()['Account']}"
resources = {"InstanceType": "ml.m5.large", "InstanceCount": 1}

rows = "\n".join(f"{int(x % 10 > 4)},{x % 10}" for x in range(500))
s3.put_object(Bucket=bucket, Key=f"{NAME}/train/rows.csv", Body=rows.encode())
sagemaker.create_training_job(
    TrainingJobName=NAME,
    AlgorithmSpecification={"TrainingImage": IMAGE, "TrainingInputMode": "File"},
    HyperParameters={"num_round": "20", "objective": "binary:logistic"},
    InputDataConfig=[
        {
            "ChannelName": "train",
            "ContentType": "text/csv",
            "DataSource": {"S3DataSource": {"S3DataType": "S3Prefix", "S3Uri": f"s3://{bucket}/{NAME}/train"}},
        }
    ],
    OutputDataConfig={"S3OutputPath": f"s3://{bucket}/{NAME}/output"},
    ResourceConfig={**resources, "VolumeSizeInGB": 1},
    RoleArn=ROLE,
    StoppingCondition={"MaxRuntimeInSeconds": 600},
)
sagemaker.get_waiter("training_job_completed_or_stopped").wait(TrainingJobName=NAME)
artifact = sagemaker.describe_training_job(TrainingJobName=NAME)["ModelArtifacts"]["S3ModelArtifacts"]
container = {"Image": IMAGE, "ModelDataUrl": artifact}
sagemaker.create_model(ModelName=NAME, PrimaryContainer=container, ExecutionRoleArn=ROLE)

# Two files of customers: an id, then the feature. The model sees the feature only.
for part in (0, 1):
    body = "\n".join(f"customer-{part}{x},{x}" for x in range(10))
    s3.put_object(Bucket=bucket, Key=f"{NAME}/customers/part-{part}.csv", Body=body.encode())
sagemaker.create_transform_job(
    TransformJobName=NAME,
    ModelName=NAME,
    TransformInput={
        "DataSource": {"S3DataSource": {"S3DataType": "S3Prefix", "S3Uri": f"s3://{bucket}/{NAME}/customers"}},
        "ContentType": "text/csv",
        "SplitType": "Line",
    },
    DataProcessing={"InputFilter": "$[1:]", "JoinSource": "Input", "OutputFilter": "$[0,-1]"},
    TransformOutput={
        "S3OutputPath": f"s3://{bucket}/{NAME}/scored",
        "Accept": "text/csv",
        "AssembleWith": "Line",
    },
    TransformResources=resources,
)
sagemaker.get_waiter("transform_job_completed_or_stopped").wait(TransformJobName=NAME)
job = sagemaker.describe_transform_job(TransformJobName=NAME)

scored = {}
for part in (0, 1):
    body = s3.get_object(Bucket=bucket, Key=f"{NAME}/scored/part-{part}.csv.out")["Body"].read().decode()
    scored.update(line.split(",") for line in body.split())
print(NAME, job["TransformJobStatus"], len(scored), "customers")
for customer in ("customer-02", "customer-18"):
    print(customer, scored[customer])
assert len(scored) == 20
assert all((float(score) > 0.5) == (int(customer[-1]) > 4) for customer, score in scored.items())
