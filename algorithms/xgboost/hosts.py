"""Training across several hosts: those that have data take part, the first of them leads, and all end when one fails.

Data are divided among the hosts by the service (ShardedByS3Key) or not at all (FullyReplicated: each row counts once a
host), as for the container: https://github.com/aws/sagemaker-xgboost-container, `distributed.py`.
"""

from __future__ import annotations

import contextlib
import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from algorithms.common import content_types, contract
from algorithms.common.contract import ALGORITHM, CLIENT, Layout, log
from algorithms.common.faults import UserError
from algorithms.common.peers import PeerFailed, Peers, address_of
from algorithms.xgboost import team
from algorithms.xgboost.inputs import Inputs

if TYPE_CHECKING:
    from algorithms.xgboost.train import Task

LINGER = 3.0
"""Seconds between a host's silent death and the end of the others: the service is to see first who was first."""
BLAME_SECONDS = 2.0
"""How long after a broken line to another host it may take to hear what became of that host."""

Boost = Callable[["Task", Inputs, team.Team], None]
Told = Mapping[str, Mapping[str, Any]]
"""By host: the channel that it has no data for ("" for none), its number of columns, and how its data are stored."""


def train(task: Task, boost: Boost) -> None:
    """Read this host's data and boost with all that have data; the process ends when another host fails."""
    names = task.layout.hosts
    log(f"Distributed node training with {len(names)} hosts: {names}")
    peers = Peers(names, task.layout.current_host, lambda *failure: _end(task.layout, *failure))
    try:
        _take_part(task, peers, boost)
    except PeerFailed:
        threading.Event().wait()
    except Exception as error:
        if team.blames_others(error) and peers.has_failed(BLAME_SECONDS):
            threading.Event().wait()
        mistake = isinstance(error, UserError)
        peers.fail(CLIENT if mistake else ALGORITHM, str(error) if mistake else f"{type(error).__name__}: {error}")
        raise
    peers.leave()


def end_at_once(code: int) -> None:
    """The library crashes when it is unloaded while its lines to other hosts are open, as after a failure."""
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)


def _take_part(task: Task, peers: Peers, boost: Boost) -> None:
    found = Inputs.read(task.layout, task.values)
    mine = {"missing": found.missing, "width": found.width, "form": found.form}
    with contextlib.ExitStack() as while_training:

        def prepare(told: Sequence[Any]) -> Mapping[str, Any]:
            members = _members(dict(zip(peers.hosts, told, strict=True)))
            address = address_of(peers.current, time.monotonic())
            return while_training.enter_context(team.tracker(len(members), address)) if len(members) > 1 else {}

        rows, tracker = peers.call_roll(mine, prepare)
        told = dict(zip(peers.hosts, rows, strict=True))
        members = _members(told)
        if not members:
            raise UserError("No hosts received training data.")
        if peers.current not in members:
            _stand_by(task, peers, found.missing)
            return
        found = found.widened(_width({host: told[host] for host in members}))
        with team.member(peers, members, tracker) as mates:
            boost(task, found, mates)


def _members(told: Told) -> list[str]:
    return [host for host, one in told.items() if not one["missing"]]


def _width(told: Told) -> int:
    """The columns of all hosts' data. What is stored sparsely ends where its last value stands, which may differ."""
    widths = {host: int(one["width"]) for host, one in told.items()}
    if len(set(widths.values())) > 1 and {one["form"] for one in told.values()} & {
        content_types.CSV,
        content_types.PARQUET,
    }:
        shown = ", ".join(f"{width} on {host}" for host, width in widths.items())
        raise UserError(f"The hosts' data differ in their number of features: {shown}.")
    return max(widths.values())


def _stand_by(task: Task, peers: Peers, missing: str) -> None:
    """Without data: end well. The first host stays for the others' sake, which meet at its tracker."""
    log(
        f"Host {peers.current} does not have {'training' if missing == 'train' else missing} data and will not be used "
        "in distributed training. Please divide the data across instances properly: there must be at least as many "
        "objects as instances.",
        "WARNING",
    )
    if peers.is_first:
        if task.values.get("save_model_on_termination") == "true":
            signal.signal(signal.SIGTERM, signal.SIG_IGN)  # The leader still has to save.
        peers.wait_for_all()


def _end(layout: Layout, fault: str, sentence: str, said: bool) -> None:
    """Another host has failed: so does this process, whatever library it is in."""
    if not said:
        time.sleep(LINGER)
    log(sentence, "ERROR")
    contract.tell(layout, f"{fault}: {sentence}")
    end_at_once(1)
