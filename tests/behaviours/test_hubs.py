"""Hubs and their contents: versions by their numbers, documents, what may be deleted, and the hub that is not here."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from emulator.errors import NotBuilt
from tests.behaviours.conftest import ARN, SCOPE, Desk

CONTENT = {"HubName": "h", "HubContentType": "Model", "HubContentName": "m"}
DOCUMENT = json.dumps({"Url": "https://example.com", "HostingArtifactUri": "s3://artifacts/m/1/"})


@pytest.fixture
def hub(desk: Desk) -> Desk:
    """A desk with a hub `h`."""
    desk.do("CreateHub", HubName="h", HubDescription="d", Tags=[{"Key": "team", "Value": "blue"}])
    return desk


def load(desk: Desk, version: str | None = None, **params: Any) -> str:
    given = {**CONTENT, "DocumentSchemaVersion": "2.3.0", "HubContentDocument": DOCUMENT, **params}
    if version:
        given["HubContentVersion"] = version
    return str(desk.do("ImportHubContent", **given)["HubContentArn"])


def versions(desk: Desk, **params: Any) -> list[str]:
    found = desk.do("ListHubContentVersions", **CONTENT, **params)["HubContentSummaries"]
    return [content["HubContentVersion"] for content in found]


def test_a_content_is_described_as_it_was_imported(hub: Desk) -> None:
    dependency = {"DependencyOriginPath": "s3://a/x", "DependencyCopyPath": "s3://b/x"}
    document = json.dumps({"Dependencies": [{**dependency, "DependencyType": "Script"}]})
    arn = load(hub, "1.0.0", HubContentDocument=document, HubContentDisplayName="M", SupportStatus="Supported")
    assert arn == f"{ARN}:hub-content/h/Model/m/1.0.0"
    described = hub.do("DescribeHubContent", **CONTENT)
    now = hub.house.clock.now()
    assert described == {
        **CONTENT,
        "HubArn": f"{ARN}:hub/h",
        "HubContentArn": arn,
        "HubContentVersion": "1.0.0",
        "HubContentStatus": "Available",
        "DocumentSchemaVersion": "2.3.0",
        "HubContentDocument": document,
        "HubContentDisplayName": "M",
        "HubContentDependencies": [dependency],
        "SupportStatus": "Supported",
        "CreationTime": now,
        "LastModifiedTime": now,
        "CreatedBy": {},
        "LastModifiedBy": {},
    }
    assert (
        hub.do("DescribeHubContent", **{**CONTENT, "HubName": f"{ARN}:hub/h"}, HubContentVersion="1.0.0") == described
    )


def test_the_highest_version_is_the_latest_whenever_it_came(hub: Desk) -> None:
    for version in ("1.9.0", "1.10.0", "1.2.0"):
        hub.wait(1)
        load(hub, version, HubContentDescription=version)
    assert hub.do("DescribeHubContent", **CONTENT)["HubContentVersion"] == "1.10.0"
    (one,) = hub.do("ListHubContents", HubName="h", HubContentType="Model")["HubContentSummaries"]
    assert (one["HubContentVersion"], one["HubContentDescription"]) == ("1.10.0", "1.10.0")
    assert one["CreationTime"] - one["OriginalCreationTime"] == 1
    assert versions(hub) == ["1.2.0", "1.10.0", "1.9.0"], "the newest first"
    assert versions(hub, SortOrder="Ascending") == ["1.9.0", "1.10.0", "1.2.0"]
    assert versions(hub, MinVersion="1.9.0") == ["1.10.0", "1.9.0"]
    assert versions(hub, MaxSchemaVersion="2.2.9") == []
    assert len(versions(hub, SortBy="HubContentName")) == 3
    assert hub.refused("DescribeHubContent", **CONTENT, HubContentVersion="3.0.0")[0] == "ResourceNotFound"


def test_what_comes_without_a_version_is_the_next_one(hub: Desk) -> None:
    assert load(hub).endswith("/m/1.0.0") and load(hub).endswith("/m/1.0.1")
    load(hub, "2.4.9")
    assert load(hub).endswith("/m/2.4.10")
    code, message = hub.refused(
        "ImportHubContent", **CONTENT, DocumentSchemaVersion="1.0.0", HubContentDocument="{}", HubContentVersion="2.4.9"
    )
    assert code == "ResourceInUse" and "2.4.9" in message


def test_a_document_is_a_json_object(hub: Desk) -> None:
    for document, what in (("{", "is not JSON"), ("[]", "must be a JSON object")):
        code, message = hub.refused(
            "ImportHubContent", **CONTENT, DocumentSchemaVersion="1.0.0", HubContentDocument=document
        )
        assert code == "ValidationException" and what in message
    assert hub.do("ListHubContents", HubName="h", HubContentType="Model") == {"HubContentSummaries": []}


def test_contents_are_listed_by_type_and_name(hub: Desk) -> None:
    load(hub)
    load(hub, HubContentName="other")
    load(hub, HubContentName="book", HubContentType="Notebook")

    def listed(**params: Any) -> list[str]:
        found = hub.do("ListHubContents", **{"HubName": "h", "HubContentType": "Model", **params})
        return [content["HubContentName"] for content in found["HubContentSummaries"]]

    assert listed(SortBy="HubContentName", SortOrder="Ascending") == ["m", "other"]
    assert listed(NameContains="the") == ["other"] and listed(HubContentType="Notebook") == ["book"]
    assert listed(HubName=f"{ARN}:hub/h", MaxSchemaVersion="2.3.0", NameContains="m") == ["m"]
    assert listed(HubContentType="ModelReference") == []
    for operation in ("ListHubContents", "ImportHubContent"):
        wish = {**CONTENT, "HubName": "none", "DocumentSchemaVersion": "1.0.0", "HubContentDocument": "{}"}
        assert hub.refused(operation, **wish)[0] == "ResourceNotFound"
    hubs = hub.do("ListHubs", SortBy="AccountIdOwner")["HubSummaries"]
    assert [one["HubName"] for one in hubs] == ["h"]


def test_tags_are_those_of_the_version_that_they_came_with(hub: Desk) -> None:
    tags = [{"Key": "stage", "Value": "test"}]
    first, second = load(hub, Tags=tags), load(hub)
    assert hub.do("ListTags", ResourceArn=first)["Tags"] == tags
    assert hub.do("ListTags", ResourceArn=second)["Tags"] == []
    assert hub.do("ListTags", ResourceArn=f"{ARN}:hub/h")["Tags"] == [{"Key": "team", "Value": "blue"}]


def test_an_update_is_of_one_version_and_of_the_content_where_it_shows_that(hub: Desk) -> None:
    load(hub, "1.0.0")
    load(hub, "2.0.0")
    hub.wait(5)
    for version in ("1.0.0", "2.0.0"):
        answer = hub.do(
            "UpdateHubContent", **CONTENT, HubContentVersion=version, HubContentDescription=f"new {version}"
        )
        assert answer == {"HubArn": f"{ARN}:hub/h", "HubContentArn": f"{ARN}:hub-content/h/Model/m/{version}"}
    shown = [hub.do("DescribeHubContent", **CONTENT, **named) for named in ({"HubContentVersion": "1.0.0"}, {})]
    assert [content["HubContentDescription"] for content in shown] == ["new 1.0.0", "new 2.0.0"]
    assert {content["LastModifiedTime"] - content["CreationTime"] for content in shown} == {5}
    nothing = hub.refused("UpdateHubContent", **CONTENT, HubContentVersion="1.0.0")
    assert nothing[0] == "ValidationException" and "at least one" in nothing[1]


def test_deleting_the_latest_version_shows_the_one_before_and_deleting_the_last_ends_the_content(hub: Desk) -> None:
    for version in ("1.0.0", "1.1.0", "1.2.0"):
        load(hub, version)
    hub.do("DeleteHubContent", **CONTENT, HubContentVersion="1.2.0")
    assert hub.do("DescribeHubContent", **CONTENT)["HubContentVersion"] == "1.1.0"
    hub.do("DeleteHubContent", **CONTENT, HubContentVersion="1.0.0")
    assert versions(hub) == ["1.1.0"]
    in_use = hub.refused("DeleteHub", HubName="h")
    assert in_use[0] == "ResourceInUse" and "HubContent(s) are associated with it" in in_use[1]
    hub.do("DeleteHubContent", **CONTENT, HubContentVersion="1.1.0")
    assert hub.refused("DescribeHubContent", **CONTENT)[0] == "ResourceNotFound"
    assert hub.refused("DeleteHubContent", **CONTENT, HubContentVersion="1.1.0")[0] == "ResourceNotFound"
    hub.do("DeleteHub", HubName=f"{ARN}:hub/h")
    assert hub.do("ListHubs") == {"HubSummaries": []}


def test_the_public_hub_is_not_here_and_whoever_asks_is_told(hub: Desk) -> None:
    public = {**CONTENT, "HubName": "SageMakerPublicHub"}
    for operation, params in (
        ("DescribeHub", {"HubName": "arn:aws:sagemaker:eu-west-1:aws:hub/SageMakerPublicHub"}),
        ("DescribeHubContent", public),
        ("ListHubContents", {"HubName": "SageMakerPublicHub", "HubContentType": "Model"}),
        ("ListHubContentVersions", public),
        ("CreateHubContentPresignedUrls", public),
    ):
        with pytest.raises(NotBuilt, match="AWS's public hub is not here"):
            hub.do(operation, **params)
    source = "arn:aws:sagemaker:eu-west-1:aws:hub-content/SageMakerPublicHub/Model/some-model"
    reference = {"HubName": "h", "SageMakerPublicHubContentArn": source}
    with pytest.raises(NotBuilt, match="which is not here"):
        hub.do("CreateHubContentReference", **reference)
    assert hub.refused("CreateHubContentReference", **{**reference, "HubName": "none"})[0] == "ResourceNotFound"
    absent = {**CONTENT, "HubContentType": "ModelReference"}
    for operation in ("UpdateHubContentReference", "DeleteHubContentReference"):
        assert hub.refused(operation, **absent)[0] == "ResourceNotFound"
    with pytest.raises(NotBuilt, match="refers to SageMakerPublicHub"):
        hub.do("ImportHubContent", **absent, DocumentSchemaVersion="1.0.0", HubContentDocument="{}")


# --- presigned URLs ---------------------------------------------------------------------------------------------------


def put(desk: Desk, key: str, tmp_path: Any) -> None:
    source = tmp_path / "object"
    source.write_bytes(key.encode())
    desk.house.storage.make_bucket("artifacts", SCOPE.region)
    desk.house.storage.store(source, "artifacts", key)


def test_a_url_is_made_for_every_object_of_the_artifacts(hub: Desk, tmp_path: Any) -> None:
    hub.house.url = "http://127.0.0.1:1234"
    for key in ("m/1/a b.txt", "m/1/code/x.py", "m/10/other"):
        put(hub, key, tmp_path)
    load(hub)
    first = hub.do("CreateHubContentPresignedUrls", **CONTENT, MaxResults=1)
    rest = hub.do("CreateHubContentPresignedUrls", **CONTENT, MaxResults=1, NextToken=first["NextToken"])
    assert "NextToken" not in rest
    found = [*first["AuthorizedUrlConfigs"], *rest["AuthorizedUrlConfigs"]]
    assert [one["LocalPath"] for one in found] == ["/m/1/a b.txt", "/m/1/code/x.py"]
    url = urlsplit(found[0]["Url"])
    assert (url.netloc, url.path) == ("127.0.0.1:1234", "/artifacts/m/1/a%20b.txt")
    query = parse_qs(url.query)
    assert query["X-Amz-Expires"] == ["900"] and query["X-Amz-Credential"][0].startswith("123456789012/")
    wish = {"AccessConfig": {"AcceptEula": True, "ExpectedS3Url": "s3://artifacts/m/1/"}}
    assert len(hub.do("CreateHubContentPresignedUrls", **CONTENT, **wish)["AuthorizedUrlConfigs"]) == 2
    wish["AccessConfig"]["ExpectedS3Url"] = "s3://elsewhere/"
    assert "no artifact at s3://elsewhere/" in hub.refused("CreateHubContentPresignedUrls", **CONTENT, **wish)[1]


def test_no_url_is_made_for_what_is_not_here(hub: Desk) -> None:
    load(hub)
    with pytest.raises(NotBuilt, match="none of s3://artifacts/m/1/ is in the S3 of this server"):
        hub.do("CreateHubContentPresignedUrls", **CONTENT)
    load(hub, HubContentDocument="{}")
    with pytest.raises(NotBuilt, match="names no artifact"):
        hub.do("CreateHubContentPresignedUrls", **CONTENT)
