"""Random Cut Forest: twelve weeks of hourly readings, in which five are planted that do not belong; it finds them."""

import json
import math
import time

import boto3
import numpy

ROLE = "arn:aws:iam::123456789012:role/SageletExecutionRole"
IMAGE = "382416733822.dkr.ecr.us-east-1.amazonaws.com/randomcutforest:1"
NAME = f"anomalies-{int(time.time())}"
PLANTED = [211, 700, 1015, 1490, 1800]

dice = numpy.random.default_rng(7)
readings = [10 + 3 * math.sin(hour * math.tau / 24) + dice.normal(0, 0.3) for hour in range(2000)]
for hour in PLANTED:
    readings[hour] += 8
rows = "\n".join(f"{reading:.4f}" for reading in readings)

s3, sagemaker = boto3.client("s3"), boto3.client("sagemaker")
bucket = f"sagemaker-{sagemaker.meta.region_name}-{boto3.client('sts').get_caller_identity()['Account']}"
s3.put_object(Bucket=bucket, Key=f"{NAME}/train/readings.csv", Body=rows.encode())
sagemaker.create_training_job(
    TrainingJobName=NAME,
    AlgorithmSpecification={"TrainingImage": IMAGE, "TrainingInputMode": "File"},
    HyperParameters={"feature_dim": "1", "num_trees": "50", "num_samples_per_tree": "256"},
    InputDataConfig=[
        {
            "ChannelName": "train",
            "ContentType": "text/csv;label_size=0",
            "DataSource": {
                "S3DataSource": {
                    "S3DataType": "S3Prefix",
                    "S3Uri": f"s3://{bucket}/{NAME}/train",
                    "S3DataDistributionType": "ShardedByS3Key",
                }
            },
        }
    ],
    OutputDataConfig={"S3OutputPath": f"s3://{bucket}/{NAME}/output"},
    ResourceConfig={"InstanceType": "ml.m5.large", "InstanceCount": 1, "VolumeSizeInGB": 1},
    RoleArn=ROLE,
    StoppingCondition={"MaxRuntimeInSeconds": 600},
)
sagemaker.get_waiter("training_job_completed_or_stopped").wait(TrainingJobName=NAME)
job = sagemaker.describe_training_job(TrainingJobName=NAME)

container = {"Image": IMAGE, "ModelDataUrl": job["ModelArtifacts"]["S3ModelArtifacts"]}
sagemaker.create_model(ModelName=NAME, PrimaryContainer=container, ExecutionRoleArn=ROLE)
variant = {"VariantName": "all", "ModelName": NAME, "InitialInstanceCount": 1, "InstanceType": "ml.m5.large"}
sagemaker.create_endpoint_config(EndpointConfigName=NAME, ProductionVariants=[variant])
sagemaker.create_endpoint(EndpointName=NAME, EndpointConfigName=NAME)
sagemaker.get_waiter("endpoint_in_service").wait(EndpointName=NAME)
answer = boto3.client("sagemaker-runtime").invoke_endpoint(
    EndpointName=NAME, ContentType="text/csv", Accept="application/json", Body=rows
)
scores = [one["score"] for one in json.loads(answer["Body"].read())["scores"]]
sagemaker.delete_endpoint(EndpointName=NAME)

strangest = sorted(range(2000), key=scores.__getitem__, reverse=True)[:5]
print("mean score", round(float(numpy.mean(scores)), 3), "deviation", round(float(numpy.std(scores)), 3))
for hour in sorted(strangest):
    print(f"hour {hour}: reading {readings[hour]:.1f}, score {scores[hour]:.2f}")
found = set(strangest) & set(PLANTED)
print(len(found), "of the five planted ones are the five strangest")
assert len(found) >= 4, (strangest, PLANTED)
