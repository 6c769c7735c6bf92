"""What a job says before its program does: where it runs, what it was given, which versions; as log lines and tags."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from emulator.jobs import gpus, scheduler
from emulator.jobs.cluster import Host
from emulator.jobs.recipes.recipe import Tools

EXECUTOR_TAG = "sagelet:executor"


@dataclass(frozen=True)
class Opening:
    """The first lines of every host's log, and the tags of the job."""

    lines: tuple[str, ...]
    tags: Mapping[str, str]


def announced(tools: Tools, image: str, executor: str, hosts: Sequence[Host]) -> Opening:
    """The opening of a job whose programs are about to be started."""
    kinds = list(dict.fromkeys(host.instance_type for host in hosts))
    policy, machine = tools.settings.gpu, tools.machine
    lines = [f"Sagelet runs {image} with the {executor} executor."]
    lines += [scheduler.scaled(kind, machine) for kind in kinds]
    lines.append(gpus.notice(kinds, policy, machine))
    tags = {EXECUTOR_TAG: executor, **gpus.tags(kinds, policy, machine)}
    return Opening(tuple(line for line in lines if line), tags)
