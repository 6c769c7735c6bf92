"""Model cards through real boto3, in the order in which SDK 2's ModelCard calls: create, update, history, export."""

import json

import pytest
from botocore.exceptions import ClientError

from tests.journeys.conftest import IMAGE, ROLE
from tests.papers import reading


@pytest.mark.proves(
    "CreateModelCard",
    "UpdateModelCard",
    "DescribeModelCard",
    "ListModelCardVersions",
    "CreateModelCardExportJob",
    "DescribeModelCardExportJob",
    "ListModelCardExportJobs",
    "DeleteModelCard",
)
def test_a_card_of_a_model_is_written_revised_and_exported(client):
    sagemaker = client.sagemaker
    # Given a model, and a card of it
    name = client.name("card")
    sagemaker.create_model(ModelName=name, PrimaryContainer={"Image": IMAGE}, ExecutionRoleArn=ROLE)
    model = sagemaker.describe_model(ModelName=name)
    content = {
        "model_overview": {"model_id": model["ModelArn"], "model_name": name, "model_owner": "us"},
        "intended_uses": {"purpose_of_model": "to be shown", "risk_rating": "Low"},
    }
    arn = sagemaker.create_model_card(
        ModelCardName=name,
        Content=json.dumps(content),
        ModelCardStatus="Draft",
        Tags=[{"Key": "team", "Value": "blue"}],
    )["ModelCardArn"]
    assert sagemaker.list_tags(ResourceArn=arn)["Tags"] == [{"Key": "team", "Value": "blue"}]
    # When it is approved, and then its content is changed
    sagemaker.update_model_card(ModelCardName=name, ModelCardStatus="Approved")
    content["intended_uses"]["risk_rating"] = "High"
    sagemaker.update_model_card(ModelCardName=name, Content=json.dumps(content))
    # Then the change of the content alone has made a version
    latest = sagemaker.describe_model_card(ModelCardName=name)
    assert (latest["ModelCardVersion"], latest["ModelCardStatus"]) == (2, "Approved")
    history = sagemaker.list_model_card_versions(ModelCardName=name)["ModelCardVersionSummaryList"]
    assert [version["ModelCardVersion"] for version in history] == [1, 2]
    first = sagemaker.describe_model_card(ModelCardName=name, ModelCardVersion=1)
    assert json.loads(first["Content"])["intended_uses"]["risk_rating"] == "Low"
    # And an export of it is a PDF in the bucket that was named
    bucket = client.bucket()
    job = sagemaker.create_model_card_export_job(
        ModelCardName=name,
        ModelCardVersion=2,
        ModelCardExportJobName=f"{name}-export",
        OutputConfig={"S3OutputPath": f"s3://{bucket}/cards"},
    )["ModelCardExportJobArn"]
    done = client.settle(lambda: sagemaker.describe_model_card_export_job(ModelCardExportJobArn=job), "Status")
    assert done["Status"] == "Completed", done.get("FailureReason")
    where = done["ExportArtifacts"]["S3ExportArtifacts"]
    assert where == f"s3://{bucket}/cards/{name}/{name}-export.pdf"
    file = client.s3.get_object(Bucket=bucket, Key=where.split("/", 3)[3])["Body"].read()
    lines = [line for page in reading.pages(file) for line in page]
    assert {"to be shown", "High", "us"} <= set(lines)
    assert json.loads(reading.attachments(file)["model-card.json"]) == content
    (listed,) = sagemaker.list_model_card_export_jobs(ModelCardName=name)["ModelCardExportJobSummaries"]
    assert listed["ModelCardExportJobArn"] == job and listed["Status"] == "Completed"
    # And with the card all of that is gone, but for the PDF
    sagemaker.delete_model_card(ModelCardName=name)
    for call, named in (
        (sagemaker.describe_model_card, {"ModelCardName": name}),
        (sagemaker.describe_model_card_export_job, {"ModelCardExportJobArn": job}),
        (sagemaker.list_model_card_versions, {"ModelCardName": name}),
    ):
        with pytest.raises(ClientError) as gone:
            call(**named)
        assert gone.value.response["Error"]["Code"] == "ResourceNotFound"
    assert client.s3.head_object(Bucket=bucket, Key=where.split("/", 3)[3])["ContentLength"] == len(file)
