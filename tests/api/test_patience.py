"""The look of a waiter is held until what it waits for has come, and no longer than is set."""

from __future__ import annotations

import threading

import boto3
import pytest
from botocore.config import Config

from api import patience
from api.patience import Patience, waits
from emulator.call import Call, Scope
from emulator.errors import Validation

SEEN = "Boto3/1.44.8 md/Botocore#1.44.8 ua/2.1 os/linux#6.1 md/arch#x86_64 lang/python#3.11.7"
WAITER = {"user-agent": f"{SEEN} m/Z,B,D,b cfg/retry-mode#legacy Botocore/1.44.8"}
PROGRAM = {"user-agent": f"{SEEN} m/Z,D,b,AB cfg/retry-mode#legacy Botocore/1.44.8"}


class World:
    """A job that comes to its end after some looks, on a clock that goes on by the pauses between them."""

    def __init__(self, *statuses: str) -> None:
        self.statuses = list(statuses)
        self.now = 0.0
        self.looks = 0
        self.closed = False
        self.patience = Patience(10.0, self, lambda: self.now)  # type: ignore[arg-type]

    def wait(self, seconds: float) -> bool:
        self.now += seconds
        return self.closed

    def dispatch(self, call: Call) -> dict[str, str]:
        self.looks += 1
        status = self.statuses.pop(0) if len(self.statuses) > 1 else self.statuses[0]
        if status == "gone":
            raise Validation("Requested resource not found.")
        return {"TrainingJobStatus": status, "EndpointStatus": status}

    def look(self, headers=WAITER, operation="DescribeTrainingJob", name="a") -> str:
        call = Call("sagemaker", operation, {"Name": name}, Scope("1", "r"), "", headers)
        return self.patience.answer(call, self.dispatch)["EndpointStatus"]


def test_sdks_say_that_a_waiter_asks() -> None:
    client = boto3.client("sagemaker", "us-east-1", aws_access_key_id="a", aws_secret_access_key="b")
    told: list[str] = []

    def answer(request, **_):
        told.append(str(request.headers["User-Agent"], "utf-8"))
        return _answered()

    client.meta.events.register("before-send.sagemaker", answer)
    client.describe_training_job(TrainingJobName="a")
    client.get_waiter("training_job_completed_or_stopped").wait(TrainingJobName="a")
    assert [waits({"user-agent": one}) for one in told] == [False, True], told
    assert waits(WAITER) and not waits(PROGRAM) and not waits({})


def _answered():
    from botocore.awsrequest import AWSResponse

    answer = AWSResponse("http://x", 200, {}, None)
    answer._content = b'{"TrainingJobStatus": "Completed"}'
    return answer


@pytest.mark.parametrize("end", ["Completed", "Failed", "Stopped"])
def test_it_is_held_until_the_job_has_ended(end: str) -> None:
    world = World("InProgress", "InProgress", "Stopping", end)
    assert (world.look(), world.looks) == (end, 4)
    assert world.now < 1


def test_it_is_held_no_longer_than_is_set_and_one_that_comes_back_soon_is_not_held() -> None:
    world = World("InProgress")
    assert world.look() == "InProgress" and 10 <= world.now < 10.3
    before = world.now
    for _ in range(20):
        world.now += 1
        world.look()
    assert world.now == before + 20
    world.now += 30
    world.look()
    assert world.now >= before + 60


def test_an_endpoint_that_is_waited_for_to_go_is_gone_at_once() -> None:
    world = World("Deleting", "Deleting", "gone")
    with pytest.raises(Validation):
        world.look(operation="DescribeEndpoint")
    assert world.looks == 3
    world.statuses = ["Deleting", "gone"]
    with pytest.raises(Validation):  # it ended well, and is held again
        world.look(operation="DescribeEndpoint")
    assert world.looks == 5


@pytest.mark.parametrize(
    ("headers", "operation"), [(PROGRAM, "DescribeTrainingJob"), ({}, "DescribeTrainingJob"), (WAITER, "DescribeModel")]
)
def test_others_are_answered_at_once(headers: dict[str, str], operation: str) -> None:
    world = World("InProgress")
    world.look(headers, operation)
    assert (world.now, world.looks) == (0, 1)


def test_a_server_that_closes_and_one_that_is_told_not_to_hold_none() -> None:
    world = World("InProgress")
    world.closed = True
    world.look()
    assert world.looks == 1
    world.patience = Patience(0, threading.Event())
    world.look(name="b")
    assert world.looks == 2


def test_only_so_many_are_held(monkeypatch) -> None:
    world = World("InProgress")
    for _ in range(patience.HELD):
        assert world.patience._places.acquire(blocking=False)
    world.look()
    assert (world.now, world.looks) == (0, 1)


def test_a_waiter_of_boto3_returns_with_the_endpoint_without_a_pause(served, monkeypatch) -> None:
    """Its pauses of 30 seconds are an error here."""
    client, house = served
    monkeypatch.setattr("botocore.waiter.time.sleep", lambda seconds: pytest.fail(f"it slept {seconds} seconds"))
    client.create_notebook_instance(NotebookInstanceName="n", InstanceType="ml.t3.medium", RoleArn=ROLE)
    threading.Timer(0.3, lambda: house.clock.advance(5)).start()
    client.get_waiter("notebook_instance_in_service").wait(NotebookInstanceName="n")
    assert client.describe_notebook_instance(NotebookInstanceName="n")["NotebookInstanceStatus"] == "InService"


ROLE = "arn:aws:iam::123456789012:role/service-role/SageletExecutionRole"


@pytest.fixture
def served():
    from tests.api.houses import opened

    with opened() as door:
        config = Config(retries={"max_attempts": 0})
        named = {"aws_access_key_id": "a", "aws_secret_access_key": "b", "endpoint_url": door.url, "config": config}
        yield boto3.client("sagemaker", "us-east-1", **named), door.house
