"""An A/B test: two models behind one endpoint, a tenth of the traffic for the new one, then all of it."""

import collections
import time

import boto3

ROLE = "arn:aws:iam::123456789012:role/SageletExecutionRole"
IMAGE = "683313688378.dkr.ecr.us-east-1.amazonaws.com/sagemaker-xgboost:1.7-1"
NAME = f"variants-{int(time.time())}"

s3, sagemaker, runtime = boto3.client("s3"), boto3.client("sagemaker"), boto3.client("sagemaker-runtime")
bucket = f"sagemaker-{sagemaker.meta.region_name}-{boto3.client('sts').get_caller_identity()['Account']}"
rows = "\n".join(f"{2 * x},{x}" for x in range(100))
s3.put_object(Bucket=bucket, Key=f"{NAME}/train/rows.csv", Body=rows.encode())

# The old model is a coarse one, the new one is better; both train at the same time.
for variant, rounds in (("old", "2"), ("new", "50")):
    sagemaker.create_training_job(
        TrainingJobName=f"{NAME}-{variant}",
        AlgorithmSpecification={"TrainingImage": IMAGE, "TrainingInputMode": "File"},
        HyperParameters={"num_round": rounds, "objective": "reg:squarederror"},
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
for variant in ("old", "new"):
    sagemaker.get_waiter("training_job_completed_or_stopped").wait(TrainingJobName=f"{NAME}-{variant}")
    job = sagemaker.describe_training_job(TrainingJobName=f"{NAME}-{variant}")
    container = {"Image": IMAGE, "ModelDataUrl": job["ModelArtifacts"]["S3ModelArtifacts"]}
    sagemaker.create_model(ModelName=f"{NAME}-{variant}", PrimaryContainer=container, ExecutionRoleArn=ROLE)

sagemaker.create_endpoint_config(
    EndpointConfigName=NAME,
    ProductionVariants=[
        {
            "VariantName": variant,
            "ModelName": f"{NAME}-{variant}",
            "InitialInstanceCount": 1,
            "InstanceType": "ml.m5.large",
            "InitialVariantWeight": weight,
        }
        for variant, weight in (("old", 0.9), ("new", 0.1))
    ],
)
sagemaker.create_endpoint(EndpointName=NAME, EndpointConfigName=NAME)
sagemaker.get_waiter("endpoint_in_service").wait(EndpointName=NAME)


def ask(**more):
    """The variant that answered, and how far its answer is from the truth (100)."""
    answer = runtime.invoke_endpoint(EndpointName=NAME, ContentType="text/csv", Body="50", **more)
    return answer["InvokedProductionVariant"], abs(float(answer["Body"].read()) - 100)


split = collections.Counter(ask()[0] for _ in range(200))
errors = {variant: ask(TargetVariant=variant)[1] for variant in ("old", "new")}
print("of 200 requests:", dict(split), " errors:", {name: round(error, 2) for name, error in errors.items()})

# The new one is better, so it gets everything; nobody is refused meanwhile.
wishes = [{"VariantName": "old", "DesiredWeight": 0}, {"VariantName": "new", "DesiredWeight": 1}]
sagemaker.update_endpoint_weights_and_capacities(EndpointName=NAME, DesiredWeightsAndCapacities=wishes)
sagemaker.get_waiter("endpoint_in_service").wait(EndpointName=NAME)
after = collections.Counter(ask()[0] for _ in range(50))
print("after the shift:", dict(after))
sagemaker.delete_endpoint(EndpointName=NAME)

assert split["old"] > 150 and 3 <= split["new"] <= 45
assert errors["new"] < errors["old"]
assert after == {"new": 50}
