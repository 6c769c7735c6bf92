"""A share of the machine: processors, memory, and the sentence when it was not enough."""

from __future__ import annotations

import pytest

from emulator.executors.docker_engine import Engine
from emulator.executors.docker_watch import out_of_memory
from emulator.ports import Exit, ExitReason, Share
from tests.executors.docker_bench import Bench, Images, find_nothing, lines

pytestmark = pytest.mark.docker


def test_a_share_is_a_limit(bench: Bench, images: Images) -> None:
    spec = bench.spec(images.own, "pass", share=Share(cpus=0.5, memory=256 << 20))
    assert bench.run(spec).code == 0
    told = Engine(find_nothing).client().containers.get(f"sagelet-{spec.run_id}").attrs["HostConfig"]
    assert (told["NanoCpus"], told["Memory"], told["MemorySwap"]) == (500_000_000, 256 << 20, 256 << 20)
    assert told["ShmSize"] == 256 << 20


def test_more_processors_than_there_are_is_all_of_them(bench: Bench, images: Images) -> None:
    spec = bench.spec(images.own, "pass", share=Share(cpus=4096))
    assert bench.run(spec) == Exit(ExitReason.EXITED, 0)


def test_a_program_that_needs_more_memory_is_ended_and_told_why(bench: Bench, images: Images) -> None:
    spec = bench.spec(images.own, "print('growing'); x = bytearray(512 << 20)", share=Share(memory=64 << 20))
    over = bench.run(spec)
    assert (over.reason, over.code) == (ExitReason.EXITED, -9)
    assert over.detail == "The container ran out of memory (limit 64 MiB: its share of this machine)."
    assert lines(spec) == ["growing"]


def test_the_limit_is_said_in_round_numbers() -> None:
    assert "limit 8 GiB" in out_of_memory(8 << 30) and "limit 7.5 GiB" in out_of_memory(15 << 29)
    assert "no limit was set" in out_of_memory(0)


def test_devices_that_the_engine_lacks_are_refused(bench: Bench, images: Images) -> None:
    if bench.executor.gpus():
        pytest.skip("this engine has devices")
    over = bench.run(bench.spec(images.own, "pass", share=Share(gpus=1)))
    assert over.reason is ExitReason.NOT_STARTED and "the Docker Engine has 0" in over.detail


def test_devices_are_counted_where_the_engine_has_the_runtime(
    bench: Bench, images: Images, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine = Engine(find_nothing)
    folder = bench.folder / "gpus"
    for name in ("0000:01:00.0", "0000:02:00.0"):
        (folder / name).mkdir(parents=True)
    monkeypatch.setattr("emulator.executors.docker_engine.NVIDIA", folder)
    assert engine.gpus() == 0
    monkeypatch.setattr(engine, "info", lambda: {"Runtimes": {"nvidia": {}}})
    assert engine.gpus() == 2
    engine.forget()
