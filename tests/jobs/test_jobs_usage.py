"""What hosts use, as points: percentages of what they have, when they are taken, and what is never made up."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from emulator.clock import ManualClock
from emulator.jobs import usage
from emulator.jobs.instances import GIB
from emulator.jobs.usage import Host, Meter
from emulator.ports import Usage
from tests.jobs.conftest import ListMetrics

NAME = "/aws/sagemaker/TrainingJobs/job/algo-1"


class Bench:
    """A meter on a host whose usage and time a test sets."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now = 100.0
        self.uses: Usage | None = None
        self.metrics = ListMetrics()
        self.clock = ManualClock()
        monkeypatch.setattr(usage.time, "monotonic", lambda: self.now)

    def meter(self, began: float | None = 100.0, folder: Path | None = None, volume: int = 0) -> Meter:
        host = Host(NAME, lambda: self.uses, 4 * GIB, folder, volume)
        return Meter(self.metrics, self.clock, 60.0, [host], began)

    def look(self, meter: Meter, after: float, cpu: float, memory: int | None = GIB) -> dict[str, float]:
        self.now += after
        self.uses = Usage(cpu, memory)
        return self.take(meter)

    def take(self, meter: Meter) -> dict[str, float]:
        self.metrics.points.clear()
        meter.look()
        assert {point.resource for point in self.metrics.points} <= {NAME}
        return {point.name: point.value for point in self.metrics.points}


@pytest.fixture
def bench(monkeypatch: pytest.MonkeyPatch) -> Bench:
    return Bench(monkeypatch)


def test_each_busy_core_counts_a_hundred_since_the_last_look(bench: Bench) -> None:
    meter = bench.meter()
    assert bench.look(meter, 1, 2.5) == {"CPUUtilization": 250.0, "MemoryUtilization": 25.0}
    assert bench.look(meter, 2, 3.5) == {"CPUUtilization": 50.0, "MemoryUtilization": 25.0}
    assert bench.look(meter, 2, 3.4)["CPUUtilization"] == 0.0  # a child that nobody waited for took its time along
    assert bench.metrics.points[0].timestamp == bench.clock.now()


def test_too_short_a_time_tells_nothing_of_the_processor_and_is_counted_later(bench: Bench) -> None:
    meter = bench.meter()
    bench.look(meter, 1, 1.0)
    assert "CPUUtilization" not in bench.look(meter, 0.1, 1.1)
    assert bench.look(meter, 0.9, 1.5)["CPUUtilization"] == pytest.approx(50)


def test_of_an_adopted_run_the_processor_is_told_from_the_second_look_on(bench: Bench) -> None:
    meter = bench.meter(began=None)
    assert bench.look(meter, 1, 500.0) == {"MemoryUtilization": 25.0}
    assert bench.look(meter, 1, 500.5)["CPUUtilization"] == pytest.approx(50)


def test_what_is_not_measured_is_not_told(bench: Bench) -> None:
    meter = bench.meter()
    assert bench.take(meter) == {}
    bench.now += 30  # its image was on its way
    assert bench.take(meter) == {}
    assert bench.look(meter, 1, 1.0)["CPUUtilization"] == pytest.approx(100)


def test_a_host_that_is_over_is_looked_at_once_more(bench: Bench) -> None:
    meter = bench.meter()
    assert bench.look(meter, 1, 1.0, None) == {"CPUUtilization": 100.0}
    assert bench.look(meter, 1, 1.0, None) == {}


def test_memory_beyond_the_host_is_a_full_host(bench: Bench) -> None:
    assert bench.look(bench.meter(), 1, 1.0, 5 * GIB)["MemoryUtilization"] == 100.0


def test_the_disk_is_what_the_folder_takes_of_the_volume(bench: Bench, tmp_path: Path) -> None:
    (tmp_path / "ml" / "model").mkdir(parents=True)
    (tmp_path / "ml" / "model" / "weights").write_bytes(b"x" * (1 << 20))
    (tmp_path / "ml" / "link").symlink_to("/")
    meter = bench.meter(folder=tmp_path, volume=8 << 20)
    assert bench.look(meter, 1, 1.0)["DiskUtilization"] == pytest.approx(12.5, rel=0.1)
    assert 0 < bench.look(bench.meter(folder=tmp_path), 1, 1.0)["DiskUtilization"] < 12.5


