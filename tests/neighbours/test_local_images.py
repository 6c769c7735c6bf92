"""Images of the local engine as ECR shows them, through real boto3."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from emulator.ports import LocalImage
from tests.neighbours.aws_door import ACCOUNT, served

ONE, TWO = "sha256:" + "1" * 64, "sha256:" + "2" * 64


@pytest.fixture
def engine() -> dict[str, list[LocalImage]]:
    return {}


@pytest.fixture
def ecr(tmp_path: Path, engine: dict[str, list[LocalImage]]) -> Iterator[Any]:
    with served(tmp_path, local_images=lambda name: engine.get(name, ())) as aws:
        yield aws("ecr")


def put(ecr: Any, tag: str) -> str:
    """An image of moto's own; its digest."""
    manifest = {"schemaVersion": 2, "mediaType": "application/vnd.docker.distribution.manifest.v2+json", "tag": tag}
    image = ecr.put_image(repositoryName="team/model", imageManifest=json.dumps(manifest), imageTag=tag)
    return str(image["image"]["imageId"]["imageDigest"])


def test_what_was_tagged_with_a_repositorys_name_is_in_it(ecr: Any, engine: Any) -> None:
    ecr.create_repository(repositoryName="team/model")
    assert ecr.describe_images(repositoryName="team/model")["imageDetails"] == []
    engine["team/model"] = [LocalImage(("1", "latest"), ONE, 1234, 1_700_000_000.5)]
    (image,) = ecr.describe_images(repositoryName="team/model")["imageDetails"]
    assert (image["imageDigest"], image["imageTags"], image["imageSizeInBytes"]) == (ONE, ["1", "latest"], 1234)
    assert image["imagePushedAt"].timestamp() == 1_700_000_000.5
    assert (image["registryId"], image["repositoryName"]) == (ACCOUNT, "team/model")
    named = ecr.describe_images(repositoryName="team/model", imageIds=[{"imageTag": "latest"}])
    assert [found["imageDigest"] for found in named["imageDetails"]] == [ONE]
    assert ecr.list_images(repositoryName="team/model")["imageIds"] == [
        {"imageDigest": ONE, "imageTag": "1"},
        {"imageDigest": ONE, "imageTag": "latest"},
    ]


def test_motos_images_stay_and_lose_a_tag_that_the_engine_has_given_on(ecr: Any, engine: Any) -> None:
    ecr.create_repository(repositoryName="team/model")
    old, moved = put(ecr, "old"), put(ecr, "latest")
    engine["team/model"] = [LocalImage(("latest",), ONE, 1, 0.0), LocalImage((), TWO, 1, 0.0)]
    images = {image["imageDigest"]: image.get("imageTags") for image in pages(ecr, "describe_images", "imageDetails")}
    assert images == {ONE: ["latest"], TWO: None, old: ["old"], moved: None}
    assert len(pages(ecr, "list_images", "imageIds", filter={"tagStatus": "TAGGED"})) == 2
    untagged = ecr.list_images(repositoryName="team/model", filter={"tagStatus": "UNTAGGED"})["imageIds"]
    assert untagged == [{"imageDigest": TWO}, {"imageDigest": moved}]
    manifest = ecr.batch_get_image(repositoryName="team/model", imageIds=[{"imageTag": "old"}])["images"][0]
    assert manifest["imageId"]["imageDigest"] == old
    with pytest.raises(ClientError, match=r"NotImplementedException.*does not tell its manifest"):
        ecr.batch_get_image(repositoryName="team/model", imageIds=[{"imageDigest": ONE}])


def pages(ecr: Any, operation: str, member: str, **more: Any) -> list[Any]:
    found = ecr.get_paginator(operation).paginate(repositoryName="team/model", PaginationConfig={"PageSize": 1}, **more)
    return [item for page in found for item in page[member]]


def test_what_is_nowhere_is_missing_in_the_services_words(ecr: Any, engine: Any) -> None:
    engine["team/model"] = [LocalImage(("1",), ONE, 1, 0.0)]
    for ask in (ecr.describe_images, ecr.list_images):
        with pytest.raises(ecr.exceptions.RepositoryNotFoundException):
            ask(repositoryName="team/model")
    ecr.create_repository(repositoryName="team/model")
    with pytest.raises(ecr.exceptions.ImageNotFoundException, match=r"imageTag:'2'.*name 'team/model'"):
        ecr.describe_images(repositoryName="team/model", imageIds=[{"imageTag": "2"}])
