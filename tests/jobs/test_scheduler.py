"""The line and the needs, without an engine: order, room, what a host gets, what the machine has."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from emulator.jobs import machine, scheduler
from emulator.jobs.instances import GIB
from emulator.jobs.scheduler import Line, Machine, Need
from emulator.ports import Share
from emulator.settings import Settings

LAPTOP = Machine(2.0, 24 * GIB)
SERVER = Machine(32.0, 128 * GIB, gpus=2)
SETTINGS = Settings()


def training(name: str, count: int = 1) -> dict:
    return {"ResourceConfig": {"InstanceType": name, "InstanceCount": count}}


def held_at_once(body: dict, on: Machine, settings: Settings = SETTINGS) -> int:
    """How many such jobs run at once."""
    line: Line[int] = Line(scheduler.room(on, settings), scheduler.at_once(on, settings))
    for number in range(200):
        line.join(number, scheduler.need(body, on, settings))
    return sum(1 for _ in iter(line.next, None))


# --- needs ------------------------------------------------------------------------------------------------------


def test_the_hosts_of_each_kind_of_job():
    groups = [{"InstanceType": "ml.m5.large", "InstanceCount": 2}, {"InstanceType": "ml.c5.large", "InstanceCount": 1}]
    cluster = {"ClusterConfig": {"InstanceType": "ml.m5.xlarge", "InstanceCount": 2, "VolumeSizeInGB": 1}}
    transform = {"TransformResources": {"InstanceType": "ml.m5.large", "InstanceCount": 3}}
    preferred = {"ResourceConfig": {"InstancePreferences": [{"InstanceType": "ml.g5.xlarge", "InstanceCount": 2}]}}
    assert scheduler.hosts(training("ml.m5.large", 3)) == ("ml.m5.large",) * 3
    assert scheduler.hosts({"ResourceConfig": {"InstanceGroups": groups}}) == ("ml.m5.large",) * 2 + ("ml.c5.large",)
    assert scheduler.hosts({"ProcessingResources": cluster}) == ("ml.m5.xlarge",) * 2
    assert scheduler.hosts(transform) == ("ml.m5.large",)
    assert scheduler.hosts(preferred) == ("ml.g5.xlarge",) * 2


def test_a_host_is_set_aside_its_cores_and_an_estimate_of_its_memory():
    assert scheduler.need(training("ml.m5.large"), LAPTOP, SETTINGS) == Need(2, GIB)
    assert scheduler.need(training("ml.m5.24xlarge", 2), LAPTOP, SETTINGS) == Need(4, 2 * GIB)
    strict = replace(SETTINGS, host_memory=1000.0)
    assert scheduler.need(training("ml.t3.medium"), LAPTOP, strict).memory == 4 * GIB


def test_two_cores_run_four_jobs_at_once_and_settings_say_otherwise():
    assert held_at_once(training("ml.m5.large"), LAPTOP) == 4
    assert held_at_once(training("ml.m5.24xlarge"), LAPTOP) == 4
    assert held_at_once(training("ml.m5.large", 2), LAPTOP) == 2
    assert held_at_once(training("ml.m5.large", 100), LAPTOP) == 1
    assert held_at_once(training("ml.m5.large"), LAPTOP, replace(SETTINGS, max_jobs=2)) == 2
    assert held_at_once(training("ml.m5.large"), LAPTOP, replace(SETTINGS, cpu_factor=1.0)) == 1
    assert held_at_once(training("ml.m5.large"), LAPTOP, replace(SETTINGS, cpu_factor=0.0, max_jobs=9)) == 9
    assert held_at_once(training("ml.m5.large"), SERVER) == 64
    assert held_at_once(training("ml.m5.24xlarge"), SERVER) == 4
    assert held_at_once(training("ml.m5.large"), SERVER, replace(SETTINGS, host_memory=1000.0)) == 16
    assert held_at_once(training("ml.m5.large"), Machine(2.0, 2 * GIB)) == 2


def test_jobs_with_devices_run_one_after_another_and_only_they():
    devices = replace(SETTINGS, gpu="devices")
    assert held_at_once(training("ml.g5.xlarge"), SERVER, devices) == 1
    assert held_at_once(training("ml.g5.xlarge"), SERVER) == 32
    assert held_at_once(training("ml.m5.large"), SERVER, devices) == 64


# --- shares -----------------------------------------------------------------------------------------------------


def test_a_share_is_that_of_the_instance_type_or_of_the_machine():
    assert scheduler.share("ml.m5.large", SERVER) == Share(2.0, 8 * GIB)
    assert scheduler.share("ml.p3.16xlarge", LAPTOP) == Share(2.0, 24 * GIB)
    assert scheduler.share("ml.p3.16xlarge", SERVER, gpus=True) == Share(32.0, 128 * GIB, gpus=2)
    assert scheduler.share("ml.trn1.2xlarge", SERVER, gpus=True).gpus == 0


def test_what_was_scaled_is_said():
    told = "ml.p3.16xlarge has 64 vCPU and 488 GiB; this machine gives 2 and 24."
    assert scheduler.scaled("ml.p3.16xlarge", LAPTOP) == told
    assert scheduler.scaled("ml.m5.large", Machine(1.5, 8 * GIB)).endswith("this machine gives 1.5 and 8.")
    assert scheduler.scaled("ml.m5.large", LAPTOP) == ""


# --- the line ---------------------------------------------------------------------------------------------------


def test_first_come_first_served():
    line: Line[str] = Line(Need(8, 100), at_once=2)
    for name in "abc":
        line.join(name, Need(1, 1))
    assert [line.next(), line.next(), line.next()] == ["a", "b", None]
    line.give_back("a")
    assert line.next() == "c"
    assert not line


def test_a_large_job_is_not_overtaken():
    line: Line[str] = Line(Need(8, 100), at_once=9)
    for name, cpus in (("small", 2), ("large", 8), ("smaller", 1)):
        line.join(name, Need(cpus, 1))
    assert [line.next(), line.next()] == ["small", None]
    assert line.waits("smaller")
    line.give_back("small")
    assert [line.next(), line.next()] == ["large", None]
    line.give_back("large")
    assert line.next() == "smaller"


@pytest.mark.parametrize("need", [Need(99, 0), Need(0, 999), Need(0, 0, 9), Need(99, 999, 9)])
def test_more_than_the_whole_machine_is_cut_to_it(need):
    line: Line[str] = Line(Need(8, 100, 1), at_once=9)
    line.join("huge", need)
    line.join("next", need)
    assert [line.next(), line.next()] == ["huge", None]


def test_who_leaves_makes_room_for_the_next():
    line: Line[str] = Line(Need(8, 100), at_once=9)
    line.join("large", Need(8, 1))
    line.join("small", Need(1, 1))
    line.take("adopted", Need(4, 1))
    assert line.next() is None
    line.leave("large")
    assert line.next() == "small"
    line.leave("nobody")
    line.give_back("nobody")


def test_who_lines_up_again_holds_nothing():
    line: Line[str] = Line(Need(2, 1), at_once=1)
    line.join("a", Need(2, 1))
    line.next()
    line.join("b", Need(2, 1))
    line.join("a", Need(2, 1))
    assert [line.next(), line.next()] == ["b", None]


# --- the machine ------------------------------------------------------------------------------------------------


def test_this_machine_has_cores_and_memory():
    found = machine.measured(Settings())
    assert found.cpus >= 0.01 and found.memory > GIB // 4


def test_settings_say_what_the_machine_gives():
    found = machine.measured(Settings(machine_cpus=3.0, machine_memory=1.5))
    assert (found.cpus, found.memory) == (3.0, int(1.5 * GIB))


def test_the_limits_of_a_container_count(tmp_path: Path, monkeypatch):
    monkeypatch.setattr(machine, "CGROUP", tmp_path)
    monkeypatch.setattr(machine, "DEVICES", tmp_path / "dev")
    (tmp_path / "cpu.max").write_text("50000 100000\n")
    (tmp_path / "memory.max").write_text(f"{GIB}\n")
    (tmp_path / "dev").mkdir()
    for name in ("nvidia0", "nvidia1", "nvidiactl", "nvidia-uvm"):
        (tmp_path / "dev" / name).touch()
    assert machine.measured(Settings()) == Machine(0.5, int(0.8 * GIB), gpus=2)
    (tmp_path / "cpu.max").write_text("max 100000\n")
    (tmp_path / "memory.max").write_text("max\n")
    free = machine.measured(Settings())
    assert free.cpus >= 1 and free.memory != int(0.8 * GIB)
