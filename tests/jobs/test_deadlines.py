"""The real clock: any number of pending calls, one thread; and deadlines that are called off together."""

from __future__ import annotations

import threading
import time

from emulator.call import Scope
from emulator.clock import ManualClock, SystemClock
from emulator.jobs.deadlines import Deadlines
from emulator.jobs.record import JobRef

REF = JobRef("TrainingJob", Scope("123456789012", "eu-west-1"), "job")
OTHER = JobRef("TrainingJob", Scope("123456789012", "eu-west-1"), "other")


def clock_threads() -> int:
    return sum(thread.name.startswith("clock") for thread in threading.enumerate())


def test_pending_calls_share_one_thread_which_ends_with_the_last():
    clock = SystemClock()
    cancels = [clock.call_at(clock.now() + 1000 + number, lambda: None) for number in range(200)]
    assert clock_threads() == 1
    for cancel in cancels:
        cancel()
        cancel()
    for _ in range(2000):
        if not clock_threads():
            break
        time.sleep(0.001)
    assert clock_threads() == 0


def test_calls_come_in_order_also_when_an_earlier_one_is_added_later():
    clock = SystemClock()
    order: list[str] = []
    done = threading.Event()
    clock.call_at(clock.now() + 0.15, lambda: (order.append("late"), done.set()))
    clock.call_at(clock.now() + 0.05, lambda: order.append("early"))
    clock.call_at(clock.now() - 1, lambda: order.append("past"))
    dropped = clock.call_at(clock.now() + 0.1, lambda: order.append("dropped"))
    dropped()
    assert done.wait(5)
    assert order == ["past", "early", "late"]


def test_a_call_that_blocks_holds_up_no_other():
    clock = SystemClock()
    blocked, done = threading.Event(), threading.Event()
    clock.call_at(clock.now(), lambda: blocked.wait(5))
    clock.call_at(clock.now() + 0.01, done.set)
    assert done.wait(2)
    blocked.set()


def test_deadlines_of_a_job_are_called_off_together():
    clock = ManualClock()
    deadlines = Deadlines(clock)
    seen: list[str] = []
    deadlines.arm(REF, clock.now() + 1, lambda: seen.append("first"))
    deadlines.arm(REF, clock.now() + 5, lambda: seen.append("second"))
    deadlines.arm(OTHER, clock.now() + 5, lambda: seen.append("other"))
    deadlines.arm(OTHER, None, lambda: seen.append("never"))
    clock.advance(2)
    deadlines.disarm(REF)
    clock.advance(5)
    assert seen == ["first", "other"]
    deadlines.arm(REF, clock.now() + 1, lambda: seen.append("third"))
    deadlines.clear()
    clock.advance(5)
    assert seen == ["first", "other"]
