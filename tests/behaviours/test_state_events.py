"""Which writes are told to EventBridge, and what the events' details say."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from emulator.behaviours import REACTIONS, events
from emulator.call import Call, Scope
from emulator.house import House
from emulator.neighbours.bus import Event
from emulator.store.records import Record

SCOPE = Scope("123456789012", "eu-west-1")


class Ear:
    """A bus that keeps what it is told."""

    def __init__(self, house: House) -> None:
        self.told: list[Event] = []
        self.listens = True
        self.is_news = house.neighbours.bus.is_news
        house.neighbours.bus = self  # type: ignore[assignment]

    def has_listeners(self) -> bool:
        return self.listens

    def tell(self, event: Event) -> None:
        self.told.append(event)

    def close(self) -> None:
        pass


@pytest.fixture
def house() -> Iterator[House]:
    house = House.for_tests()
    yield house
    house.close()


def create(house: House, kind: str, status: str, **params: Any) -> Record:
    call = Call("sagemaker", f"Create{kind}", {f"{kind}Name": "n", **params}, SCOPE)
    return house.resources.create(kind, call, status=status)


def move(house: House, kind: str, status: str, **members: Any) -> None:
    def edit(record: Record) -> Record:
        return replace(record, status=status, body={**record.body, **members})

    house.resources.change(kind, SCOPE, "n", edit)


def test_each_change_of_a_status_is_told_once(house: House) -> None:
    ear = Ear(house)
    create(house, "TrainingJob", "InProgress", Tags=[{"Key": "team", "Value": "a"}])
    move(house, "TrainingJob", "InProgress", SecondaryStatus="Downloading")
    move(house, "TrainingJob", "InProgress", TrainingStartTime=1_700_000_001.5)
    move(house, "TrainingJob", "InProgress", SecondaryStatus="Training")
    ear.listens = False
    move(house, "TrainingJob", "Stopping")
    ear.listens = True
    move(house, "TrainingJob", "Failed", SecondaryStatus="Failed", FailureReason="AlgorithmError: x")
    statuses = [(told.detail["TrainingJobStatus"], told.detail.get("SecondaryStatus")) for told in ear.told]
    assert statuses == [
        ("InProgress", None),
        ("InProgress", "Downloading"),
        ("InProgress", "Training"),
        ("Failed", "Failed"),
    ]
    last = ear.told[-1]
    assert (last.kind, last.scope) == ("SageMaker Training Job State Change", SCOPE)
    assert last.resource == last.detail["TrainingJobArn"] == "arn:aws:sagemaker:eu-west-1:123456789012:training-job/n"
    assert last.detail["CreationTime"] == 1_700_000_000_000 and last.detail["TrainingStartTime"] == 1_700_000_001_500
    assert last.detail["FailureReason"] == "AlgorithmError: x" and last.detail["Tags"] == {"team": "a"}


def test_times_in_lists_are_milliseconds_too_and_what_no_client_sees_is_not_told(house: House) -> None:
    ear = Ear(house)
    create(house, "TrainingJob", "InProgress")
    steps = [{"Status": "Starting", "StartTime": 1.25, "StatusMessage": "m"}]
    move(house, "TrainingJob", "InProgress", SecondaryStatus="Starting", SecondaryStatusTransitions=steps, Unknown=1)
    (step,) = ear.told[-1].detail["SecondaryStatusTransitions"]
    assert step == {"Status": "Starting", "StartTime": 1250, "StatusMessage": "m"}
    assert "Unknown" not in ear.told[-1].detail


@pytest.mark.parametrize(
    ("kind", "name"),
    [
        ("TransformJob", "SageMaker Transform Job State Change"),
        ("ProcessingJob", "SageMaker Processing Job State Change"),
    ],
)
def test_other_jobs_are_told_of_by_their_names(house: House, kind: str, name: str) -> None:
    ear = Ear(house)
    create(house, kind, "InProgress")
    move(house, kind, "Completed")
    assert [(told.kind, told.detail[f"{kind}Status"]) for told in ear.told] == [
        (name, "InProgress"),
        (name, "Completed"),
    ]


def test_endpoints_speak_of_their_status_in_capitals(house: House) -> None:
    ear = Ear(house)
    create(house, "Endpoint", "Creating", EndpointConfigName="c")
    for status in ("InService", "UpdateRollbackFailed", "OutOfService"):
        move(house, "Endpoint", status)
    assert [told.detail["EndpointStatus"] for told in ear.told] == [
        "CREATING",
        "IN_SERVICE",
        "UPDATE_ROLLBACK_FAILED",
        "OUT_OF_SERVICE",
    ]
    assert ear.told[0].kind == "SageMaker Endpoint State Change"


def test_the_registry_tells_times_in_words_and_every_step_of_an_approval(house: House) -> None:
    ear = Ear(house)
    house.dispatch(Call("sagemaker", "CreateModelPackageGroup", {"ModelPackageGroupName": "g"}, SCOPE))
    package = {"ModelPackageGroupName": "g", "MetadataProperties": {"GeneratedBy": "me"}}
    arn = house.dispatch(Call("sagemaker", "CreateModelPackage", package, SCOPE))["ModelPackageArn"]
    for change in ({"ApprovalDescription": "why"}, {"ModelApprovalStatus": "Approved"}, {"SourceUri": "s3://b"}):
        house.dispatch(Call("sagemaker", "UpdateModelPackage", {"ModelPackageArn": arn, **change}, SCOPE))
    assert [told.detail["ModelApprovalStatus"] for told in ear.told] == ["PendingManualApproval", "Approved"]
    last = ear.told[-1]
    assert (last.kind, last.resource) == ("SageMaker Model Package State Change", arn)
    assert last.detail["CreationTime"] == "2023-11-14T22:13:20.000Z"
    assert last.detail["ModelPackageStatusDetails"] == {"ValidationStatuses": [], "ImageScanStatuses": []}
    assert (last.detail["ModelPackageGroupName"], last.detail["ModelPackageVersion"]) == ("g", 1)


def test_nobody_listening_costs_no_thread(house: House) -> None:
    create(house, "TrainingJob", "InProgress")
    assert "events" not in [thread.name for thread in threading.enumerate()]
    assert set(events.KINDS) == {noun for _, noun, path in REACTIONS if path.endswith("events:tell")}
