"""K-Means, PCA and Linear Learner on one file of recordio-protobuf: three jobs at the same time, one endpoint."""

import json
import struct
import time

import boto3
import numpy

ROLE = "arn:aws:iam::123456789012:role/SageletExecutionRole"
REGISTRY = "382416733822.dkr.ecr.us-east-1.amazonaws.com"
NAME = f"builtin-{int(time.time())}"


def message(field: int, content: bytes) -> bytes:
    """A field of protobuf that holds a message (fewer than 128 bytes)."""
    return bytes([field << 3 | 2, len(content)]) + content


def record(values, label: float) -> bytes:
    """A record of SageMaker's recordio-protobuf; the SDK's write_numpy_to_dense_tensor writes the same."""

    def tensor(key: str, numbers) -> bytes:
        packed = message(1, struct.pack(f"<{len(numbers)}f", *numbers))
        return message(1, key.encode()) + message(2, message(2, packed))

    body = message(1, tensor("values", values)) + message(2, tensor("values", [label]))
    return struct.pack("<II", 0xCED7230A, len(body)) + body + b"\0" * (-len(body) % 4)


# Three clouds of points in four dimensions that all lie in one plane; the label is a line through them.
dice = numpy.random.default_rng(7)
centres = numpy.array([[0, 0], [8, 0], [0, 8]])
kind = dice.integers(3, size=600)
points = (centres[kind] + dice.normal(size=(600, 2))) @ numpy.array([[1, 0, 1, 0], [0, 1, 0, 1]])
labels = points @ [1, -2, 0.5, 0] + 3

s3, sagemaker = boto3.client("s3"), boto3.client("sagemaker")
bucket = f"sagemaker-{sagemaker.meta.region_name}-{boto3.client('sts').get_caller_identity()['Account']}"
body = b"".join(record(row, label) for row, label in zip(points, labels, strict=True))
for channel in ("train", "test"):
    s3.put_object(Bucket=bucket, Key=f"{NAME}/{channel}/part-0.pbr", Body=body)

ALGORITHMS = {
    "kmeans": {"k": "3", "feature_dim": "4", "init_method": "kmeans++"},
    "pca": {"num_components": "2", "feature_dim": "4", "mini_batch_size": "100"},
    "linear-learner": {"predictor_type": "regressor", "mini_batch_size": "100", "epochs": "15"},
}
for algorithm, hyperparameters in ALGORITHMS.items():
    sagemaker.create_training_job(
        TrainingJobName=f"{NAME}-{algorithm}",
        AlgorithmSpecification={"TrainingImage": f"{REGISTRY}/{algorithm}:1", "TrainingInputMode": "File"},
        HyperParameters=hyperparameters,
        InputDataConfig=[
            {
                "ChannelName": channel,
                "ContentType": "application/x-recordio-protobuf",
                "DataSource": {
                    "S3DataSource": {
                        "S3DataType": "S3Prefix",
                        "S3Uri": f"s3://{bucket}/{NAME}/{channel}/",
                        "S3DataDistributionType": "FullyReplicated",
                    }
                },
            }
            for channel in (("train",) if algorithm == "pca" else ("train", "test"))
        ],
        OutputDataConfig={"S3OutputPath": f"s3://{bucket}/{NAME}/output"},
        ResourceConfig={"InstanceType": "ml.m5.large", "InstanceCount": 1, "VolumeSizeInGB": 1},
        RoleArn=ROLE,
        StoppingCondition={"MaxRuntimeInSeconds": 600},
    )
jobs = {}
for algorithm in ALGORITHMS:
    sagemaker.get_waiter("training_job_completed_or_stopped").wait(TrainingJobName=f"{NAME}-{algorithm}")
    jobs[algorithm] = sagemaker.describe_training_job(TrainingJobName=f"{NAME}-{algorithm}")
    told = {m["MetricName"]: round(m["Value"], 3) for m in jobs[algorithm]["FinalMetricDataList"]}
    print(algorithm, jobs[algorithm]["TrainingJobStatus"], told)

model = jobs["kmeans"]["ModelArtifacts"]["S3ModelArtifacts"]
container = {"Image": f"{REGISTRY}/kmeans:1", "ModelDataUrl": model}
sagemaker.create_model(ModelName=NAME, PrimaryContainer=container, ExecutionRoleArn=ROLE)
variant = {"VariantName": "all", "ModelName": NAME, "InitialInstanceCount": 1, "InstanceType": "ml.m5.large"}
sagemaker.create_endpoint_config(EndpointConfigName=NAME, ProductionVariants=[variant])
sagemaker.create_endpoint(EndpointName=NAME, EndpointConfigName=NAME)
sagemaker.get_waiter("endpoint_in_service").wait(EndpointName=NAME)
asked = "\n".join(",".join(map(str, row)) for row in points)
answer = boto3.client("sagemaker-runtime").invoke_endpoint(
    EndpointName=NAME, ContentType="text/csv", Accept="application/json", Body=asked
)
found = numpy.array([one["closest_cluster"] for one in json.loads(answer["Body"].read())["predictions"]])
sagemaker.delete_endpoint(EndpointName=NAME)

pairs = {(int(cloud), int(cluster)) for cloud, cluster in zip(kind, found, strict=True)}
print("clouds and clusters that they were found in:", sorted(pairs))
errors = {m["MetricName"]: m["Value"] for m in jobs["linear-learner"]["FinalMetricDataList"]}
assert all(job["TrainingJobStatus"] == "Completed" for job in jobs.values())
assert len(pairs) == 3, "each cloud is one cluster"
assert errors["test:mse"] < 0.05 * labels.var(), "the line was found"
