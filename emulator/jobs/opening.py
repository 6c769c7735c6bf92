"""What a job says before its program does: where it runs, what it was given, which versions; as log lines and tags."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from emulator.jobs import gpus, scheduler
from emulator.jobs.cluster import Host
from emulator.jobs.recipes.recipe import Tools

EXECUTOR_TAG = "sagelet:executor"
VERSIONS_TAG = "sagelet:versions"
STAND_IN_TAG = "sagelet:stand-in"


@dataclass(frozen=True)
class Opening:
    """The first lines of every host's log, and the tags of the job."""

    lines: tuple[str, ...]
    tags: Mapping[str, str]


@dataclass(frozen=True)
class Versions:
    """The framework that an image stands for: the version that its tag asks for, and the one that is installed here."""

    framework: str
    asked: str
    installed: str

    @property
    def apart(self) -> bool:
        """Whether the major versions differ."""
        return self.asked.split(".")[0] != self.installed.split(".")[0]

    @property
    def told(self) -> str:
        """For people, in the letters that a tag may have."""
        return f"{self.framework}: asked for {self.asked} - ran {self.installed}"

    def refusal(self, image: str) -> str:
        """Why --strict-versions does not let the image run as a process of the installed library."""
        return (
            f"{image} stands for {self.framework} {self.asked}, {self.installed} is installed here, and the server was "
            f"started with --strict-versions. Install {self.framework} {self.asked} beside Sagelet, run that very "
            "image with Docker, or start the server without --strict-versions."
        )


def versions(image: str, executor: str) -> Versions | None:
    """What a process would run for an image; None where that is not known: in a container it is the image's matter."""
    from algorithms import catalog

    known = catalog.find(image) if executor == "process" else None
    if known is None or known.framework is None:
        return None
    asked, installed = known.framework_versions(image)
    return Versions(known.framework.distribution, asked, installed) if asked and installed else None


def stand_in(body: Mapping[str, Any]) -> str:
    """What computes a job's script in place of what it is named after; empty where nothing does."""
    from algorithms import catalog

    # The hyperparameter of script mode; the SDK writes it as JSON.
    script = str((body.get("HyperParameters") or {}).get("sagemaker_submit_directory", ""))
    found: str = catalog.stand_in(script.strip('"'))
    return found


def announced(tools: Tools, image: str, executor: str, hosts: Sequence[Host], body: Mapping[str, Any]) -> Opening:
    """The opening of a job, asked for so, whose programs are about to be started."""
    kinds = list(dict.fromkeys(host.instance_type for host in hosts))
    policy, machine = tools.settings.gpu, tools.machine
    lines = [f"Sagelet runs {image} with the {executor} executor."]
    lines += [scheduler.scaled(kind, machine) for kind in kinds]
    lines.append(gpus.notice(kinds, policy, machine))
    tags = {EXECUTOR_TAG: executor, **gpus.tags(kinds, policy, machine)}
    found = versions(image, executor)
    if found is not None:
        lines.append(f"The image asks for {found.framework} {found.asked}; installed here is {found.installed}.")
        tags[VERSIONS_TAG] = found.told
    instead = stand_in(body)
    if instead:
        lines.append(f"A stand-in computes this job: {instead}.")
        tags[STAND_IN_TAG] = instead
    return Opening(tuple(line for line in lines if line), tags)
