"""Statuses that move by themselves: at a pace, at none, over a restart, and what a verb may do on the way."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from emulator.call import Call, Scope
from emulator.clock import ManualClock
from emulator.errors import CallerFault, InUse
from emulator.kinds import Kind
from emulator.kinds.kind import Move
from emulator.resources import Hooks, Resources, generic_operations
from emulator.store import open_store
from emulator.store.records import Record, Store

SCOPE = Scope("123456789012", "eu-west-1")
KINDS = (
    Kind("Image"),
    Kind("Hub"),
    Kind("NotebookInstance", moves={"Update": Move("Updating", "Stopped", ("Stopped",))}),
)


class Rooms:
    """Records of three kinds over a store, told of what happens to them."""

    def __init__(self, store: Store, clock: ManualClock, pace: float) -> None:
        self.told: list[tuple[str, str]] = []
        self.clock = clock
        self.resources = Resources(store, KINDS, clock, Hooks(self._publish, pace=pace))
        self.operations = generic_operations(KINDS, self.resources)

    def _publish(self, event: str, record: Record) -> None:
        self.told.append((event, record.status))

    def do(self, operation: str, **params: Any) -> Any:
        return self.operations[operation](Call("sagemaker", operation, params, SCOPE))

    def hub(self) -> str:
        return str(self.do("DescribeHub", HubName="h")["HubStatus"])

    def notebook(self) -> str:
        return str(self.do("DescribeNotebookInstance", NotebookInstanceName="n")["NotebookInstanceStatus"])


@pytest.fixture
def open_rooms() -> Iterator[Callable[[float], Rooms]]:
    """Rooms on one store and one clock, as often as asked: the next ones are those after a restart."""
    store, clock = open_store(), ManualClock()
    yield lambda pace: Rooms(store, clock, pace)
    store.close()


def test_a_record_spends_its_time_on_every_way(open_rooms: Callable[[float], Rooms]) -> None:
    rooms = open_rooms(2.0)
    rooms.do("CreateHub", HubName="h", HubDescription="d")
    assert rooms.hub() == "Creating"
    assert [hub["HubStatus"] for hub in rooms.do("ListHubs")["HubSummaries"]] == ["Creating"]
    rooms.clock.advance(2)
    assert rooms.hub() == "InService"
    rooms.do("UpdateHub", HubName="h", HubDescription="e")
    assert rooms.hub() == "Updating"
    rooms.clock.advance(2)
    rooms.do("DeleteHub", HubName="h")
    assert rooms.hub() == "Deleting"
    rooms.clock.advance(2)
    with pytest.raises(CallerFault, match="does not exist"):
        rooms.hub()
    states = [("created", "Creating"), ("updated", "InService"), ("updated", "Updating"), ("updated", "InService")]
    assert rooms.told == [*states, ("updated", "Deleting"), ("deleted", "Deleting")]


def test_at_no_pace_everything_has_arrived_at_once(open_rooms: Callable[[float], Rooms]) -> None:
    rooms = open_rooms(0.0)
    rooms.do("CreateHub", HubName="h", HubDescription="d")
    assert rooms.hub() == "InService"
    rooms.do("UpdateHub", HubName="h", HubDescription="e")
    assert rooms.hub() == "InService"
    rooms.do("DeleteHub", HubName="h")
    assert rooms.told == [("created", "InService"), ("updated", "InService"), ("deleted", "InService")]


def test_what_is_on_its_way_can_be_sent_nowhere_else(open_rooms: Callable[[float], Rooms]) -> None:
    rooms = open_rooms(2.0)
    rooms.do("CreateImage", ImageName="i", RoleArn="r")
    with pytest.raises(InUse, match=r"Unable to delete Image \[arn:.*image/i\] because its status is CREATING"):
        rooms.do("DeleteImage", ImageName="i")
    rooms.clock.advance(2)
    rooms.do("DeleteImage", ImageName="i")


def test_nothing_is_hung_on_what_is_about_to_go() -> None:
    store, clock = open_store(), ManualClock()
    kinds = (Kind("Domain", mint="d-{short}"), Kind("Space", refers={"DomainId": "Domain"}))
    resources = Resources(store, kinds, clock, Hooks(pace=2.0))
    operations = generic_operations(kinds, resources)

    def do(operation: str, **params: Any) -> Any:
        return operations[operation](Call("sagemaker", operation, params, SCOPE))

    domain = do("CreateDomain", DomainName="d", AuthMode="IAM", DefaultUserSettings={})["DomainId"]
    clock.advance(2)
    do("DeleteDomain", DomainId=domain)
    with pytest.raises(CallerFault, match="does not exist"):
        do("CreateSpace", DomainId=domain, SpaceName="s")
    clock.advance(2)
    assert do("ListDomains")["Domains"] == []
    store.close()


def test_what_something_hangs_on_is_not_sent_away_whoever_asks() -> None:
    store, clock = open_store(), ManualClock()
    kinds = (Kind("Domain", mint="d-{short}"), Kind("Space", refers={"DomainId": "Domain"}))
    resources = Resources(store, kinds, clock, Hooks(pace=2.0))
    settings: dict[str, Any] = {"DomainName": "d", "AuthMode": "IAM", "DefaultUserSettings": {}}
    domain = resources.create("Domain", Call("sagemaker", "CreateDomain", settings, SCOPE)).key
    clock.advance(2)
    resources.create("Space", Call("sagemaker", "CreateSpace", {"DomainId": domain, "SpaceName": "s"}, SCOPE))
    with pytest.raises(InUse, match="Space"):
        resources.move("Domain", SCOPE, domain, "Delete")
    assert resources.get("Domain", SCOPE, domain).status == "InService"
    store.close()


def test_start_stop_and_where_each_verb_begins(open_rooms: Callable[[float], Rooms]) -> None:
    rooms = open_rooms(1.0)
    with pytest.raises(CallerFault):
        rooms.do("StopNotebookInstance", NotebookInstanceName="n")
    Create = Call("sagemaker", "CreateNotebookInstance", {"NotebookInstanceName": "n"}, SCOPE)
    rooms.resources.create("NotebookInstance", Create)
    assert rooms.notebook() == "Pending"
    rooms.clock.advance(1)
    with pytest.raises(CallerFault, match="its status is InService"):
        rooms.do("UpdateNotebookInstance", NotebookInstanceName="n", VolumeSizeInGB=9)
    with pytest.raises(CallerFault, match="its status is InService"):
        rooms.do("StartNotebookInstance", NotebookInstanceName="n")
    rooms.do("StopNotebookInstance", NotebookInstanceName="n")
    assert rooms.notebook() == "Stopping"
    rooms.clock.advance(1)
    rooms.do("UpdateNotebookInstance", NotebookInstanceName="n", VolumeSizeInGB=9)
    assert rooms.notebook() == "Updating"
    rooms.clock.advance(1)
    assert rooms.notebook() == "Stopped"
    rooms.do("StartNotebookInstance", NotebookInstanceName="n")
    rooms.clock.advance(1)
    assert rooms.notebook() == "InService"


def test_a_restart_brings_home_who_was_on_the_way(open_rooms: Callable[[float], Rooms]) -> None:
    before = open_rooms(5.0)
    before.do("CreateHub", HubName="h", HubDescription="d")
    before.resources.close()
    before.clock.advance(60)
    assert before.hub() == "Creating", "who has closed moves nothing any more"
    after = open_rooms(5.0)
    after.resources.recover()
    after.clock.advance(5)
    assert after.hub() == "InService"


def test_a_record_of_the_same_name_is_not_taken_along_by_its_predecessor(open_rooms: Callable[[float], Rooms]) -> None:
    rooms = open_rooms(2.0)
    rooms.do("CreateHub", HubName="h", HubDescription="d")
    rooms.resources.remove("Hub", SCOPE, "h")
    rooms.do("CreateHub", HubName="h", HubDescription="again")
    rooms.resources.change("Hub", SCOPE, "h", lambda record: record)
    rooms.clock.advance(2)
    assert rooms.hub() == "InService"
    rooms.clock.advance(10)
    assert rooms.hub() == "InService"


def test_a_request_that_is_sent_again_makes_nothing_new() -> None:
    store, clock = open_store(), ManualClock()
    kinds = (Kind("Pipeline"), Kind("ComputeQuota"), Kind("PartnerApp"))
    resources = Resources(store, kinds, clock)
    operations = generic_operations(kinds, resources)

    def do(operation: str, **params: Any) -> Any:
        return operations[operation](Call("sagemaker", operation, params, SCOPE))

    pipeline = {"PipelineName": "p", "PipelineDefinition": "{}", "RoleArn": "r", "ClientRequestToken": "t" * 32}
    assert do("CreatePipeline", **pipeline) == do("CreatePipeline", **pipeline)
    with pytest.raises(CallerFault, match="already exist"):
        do("CreatePipeline", **{**pipeline, "PipelineDefinition": "{ }"})
    with pytest.raises(CallerFault, match="already exist"):
        do("CreatePipeline", **{**pipeline, "ClientRequestToken": "u" * 32})

    app = {"Name": "a", "Type": "comet", "ExecutionRoleArn": "r", "Tier": "t", "AuthType": "IAM"}
    first = do("CreatePartnerApp", **app, ClientToken="one")
    assert do("CreatePartnerApp", **app, ClientToken="one") == first
    assert do("CreatePartnerApp", **app, ClientToken="two") != first
    assert len(do("ListPartnerApps")["Summaries"]) == 2
    store.close()


def test_an_arn_of_another_account_or_region_leads_nowhere() -> None:
    store = open_store()
    resources = Resources(store, (Kind("Hub"),), ManualClock())
    arn = resources.create("Hub", Call("sagemaker", "CreateHub", {"HubName": "h"}, SCOPE)).arn
    assert resources.get("Hub", SCOPE, arn).key == "h"
    for scope in (Scope("210987654321", "eu-west-1"), Scope("123456789012", "us-east-1")):
        with pytest.raises(CallerFault, match="does not exist"):
            resources.get("Hub", scope, arn)
        with pytest.raises(CallerFault, match="Could not find the resource"):
            resources.tags.list(Call("sagemaker", "ListTags", {"ResourceArn": arn}, scope))
    store.close()
