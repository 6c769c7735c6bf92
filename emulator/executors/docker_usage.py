"""What a container uses, out of the engine's statistics."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from emulator.executors.docker_engine import Engine
from emulator.ports import Usage


def usage(engine: Engine, container: str) -> Usage | None:
    """One look, which the engine answers at once (two, for a percentage of its own, would take a second)."""
    try:
        return usage_of(engine.client().api.stats(container, stream=False, one_shot=True))
    except Exception:  # the container is gone, or the engine away, in one of the many ways that docker-py has for it
        return None


def usage_of(told: Mapping[str, Any]) -> Usage | None:
    """None when the container is over: its statistics are empty then. Files that the kernel could drop from memory do
    not count, as in `docker stats`."""
    memory = told.get("memory_stats") or {}
    if not memory.get("usage"):
        return None
    details = memory.get("stats") or {}
    droppable = int(details.get("inactive_file") or details.get("total_inactive_file") or 0)  # cgroups v2, v1
    cpu = int(told["cpu_stats"]["cpu_usage"]["total_usage"])
    return Usage(cpu / 1e9, max(0, int(memory["usage"]) - droppable))
