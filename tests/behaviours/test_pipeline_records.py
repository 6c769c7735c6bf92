"""Pipelines as records: definitions from the request or from S3, versions of them, and the aliases of versions."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from emulator.call import Call
from emulator.errors import NotBuilt
from tests.behaviours.conftest import ARN, SCOPE, Desk

ROLE = "arn:aws:iam::123456789012:role/Any"
TOKEN = "t" * 32
PIPELINE = f"{ARN}:pipeline/p"


def definition(*steps: str) -> str:
    return json.dumps({"Version": "2020-12-01", "Steps": [{"Name": step, "Type": "Fail"} for step in steps]})


def create(desk: Desk, name: str = "p", **params: Any) -> str:
    given = {"PipelineDefinition": definition(), "RoleArn": ROLE, "ClientRequestToken": TOKEN, **params}
    return str(desk.do("CreatePipeline", PipelineName=name, **given)["PipelineArn"])


@pytest.fixture
def pipeline(desk: Desk) -> Desk:
    """A desk with a pipeline `p` of three versions."""
    create(desk)
    update(desk, definition("one"))
    update(desk, definition("one", "two"))
    return desk


def update(desk: Desk, text: str, **params: Any) -> int:
    return int(desk.do("UpdatePipeline", PipelineName="p", PipelineDefinition=text, **params)["PipelineVersionId"])


def listed(desk: Desk, **params: Any) -> list[dict[str, Any]]:
    return list(desk.do("ListPipelineVersions", PipelineName="p", **params)["PipelineVersionSummaries"])


def aliases(desk: Desk) -> dict[int, list[str]]:
    return {one["PipelineVersionId"]: one.get("PipelineVersionAliases", []) for one in listed(desk)}


def alias(desk: Desk, number: int, **operations: list[str]) -> None:
    desk.do(
        "UpdatePipelineVersion",
        PipelineArn=PIPELINE,
        PipelineVersionId=number,
        PipelineVersionAliasOperations=operations,
    )


def put(desk: Desk, body: bytes, key: str = "definition.json", versioned: bool = False) -> str | None:
    def s3(operation: str, **params: Any) -> Any:
        return desk.house.dispatch(Call("s3", operation, {"Bucket": "bucket", **params}, SCOPE))

    if "bucket" not in {bucket["Name"] for bucket in s3("ListBuckets")["Buckets"]}:
        s3("CreateBucket", CreateBucketConfiguration={"LocationConstraint": SCOPE.region})
    if versioned:
        s3("PutBucketVersioning", VersioningConfiguration={"Status": "Enabled"})
    version = s3("PutObject", Key=key, Body=body).get("VersionId")
    return str(version) if version else None


# --- what a pipeline is -----------------------------------------------------------------------------------------------


def test_a_pipeline_tells_what_it_was_made_of(desk: Desk) -> None:
    assert create(desk, PipelineDescription="d", ParallelismConfiguration={"MaxParallelExecutionSteps": 2}) == PIPELINE
    now = desk.house.clock.now()
    assert desk.do("DescribePipeline", PipelineName=PIPELINE) == {
        "PipelineArn": PIPELINE,
        "PipelineName": "p",
        "PipelineDisplayName": "p",
        "PipelineDefinition": definition(),
        "PipelineDescription": "d",
        "PipelineStatus": "Active",
        "RoleArn": ROLE,
        "ParallelismConfiguration": {"MaxParallelExecutionSteps": 2},
        "CreationTime": now,
        "LastModifiedTime": now,
        "CreatedBy": {},
        "LastModifiedBy": {},
    }
    (version,) = listed(desk)
    assert version == {"PipelineArn": PIPELINE, "PipelineVersionId": 1, "CreationTime": now}


def test_a_name_is_taken_and_a_request_that_is_sent_again_is_the_same(desk: Desk) -> None:
    assert create(desk) == create(desk)
    code, message = desk.refused(
        "CreatePipeline", PipelineName="p", PipelineDefinition="{}", RoleArn=ROLE, ClientRequestToken="u" * 32
    )
    assert code == "ValidationException"
    assert message.startswith("Pipeline names must be unique within an AWS account and region.")
    assert len(listed(desk)) == 1


def test_tags_are_given_at_the_creation(desk: Desk) -> None:
    arn = create(desk, Tags=[{"Key": "team", "Value": "a"}])
    assert desk.do("ListTags", ResourceArn=arn)["Tags"] == [{"Key": "team", "Value": "a"}]


@pytest.mark.parametrize(
    ("text", "detail"), [("no JSON", "Expecting value"), ("[]", "Expecting start of Json Object."), (" ", "Expecting")]
)
def test_a_definition_is_a_json_object(desk: Desk, text: str, detail: str) -> None:
    wish = {"PipelineName": "p", "RoleArn": ROLE, "ClientRequestToken": TOKEN}
    code, message = desk.refused("CreatePipeline", PipelineDefinition=text, **wish)
    assert code == "ValidationException" and message.startswith(f"Unable to parse pipeline definition. {detail}")
    create(desk)
    assert desk.refused("UpdatePipeline", PipelineName="p", PipelineDefinition=text)[1] == message
    assert len(listed(desk)) == 1


def test_there_is_one_definition(desk: Desk) -> None:
    wish = {"PipelineName": "p", "RoleArn": ROLE, "ClientRequestToken": TOKEN}
    where = {"PipelineDefinition": "{}", "PipelineDefinitionS3Location": {"Bucket": "bucket", "ObjectKey": "k"}}
    neither = "Either Pipeline Definition or Pipeline Definition S3 location should be provided"
    both = "Both Pipeline Definition and Pipeline Definition S3 Location shouldn't be present"
    assert desk.refused("CreatePipeline", **wish) == ("ValidationException", neither)
    assert desk.refused("CreatePipeline", **wish, **where) == ("ValidationException", both)
    create(desk)
    assert desk.refused("UpdatePipeline", PipelineName="p", **where) == ("ValidationException", both)


def test_a_pipeline_that_is_not_there(desk: Desk) -> None:
    for operation in ("DescribePipeline", "UpdatePipeline", "ListPipelineVersions"):
        code, message = desk.refused(operation, PipelineName="none")
        assert code == "ResourceNotFound" and message.endswith(" does not exist."), operation
    assert desk.refused("DeletePipeline", PipelineName="none", ClientRequestToken=TOKEN)[0] == "ResourceNotFound"
    absent = {"PipelineArn": f"{ARN}:pipeline/none", "PipelineVersionId": 1}
    assert desk.refused("UpdatePipelineVersion", **absent)[0] == "ResourceNotFound"


def test_executions_are_refused(pipeline: Desk) -> None:
    with pytest.raises(NotBuilt, match="StartPipelineExecution is not built"):
        pipeline.do("StartPipelineExecution", PipelineName="p", ClientRequestToken=TOKEN)


# --- S3 ---------------------------------------------------------------------------------------------------------------


def test_a_definition_is_read_from_s3(desk: Desk) -> None:
    put(desk, definition("là").encode())
    where = {"Bucket": "bucket", "ObjectKey": "definition.json"}
    given = {"PipelineName": "p", "RoleArn": ROLE, "ClientRequestToken": TOKEN}
    desk.do("CreatePipeline", PipelineDefinitionS3Location=where, **given)
    assert desk.do("DescribePipeline", PipelineName="p")["PipelineDefinition"] == definition("là")
    put(desk, definition("other").encode())
    assert desk.do("DescribePipeline", PipelineName="p")["PipelineDefinition"] == definition("là")
    updated = desk.do("UpdatePipeline", PipelineName="p", PipelineDefinitionS3Location=where)
    assert updated == {"PipelineArn": PIPELINE, "PipelineVersionId": 2}
    assert desk.do("DescribePipeline", PipelineName="p")["PipelineDefinition"] == definition("other")


def test_a_large_definition_comes_in_pieces(desk: Desk) -> None:
    text = definition(*(f"step-{number}" for number in range(15_000)))
    assert len(text) > 500_000
    put(desk, text.encode())
    where = {"Bucket": "bucket", "ObjectKey": "definition.json"}
    desk.do(
        "CreatePipeline", PipelineName="p", RoleArn=ROLE, ClientRequestToken=TOKEN, PipelineDefinitionS3Location=where
    )
    assert desk.do("DescribePipeline", PipelineName="p")["PipelineDefinition"] == text


def test_a_version_of_the_object_may_be_named(desk: Desk) -> None:
    first = put(desk, definition("first").encode(), versioned=True)
    put(desk, definition("second").encode())
    where = {"Bucket": "bucket", "ObjectKey": "definition.json", "VersionId": first}
    desk.do(
        "CreatePipeline", PipelineName="p", RoleArn=ROLE, ClientRequestToken=TOKEN, PipelineDefinitionS3Location=where
    )
    assert desk.do("DescribePipeline", PipelineName="p")["PipelineDefinition"] == definition("first")


@pytest.mark.parametrize(
    ("body", "words"),
    [(None, "cannot be read"), (b"\xff", "UTF-8"), (b"[]", "Json Object"), (b" " * (2 << 20), "bytes, of at most")],
)
def test_an_object_that_is_no_definition(desk: Desk, body: bytes | None, words: str) -> None:
    put(desk, body or b"", key="definition.json" if body else "another")
    where = {"Bucket": "bucket", "ObjectKey": "definition.json"}
    wish = {"PipelineName": "p", "RoleArn": ROLE, "ClientRequestToken": TOKEN, "PipelineDefinitionS3Location": where}
    code, message = desk.refused("CreatePipeline", **wish)
    assert code == "ValidationException" and words in message
    assert desk.do("ListPipelines")["PipelineSummaries"] == []


# --- versions ---------------------------------------------------------------------------------------------------------


def test_another_definition_is_another_version(pipeline: Desk) -> None:
    shown = [pipeline.do("DescribePipeline", PipelineName="p", PipelineVersionId=number) for number in (1, 2, 3)]
    assert [one["PipelineDefinition"] for one in shown] == [definition(), definition("one"), definition("one", "two")]
    assert pipeline.do("DescribePipeline", PipelineName="p") == shown[2]
    assert [one["PipelineVersionId"] for one in listed(pipeline)] == [3, 2, 1]
    assert [one["PipelineVersionId"] for one in listed(pipeline, SortOrder="Ascending")] == [1, 2, 3]
    code, message = pipeline.refused("DescribePipeline", PipelineName="p", PipelineVersionId=4)
    assert (code, message) == ("ResourceNotFound", "Version 4 of pipeline 'p' does not exist.")


def test_what_else_is_changed_makes_no_version(pipeline: Desk) -> None:
    changed = {"PipelineDescription": "d", "PipelineDisplayName": "shown", "RoleArn": f"{ROLE}Other"}
    assert pipeline.do("UpdatePipeline", PipelineName="p", **changed)["PipelineVersionId"] == 3
    assert update(pipeline, definition("one", "two"), PipelineDescription="e") == 3
    assert (
        pipeline.do("DescribePipeline", PipelineName="p", PipelineVersionId=3).items()
        >= {
            **changed,
            "PipelineDescription": "e",
        }.items()
    )
    assert pipeline.do("DescribePipeline", PipelineName="p", PipelineVersionId=2)["RoleArn"] == ROLE


def test_versions_are_listed_by_their_times_and_by_pages(desk: Desk) -> None:
    times = []
    for number in range(1, 6):
        if number == 1:
            create(desk)
        else:
            update(desk, definition(str(number)))
        times.append(desk.house.clock.now())
        desk.wait(60)
    assert [one["PipelineVersionId"] for one in listed(desk, CreatedAfter=times[2])] == [5, 4]
    assert [one["PipelineVersionId"] for one in listed(desk, CreatedBefore=times[2])] == [2, 1]
    assert [one["CreationTime"] for one in listed(desk)] == times[::-1]
    page = desk.do("ListPipelineVersions", PipelineName=PIPELINE, MaxResults=3)
    rest = desk.do("ListPipelineVersions", PipelineName=PIPELINE, MaxResults=3, NextToken=page["NextToken"])
    found = page["PipelineVersionSummaries"] + rest["PipelineVersionSummaries"]
    assert [one["PipelineVersionId"] for one in found] == [5, 4, 3, 2, 1] and "NextToken" not in rest


@pytest.mark.parametrize("number", [2, 3])
def test_a_version_has_a_name_and_a_description_of_its_own(pipeline: Desk, number: int) -> None:
    named = {"PipelineVersionDisplayName": "good", "PipelineVersionDescription": "the good one"}
    wish = {"PipelineArn": PIPELINE, "PipelineVersionId": number}
    assert pipeline.do("UpdatePipelineVersion", **wish, **named) == wish
    assert pipeline.do("DescribePipeline", PipelineName="p", PipelineVersionId=number).items() >= named.items()
    (summary,) = (one for one in listed(pipeline) if one["PipelineVersionId"] == number)
    assert summary.items() >= named.items()
    assert "PipelineVersionDisplayName" not in pipeline.do("DescribePipeline", PipelineName="p", PipelineVersionId=1)
    update(pipeline, definition("four"))
    assert "PipelineVersionDisplayName" not in pipeline.do("DescribePipeline", PipelineName="p")
    assert pipeline.do("DescribePipeline", PipelineName="p", PipelineVersionId=number).items() >= named.items()


def test_the_versions_go_with_the_pipeline(pipeline: Desk) -> None:
    assert pipeline.do("DeletePipeline", PipelineName="p", ClientRequestToken=TOKEN) == {"PipelineArn": PIPELINE}
    create(pipeline)
    assert [one["PipelineVersionId"] for one in listed(pipeline)] == [1]


def test_a_pipeline_that_goes_is_not_changed(open_desk: Callable[..., Desk]) -> None:
    desk = open_desk(settle_seconds=5)
    create(desk)
    desk.do("DeletePipeline", PipelineName="p", ClientRequestToken=TOKEN)
    assert desk.do("DescribePipeline", PipelineName="p")["PipelineStatus"] == "Deleting"
    assert (
        desk.refused("UpdatePipeline", PipelineName="p", PipelineDefinition=definition("x"))[0] == "ConflictException"
    )
    named = {"PipelineArn": PIPELINE, "PipelineVersionId": 1, "PipelineVersionDisplayName": "x"}
    assert desk.refused("UpdatePipelineVersion", **named)[0] == "ConflictException"
    desk.wait(5)
    assert desk.refused("DescribePipeline", PipelineName="p")[0] == "ResourceNotFound"


# --- aliases ----------------------------------------------------------------------------------------------------------


def test_aliases_name_versions(desk: Desk) -> None:
    create(desk, PipelineVersionAliases=["stable", "v1.0"])
    update(desk, definition("one"), PipelineVersionAliases=["next"])
    assert aliases(desk) == {2: ["next"], 1: ["stable", "v1.0"]}
    for name, number in (("stable", 1), ("v1.0", 1), ("next", 2)):
        found = desk.do("DescribePipeline", PipelineName="p", PipelineVersionAlias=name)
        assert found == desk.do("DescribePipeline", PipelineName="p", PipelineVersionId=number)
        assert name in found["PipelineVersionAliases"]
    code, message = desk.refused("DescribePipeline", PipelineName="p", PipelineVersionAlias="none")
    assert (code, message) == ("ResourceNotFound", "Version none of pipeline 'p' does not exist.")
    both = {"PipelineVersionId": 1, "PipelineVersionAlias": "stable"}
    assert desk.refused("DescribePipeline", PipelineName="p", **both)[0] == "ValidationException"


def test_an_alias_is_moved_by_taking_it_away_first(desk: Desk) -> None:
    create(desk, PipelineVersionAliases=["stable"])
    code, message = desk.refused(
        "UpdatePipeline", PipelineName="p", PipelineDefinition=definition("one"), PipelineVersionAliases=["stable"]
    )
    assert code == "ConflictException" and "version 1" in message
    assert len(listed(desk)) == 1
    update(desk, definition("one"))
    add = {"PipelineVersionAliasOperations": {"Add": ["stable"]}}
    wish = {"PipelineArn": PIPELINE, "PipelineVersionId": 2}
    assert desk.refused("UpdatePipelineVersion", **wish, **add)[0] == "ConflictException"
    alias(desk, 1, Remove=["stable"])
    assert "PipelineVersionAliases" not in desk.do("DescribePipeline", PipelineName="p", PipelineVersionId=1)
    alias(desk, 2, Add=["stable", "new"], Remove=["absent"])
    assert aliases(desk) == {2: ["stable", "new"], 1: []}
    assert desk.do("DescribePipeline", PipelineName="p")["PipelineVersionAliases"] == ["stable", "new"]


def test_aliases_come_with_a_new_definition_only(pipeline: Desk) -> None:
    for same in ({}, {"PipelineDefinition": definition("one", "two")}):
        wish = {"PipelineName": "p", "PipelineDescription": "changed", "PipelineVersionAliases": ["stable"], **same}
        code, message = pipeline.refused("UpdatePipeline", **wish)
        assert code == "ValidationException" and "UpdatePipelineVersion" in message
    assert "PipelineDescription" not in pipeline.do("DescribePipeline", PipelineName="p")


def test_an_alias_is_no_number_and_one_of_ten(desk: Desk) -> None:
    wish = {"PipelineName": "p", "PipelineDefinition": "{}", "RoleArn": ROLE, "ClientRequestToken": TOKEN}
    for given in (["1"], [f"a{number}" for number in range(11)]):
        assert desk.refused("CreatePipeline", **wish, PipelineVersionAliases=given)[0] == "ValidationException"
    create(desk, PipelineVersionAliases=[f"a{number}" for number in range(10)])
    version = {"PipelineArn": PIPELINE, "PipelineVersionId": 1}
    for operations in ({"Add": ["a10"]}, {"Add": ["7"], "Remove": ["a0"]}):
        code, _ = desk.refused("UpdatePipelineVersion", **version, PipelineVersionAliasOperations=operations)
        assert code == "ValidationException"
    alias(desk, 1, Add=["a10"], Remove=["a0"])
    assert aliases(desk) == {1: [f"a{number}" for number in range(1, 11)]}


# --- finding ----------------------------------------------------------------------------------------------------------


def test_pipelines_are_listed_by_name_and_time(desk: Desk) -> None:
    for number, name in enumerate(("train-a", "serve", "train-b")):
        create(desk, name, ClientRequestToken=str(number) * 32)
        desk.wait(60)

    def names(**params: Any) -> list[str]:
        return [one["PipelineName"] for one in desk.do("ListPipelines", **params)["PipelineSummaries"]]

    assert names() == ["train-b", "serve", "train-a"]
    assert names(PipelineNamePrefix="train", SortBy="Name", SortOrder="Ascending") == ["train-a", "train-b"]
    assert names(PipelineNamePrefix="rain") == []
    (middle,) = desk.do("ListPipelines", PipelineNamePrefix="serve")["PipelineSummaries"]
    assert names(CreatedAfter=middle["CreationTime"]) == ["train-b"]
    assert names(CreatedBefore=middle["CreationTime"]) == ["train-a"]


def test_versions_are_searched(pipeline: Desk) -> None:
    alias(pipeline, 2, Add=["stable"])
    filters = [{"Name": "PipelineVersionId", "Operator": "GreaterThan", "Value": "1"}]
    expression = {"Filters": filters}
    results = pipeline.do("Search", Resource="PipelineVersion", SearchExpression=expression)["Results"]
    found = {one["PipelineVersion"]["PipelineVersionId"]: one["PipelineVersion"] for one in results}
    assert set(found) == {2, 3} and found[2]["PipelineVersionAliases"] == ["stable"]
    times = {one["PipelineVersionId"]: one["CreationTime"] for one in listed(pipeline)}
    assert {number: one["CreationTime"] for number, one in found.items()} == {2: times[2], 3: times[3]}
