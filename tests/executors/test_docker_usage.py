"""What engines tell of a container's use, in the shapes that they have for it."""

from __future__ import annotations

from typing import Any

import pytest

from emulator.executors.docker_usage import usage_of
from emulator.ports import Usage


def told(**memory: Any) -> dict[str, Any]:
    return {"cpu_stats": {"cpu_usage": {"total_usage": 1_500_000_000}}, "memory_stats": memory}


@pytest.mark.parametrize("name", ["inactive_file", "total_inactive_file"])
def test_files_that_could_be_dropped_do_not_count(name: str) -> None:
    assert usage_of(told(usage=5000, stats={name: 1000})) == Usage(1.5, 4000)


def test_an_engine_without_details_is_taken_as_it_tells() -> None:
    assert usage_of(told(usage=5000)) == Usage(1.5, 5000)


def test_of_a_container_that_is_over_nothing_is_known() -> None:
    assert usage_of({"cpu_stats": {"cpu_usage": {"total_usage": 0}}, "memory_stats": {}}) is None