def test_a_disk_that_cannot_be_counted_is_not_told(bench: Bench, tmp_path: Path, monkeypatch: Any) -> None:
    for number in range(4):
        (tmp_path / str(number)).touch()
    monkeypatch.setattr(usage, "MOST_FILES", 3)
    assert "DiskUtilization" not in bench.look(bench.meter(folder=tmp_path, volume=GIB), 1, 1.0)
    assert usage.size(tmp_path / "absent") == 0 and usage.size(tmp_path / "1") is None


def test_the_volume_is_the_requests() -> None:
    assert usage.volume({"ResourceConfig": {"VolumeSizeInGB": 2}}) == 2 * GIB
    assert usage.volume({"ProcessingResources": {"ClusterConfig": {"VolumeSizeInGB": 3}}}) == 3 * GIB
    assert usage.volume({"ResourceConfig": {}}) == 0


class Scheduled(threading.Event):
    """Instead of waiting: how long it would have been, and over after a few times."""

    def __init__(self) -> None:
        super().__init__()
        self.waits: list[float] = []

    def wait(self, timeout: float | None = None) -> bool:
        self.waits.append(timeout or 0.0)
        return len(self.waits) > 8


def test_looks_come_after_a_second_then_ever_later_until_once_a_minute(bench: Bench) -> None:
    meter = bench.meter()
    meter._over = over = Scheduled()
    bench.uses = Usage(0.0, GIB)
    meter._run()
    assert over.waits == [1, 2, 4, 8, 16, 32, 60, 60, 60]
    assert len(bench.metrics.points) == 8


def test_a_measurement_that_takes_too_long_does_not_keep_the_job(monkeypatch: pytest.MonkeyPatch) -> None:
    asked, answer, metrics = threading.Event(), threading.Event(), ListMetrics()
    monkeypatch.setattr(usage, "FIRST_SECONDS", 0.0)

    def ask() -> Usage:
        asked.set()
        answer.wait(10)
        return Usage(1.0, GIB)

    before = set(threading.enumerate())
    with Meter(metrics, ManualClock(), 60.0, [Host(NAME, ask, GIB)]).running():
        assert asked.wait(5)
    answer.set()
    for thread in set(threading.enumerate()) - before:
        thread.join(5)
    assert metrics.points == []


def test_a_full_disk_costs_the_points_and_not_the_job(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(points: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(bench.metrics, "append", full)
    bench.look(bench.meter(), 1, 1.0)


# --- through the engine


@pytest.fixture
def prompt(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(usage, "FIRST_SECONDS", 0.01)


def test_every_host_of_a_job_is_measured(mini: Any, prompt: None) -> None:
    mini.submit(ResourceConfig={"InstanceType": "ml.m5.large", "InstanceCount": 2, "VolumeSizeInGB": 1})
    for _ in range(2):
        mini.executor.next()
    for program in mini.executor.programs.values():
        mini.executor.uses[program.spec.run_id] = Usage(0.0, program.spec.share.memory // 2)
    expected = {f"/aws/sagemaker/TrainingJobs/job/algo-{n}" for n in (1, 2)}
    halves = until(lambda: [p for p in mini.metrics.points if p.name == "MemoryUtilization"], 2)
    for program in mini.executor.programs.values():
        program.end()
    mini.finish()
    assert {(point.resource, round(point.value)) for point in halves} == {(name, 50) for name in expected}
    assert {point.resource for point in mini.metrics.points if point.name == "DiskUtilization"} == expected


def until(find: Callable[[], list[Any]], count: int) -> list[Any]:
    waited = threading.Event()
    for _ in range(500):
        if len(found := find()) >= count:
            return found
        waited.wait(0.01)
    raise AssertionError("nothing was measured")


@pytest.mark.parametrize("period", [60.0, 0.0])
def test_short_jobs_and_those_that_are_not_to_be_measured_are_not(mini: Any, period: float, monkeypatch: Any) -> None:
    if not period:
        monkeypatch.setattr(usage, "FIRST_SECONDS", 0.0)
    mini.kill()
    mini.settings = type(mini.settings)(data_dir=mini.settings.data_dir, usage_seconds=period)
    mini.start()
    mini.executor.script = lambda program: mini.executor.uses.update({program.spec.run_id: Usage(1.0, GIB)})
    mini.submit()
    mini.executor.next().end()
    assert mini.finish()["TrainingJobStatus"] == "Completed"
    assert mini.metrics.points == []
