"""The model registry through real boto3: train, register, approve, deploy what was registered, and hear of it."""

import io
import json

import numpy as np
import pytest
from botocore.exceptions import ClientError

from tests.journeys.conftest import IMAGE, ROLE, Client, table, variant
from tests.journeys.test_events_journey import collect, watch


def specification(model_data: str, **container) -> dict:
    return {
        "Containers": [{"Image": IMAGE, "ModelDataUrl": model_data, **container}],
        "SupportedContentTypes": ["text/csv"],
        "SupportedResponseMIMETypes": ["text/csv"],
        "SupportedRealtimeInferenceInstanceTypes": ["ml.m5.large"],
        "SupportedTransformInstanceTypes": ["ml.m5.large"],
    }


def deploy(client: Client, name: str, container: dict) -> str:
    """A model of a package, its configuration and an endpoint of the same name, as ModelPackage.deploy does it."""
    client.sagemaker.create_model(ModelName=name, Containers=[container], ExecutionRoleArn=ROLE)
    client.configure(name, [variant("all", name)])
    client.sagemaker.create_endpoint(EndpointName=name, EndpointConfigName=name)
    client.in_service(name)
    return name


@pytest.mark.proves(
    "CreateModelPackageGroup", "CreateModelPackage", "UpdateModelPackage", "CreateModel", "DescribeModel"
)
def test_a_model_is_registered_approved_and_deployed(client, training_data):
    sagemaker = client.sagemaker
    # Given a trained model, registered in a group that hears nothing of it yet
    artifact = client.train(training_data)["ModelArtifacts"]["S3ModelArtifacts"]
    group = client.name("group")
    heard = watch(
        client,
        client.name("registry"),
        {"detail": {"ModelPackageGroupName": [group], "ModelApprovalStatus": ["Approved"]}},
    )
    sagemaker.create_model_package_group(ModelPackageGroupName=group, ModelPackageGroupDescription="ours")
    package = sagemaker.create_model_package(
        ModelPackageGroupName=group,
        InferenceSpecification=specification(artifact),
        ModelApprovalStatus="PendingManualApproval",
        ModelMetrics={"ModelQuality": {"Statistics": {"ContentType": "application/json", "S3Uri": "s3://b/e.json"}}},
        MetadataProperties={"GeneratedBy": "a journey"},
        CustomerMetadataProperties={"a": "b"},
        SkipModelValidation="None",
    )["ModelPackageArn"]
    assert package.endswith(f":model-package/{group}/1")
    # When it is not approved, no model can be made of it
    name = client.name("registered")
    with pytest.raises(ClientError, match="is not approved"):
        sagemaker.create_model(ModelName=name, Containers=[{"ModelPackageName": package}], ExecutionRoleArn=ROLE)
    # And when it is, the rule hears of it, and its model serves what plain deployment serves
    sagemaker.update_model_package(ModelPackageArn=package, ModelApprovalStatus="Approved", ApprovalDescription="good")
    (told,) = collect(client, heard, lambda last: True)
    assert told["resources"] == [package] and told["detail"]["ModelPackageVersion"] == 1
    endpoint = deploy(client, name, {"ModelPackageName": package})
    plain = client.deploy(artifact)
    rows = "\n".join(",".join(map(str, row)) for row in table(8, seed=4)[:, 1:])
    answers = [[float(v) for v in client.invoke(at, rows).split()] for at in (endpoint, plain)]
    np.testing.assert_allclose(answers[0], answers[1])
    described = sagemaker.describe_model(ModelName=name)
    assert described["Containers"][0]["ModelPackageName"] == package
    # And a batch transform runs the same model
    client.s3.put_object(Bucket=training_data, Key="batch/rows.csv", Body=rows.encode())
    job = client.name("batch")
    sagemaker.create_transform_job(
        TransformJobName=job,
        ModelName=name,
        TransformInput={
            "DataSource": {"S3DataSource": {"S3DataType": "S3Prefix", "S3Uri": f"s3://{training_data}/batch"}},
            "ContentType": "text/csv",
            "SplitType": "Line",
        },
        TransformOutput={"S3OutputPath": f"s3://{training_data}/scored", "AssembleWith": "Line"},
        TransformResources={"InstanceType": "ml.m5.large", "InstanceCount": 1},
    )
    done = client.settle(lambda: sagemaker.describe_transform_job(TransformJobName=job), "TransformJobStatus")
    assert done["TransformJobStatus"] == "Completed", done.get("FailureReason")
    scored = client.text(training_data, "scored/rows.csv.out").split()
    np.testing.assert_allclose([float(v) for v in scored], answers[1], rtol=1e-5)
    for at in (endpoint, plain):
        sagemaker.delete_endpoint(EndpointName=at)


