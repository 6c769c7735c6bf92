"""Several hosts as one XGBoost: the first host runs the tracker, all of them join its ring."""

from __future__ import annotations

import contextlib
import socket
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

PORT = 9099
"""The container's: hosts have addresses of their own, so there is no contention."""
ATTEMPTS = 60
SECONDS = 300


@dataclass(frozen=True)
class Ring:
    """This host's place among those that train together."""

    rank: int
    size: int

    @property
    def is_master(self) -> bool:
        return self.rank == 0

    def gather(self, value: Any) -> list[Any]:
        """What every host passes here, in the order of ranks."""
        from xgboost import collective

        return [collective.broadcast(value if root == self.rank else None, root) for root in range(self.size)]


@contextlib.contextmanager
def joined(hosts: Sequence[str], host: str, port: int = PORT) -> Iterator[Ring]:
    """Join the ring of `hosts` for the time of the block; a ring of one needs no tracker."""
    from xgboost import collective
    from xgboost.tracker import RabitTracker

    members = sorted(hosts)
    rank = members.index(host)
    if len(members) == 1:
        yield Ring(0, 1)
        return
    master = socket.gethostbyname(members[0])
    tracker = None
    if rank == 0:
        tracker = RabitTracker(n_workers=len(members), host_ip=master, port=port, sortby="task", timeout=SECONDS)
        tracker.start()
    # Ranks follow the order of task ids as texts.
    task = f"{rank:05d}"
    with collective.CommunicatorContext(
        dmlc_tracker_uri=master, dmlc_tracker_port=port, dmlc_task_id=task, dmlc_retry=ATTEMPTS, dmlc_timeout=SECONDS
    ):
        yield Ring(collective.get_rank(), collective.get_world_size())
    if tracker is not None:
        tracker.wait_for(timeout=SECONDS)
