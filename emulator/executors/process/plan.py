"""What a RunSpec asks of a process: whether it can be had, what the environment says, which commands are on PATH."""

from __future__ import annotations

import os
import site
import sys
from typing import Protocol

from emulator.executors.process import clusters, command
from emulator.executors.process.request import BIN_FOLDER, BWRAP, PLAIN
from emulator.executors.process.zygotes import rooms
from emulator.ports import RunSpec

CREDENTIALS = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN")

THREADS = "OMP_NUM_THREADS"
"""OpenBLAS, MKL and numexpr heed it too where their own variables are not set."""


class Program(Protocol):
    """What the catalog says of an algorithm, as far as running it goes."""

    @property
    def name(self) -> str: ...
    @property
    def train(self) -> str: ...
    @property
    def serve(self) -> str: ...
    @property
    def run(self) -> str: ...
    @property
    def preload(self) -> tuple[str, ...]: ...
    @property
    def commands(self) -> bool: ...
    @property
    def bin(self) -> str: ...
    @property
    def prepare(self) -> str: ...


def program_of(algorithm: Program, verb: str) -> str:
    """The `module:function` of the algorithm's own for `verb`; empty when it has none."""
    return {"train": algorithm.train, "serve": algorithm.serve, "run": algorithm.run}[verb]


def refusal(spec: RunSpec, algorithm: Program) -> str:
    """Empty when the algorithm can do what the run asks of it."""
    if spec.entrypoint:
        if algorithm.commands:
            return ""
        return (
            f"The process executor runs the built-in program of {spec.image} and no entry point of the caller's "
            f"({' '.join(spec.entrypoint)}); use the docker executor for that."
        )
    if program_of(algorithm, spec.verb):
        return ""
    if spec.verb == "run":
        remedy = " (AppSpecification.ContainerEntrypoint)" if algorithm.commands else " with the docker executor"
        return f"The image {spec.image} has no command of its own to run: give it an entry point{remedy}."
    return f"The built-in algorithm {algorithm.name} cannot {spec.verb}."


def cluster_refusal(spec: RunSpec, sandbox: str) -> str:
    """Empty when several hosts of one job can be told apart in this sandbox."""
    assert spec.cluster is not None
    several = f"The {len(spec.cluster.hosts)} hosts of one job"
    if sandbox == PLAIN:
        return (
            f"{several} cannot be run as processes here: without namespaces and without bubblewrap they cannot find "
            "each other by name. Install bubblewrap, or use the docker executor."
        )
    if sandbox == BWRAP and not spec.network:
        return (
            f"{several} cannot be isolated as processes here: this system refuses user namespaces, in which they would "
            "share a network of their own. Use the docker executor, or do without network isolation."
        )
    if len(spec.cluster.hosts) > clusters.MOST_HOSTS:
        return f"{several} are more than the process executor has addresses for ({clusters.MOST_HOSTS})."
    return ""


def environment(spec: RunSpec) -> dict[str, str]:
    """What the run says of its program's environment, and what follows from its share, its cluster and its network."""
    told: dict[str, str] = {}
    user_site = site.getusersitepackages()
    if user_site in sys.path:  # The interpreter has our libraries from a home that the program does not see as its own.
        told["PYTHONUSERBASE"] = site.getuserbase()
    if spec.share.cpus > 0:
        told[THREADS] = str(max(1, int(spec.share.cpus)))
    if spec.network and spec.endpoint:
        told["AWS_ENDPOINT_URL"] = spec.endpoint
    told |= spec.environment
    if not spec.network:
        for name in CREDENTIALS:
            told.pop(name, None)
    return told


def bins(algorithm: Program, folder: str, sandbox: str) -> tuple[str, ...]:
    """The first folders of PATH: the family's own commands, and the interpreter under all its names."""
    found = [os.path.join(rooms(), algorithm.bin)] if algorithm.bin else []
    found.append(os.path.dirname(sys.executable))
    own = os.path.join(folder, "bin")
    if command.make_bins(own):
        found.append(own if sandbox == PLAIN else BIN_FOLDER)
    return tuple(found)
