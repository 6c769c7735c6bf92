"""LightGBM on several hosts: its own lines between them, with rows divided, and one end of the training for all."""

from __future__ import annotations

import os
import socket
from collections.abc import Mapping
from typing import Any

import lightgbm
import numpy as np
import pandas as pd
from common.failing import Refused
from tabular.crew import Crew
from tabular.training import Work

LINES = ("Socket ", "Binding port", "Machine list file", "Please specify the local machine")
"""How LightGBM begins to speak of its lines to other hosts, which no user can help."""
LEARNERS = {"serial": "data", "data": "data", "voting": "voting"}
"""The tree learner on several hosts, by the one that is asked for. LightGBM divides features only of data that it reads
itself."""
LOOPBACK = "127.0.0.1"


def part(work: Work) -> tuple[pd.DataFrame, np.ndarray]:
    """The rows that this host trains with: those that it alone was given, or every n-th of what all were given."""
    features, target = work.training
    if work.crew.size == 1:
        return features, target
    rows = slice(None) if work.sharded else slice(work.crew.rank, None, work.crew.size)
    if len(target[rows]) == 0:
        raise Refused(f"{work.crew.current} has no rows: {len(target)} are fewer than {work.crew.size} instances.")
    return features[rows], target[rows]


def network(crew: Crew, given: Mapping[str, Any]) -> dict[str, Any]:
    """The parameters of LightGBM that let it find the other hosts; none on one host."""
    if crew.size == 1:
        return {}
    tree_learner = given["tree_learner"]
    if tree_learner not in LEARNERS:
        raise Refused(f"The tree_learner is {tree_learner}; on several instances LightGBM has data and voting here.")
    if tree_learner == "serial" and crew.leads:
        print("tree_learner: serial is for one instance; it is data on several.", flush=True)
    told = crew.gather([_address(crew.current), _free_port()])
    return {
        "machines": ",".join(f"{address}:{port}" for address, port in told), "num_machines": crew.size,
        "local_listen_port": told[crew.rank][1], "tree_learner": LEARNERS[tree_learner], "pre_partition": True,
        "num_threads": given["num_threads"] or _threads([address for address, _ in told]),
    }  # fmt: skip


class Agreed:
    """Early stopping on all hosts after the same round: the first of them, which alone validates, decides."""

    order, before_iteration = 30, False
    """As LightGBM's own."""

    def __init__(self, crew: Crew, stopping: Any) -> None:
        self._crew, self._stopping = crew, stopping

    def __call__(self, env: Any) -> None:
        if self._crew.leads:
            try:
                self._stopping(env)
            except lightgbm.callback.EarlyStopException:
                self._crew.decide(True)
                raise
        if self._crew.decide(False):
            raise lightgbm.callback.EarlyStopException(env.iteration, [])


def _address(name: str) -> str:
    """LightGBM looks for itself among the addresses of the machine's interfaces; hosts that are processes of one
    machine have further ones of its loopback, and differ by their ports."""
    found = socket.gethostbyname(name)
    return LOOPBACK if found.startswith("127.") else found


def _threads(addresses: list[str]) -> int:
    """LightGBM's own choice (0), or this host's share where the hosts are processes of one machine: threads that take
    turns on a processor wait for each other, a round of milliseconds then takes seconds."""
    together = addresses.count(LOOPBACK)
    return max(1, len(os.sched_getaffinity(0)) // together) if together else 0


def _free_port() -> int:
    with socket.create_server(("", 0)) as listening:
        return int(listening.getsockname()[1])
