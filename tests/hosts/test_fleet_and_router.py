"""Fleets of fake servers: start, failure, replacement of the dead, draining; and the router's weights and words."""

import random
import threading
from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest

from emulator.call import Scope
from emulator.errors import CallerFault
from emulator.hosts.fleet import Fleet, FleetFailure
from emulator.hosts.plan import VariantPlan
from emulator.hosts.router import InvokeRequest, Router
from emulator.servers import InvokeFailure, Reply, ServerFailed, ServerSpec

SCOPE = Scope("123456789012", "us-east-1")


class FakeServer:
    """Answers its variant's name; ends when the test says so."""

    def __init__(self, spec: ServerSpec, answer=None):
        self.spec = spec
        self.over = threading.Event()
        self.stopped = threading.Event()
        self.answer = answer or (lambda body: Reply(200, {"content-type": "text/plain"}, b"ok"))
        self.healthy: str = ""

    def wait_healthy(self, timeout):
        if self.healthy:
            raise ServerFailed(self.healthy)

    def wait(self, timeout=None):
        return self.over.wait(timeout) or None

    def invoke(self, body, headers, timeout):
        return self.answer(body)

    def failure(self):
        return "ended with exit code 1"

    def stop(self, grace=30.0):
        self.stopped.set()
        self.over.set()


class FakeServers:
    """A port that counts what was started."""

    def __init__(self):
        self.started: list[FakeServer] = []
        self.more = threading.Condition()
        self.sick: dict[str, str] = {}
        self.refusal = ""

    def start(self, spec):
        if self.refusal:
            raise ServerFailed(self.refusal)
        server = FakeServer(spec)
        server.healthy = self.sick.get(spec.environment["variant"], "")
        with self.more:
            self.started.append(server)
            self.more.notify_all()
        return server

    def adopt(self, spec):
        return None

    def await_count(self, count):
        with self.more:
            assert self.more.wait_for(lambda: len(self.started) >= count, 10)


def maker():
    numbers = iter(range(1000))

    def make(plan: VariantPlan, replaced: str = ""):
        number = next(numbers)
        spec = ServerSpec(f"run-{number}", "arn", "image", "", Path("unused"), "g", "s", {"variant": plan.name})
        return f"i-{number}", spec

    return make


def fleet_of(servers, *plans):
    return Fleet(servers, plans, 5.0, maker())


A = VariantPlan("a", "m", "image", weight=3.0, count=2)
B = VariantPlan("b", "m", "image", weight=1.0)


def test_every_instance_of_every_variant_is_started_and_stopped():
    servers = FakeServers()
    fleet = fleet_of(servers, A, B)
    fleet.start()
    assert Counter(s.spec.environment["variant"] for s in servers.started) == {"a": 2, "b": 1}
    fleet.close()
    assert all(s.stopped.is_set() for s in servers.started)


def test_one_sick_server_fails_the_fleet_in_the_services_words_and_stops_the_others():
    servers = FakeServers()
    servers.sick["b"] = "ended with exit code 3. Last log lines: boom"
    fleet = fleet_of(servers, A, B)
    with pytest.raises(FleetFailure) as caught:
        fleet.start()
    assert str(caught.value).startswith(
        "The primary container for production variant b did not pass the ping health check. "
        "Please check CloudWatch logs for this endpoint."
    )
    assert "boom" in str(caught.value)
    assert all(s.stopped.is_set() for s in servers.started)


def test_a_model_that_cannot_be_fetched_keeps_its_own_reason():
    servers = FakeServers()
    servers.refusal = 'Failed to download model data for container "container_1" from URL: "s3://b/k".'
    with pytest.raises(FleetFailure, match="Failed to download model data"):
        fleet_of(servers, B).start()


def test_a_server_that_dies_is_replaced():
    servers = FakeServers()
    fleet = fleet_of(servers, B)
    fleet.start()
    servers.started[0].over.set()
    servers.await_count(2)
    assert servers.started[0].stopped.wait(5)
    fleet.close()
    assert servers.started[-1].stopped.is_set()


def test_rescaling_adds_and_dismisses_and_takes_the_weights():
    servers = FakeServers()
    fleet = fleet_of(servers, A, B)
    fleet.start()
    fleet.rescale((replace(A, count=1), replace(B, count=2, weight=9.0)))
    assert {n: len(fleet.members(n)) for n in "ab"} == {"a": 1, "b": 2}
    assert fleet.plans["b"].weight == 9.0
    fleet.close()


def test_closing_waits_for_the_request_that_runs():
    servers = FakeServers()
    fleet = fleet_of(servers, B)
    fleet.start()
    loan = fleet.borrow("b")
    assert loan.__enter__() is servers.started[0]
    closing = threading.Thread(target=fleet.close)
    closing.start()
    assert not servers.started[0].stopped.wait(0.05)
    loan.__exit__(None, None, None)
    closing.join(10)
    assert servers.started[0].stopped.is_set()


def request(**more):
    return InvokeRequest("e", b"1,2", {}, SCOPE, **more)


def test_traffic_follows_the_weights():
    fleet = fleet_of(FakeServers(), A, B)
    fleet.start()
    router = Router(1.0, random.Random(11))
    seen = Counter(router.invoke(fleet, request()).variant for _ in range(4000))
    assert 0.72 < seen["a"] / 4000 < 0.78
    fleet.close()


def test_the_target_variant_bypasses_the_weights_and_must_exist():
    fleet = fleet_of(FakeServers(), A, replace(B, weight=0.0))
    fleet.start()
    router = Router(1.0)
    assert {router.invoke(fleet, request(target_variant="b")).variant for _ in range(5)} == {"b"}
    with pytest.raises(CallerFault) as caught:
        router.invoke(fleet, request(target_variant="c"))
    assert caught.value.code == "ValidationError" and "c not found" in caught.value.message
    fleet.close()


def one_that(answer):
    servers = FakeServers()
    fleet = fleet_of(servers, B)
    fleet.start()
    servers.started[0].answer = answer
    return fleet


@pytest.mark.parametrize(("status", "who"), [(400, "client"), (500, "server")])
def test_an_error_of_the_container_is_a_model_error(status, who):
    fleet = one_that(lambda body: Reply(status, {}, b"bad row"))
    with pytest.raises(CallerFault) as caught:
        Router(1.0).invoke(fleet, request())
    assert caught.value.code == "ModelError"
    assert caught.value.message.startswith(f'Received {who} error ({status}) from primary with message "bad row". See ')
    assert caught.value.members["OriginalStatusCode"] == status
    assert caught.value.members["OriginalMessage"] == "bad row"
    fleet.close()


def test_silence_is_a_model_error_with_status_0():
    def late(body):
        raise InvokeFailure("timeout", "too late")

    fleet = one_that(late)
    with pytest.raises(CallerFault) as caught:
        Router(1.0).invoke(fleet, request())
    assert caught.value.members["OriginalStatusCode"] == 0
    assert "Your invocation timed out while waiting for a response from container primary" in caught.value.message
    fleet.close()
