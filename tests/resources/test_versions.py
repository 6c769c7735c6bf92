"""Versions of records: numbers that are never used again, aliases, the latest one, copies, and what goes with what."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from emulator.call import Call, Scope
from emulator.clock import ManualClock
from emulator.errors import CallerFault, InUse, Validation
from emulator.kinds import Kind
from emulator.kinds.facts import Facts
from emulator.kinds.kind import Listing, Move, Versions
from emulator.resources import Hooks, Resources, generic_operations, versions
from emulator.store import open_store
from emulator.store.records import Record

SCOPE = Scope("123456789012", "eu-west-1")
ARN = "arn:aws:sagemaker:eu-west-1:123456789012"
KINDS = (
    Kind("Image"),
    Kind(
        "ImageVersion",
        versions=Versions(of="Image", number="Version", alias="Alias", none="Latest of {name} does not exist."),
        refers={"ImageName": "Image"},
        parent="ImageName",
        bound=True,
        moves={"Delete": Move()},
    ),
    Kind("Pipeline"),
    Kind(
        "PipelineVersion",
        listing=Listing(summary={"PipelineVersionId": "listed.PipelineVersionId"}),
        versions=Versions(
            of="Pipeline", number="PipelineVersionId", alias="PipelineVersionAlias", aliases="PipelineVersionAliases"
        ),
    ),
)


class Rooms:
    """Images with versions, and pipelines that keep theirs."""

    def __init__(self) -> None:
        self.store, self.clock, self.told = open_store(), ManualClock(), list[tuple[str, str]]()
        self.resources = Resources(self.store, KINDS, self.clock, Hooks(self._publish))
        self.operations = generic_operations(KINDS, self.resources)

    def _publish(self, event: str, record: Record) -> None:
        self.told.append((event, record.key))

    def do(self, operation: str, **params: Any) -> Any:
        return self.operations[operation](Call("sagemaker", operation, params, SCOPE))

    def make(self, image: str = "i", aliases: tuple[str, ...] = (), **params: Any) -> Record:
        call = Call("sagemaker", "CreateImageVersion", {"ImageName": image, **params}, SCOPE)
        return self.resources.create("ImageVersion", call, version_of=image, aliases=aliases)

    def rename(self, version: Record, add: tuple[str, ...] = (), remove: tuple[str, ...] = ()) -> Record:
        facts = self.resources.facts("ImageVersion")
        number = version.body["Version"]
        return self.resources.change(
            "Image", SCOPE, version.parent, lambda image: versions.renamed(facts, image, number, add, remove)
        )

    def numbers(self, **params: Any) -> list[int]:
        return [shown["Version"] for shown in self.do("ListImageVersions", ImageName="i", **params)["ImageVersions"]]

    def edit(self, **members: Any) -> None:
        """The next version of the pipeline p."""
        facts = self.resources.facts("PipelineVersion")
        self.resources.change(
            "Pipeline", SCOPE, "p", lambda now: versions.following(facts, now, {**now.body, **members})
        )


@pytest.fixture
def rooms() -> Iterator[Rooms]:
    rooms = Rooms()
    rooms.do("CreateImage", ImageName="i", RoleArn="r")
    rooms.do("CreatePipeline", PipelineName="p", PipelineDefinition="one", RoleArn="r")
    yield rooms
    rooms.store.close()


def test_numbers_go_up_and_are_never_used_again(rooms: Rooms) -> None:
    assert [rooms.make().arn for _ in range(3)] == [f"{ARN}:image-version/i/{number}" for number in (1, 2, 3)]
    rooms.do("DeleteImageVersion", ImageName="i", Version=3)
    rooms.do("DeleteImageVersion", ImageName="i", Version=1)
    assert rooms.make().body["Version"] == 4
    assert rooms.numbers() == [4, 2]
    rooms.do("CreateImage", ImageName="other", RoleArn="r")
    assert rooms.make("other").body["Version"] == 1, "each counts for itself"


def test_the_order_of_age_is_that_of_numbers_though_the_clock_stands_still(rooms: Rooms) -> None:
    for _ in range(12):
        rooms.make()
    assert rooms.numbers(SortOrder="ASCENDING", MaxResults=100) == list(range(1, 13))
    assert rooms.do("DescribeImageVersion", ImageName="i")["Version"] == 12
    rooms.clock._now -= 3600
    assert rooms.make().body["Version"] == 13 == rooms.do("DescribeImageVersion", ImageName="i")["Version"]


def test_a_list_is_of_what_the_request_names_and_its_pages_belong_together(rooms: Rooms) -> None:
    rooms.do("CreateImage", ImageName="other", RoleArn="r")
    for image in ("i", "other", "i", "i"):
        rooms.make(image)
    first = rooms.do("ListImageVersions", ImageName="i", MaxResults=2)
    rest = rooms.do("ListImageVersions", ImageName="i", MaxResults=2, NextToken=first["NextToken"])
    assert [v["Version"] for v in (*first["ImageVersions"], *rest["ImageVersions"])] == [3, 2, 1]
    assert "NextToken" not in rest
    with pytest.raises(Validation, match="Invalid NextToken"):
        rooms.do("ListImageVersions", ImageName="other", MaxResults=2, NextToken=first["NextToken"])
    with pytest.raises(CallerFault, match="does not exist"):
        rooms.do("ListImageVersions", ImageName="none")


def test_versions_are_found_by_number_by_alias_and_as_the_latest(rooms: Rooms) -> None:
    with pytest.raises(CallerFault, match=r"^Latest of i does not exist\.$"):
        rooms.do("DescribeImageVersion", ImageName="i")
    rooms.make(aliases=("old", "stable"))
    rooms.make()
    assert rooms.do("DescribeImageVersion", ImageName="i", Alias="stable")["Version"] == 1
    assert rooms.do("DescribeImageVersion", ImageName="i")["Version"] == 2
    for named in ({"Version": 9}, {"Alias": "none"}):
        with pytest.raises(CallerFault) as absent:
            rooms.do("DescribeImageVersion", ImageName="i", **named)
        assert absent.value.code == "ResourceNotFound"
    with pytest.raises(Validation, match="needs a Version or Alias"):
        rooms.do("DeleteImageVersion", ImageName="i")


def test_an_alias_belongs_to_one_version_and_goes_with_it(rooms: Rooms) -> None:
    first, second = rooms.make(aliases=("a",)), rooms.make(aliases=("b",))
    with pytest.raises(InUse, match=f"alias a belongs to version 1 of {ARN}:image/i"):
        rooms.rename(second, add=("a",))
    with pytest.raises(InUse):
        rooms.make(aliases=("b",))
    assert rooms.numbers() == [2, 1], "what was refused has left nothing"
    rooms.rename(first, remove=("a", "b"))
    whole = rooms.rename(second, add=("a",))
    assert versions.of_number(whole, 2) == ["b", "a"], "only a version's own aliases can be taken from it"
    rooms.do("DeleteImageVersion", ImageName="i", Alias="a")
    assert versions.aliases(rooms.resources.get("Image", SCOPE, "i")) == {}
    assert rooms.make(aliases=("b",)).body["Version"] == 3


def test_a_request_that_is_sent_again_makes_no_second_version(rooms: Rooms) -> None:
    once = rooms.make(ClientToken="one")
    assert rooms.make(ClientToken="one") == once
    assert rooms.make(ClientToken="two").body["Version"] == 2
    assert rooms.make(ClientToken="one", BaseImage="other").body["Version"] == 3, "another request"
    assert rooms.make(ClientToken="one") == once, "though others came in between"
    for number in range(versions.TOKENS_KEPT):
        rooms.make(ClientToken=f"more-{number}")
    kept = rooms.resources.get("Image", SCOPE, "i").hidden[versions.MADE]
    assert len(kept) == versions.TOKENS_KEPT


def test_what_is_deleted_takes_its_versions_along(rooms: Rooms) -> None:
    for _ in range(3):
        rooms.make()
    rooms.do("DeleteImage", ImageName="i")
    assert rooms.told[-4:] == [("deleted", "i/1"), ("deleted", "i/2"), ("deleted", "i/3"), ("deleted", "i")]
    rooms.do("CreateImage", ImageName="i", RoleArn="r")
    assert rooms.numbers() == []
    assert rooms.make().body["Version"] == 1, "another image of the same name"


def test_a_copy_is_kept_of_every_version_of_a_record(rooms: Rooms) -> None:
    rooms.clock.advance(10)
    rooms.edit(PipelineDefinition="two")
    rooms.clock.advance(10)
    rooms.edit(PipelineDefinition="three", PipelineDescription="d")
    shown = [rooms.do("DescribePipeline", PipelineName="p", PipelineVersionId=number) for number in (1, 2, 3)]
    assert [body["PipelineDefinition"] for body in shown] == ["one", "two", "three"]
    assert rooms.do("DescribePipeline", PipelineName="p") == shown[2]
    assert [pipeline["PipelineName"] for pipeline in rooms.do("ListPipelines")["PipelineSummaries"]] == ["p"]
    listed = rooms.do("ListPipelineVersions", PipelineName=f"{ARN}:pipeline/p")["PipelineVersionSummaries"]
    assert [item["PipelineVersionId"] for item in listed] == [3, 2, 1]
    assert rooms.resources.by_arn(f"{ARN}:pipeline/p") == rooms.resources.get("Pipeline", SCOPE, "p")


def test_a_change_that_makes_no_version_changes_the_copy_too(rooms: Rooms) -> None:
    rooms.edit(PipelineDefinition="two")
    rooms.resources.change("Pipeline", SCOPE, "p", lambda now: replace(now, body={**now.body, "RoleArn": "other"}))
    assert rooms.do("DescribePipeline", PipelineName="p", PipelineVersionId=2)["RoleArn"] == "other"
    assert rooms.do("DescribePipeline", PipelineName="p", PipelineVersionId=1)["RoleArn"] == "r"
    assert len(rooms.do("ListPipelineVersions", PipelineName="p")["PipelineVersionSummaries"]) == 2
    rooms.do("DeletePipeline", PipelineName="p")
    rooms.do("CreatePipeline", PipelineName="p", PipelineDefinition="again", RoleArn="r")
    assert len(rooms.do("ListPipelineVersions", PipelineName="p")["PipelineVersionSummaries"]) == 1


def test_what_the_model_tells_of_versions() -> None:
    of = {kind.noun: Facts(kind) for kind in KINDS}
    assert of["PipelineVersion"].copied and not of["ImageVersion"].copied
    assert of["PipelineVersion"].key == ("PipelineName", "PipelineVersionId")
    assert of["ImageVersion"].numbers == ("Version", "Alias")
    assert of["PipelineVersion"].moves == {}
