"""CI of a pipeline: train, evaluate, register, deploy, smoke test. Exit status 1 where the model is below the bar.

    sagelet run -- python ci_pipeline.py --bar 0.95

docs/ci.md has the workflow around it. Nothing is left in service, whatever happens.
"""

import argparse
import json
import sys
import time

import boto3

ROLE = "arn:aws:iam::123456789012:role/SageletExecutionRole"
XGBOOST = "683313688378.dkr.ecr.us-east-1.amazonaws.com/sagemaker-xgboost:1.7-1"
SKLEARN = "683313688378.dkr.ecr.us-east-1.amazonaws.com/sagemaker-scikit-learn:1.2-1-cpu-py3"
GROUP = "breast-cancer"
EVALUATE = """
import json, tarfile, numpy, xgboost
from sklearn.metrics import roc_auc_score
tarfile.open("/opt/ml/processing/model/model.tar.gz").extractall("/tmp/model")
booster = xgboost.Booster(model_file="/tmp/model/xgboost-model")
rows = numpy.loadtxt("/opt/ml/processing/test/rows.csv", delimiter=",")
area = roc_auc_score(rows[:, 0], booster.predict(xgboost.DMatrix(rows[:, 1:])))
json.dump({"auc": area, "rows": len(rows)}, open("/opt/ml/processing/report/report.json", "w"))
"""

s3, sagemaker = boto3.client("s3"), boto3.client("sagemaker")
resources = {"InstanceType": "ml.m5.large", "InstanceCount": 1, "VolumeSizeInGB": 1}


class Refused(Exception):
    """The pipeline stops here, for this reason."""


def upload(bucket: str, name: str) -> list[str]:
    """The data of this example, split; the held-out rows as lines."""
    from sklearn.datasets import load_breast_cancer

    data = load_breast_cancer()
    rows = [",".join(map(str, [label, *row])) for label, row in zip(data.target, data.data, strict=True)]
    held_out = rows[::4]
    train = [row for number, row in enumerate(rows) if number % 4]
    s3.put_object(Bucket=bucket, Key=f"{name}/train/rows.csv", Body="\n".join(train).encode())
    s3.put_object(Bucket=bucket, Key=f"{name}/test/rows.csv", Body="\n".join(held_out).encode())
    s3.put_object(Bucket=bucket, Key=f"{name}/code/evaluate.py", Body=EVALUATE.encode())
    return held_out


def train(base: str, name: str, rounds: int) -> str:
    """The model's artifact."""
    sagemaker.create_training_job(
        TrainingJobName=name,
        AlgorithmSpecification={"TrainingImage": XGBOOST, "TrainingInputMode": "File"},
        HyperParameters={"num_round": str(rounds), "objective": "binary:logistic", "max_depth": "3"},
        InputDataConfig=[
            {
                "ChannelName": "train",
                "ContentType": "text/csv",
                "DataSource": {"S3DataSource": {"S3DataType": "S3Prefix", "S3Uri": f"{base}/train"}},
            }
        ],
        OutputDataConfig={"S3OutputPath": f"{base}/output"},
        ResourceConfig=resources,
        RoleArn=ROLE,
        StoppingCondition={"MaxRuntimeInSeconds": 600},
    )
    sagemaker.get_waiter("training_job_completed_or_stopped").wait(TrainingJobName=name)
    return sagemaker.describe_training_job(TrainingJobName=name)["ModelArtifacts"]["S3ModelArtifacts"]


