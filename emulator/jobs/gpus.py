"""What instance types with accelerators mean here (`--gpu`): the CPU (and that said), a refusal, or devices. Pure."""

from __future__ import annotations

from collections.abc import Iterable

from emulator.jobs import instances
from emulator.jobs.instances import InstanceType
from emulator.jobs.scheduler import Machine

TAG = "sagelet:gpu"
"""The tag of a job whose instance types have accelerators: what it really got."""

ON_CPU = "none: ran on the CPU"


def accelerated(names: Iterable[str]) -> tuple[InstanceType, ...]:
    """The instance types that have accelerators, each once."""
    return tuple(kind for kind in map(instances.find, dict.fromkeys(names)) if kind.gpus)


def refusal(names: Iterable[str], policy: str, machine: Machine) -> str:
    """Why a job of these instance types is not accepted, and what would help; empty when it is."""
    for kind in accelerated(names):
        if policy == "refuse":
            return (
                f"{kind.name} has {_count(kind)}, and this server was started with --gpu refuse. Use an instance type "
                "without accelerators, or start the server with --gpu cpu (such jobs run on the CPU then) or "
                "--gpu devices."
            )
        if policy == "devices" and not (kind.nvidia and machine.gpus):
            lack = "there is no NVIDIA device on this machine" if kind.nvidia else "only NVIDIA devices can be given"
            return (
                f"{kind.name} has {_count(kind)}, this server was started with --gpu devices, and {lack}. Start it "
                "with --gpu cpu (such jobs run on the CPU then), or use another instance type."
            )
    return ""


def notice(names: Iterable[str], policy: str, machine: Machine) -> str:
    """The sentence for the log of a job; empty for instance types without accelerators."""
    kinds = accelerated(names)
    if not kinds:
        return ""
    has = " and ".join(f"{kind.name} has {_count(kind)}" for kind in kinds)
    if policy != "devices":
        return f"{has}; this job has none and runs on the CPU."
    given = max(min(kind.gpus, machine.gpus) for kind in kinds)
    return f"{has}; this job is given {given} of the {machine.gpus} that this machine has."


def tags(names: Iterable[str], policy: str, machine: Machine) -> dict[str, str]:
    """The tag that says so, for those who read no logs; empty for instance types without accelerators."""
    kinds = accelerated(names)
    if not kinds:
        return {}
    given = max(min(kind.gpus, machine.gpus) for kind in kinds)
    return {TAG: f"NVIDIA devices: {given}" if policy == "devices" else ON_CPU}


def _count(kind: InstanceType) -> str:
    return f"{kind.gpus} {kind.accelerator}{'s' if kind.gpus > 1 else ''}"
