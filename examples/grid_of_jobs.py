"""A grid of hyperparameters as a loop of training jobs, ranked by what their logs say of the validation channel."""

import itertools
import time

import boto3
import numpy

ROLE = "arn:aws:iam::123456789012:role/SageletExecutionRole"
IMAGE = "683313688378.dkr.ecr.us-east-1.amazonaws.com/sagemaker-xgboost:1.7-1"
NAME = f"grid-{int(time.time())}"
GRID = {"max_depth": ["1", "4"], "eta": ["0.05", "0.3"]}

s3, sagemaker = boto3.client("s3"), boto3.client("sagemaker")
bucket = f"sagemaker-{sagemaker.meta.region_name}-{boto3.client('sts').get_caller_identity()['Account']}"

# The label needs both features at once, so that trees of depth 1 cannot learn it.
features = numpy.random.default_rng(7).uniform(-1, 1, (800, 2))
table = numpy.column_stack([features[:, 0] * features[:, 1] > 0, features])
for channel, part in (("train", table[:600]), ("validation", table[600:])):
    body = "\n".join(",".join(f"{value:.5f}" for value in row) for row in part)
    s3.put_object(Bucket=bucket, Key=f"{NAME}/{channel}/rows.csv", Body=body.encode())


def start(name: str, chosen: dict[str, str]) -> None:
    sagemaker.create_training_job(
        TrainingJobName=name,
        AlgorithmSpecification={"TrainingImage": IMAGE, "TrainingInputMode": "File"},
        HyperParameters={"num_round": "20", "objective": "binary:logistic", "eval_metric": "auc", **chosen},
        InputDataConfig=[
            {
                "ChannelName": channel,
                "ContentType": "text/csv",
                "DataSource": {"S3DataSource": {"S3DataType": "S3Prefix", "S3Uri": f"s3://{bucket}/{NAME}/{channel}"}},
            }
            for channel in ("train", "validation")
        ],
        OutputDataConfig={"S3OutputPath": f"s3://{bucket}/{NAME}/output"},
        ResourceConfig={"InstanceType": "ml.m5.large", "InstanceCount": 1, "VolumeSizeInGB": 1},
        RoleArn=ROLE,
        StoppingCondition={"MaxRuntimeInSeconds": 600},
        Tags=[{"Key": "grid", "Value": NAME}],
    )


points = [dict(zip(GRID, values, strict=True)) for values in itertools.product(*GRID.values())]
for number, chosen in enumerate(points):
    start(f"{NAME}-{number}", chosen)
for number in range(len(points)):
    sagemaker.get_waiter("training_job_completed_or_stopped").wait(TrainingJobName=f"{NAME}-{number}")

# Search finds and ranks them; describe_training_job of each job would tell the same.
found = sagemaker.search(
    Resource="TrainingJob",
    SearchExpression={"Filters": [{"Name": "Tags.grid", "Value": NAME}]},
    SortBy="Metrics.validation:auc",
    SortOrder="Descending",
)["Results"]
ranking = []
for job in (result["TrainingJob"] for result in found):
    area = next(m["Value"] for m in job["FinalMetricDataList"] if m["MetricName"] == "validation:auc")
    ranking.append((area, {name: job["HyperParameters"][name] for name in GRID}))
    print(f"{job['TrainingJobName']}  auc {area:.3f}  {ranking[-1][1]}")

best = ranking[0]
print("best:", best)
assert len(ranking) == len(points)
assert best[0] == max(area for area, _ in ranking) > 0.95
assert best[1]["max_depth"] == "4"
