"""Images of Studio through real boto3, with botocore's own waiters: create, version, alias, delete."""

import pytest
from botocore.exceptions import ClientError, WaiterError

from tests.journeys.conftest import ROLE

BASE = "123456789012.dkr.ecr.us-east-1.amazonaws.com/team/kernel"
QUICK = {"Delay": 1, "MaxAttempts": 30}


def await_end(sagemaker, waiter: str, **named) -> None:
    """Wait for a deletion; before 1.44, botocore waited for an error code that the service does not send."""
    awaited = sagemaker.get_waiter(waiter)
    known = any(acceptor.expected == "ResourceNotFound" for acceptor in awaited.config.acceptors)
    try:
        awaited.wait(**named, WaiterConfig=QUICK)
    except WaiterError as error:
        assert not known and "ResourceNotFound" in str(error), error


@pytest.mark.proves(
    "CreateImage",
    "CreateImageVersion",
    "DescribeImageVersion",
    "UpdateImageVersion",
    "ListAliases",
    "ListImageVersions",
    "DeleteImageVersion",
    "UpdateImage",
    "DeleteImage",
)
def test_an_image_with_two_versions_lives_and_dies(client):
    sagemaker = client.sagemaker
    image = client.name("image")
    # Given an image with two versions, each awaited as Terraform awaits them
    sagemaker.create_image(ImageName=image, RoleArn=ROLE, DisplayName="ours", Tags=[{"Key": "team", "Value": "blue"}])
    sagemaker.get_waiter("image_created").wait(ImageName=image, WaiterConfig=QUICK)
    arns = []
    for number in (1, 2):
        created = sagemaker.create_image_version(ImageName=image, BaseImage=f"{BASE}:{number}", Aliases=[f"v{number}"])
        sagemaker.get_waiter("image_version_created").wait(ImageName=image, Version=number, WaiterConfig=QUICK)
        arns.append(created["ImageVersionArn"])
    # Then each is found by number, by alias and as the latest
    assert sagemaker.describe_image_version(ImageName=image)["ImageVersionArn"] == arns[1]
    assert sagemaker.describe_image_version(ImageName=image, Alias="v1")["ContainerImage"] == f"{BASE}:1"
    sagemaker.update_image_version(ImageName=image, Version=2, AliasesToAdd=["stable"], AliasesToDelete=["v2"])
    assert sagemaker.list_aliases(ImageName=image, Version=2)["SageMakerImageVersionAliases"] == ["stable"]
    listed = sagemaker.list_image_versions(ImageName=image, SortBy="VERSION", SortOrder="ASCENDING")["ImageVersions"]
    assert [item["Version"] for item in listed] == [1, 2]
    # When the first is deleted, and then the image
    sagemaker.delete_image_version(ImageName=image, Version=1)
    await_end(sagemaker, "image_version_deleted", ImageName=image, Version=1)
    sagemaker.update_image(ImageName=image, DeleteProperties=["DisplayName"])
    sagemaker.get_waiter("image_updated").wait(ImageName=image, WaiterConfig=QUICK)
    sagemaker.delete_image(ImageName=image)
    await_end(sagemaker, "image_deleted", ImageName=image)
    # Then nothing of it is left
    with pytest.raises(ClientError) as gone:
        sagemaker.describe_image_version(ImageName=image, Version=2)
    assert gone.value.response["Error"]["Code"] == "ResourceNotFound"