@pytest.mark.proves(
    "ListModelPackages",
    "BatchDescribeModelPackage",
    "PutModelPackageGroupPolicy",
    "GetModelPackageGroupPolicy",
    "DeleteModelPackage",
    "DeleteModelPackageGroup",
)
def test_versions_are_listed_described_and_deleted(client):
    sagemaker = client.sagemaker
    group = client.name("group")
    sagemaker.create_model_package_group(ModelPackageGroupName=group, Tags=[{"Key": "team", "Value": "blue"}])
    arns = [
        sagemaker.create_model_package(
            ModelPackageGroupName=group, InferenceSpecification=specification(f"s3://b/{number}.tar.gz")
        )["ModelPackageArn"]
        for number in range(12)
    ]
    pages = sagemaker.get_paginator("list_model_packages").paginate(
        ModelPackageGroupName=group, SortBy="CreationTime", SortOrder="Descending"
    )
    found = [summary["ModelPackageVersion"] for page in pages for summary in page["ModelPackageSummaryList"]]
    assert found == list(range(12, 0, -1))
    batch = sagemaker.batch_describe_model_package(ModelPackageArnList=[arns[0], arns[0] + "9"])
    assert list(batch["ModelPackageSummaries"]) == [arns[0]]
    assert list(batch["BatchDescribeModelPackageErrorMap"]) == [arns[0] + "9"]
    policy = json.dumps({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Principal": "*"}]})
    sagemaker.put_model_package_group_policy(ModelPackageGroupName=group, ResourcePolicy=policy)
    assert sagemaker.get_model_package_group_policy(ModelPackageGroupName=group)["ResourcePolicy"] == policy
    with pytest.raises(ClientError, match="still contains Model Packages"):
        sagemaker.delete_model_package_group(ModelPackageGroupName=group)
    for arn in arns:
        sagemaker.delete_model_package(ModelPackageName=arn)
    with pytest.raises(ClientError, match="does not exist"):
        sagemaker.describe_model_package(ModelPackageName=arns[0])
    sagemaker.delete_model_package_group(ModelPackageGroupName=group)


def test_clients_that_register_at_once_get_numbers_of_their_own(client, server):
    from concurrent.futures import ThreadPoolExecutor

    group = client.name("group")
    client.sagemaker.create_model_package_group(ModelPackageGroupName=group)

    def register(number: int) -> list[str]:
        own = Client(server).sagemaker
        return [own.create_model_package(ModelPackageGroupName=group)["ModelPackageArn"] for _ in range(10)]

    with ThreadPoolExecutor(4) as pool:
        arns = [arn for found in pool.map(register, range(4)) for arn in found]
    assert sorted(int(arn.rsplit("/", 1)[1]) for arn in arns) == list(range(1, 41))


@pytest.mark.proves("DescribeModelPackage")
def test_a_package_of_a_model_that_was_made_elsewhere(client, training_data):
    """CreateModel, CreateModelPackage by SourceUri, and a clone of that: what SDK 3's ModelBuilder.register does."""
    artifact = client.train(training_data)["ModelArtifacts"]["S3ModelArtifacts"]
    model = client.name("source")
    arn = client.sagemaker.create_model(
        ModelName=model, PrimaryContainer={"Image": IMAGE, "ModelDataUrl": artifact}, ExecutionRoleArn=ROLE
    )["ModelArn"]
    group = client.name("group")
    client.sagemaker.create_model_package_group(ModelPackageGroupName=group)
    first = client.sagemaker.create_model_package(ModelPackageGroupName=group, SourceUri=arn)["ModelPackageArn"]
    clone = client.sagemaker.create_model_package(
        ModelPackageGroupName=group, SourceUri=first, ModelApprovalStatus="Approved"
    )["ModelPackageArn"]
    described = client.sagemaker.describe_model_package(ModelPackageName=clone)
    assert described["InferenceSpecification"]["Containers"] == [{"Image": IMAGE, "ModelDataUrl": artifact}]
    endpoint = deploy(client, client.name("clone"), {"ModelPackageName": clone})
    assert float(client.invoke(endpoint, io.BytesIO(b"0.1,0.2,0.3")))
    client.sagemaker.delete_endpoint(EndpointName=endpoint)
