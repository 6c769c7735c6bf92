"""Images of Studio and their versions: numbers, aliases, statuses on the way, and what a version may be made of."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Any

import pytest

from tests.behaviours.conftest import ARN, Desk

ROLE = "arn:aws:iam::123456789012:role/Any"
TOKENS = itertools.count()
BASE = "123456789012.dkr.ecr.eu-west-1.amazonaws.com/team/kernel"


@pytest.fixture
def image(desk: Desk) -> Desk:
    """A desk with an image `i`."""
    desk.do("CreateImage", ImageName="i", RoleArn=ROLE, DisplayName="shown", Description="d")
    return desk


def version(desk: Desk, *aliases: str, base: str = f"{BASE}:1", **params: Any) -> str:
    given = {"ClientToken": f"t-{next(TOKENS)}", **({"Aliases": list(aliases)} if aliases else {})}
    return str(desk.do("CreateImageVersion", ImageName="i", BaseImage=base, **given, **params)["ImageVersionArn"])


def numbers(desk: Desk, **params: Any) -> list[int]:
    return [item["Version"] for item in desk.do("ListImageVersions", ImageName="i", **params)["ImageVersions"]]


def aliases(desk: Desk, **params: Any) -> list[str]:
    return list(desk.do("ListAliases", ImageName="i", **params)["SageMakerImageVersionAliases"])


def test_a_version_tells_what_it_is_made_of(image: Desk) -> None:
    arn = version(image, JobType="NOTEBOOK_KERNEL", Processor="CPU", Horovod=False, MLFramework="PyTorch 2.1")
    assert arn == f"{ARN}:image-version/i/1"
    now = image.house.clock.now()
    assert image.do("DescribeImageVersion", ImageName="i", Version=1) == {
        "BaseImage": f"{BASE}:1",
        "ContainerImage": f"{BASE}:1",
        "ImageArn": f"{ARN}:image/i",
        "ImageVersionArn": arn,
        "ImageVersionStatus": "CREATED",
        "CreationTime": now,
        "LastModifiedTime": now,
        "Version": 1,
        "JobType": "NOTEBOOK_KERNEL",
        "Processor": "CPU",
        "Horovod": False,
        "MLFramework": "PyTorch 2.1",
    }
    (listed,) = image.do("ListImageVersions", ImageName="i")["ImageVersions"]
    assert (listed["ImageVersionArn"], listed["ImageArn"]) == (arn, f"{ARN}:image/i")


@pytest.mark.parametrize("base", [BASE, f"{BASE}:tag-1.0", f"{BASE}@sha256:{'a' * 64}"])
def test_a_base_is_an_image_of_ecr(image: Desk, base: str) -> None:
    version(image, base=base)


@pytest.mark.parametrize("base", ["python:3.11", "docker.io/library/python", BASE.replace("ecr", "s3"), f"{BASE}:1 2"])
def test_nothing_else_is_a_base(image: Desk, base: str) -> None:
    code, message = image.refused("CreateImageVersion", ImageName="i", BaseImage=base, ClientToken="t")
    assert code == "ValidationException" and "Amazon ECR" in message
    assert numbers(image) == []


def test_absent_images_and_versions_are_told_in_the_words_of_the_service(image: Desk) -> None:
    wish = {"ImageName": "none", "BaseImage": BASE, "ClientToken": "t"}
    absent = ("ResourceNotFound", "Image with ImageName none does not exist. Please provide a valid ImageName.")
    assert image.refused("CreateImageVersion", **wish) == absent
    for operation in ("DescribeImage", "DescribeImageVersion", "ListImageVersions", "ListAliases", "DeleteImage"):
        assert image.refused(operation, ImageName="none") == absent
    assert image.refused("DescribeImageVersion", ImageName="i") == (
        "ResourceNotFound",
        "Latest ImageVersion with ImageName i does not exist. Please provide a valid ImageName.",
    )
    assert image.refused("CreateImage", ImageName="i", RoleArn=ROLE) == (
        "ResourceInUse",
        "The Image with ImageName i already exists. Please use a different ImageName.",
    )
    version(image)
    for named in ({"Version": 2}, {"Alias": "x"}):
        code, message = image.refused("DescribeImageVersion", ImageName="i", **named)
        assert code == "ResourceNotFound" and "does not exist" in message


def test_aliases_are_added_moved_listed_and_forgotten(image: Desk) -> None:
    version(image, "one", "stable")
    version(image, "two")
    assert aliases(image) == ["one", "stable", "two"]
    assert aliases(image, Version=1) == ["one", "stable"] == aliases(image, Alias="stable")
    taken = image.refused("UpdateImageVersion", ImageName="i", Version=2, AliasesToAdd=["stable"])
    assert taken[0] == "ResourceInUse" and "stable belongs to version 1" in taken[1]
    image.do("UpdateImageVersion", ImageName="i", Alias="stable", AliasesToDelete=["stable"], ReleaseNotes="old")
    image.do("UpdateImageVersion", ImageName="i", Version=2, AliasesToAdd=["stable"], VendorGuidance="STABLE")
    assert image.do("DescribeImageVersion", ImageName="i", Alias="stable")["VendorGuidance"] == "STABLE"
    first = image.do("DescribeImageVersion", ImageName="i", Alias="one")
    assert (first["Version"], first["ReleaseNotes"]) == (1, "old") and "Aliases" not in first
    image.do("DeleteImageVersion", ImageName="i", Alias="two")
    assert aliases(image) == ["one"] and numbers(image) == [1]
    assert image.refused("ListAliases", ImageName="i", Version=2)[0] == "ResourceNotFound"
    page = image.do("ListAliases", ImageName="i", MaxResults=1)
    assert "NextToken" not in page
    for operation in ("UpdateImageVersion", "DeleteImageVersion"):
        assert image.refused(operation, ImageName="i")[0] == "ValidationException"


def test_aliases_come_in_pages(image: Desk) -> None:
    version(image, *(f"alias-{number:02}" for number in range(12)))
    first = image.do("ListAliases", ImageName="i")
    rest = image.do("ListAliases", ImageName="i", NextToken=first["NextToken"])
    assert [len(page["SageMakerImageVersionAliases"]) for page in (first, rest)] == [10, 2]
    assert "NextToken" not in rest


def test_versions_are_sorted_by_number_whatever_their_digits(image: Desk) -> None:
    for _ in range(11):
        version(image)
    assert numbers(image, SortBy="VERSION", SortOrder="ASCENDING", MaxResults=100) == list(range(1, 12))
    assert numbers(image) == list(range(11, 1, -1))
    image.wait(5)
    image.do("UpdateImageVersion", ImageName="i", Version=3, ReleaseNotes="n")
    assert numbers(image, SortBy="LAST_MODIFIED_TIME")[0] == 3


def test_an_image_is_updated_and_loses_what_is_to_be_deleted(image: Desk) -> None:
    image.do("UpdateImage", ImageName="i", DisplayName="other", DeleteProperties=["Description"])
    described = image.do("DescribeImage", ImageName="i")
    assert described["DisplayName"] == "other" and "Description" not in described
    assert described["ImageStatus"] == "CREATED"


def test_an_image_is_deleted_with_all_its_versions(image: Desk) -> None:
    arns = [version(image), version(image)]
    image.do("DeleteImage", ImageName="i")
    for arn in arns:
        assert "Could not find" in image.refused("ListTags", ResourceArn=arn)[1]
    image.do("CreateImage", ImageName="i", RoleArn=ROLE)
    assert version(image).endswith("/1")


def test_images_and_versions_pass_their_statuses(open_desk: Callable[..., Desk]) -> None:
    desk = open_desk(settle_seconds=2.0)
    desk.do("CreateImage", ImageName="i", RoleArn=ROLE)
    early = desk.refused("CreateImageVersion", ImageName="i", BaseImage=BASE, ClientToken="t")
    assert early == ("ValidationException", "Image i is in an invalid state.")
    desk.wait(2)
    arn = version(desk, "a")

    def status() -> str:
        return str(desk.do("DescribeImageVersion", ImageName="i")["ImageVersionStatus"])

    assert status() == "CREATING"
    assert desk.refused("UpdateImageVersion", ImageName="i", Version=1, AliasesToAdd=["b"])[0] == "ResourceInUse"
    assert aliases(desk) == ["a"]
    desk.wait(2)
    assert status() == "CREATED"
    desk.do("DeleteImageVersion", ImageName="i", Version=1)
    assert status() == "DELETING"
    again = desk.refused("DeleteImageVersion", ImageName="i", Version=1)
    assert again == ("ResourceInUse", f"ImageVersion ({arn}) is being deleted")
    desk.wait(2)
    assert desk.refused("DescribeImageVersion", ImageName="i", Version=1)[0] == "ResourceNotFound"
    assert aliases(desk) == []
