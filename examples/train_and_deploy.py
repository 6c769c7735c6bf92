"""Train XGBoost on a thousand rows, deploy it, ask it: plain boto3, as for AWS; needs the exports of `sagelet env`."""

import random
import time

import boto3

ROLE = "arn:aws:iam::123456789012:role/SageletExecutionRole"
IMAGE = "683313688378.dkr.ecr.us-east-1.amazonaws.com/sagemaker-xgboost:1.7-1"
NAME = f"tour-{int(time.time())}"

s3 = boto3.client("s3")
sagemaker = boto3.client("sagemaker")
runtime = boto3.client("sagemaker-runtime")

bucket = f"sagemaker-{sagemaker.meta.region_name}-{boto3.client('sts').get_caller_identity()['Account']}"
dice = random.Random(7)
rows = [(dice.random(), dice.random()) for _ in range(1000)]
csv = "\n".join(f"{3 * a - 2 * b},{a},{b}" for a, b in rows)
s3.put_object(Bucket=bucket, Key=f"{NAME}/train/rows.csv", Body=csv.encode())

sagemaker.create_training_job(
    TrainingJobName=NAME,
    AlgorithmSpecification={"TrainingImage": IMAGE, "TrainingInputMode": "File"},
    HyperParameters={"num_round": "50", "objective": "reg:squarederror"},
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
print(NAME, job["TrainingJobStatus"], [(m["MetricName"], round(m["Value"], 4)) for m in job["FinalMetricDataList"]])

container = {"Image": IMAGE, "ModelDataUrl": job["ModelArtifacts"]["S3ModelArtifacts"]}
sagemaker.create_model(ModelName=NAME, PrimaryContainer=container, ExecutionRoleArn=ROLE)
sagemaker.create_endpoint_config(
    EndpointConfigName=NAME,
    ProductionVariants=[
        {"VariantName": "all", "ModelName": NAME, "InitialInstanceCount": 1, "InstanceType": "ml.m5.large"}
    ],
)
sagemaker.create_endpoint(EndpointName=NAME, EndpointConfigName=NAME)
sagemaker.get_waiter("endpoint_in_service").wait(EndpointName=NAME)

answer = runtime.invoke_endpoint(EndpointName=NAME, ContentType="text/csv", Body="0.5,0.5")
value = float(answer["Body"].read())
print("f(0.5, 0.5) =", value, "(0.5 is right)")
sagemaker.delete_endpoint(EndpointName=NAME)
assert job["TrainingJobStatus"] == "Completed" and abs(value - 0.5) < 0.1
