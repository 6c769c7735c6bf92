"""Endpoints that are forgotten while their servers start: those end at once, and the next of that name is its own."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator

import pytest

from emulator.call import Call, Extent, Scope
from emulator.house import House
from emulator.servers import Reply, ServerFailed

SCOPE = Scope("111111111111", "us-east-1")
IMAGE = "683313688378.dkr.ecr.us-east-1.amazonaws.com/sagemaker-xgboost:1.7-1"


class SlowServer:
    """Healthy when the test says so; fails when it is ended before."""

    def __init__(self) -> None:
        self.healthy, self.over = threading.Event(), threading.Event()

    def wait_healthy(self, timeout: float) -> None:
        while not self.healthy.wait(0.01):
            if self.over.is_set():
                raise ServerFailed("ended with exit code -9")

    def wait(self, timeout: float | None = None) -> bool | None:
        return self.over.wait(timeout) or None

    def invoke(self, body: bytes, headers: object, timeout: float) -> Reply:
        return Reply(200, {}, b"ok")

    def failure(self) -> str:
        return "ended"

    def stop(self, grace: float = 30.0) -> None:
        self.over.set()


class SlowServers:
    def __init__(self) -> None:
        self.made: list[SlowServer] = []

    def start(self, spec: object) -> SlowServer:
        self.made.append(SlowServer())
        return self.made[-1]

    def adopt(self, spec: object) -> None:
        return None


@pytest.fixture
def house() -> Iterator[House]:
    house = House.for_tests()
    yield house
    house.close()


@pytest.fixture
def servers(house: House) -> SlowServers:
    servers = SlowServers()
    house.__dict__["servers"] = servers
    return servers


def create(house: House) -> None:
    def call(operation: str, **params: object) -> None:
        house.dispatch(Call("sagemaker", operation, params, SCOPE))

    call(
        "CreateModel",
        ModelName="m",
        PrimaryContainer={"Image": IMAGE},
        ExecutionRoleArn="arn:aws:iam::111111111111:role/x",
    )
    variant = {"VariantName": "v", "ModelName": "m", "InitialInstanceCount": 1, "InstanceType": "ml.m5.large"}
    call("CreateEndpointConfig", EndpointConfigName="c", ProductionVariants=[variant])
    call("CreateEndpoint", EndpointName="e", EndpointConfigName="c")


def status(house: House) -> str:
    return str(house.dispatch(Call("sagemaker", "DescribeEndpoint", {"EndpointName": "e"}, SCOPE))["EndpointStatus"])


def until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 10
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.005)


@pytest.mark.parametrize("extent", [Extent(), Extent("111111111111"), Extent(region="us-east-1")])
def test_the_end_of_a_forgotten_one_is_not_the_failure_of_the_next(house, servers, extent, caplog):
    create(house)
    until(lambda: len(servers.made) == 1)
    house.reset(extent)
    assert servers.made[0].over.is_set()
    house.clock.advance(1)
    create(house)
    until(lambda: len(servers.made) == 2)
    assert status(house) == "Creating"
    servers.made[1].healthy.set()
    until(lambda: status(house) == "InService")
    assert not servers.made[1].over.is_set() and not caplog.records


def test_one_that_becomes_healthy_too_late_is_ended(house, servers):
    create(house)
    until(lambda: len(servers.made) == 1)
    servers.made[0].stop = lambda grace=30.0: servers.made[0].healthy.set()  # it does not die, it comes up
    house.reset()
    until(lambda: not house.hosts._fleets.all())
    assert house.hosts._fleets.asked((SCOPE, "e")) is None


def test_others_are_left_alone(house, servers):
    create(house)
    until(lambda: len(servers.made) == 1)
    house.reset(Extent("222222222222"))
    servers.made[0].healthy.set()
    until(lambda: status(house) == "InService")
