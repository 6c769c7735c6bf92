"""Train a model of prices, deploy it, ask it. Nothing here knows of Sagelet."""

import boto3

ROLE = "arn:aws:iam::123456789012:role/Prices"
IMAGE = "683313688378.dkr.ecr.us-east-1.amazonaws.com/sagemaker-xgboost:1.7-1"
RESOURCES = {"InstanceType": "ml.m5.large", "InstanceCount": 1, "VolumeSizeInGB": 1}


class TrainingFailed(Exception):
    """The job did not complete; the message is the service's reason."""


def train(name: str, data: str, output: str, rounds: int = 30) -> str:
    """Train on the CSV files under `data`, the price first; the URI of the model."""
    sagemaker = boto3.client("sagemaker")
    sagemaker.create_training_job(
        TrainingJobName=name,
        AlgorithmSpecification={"TrainingImage": IMAGE, "TrainingInputMode": "File"},
        HyperParameters={"num_round": str(rounds), "objective": "reg:squarederror"},
        InputDataConfig=[
            {
                "ChannelName": "train",
                "ContentType": "text/csv",
                "DataSource": {"S3DataSource": {"S3DataType": "S3Prefix", "S3Uri": data}},
            }
        ],
        OutputDataConfig={"S3OutputPath": output},
        ResourceConfig=RESOURCES,
        RoleArn=ROLE,
        StoppingCondition={"MaxRuntimeInSeconds": 600},
    )
    try:
        sagemaker.get_waiter("training_job_completed_or_stopped").wait(TrainingJobName=name)
    except Exception as error:
        job = sagemaker.describe_training_job(TrainingJobName=name)
        raise TrainingFailed(job.get("FailureReason", str(error))) from error
    return sagemaker.describe_training_job(TrainingJobName=name)["ModelArtifacts"]["S3ModelArtifacts"]


def deploy(name: str, model: str) -> None:
    """An endpoint of that name, in service."""
    sagemaker = boto3.client("sagemaker")
    container = {"Image": IMAGE, "ModelDataUrl": model}
    sagemaker.create_model(ModelName=name, PrimaryContainer=container, ExecutionRoleArn=ROLE)
    variant = {"VariantName": "all", "ModelName": name, "InitialInstanceCount": 1, "InstanceType": "ml.m5.large"}
    sagemaker.create_endpoint_config(EndpointConfigName=name, ProductionVariants=[variant])
    sagemaker.create_endpoint(EndpointName=name, EndpointConfigName=name)
    sagemaker.get_waiter("endpoint_in_service").wait(EndpointName=name)


def estimate(endpoint: str, area: float) -> float:
    """The price of a flat of that area."""
    runtime = boto3.client("sagemaker-runtime")
    answer = runtime.invoke_endpoint(EndpointName=endpoint, ContentType="text/csv", Body=str(area))
    return float(answer["Body"].read())
