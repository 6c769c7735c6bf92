"""The clock that can be moved and stopped: what is due runs in order, at its own time, and before the move returns."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator

import pytest

from emulator.clock import AdjustableClock


@pytest.fixture
def clock() -> Iterator[AdjustableClock]:
    """A clock whose thread ends with the test."""
    made = AdjustableClock()
    yield made
    made.restore()
    with made._changed:
        made._pending.clear()
        made._changed.notify()


def test_it_shows_the_machines_time_until_it_is_moved(clock):
    assert abs(clock.now() - time.time()) < 1
    assert (clock.offset, clock.frozen, clock.waiting()) == (0.0, False, [])


def test_moved_it_goes_on_from_there(clock):
    clock.advance(3600)
    assert 3599 < clock.now() - time.time() < 3601
    clock.set(1_000_000_000.0)
    before = clock.now()
    assert 0 <= before - 1_000_000_000.0 < 1
    while clock.now() == before:
        pass
    assert not clock.frozen and clock.offset < 0


def test_frozen_it_stands_still_to_the_digit(clock):
    clock.freeze()
    clock.set(1_700_000_000.125)
    assert clock.now() == clock.now() == 1_700_000_000.125
    clock.advance(0.5)
    assert clock.now() == 1_700_000_000.625
    clock.resume()
    assert 0 <= clock.now() - 1_700_000_000.625 < 1 and not clock.frozen
    clock.restore()
    assert abs(clock.now() - time.time()) < 1


@pytest.mark.parametrize("frozen", [False, True])
def test_what_becomes_due_runs_in_order_at_its_own_time_in_the_caller(clock, frozen):
    if frozen:
        clock.freeze()
    start, seen = clock.now(), []

    def note(name):
        seen.append((name, round(clock.now() - start), threading.current_thread()))

    clock.call_at(start + 300, lambda: note("late"))
    clock.call_at(start + 100, lambda: (note("early"), clock.call_at(start + 200, lambda: note("between"))))
    clock.call_at(start + 900, lambda: note("not yet"))
    clock.advance(600)
    here = threading.current_thread()
    assert seen == [("early", 100, here), ("between", 200, here), ("late", 300, here)]
    assert round(clock.now() - start) == 600
    assert [round(when - start) for when in clock.waiting()] == [900]


def test_what_fails_keeps_nothing_else_from_running(clock, caplog):
    start, seen = clock.now(), []
    clock.call_at(start + 10, lambda: 1 / 0)
    clock.call_at(start + 20, lambda: seen.append("second"))
    clock.advance(30)
    assert seen == ["second"] and "ZeroDivisionError" in caplog.text


def test_backwards_nothing_becomes_due_and_nothing_is_lost(clock):
    clock.freeze()
    start, seen = clock.now(), []
    clock.call_at(start + 10, lambda: seen.append(clock.now()))
    clock.set(start - 1000)
    assert not seen and clock.now() == start - 1000
    clock.set(start + 10)
    assert seen == [start + 10]


def test_while_it_stands_still_nothing_becomes_due_by_itself(clock):
    ran = threading.Event()
    clock.freeze()
    clock.call_at(clock.now() + 0.01, ran.set)
    assert not ran.wait(0.1)
    clock.resume()
    assert ran.wait(5)


def test_the_waiting_thread_notices_a_move_to_the_machines_time(clock):
    ran = threading.Event()
    clock.set(time.time() - 3600)
    clock.call_at(time.time(), ran.set)
    assert not ran.wait(0.05)
    clock.restore()
    assert ran.wait(5)


def test_what_is_called_off_does_not_run(clock):
    seen = []
    cancel = clock.call_at(clock.now() + 10, lambda: seen.append("no"))
    cancel()
    clock.advance(20)
    assert seen == []
