"""Pipelines as records through boto3, in the order in which the SDK keeps them: create, upsert, versions, delete."""

import json

import pytest
from botocore.exceptions import ClientError

from tests.journeys.conftest import ROLE


def definition(*names: str) -> str:
    steps = [{"Name": name, "Type": "Fail", "Arguments": {"ErrorMessage": "stop"}} for name in names]
    return json.dumps({"Version": "2020-12-01", "Metadata": {}, "Parameters": [], "Steps": steps})


@pytest.mark.proves(
    "CreatePipeline",
    "UpdatePipeline",
    "DescribePipeline",
    "ListPipelineVersions",
    "UpdatePipelineVersion",
    "DeletePipeline",
)
def test_a_pipeline_is_upserted_and_its_versions_are_named(client):
    sagemaker = client.sagemaker
    name, bucket = client.name("pipeline"), client.bucket()
    # Given a pipeline, which the SDK then creates again
    wish = {"PipelineName": name, "RoleArn": ROLE, "Tags": [{"Key": "team", "Value": "blue"}]}
    arn = sagemaker.create_pipeline(**wish, PipelineDefinition=definition("one"))["PipelineArn"]
    assert arn.endswith(f":pipeline/{name}")
    with pytest.raises(ClientError) as taken:
        sagemaker.create_pipeline(**wish, PipelineDefinition=definition("one", "two"))
    error = taken.value.response["Error"]
    assert error["Code"] == "ValidationException" and "already exists" in error["Message"]
    # When it updates it instead, and then with a definition that it has put into S3
    updated = sagemaker.update_pipeline(
        PipelineName=name,
        RoleArn=ROLE,
        PipelineDefinition=definition("one", "two"),
        ParallelismConfiguration={"MaxParallelExecutionSteps": 3},
    )
    assert updated["PipelineArn"] == arn and updated["PipelineVersionId"] == 2
    client.s3.put_object(Bucket=bucket, Key="pipelines/large.json", Body=definition("one", "two", "three").encode())
    where = {"Bucket": bucket, "ObjectKey": "pipelines/large.json"}
    assert sagemaker.update_pipeline(PipelineName=name, PipelineDefinitionS3Location=where)["PipelineVersionId"] == 3
    # Then it is the latest, and each version is found by its number
    described = sagemaker.describe_pipeline(PipelineName=arn)
    assert described["PipelineDefinition"] == definition("one", "two", "three")
    assert described["ParallelismConfiguration"] == {"MaxParallelExecutionSteps": 3}
    first = sagemaker.describe_pipeline(PipelineName=name, PipelineVersionId=1)
    assert first["PipelineDefinition"] == definition("one") and "ParallelismConfiguration" not in first
    listed = sagemaker.list_pipeline_versions(PipelineName=name)["PipelineVersionSummaries"]
    assert [version["PipelineVersionId"] for version in listed] == [3, 2, 1]
    # When an older version is named
    version = {"PipelineArn": arn, "PipelineVersionId": 2}
    sagemaker.update_pipeline_version(
        **version,
        PipelineVersionDisplayName="two-steps",
        PipelineVersionAliasOperations={"Add": ["stable"]},
    )
    # Then it is found by its alias
    stable = sagemaker.describe_pipeline(PipelineName=name, PipelineVersionAlias="stable")
    assert (stable["PipelineVersionDisplayName"], stable["PipelineVersionAliases"]) == ("two-steps", ["stable"])
    # And what would execute it is refused
    with pytest.raises(ClientError) as refused:
        sagemaker.start_pipeline_execution(PipelineName=name)
    assert refused.value.response["Error"]["Code"] == "NotImplementedException"
    # When it is deleted
    sagemaker.delete_pipeline(PipelineName=name)
    # Then it is gone, soon
    with pytest.raises(ClientError) as gone:
        client.settle(lambda: sagemaker.describe_pipeline(PipelineName=name), "PipelineStatus")
    assert gone.value.response["Error"]["Code"] == "ResourceNotFound"


def test_what_is_no_definition_is_refused(client):
    sagemaker, name = client.sagemaker, client.name("pipeline")
    for text in ("{", "[]"):
        with pytest.raises(ClientError) as refused:
            sagemaker.create_pipeline(PipelineName=name, RoleArn=ROLE, PipelineDefinition=text)
        error = refused.value.response["Error"]
        assert error["Code"] == "ValidationException"
        assert error["Message"].startswith("Unable to parse pipeline definition.")
    assert sagemaker.list_pipelines(PipelineNamePrefix=name)["PipelineSummaries"] == []
