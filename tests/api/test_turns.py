"""Requests to the control plane take turns, and none waits long for another one that does not come to its end."""

from __future__ import annotations

import io
import threading

import pytest

from api.wire import WireRequest
from tests.api.houses import opened


@pytest.fixture
def door():
    with opened() as door:
        yield door


def asked(target: str) -> WireRequest:
    return WireRequest("POST", "/", {}, {"x-amz-target": target} if target else {}, io.BytesIO())


def entered(door, request: WireRequest) -> threading.Event:
    """Set when another thread is in its turn, or goes on without."""
    there = threading.Event()

    def take() -> None:
        with door.turn(request):
            there.set()

    threading.Thread(target=take, daemon=True).start()
    return there


def test_one_that_waits_for_something_else_holds_nobody_up(door) -> None:
    with door.turn(asked("SageMaker.CreateTrainingJob")):
        assert entered(door, asked("SageMaker.DescribeModel")).wait(10)


def test_they_take_turns_and_other_services_do_not(door, monkeypatch) -> None:
    monkeypatch.setattr("api.app.PATIENCE", 60)
    with door.turn(asked("SageMaker.CreateModel")):
        for other in ("Logs_20140328.PutLogEvents", ""):
            assert entered(door, asked(other)).wait(10)
        next_one = entered(door, asked("SageMaker.DescribeModel"))
        assert not next_one.wait(0.05)
    assert next_one.wait(10)


def test_a_turn_ends_with_an_error_too(door, monkeypatch) -> None:
    monkeypatch.setattr("api.app.PATIENCE", 60)
    with pytest.raises(ValueError), door.turn(asked("SageMaker.CreateModel")):
        raise ValueError
    assert entered(door, asked("SageMaker.CreateModel")).wait(10)
