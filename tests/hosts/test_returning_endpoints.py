"""Endpoints in service that a former life of the house left: who invokes them before their servers are found waits."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from emulator.call import Call
from emulator.clock import ManualClock
from emulator.errors import CallerFault
from emulator.hosts.router import InvokeRequest
from emulator.house import House
from emulator.settings import Settings
from tests.hosts.test_forgotten_endpoints import SCOPE, SlowServers, create, status, until

PATIENCE = 300.0
"""Seconds that an invocation would wait: who is not told within the 10 s of these tests would fail them."""

ASKED = InvokeRequest("e", b"1", {}, SCOPE)


Open = Callable[[], House]


@pytest.fixture
def opened(tmp_path: Path) -> Iterator[Open]:
    """Opens a house on the same folder each time, with servers that come up when the test says so."""
    made: list[House] = []

    def open_one() -> House:
        settings = Settings(data_dir=tmp_path, executor="stub", settle_seconds=0.0, invoke_timeout=PATIENCE)
        made.append(House(settings, ManualClock()))
        made[-1].__dict__["servers"] = SlowServers()
        return made[-1]

    yield open_one
    for house in made:
        for server in house.servers.made if house.opened("servers") else ():
            server.over.set()
        house.close()


@pytest.fixture
def left_behind(opened: Open) -> Open:
    """Opens the house again that had one endpoint in service."""
    house = opened()
    create(house)
    until(lambda: len(house.servers.made) == 1)
    house.servers.made[0].healthy.set()
    until(lambda: status(house) == "InService")
    house.close()
    return opened


def test_an_invocation_waits_for_the_server(left_behind: Open) -> None:
    house = left_behind()
    house.start()
    assert status(house) == "InService"
    answers: list[bytes] = []
    asking = threading.Thread(target=lambda: answers.append(house.hosts.invoke(ASKED).reply.body))
    asking.start()
    until(lambda: len(house.servers.made) == 1)
    assert not answers
    house.servers.made[0].healthy.set()
    asking.join(10)
    assert answers == [b"ok"]
    assert house.hosts.invoke(ASKED).reply.body == b"ok"


GONE = {
    "deleted": lambda house: house.dispatch(Call("sagemaker", "DeleteEndpoint", {"EndpointName": "e"}, SCOPE)),
    "forgotten": lambda house: house.reset(),
    "closed": lambda house: house.hosts.close(),
}


@pytest.mark.parametrize("how", GONE)
def test_who_waits_for_one_that_is_gone_meanwhile_is_told_at_once(left_behind: Open, how: str) -> None:
    house = left_behind()
    house.start()
    until(lambda: len(house.servers.made) == 1)
    told: list[str] = []

    def ask() -> None:
        try:
            house.hosts.invoke(ASKED)
        except CallerFault as fault:
            told.append(fault.message)

    asking = threading.Thread(target=ask, daemon=True)
    asking.start()
    GONE[how](house)
    asking.join(10)
    assert told and "not found" in told[0]


def test_one_that_is_being_created_is_not_in_service_yet(opened: Open) -> None:
    house = opened()
    create(house)
    until(lambda: len(house.servers.made) == 1)
    with pytest.raises(CallerFault, match="not found"):
        house.hosts.invoke(ASKED)
    house.servers.made[0].healthy.set()
    until(lambda: status(house) == "InService")
    assert house.hosts.invoke(ASKED).reply.body == b"ok"


def scale(house: House, count: int) -> None:
    wanted = [{"VariantName": "v", "DesiredInstanceCount": count}]
    params = {"EndpointName": "e", "DesiredWeightsAndCapacities": wanted}
    house.dispatch(Call("sagemaker", "UpdateEndpointWeightsAndCapacities", params, SCOPE))


def instances(house: House) -> int:
    told = house.dispatch(Call("sagemaker", "DescribeEndpoint", {"EndpointName": "e"}, SCOPE))
    return int(told["ProductionVariants"][0]["CurrentInstanceCount"])


@pytest.fixture
def left_while_scaled(left_behind: Open) -> Open:
    """Opens the house again that was closed while its endpoint was brought from one server to two."""
    house = left_behind()
    house.start()
    until(lambda: len(house.servers.made) == 1)
    house.servers.made[0].healthy.set()
    until(lambda: house.hosts.invoke(ASKED).reply.body == b"ok")
    scale(house, 2)
    servers = house.servers.made
    until(lambda: len(servers) == 2)
    house.close()
    assert all(server.over.is_set() for server in servers)
    return left_behind


def test_one_that_was_closed_while_it_was_scaled_has_all_servers_after_the_next_start(left_while_scaled: Open) -> None:
    house = left_while_scaled()
    assert status(house) == "Updating"
    house.start()
    until(lambda: len(house.servers.made) == 2)
    for server in house.servers.made:
        server.healthy.set()
    until(lambda: status(house) == "InService")
    assert instances(house) == 2 and len(house.servers.made) == 2


def test_one_whose_servers_do_not_come_back_is_not_scaled_for_ever(left_while_scaled: Open) -> None:
    house = left_while_scaled()
    house.start()
    until(lambda: len(house.servers.made) == 2)
    house.servers.made[0].over.set()
    house.servers.made[1].healthy.set()
    until(lambda: status(house) == "InService")
    told = house.dispatch(Call("sagemaker", "DescribeEndpoint", {"EndpointName": "e"}, SCOPE))
    assert "did not pass the ping health check" in told["FailureReason"]
    scale(house, 3)
    until(lambda: status(house) == "InService")
    told = house.dispatch(Call("sagemaker", "DescribeEndpoint", {"EndpointName": "e"}, SCOPE))
    assert "did not come back" in told["FailureReason"]


def test_one_that_is_scaled_before_its_servers_are_found_is_scaled_then(left_behind: Open) -> None:
    house = left_behind()
    house.start()
    until(lambda: len(house.servers.made) == 1)
    scale(house, 2)
    assert status(house) == "Updating"
    house.servers.made[0].healthy.set()
    until(lambda: len(house.servers.made) == 2)
    house.servers.made[1].healthy.set()
    until(lambda: status(house) == "InService")
    assert instances(house) == 2
