"""What this machine has for jobs: measured once, unless the settings say otherwise. A container's limits count."""

from __future__ import annotations

import os
from pathlib import Path

from emulator.jobs.instances import GIB
from emulator.jobs.scheduler import Machine
from emulator.settings import Settings

CGROUP = Path("/sys/fs/cgroup")
DEVICES = Path("/dev")
FOR_JOBS = 0.8
"""Of the measured memory: the server, the engine and the user's own programs need some, too."""


def measured(settings: Settings) -> Machine:
    """The machine as the scheduler sees it."""
    memory = int(settings.machine_memory * GIB) or int(FOR_JOBS * _memory(CGROUP))
    return Machine(settings.machine_cpus or _cpus(CGROUP), memory, devices(DEVICES))


def devices(folder: Path) -> int:
    """How many NVIDIA devices there are."""
    return sum(node.name.removeprefix("nvidia").isdigit() for node in folder.glob("nvidia*"))


def _cpus(cgroup: Path) -> float:
    usable = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    quota, _, period = _read(cgroup / "cpu.max").partition(" ")
    return min(float(usable), int(quota) / int(period)) if quota.isdigit() and period.isdigit() else float(usable)


def _memory(cgroup: Path) -> int:
    physical = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    limits = [_read(cgroup / "memory.max"), _read(cgroup / "memory" / "memory.limit_in_bytes")]
    return min([physical, *(int(limit) for limit in limits if limit.isdigit())])


def _read(file: Path) -> str:
    try:
        return file.read_text().strip()
    except OSError:
        return ""
