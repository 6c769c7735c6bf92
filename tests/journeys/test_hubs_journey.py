"""A private hub through real boto3: contents by versions, artifacts by URLs that work, and the hub that is not here."""

import json
import time
from urllib.request import urlopen

import pytest
from botocore.exceptions import ClientError

from tests.journeys.conftest import archive


def in_service(client, hub: str) -> None:
    end = time.monotonic() + 30
    while client.sagemaker.describe_hub(HubName=hub)["HubStatus"] != "InService":
        assert time.monotonic() < end
        time.sleep(0.05)


@pytest.mark.proves(
    "CreateHub",
    "DescribeHub",
    "ImportHubContent",
    "ListHubContents",
    "ListHubContentVersions",
    "DescribeHubContent",
    "CreateHubContentPresignedUrls",
    "UpdateHubContent",
    "DeleteHubContent",
    "DeleteHub",
)
def test_a_hub_lends_its_models_out(client):
    sagemaker = client.sagemaker
    # Given a hub, and a model in S3 that its content describes
    hub, bucket = client.name("hub"), client.bucket()
    arn = sagemaker.create_hub(
        HubName=hub,
        HubDescription="ours",
        S3StorageConfig={"S3OutputPath": f"s3://{bucket}/hub"},
        Tags=[{"Key": "team", "Value": "blue"}],
    )["HubArn"]
    packed = archive({"model": b"weights"})
    client.s3.put_object(Bucket=bucket, Key="models/one/model.tar.gz", Body=packed)
    document = {"Url": "https://example.com", "HostingArtifactUri": f"s3://{bucket}/models/one/model.tar.gz"}
    content = {"HubName": arn, "HubContentType": "Model", "HubContentName": "one"}
    for version in ("1.0.0", "1.1.0"):
        sagemaker.import_hub_content(
            **content,
            HubContentVersion=version,
            DocumentSchemaVersion="2.3.0",
            HubContentDocument=json.dumps(document),
            HubContentSearchKeywords=["small"],
        )
    # Then it is listed once, and described by its latest version
    (listed,) = sagemaker.list_hub_contents(HubName=hub, HubContentType="Model")["HubContentSummaries"]
    assert (listed["HubContentVersion"], listed["HubContentStatus"]) == ("1.1.0", "Available")
    found = sagemaker.list_hub_content_versions(**content)["HubContentSummaries"]
    assert [version["HubContentVersion"] for version in found] == ["1.1.0", "1.0.0"]
    described = sagemaker.describe_hub_content(**content)
    assert json.loads(described["HubContentDocument"]) == document and described["HubName"] == hub
    # And a URL fetches the artifact, as it is
    (lent,) = sagemaker.create_hub_content_presigned_urls(**content)["AuthorizedUrlConfigs"]
    assert lent["LocalPath"] == "/models/one/model.tar.gz"
    with urlopen(lent["Url"], timeout=10) as answer:
        assert answer.read() == packed
    # When the versions are deleted, and then the hub
    sagemaker.update_hub_content(**content, HubContentVersion="1.1.0", SupportStatus="Deprecated")
    in_service(client, hub)
    with pytest.raises(ClientError) as in_use:
        sagemaker.delete_hub(HubName=hub)
    assert in_use.value.response["Error"]["Code"] == "ResourceInUse"
    for version in ("1.1.0", "1.0.0"):
        sagemaker.delete_hub_content(**content, HubContentVersion=version)
    sagemaker.delete_hub(HubName=hub)
    # Then the public hub, which others would look into, says that it is not here
    with pytest.raises(ClientError) as absent:
        sagemaker.list_hub_contents(HubName="SageMakerPublicHub", HubContentType="Model")
    assert absent.value.response["Error"]["Code"] == "NotImplementedException"
    assert "public hub is not here" in absent.value.response["Error"]["Message"]
