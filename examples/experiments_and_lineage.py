"""An experiment with three runs as a table, and the lineage of an endpoint back to the data that its model has seen."""

import time

import boto3

ROLE = "arn:aws:iam::123456789012:role/SageletExecutionRole"
IMAGE = "683313688378.dkr.ecr.us-east-1.amazonaws.com/sagemaker-xgboost:1.7-1"
NAME = f"experiment-{int(time.time())}"
DEPTHS = (1, 2, 4)

s3, sagemaker = boto3.client("s3"), boto3.client("sagemaker")
bucket = f"sagemaker-{sagemaker.meta.region_name}-{boto3.client('sts').get_caller_identity()['Account']}"
rows = "\n".join(f"{(x % 10) * (x % 7)},{x % 10},{x % 7}" for x in range(700))
s3.put_object(Bucket=bucket, Key=f"{NAME}/train/rows.csv", Body=rows.encode())

sagemaker.create_experiment(ExperimentName=NAME)
sagemaker.create_trial(TrialName=f"{NAME}-trees", ExperimentName=NAME)
for depth in DEPTHS:
    sagemaker.create_training_job(
        TrainingJobName=f"{NAME}-{depth}",
        AlgorithmSpecification={"TrainingImage": IMAGE, "TrainingInputMode": "File"},
        HyperParameters={"num_round": "20", "objective": "reg:squarederror", "max_depth": str(depth)},
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
        ExperimentConfig={
            "ExperimentName": NAME,
            "TrialName": f"{NAME}-trees",
            "TrialComponentDisplayName": f"depth-{depth}",
        },
    )
for depth in DEPTHS:
    sagemaker.get_waiter("training_job_completed_or_stopped").wait(TrainingJobName=f"{NAME}-{depth}")

# Every job has left a trial component with its parameters, artifacts and metrics.
table = {}
print(f"{'run':10} {'max_depth':>9} {'train:rmse':>10}")
for summary in sagemaker.list_trial_components(ExperimentName=NAME)["TrialComponentSummaries"]:
    run = sagemaker.describe_trial_component(TrialComponentName=summary["TrialComponentName"])
    depth = int(run["Parameters"]["max_depth"]["NumberValue"])
    table[depth] = next(metric["Last"] for metric in run["Metrics"] if metric["MetricName"] == "train:rmse")
    print(f"{run['DisplayName']:10} {depth:9} {table[depth]:10.3f}")
best = min(table, key=table.__getitem__)

# The best one is deployed; from its endpoint the lineage leads back to the data set and the image.
job = sagemaker.describe_training_job(TrainingJobName=f"{NAME}-{best}")
container = {"Image": IMAGE, "ModelDataUrl": job["ModelArtifacts"]["S3ModelArtifacts"]}
sagemaker.create_model(ModelName=NAME, PrimaryContainer=container, ExecutionRoleArn=ROLE)
variant = {"VariantName": "all", "ModelName": NAME, "InitialInstanceCount": 1, "InstanceType": "ml.m5.large"}
sagemaker.create_endpoint_config(EndpointConfigName=NAME, ProductionVariants=[variant])
endpoint = sagemaker.create_endpoint(EndpointName=NAME, EndpointConfigName=NAME)["EndpointArn"]
sagemaker.get_waiter("endpoint_in_service").wait(EndpointName=NAME)
context = sagemaker.list_contexts(SourceUri=endpoint)["ContextSummaries"][0]["ContextArn"]
found = sagemaker.query_lineage(
    StartArns=[context],
    Direction="Ascendants",
    IncludeEdges=False,
    Filters={"LineageTypes": ["Artifact"], "Types": ["DataSet", "Image"]},
)["Vertices"]
sources = {
    vertex["Type"]: sagemaker.describe_artifact(ArtifactArn=vertex["Arn"])["Source"]["SourceUri"] for vertex in found
}
sagemaker.delete_endpoint(EndpointName=NAME)
print("the endpoint comes from", sources)

assert len(table) == len(DEPTHS) and best == 4
assert sources == {"DataSet": f"s3://{bucket}/{NAME}/train", "Image": IMAGE}