def evaluate(bucket: str, name: str, artifact: str) -> dict:
    """The report of a processing job on held-out rows."""
    place = "/opt/ml/processing"
    inputs = {"code": f"s3://{bucket}/{name}/code", "model": artifact, "test": f"s3://{bucket}/{name}/test"}
    output = {"S3Uri": f"s3://{bucket}/{name}/report", "LocalPath": f"{place}/report", "S3UploadMode": "EndOfJob"}
    sagemaker.create_processing_job(
        ProcessingJobName=name,
        AppSpecification={"ImageUri": SKLEARN, "ContainerEntrypoint": ["python3", f"{place}/code/evaluate.py"]},
        ProcessingInputs=[
            {
                "InputName": what,
                "S3Input": {
                    "S3Uri": uri,
                    "LocalPath": f"{place}/{what}",
                    "S3DataType": "S3Prefix",
                    "S3InputMode": "File",
                },
            }
            for what, uri in inputs.items()
        ],
        ProcessingOutputConfig={"Outputs": [{"OutputName": "report", "S3Output": output}]},
        ProcessingResources={"ClusterConfig": resources},
        RoleArn=ROLE,
    )
    sagemaker.get_waiter("processing_job_completed_or_stopped").wait(ProcessingJobName=name)
    job = sagemaker.describe_processing_job(ProcessingJobName=name)
    if job["ProcessingJobStatus"] != "Completed":
        raise Refused(f"the evaluation {job['ProcessingJobStatus']}: {job.get('FailureReason')}")
    return json.loads(s3.get_object(Bucket=bucket, Key=f"{name}/report/report.json")["Body"].read())


def register(artifact: str, report: str) -> str:
    """A new version of the group, approved: the bar was the approval."""
    groups = sagemaker.list_model_package_groups(NameContains=GROUP)["ModelPackageGroupSummaryList"]
    if GROUP not in [group["ModelPackageGroupName"] for group in groups]:
        sagemaker.create_model_package_group(ModelPackageGroupName=GROUP)
    return sagemaker.create_model_package(
        ModelPackageGroupName=GROUP,
        InferenceSpecification={
            "Containers": [{"Image": XGBOOST, "ModelDataUrl": artifact}],
            "SupportedContentTypes": ["text/csv"],
            "SupportedResponseMIMETypes": ["text/csv"],
        },
        ModelMetrics={"ModelQuality": {"Statistics": {"ContentType": "application/json", "S3Uri": report}}},
        ModelApprovalStatus="Approved",
    )["ModelPackageArn"]


def smoke_test(name: str, package: str, rows: list[str]) -> None:
    """Deploy what was registered, ask it about a few rows, take it down again."""
    containers = [{"ModelPackageName": package}]
    sagemaker.create_model(ModelName=name, Containers=containers, ExecutionRoleArn=ROLE)
    variant = {"VariantName": "all", "ModelName": name, "InitialInstanceCount": 1, "InstanceType": "ml.m5.large"}
    sagemaker.create_endpoint_config(EndpointConfigName=name, ProductionVariants=[variant])
    sagemaker.create_endpoint(EndpointName=name, EndpointConfigName=name)
    try:
        sagemaker.get_waiter("endpoint_in_service").wait(EndpointName=name)
        runtime = boto3.client("sagemaker-runtime")
        for row in rows:
            label, features = row.split(",", 1)
            answer = runtime.invoke_endpoint(EndpointName=name, ContentType="text/csv", Body=features)
            score = float(answer["Body"].read())
            print(f"  label {label}, score {score:.3f}")
            if not 0 <= score <= 1:
                raise Refused(f"the endpoint answers {score}, which is no probability")
    finally:
        sagemaker.delete_endpoint(EndpointName=name)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--bar", type=float, default=0.95, help="the least area under the curve on held-out rows")
    parser.add_argument("--rounds", type=int, default=30)
    options = parser.parse_args()
    name = f"ci-{time.time_ns() // 1_000_000}"
    bucket = f"sagemaker-{sagemaker.meta.region_name}-{boto3.client('sts').get_caller_identity()['Account']}"
    rows = upload(bucket, name)
    artifact = train(f"s3://{bucket}/{name}", name, options.rounds)
    print("trained:", artifact)
    report = evaluate(bucket, name, artifact)
    print("evaluated:", report)
    if report["auc"] < options.bar:
        raise Refused(f"auc {report['auc']:.3f} is below the bar of {options.bar}; nothing was registered")
    package = register(artifact, f"s3://{bucket}/{name}/report/report.json")
    print("registered:", package)
    smoke_test(name, package, rows[:3])
    assert sagemaker.describe_model_package(ModelPackageName=package)["ModelApprovalStatus"] == "Approved"
    print("the pipeline is green")


if __name__ == "__main__":
    try:
        main()
    except Refused as reason:
        sys.exit(f"the pipeline is red: {reason}")
