"""What an ml.* instance type has: vCPUs, memory, accelerators. Derived from its name where AWS names regularly; the
rest is tables. Every name has an answer, so that a type of a newer SDK is no surprise.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache

GIB = 1024**3


@dataclass(frozen=True)
class InstanceType:
    """One type. `gpus` counts accelerators of any maker; `accelerator` is what they are, empty for none."""

    name: str
    cpus: int
    memory: int
    """Bytes."""
    gpus: int = 0
    accelerator: str = ""

    @property
    def nvidia(self) -> bool:
        """Whether its accelerators are those that an engine may have."""
        return self.accelerator == NVIDIA


NVIDIA, INFERENTIA, TRAINIUM, GAUDI = "NVIDIA GPU", "AWS Inferentia chip", "AWS Trainium chip", "Gaudi accelerator"

UNKNOWN = (2, 8.0)
"""vCPUs and GiB of a name that is no instance type (those of ml.m5.large)."""

PER_CPU = {"c": 2.0, "m": 4.0, "r": 8.0, "t": 4.0, "x": 16.0, "g": 4.0, "inf": 4.0, "trn": 4.0, "p": 8.0, "dl": 8.0}
"""GiB for each vCPU, by the letters that a family begins with."""

PER_CPU_OF = {
    "c4": 1.875,
    "c5n": 2.625,
    "inf1": 2.0,
    "g6e": 8.0,
    "g7e": 32 / 3,
    "trn2": 32 / 3,
    "p2": 15.25,
    "p3": 7.625,
    "p4d": 12.0,
    "p4de": 12.0,
    "p5": 32 / 3,
    "p5e": 32 / 3,
    "p5en": 32 / 3,
    "p6-b200": 32 / 3,
    "p6-b300": 64 / 3,
    "p6e-gb200": 20 / 3,
}
"""GiB for each vCPU of the families that differ from their letter."""

EXCEPTIONS: dict[str, tuple[int, float]] = {
    "c4.8xlarge": (36, 60.0),
    "c5n.9xlarge": (36, 96.0),
    "c5n.18xlarge": (72, 192.0),
    "t2.medium": (2, 4.0),
    "t3.medium": (2, 4.0),
    "p5.4xlarge": (16, 256.0),
    "g7e.2xlarge": (8, 64.0),
    "g7e.4xlarge": (16, 128.0),
    "g7e.8xlarge": (32, 256.0),
}
"""vCPUs and GiB of the types that neither rule gives."""

MAKERS = {"p": NVIDIA, "g": NVIDIA, "inf": INFERENTIA, "trn": TRAINIUM, "dl": GAUDI}
"""What the accelerators are, by the letters that a family begins with."""

ACCELERATORS: dict[str, int] = {
    "g.12": 4,
    "g.24": 4,
    "g.48": 8,
    "g7.12": 2,
    "g7.24": 4,
    "g7e.12": 2,
    "g7e.24": 4,
    "p.16": 8,
    "p.24": 8,
    "p.36": 4,
    "p.48": 8,
    "p2.8": 8,
    "p2.16": 16,
    "p3.8": 4,
    "dl.24": 8,
    "inf1.6": 4,
    "inf1.24": 16,
    "inf2.24": 6,
    "inf2.48": 12,
    "trn.32": 16,
    "trn.48": 16,
}
"""Accelerators by family (or the letters that it begins with) and size; 1 where nothing is said."""

_NAME = re.compile(r"^(?:ml\.)?(?P<letters>[a-z]+)(?P<rest>[0-9][a-z0-9-]*)\.(?P<size>medium|large|[0-9]*xlarge)$")


@cache
def find(name: str) -> InstanceType:
    """The type of this name."""
    match = _NAME.match(name)
    if match is None:
        return InstanceType(name, UNKNOWN[0], int(UNKNOWN[1] * GIB))
    letters, size = match["letters"], match["size"]
    family = letters + match["rest"]
    cpus, memory = EXCEPTIONS.get(f"{family}.{size}") or _derived(letters, family, size)
    maker = MAKERS.get(letters, "")
    return InstanceType(name, cpus, int(memory * GIB), _accelerators(letters, family, size) if maker else 0, maker)


def _derived(letters: str, family: str, size: str) -> tuple[int, float]:
    """An xlarge has four vCPUs, an Nxlarge N times as many."""
    cpus = {"medium": 1, "large": 2}.get(size) or 4 * _times(size)
    return cpus, cpus * PER_CPU_OF.get(family, PER_CPU.get(letters, 4.0))


def _accelerators(letters: str, family: str, size: str) -> int:
    number = str(_times(size))
    return ACCELERATORS.get(f"{family}.{number}") or ACCELERATORS.get(f"{letters}.{number}") or 1


def _times(size: str) -> int:
    return int(size.removesuffix("xlarge") or 1) if size.endswith("xlarge") else 0
