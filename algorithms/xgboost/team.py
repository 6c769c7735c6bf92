"""The hosts that boost together, seen from one of them: xgboost's own collective, over which `peers` keep watch."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from algorithms.common.peers import Peers
from algorithms.xgboost.library import xgboost

START_SECONDS = 120
"""How long the hosts may take to find each other, once all of them have said that they are ready."""
PATIENCE = 7 * 86400
"""Seconds that a host waits for another in a round: for one that died it does not wait, as `peers` keep watch."""


@dataclass(frozen=True)
class Team:
    """Rank 0 leads: it alone prints metrics and writes models. A team of one needs no collective."""

    rank: int = 0
    size: int = 1
    leave: Callable[[], None] = field(default=lambda: None)
    """To be called before a member ends the process in the middle."""

    @property
    def leads(self) -> bool:
        return self.rank == 0

    def gather(self, mine: Any) -> list[Any]:
        """What each member gives, by rank. None cannot be given."""
        if self.size == 1:
            return [mine]
        return [xgboost.collective.broadcast(mine if rank == self.rank else None, rank) for rank in range(self.size)]

    def agree(self, wish: bool) -> bool:
        """Whether any member wishes it."""
        return any(self.gather(wish))


@contextlib.contextmanager
def tracker(size: int, address: str) -> Iterator[Mapping[str, Any]]:
    """Where that many members meet: what each needs to find the others."""
    from xgboost.tracker import RabitTracker

    running = RabitTracker(n_workers=size, host_ip=address, sortby="task", timeout=START_SECONDS)
    running.start()
    try:
        yield running.worker_args()
        running.wait_for(START_SECONDS)  # A member's farewell fails when the tracker is gone before it.
    finally:
        with contextlib.suppress(xgboost.core.XGBoostError):  # It complains of members that are gone.
            running.free()


@contextlib.contextmanager
def member(peers: Peers, members: Sequence[str], met_at: Mapping[str, Any]) -> Iterator[Team]:
    """Take part as one of `members`: ranks follow their order."""
    rank = members.index(peers.current)
    if len(members) == 1:
        yield Team(leave=peers.leave)
        return
    xgboost.collective.init(**met_at, dmlc_task_id=f"{rank:06d}", dmlc_timeout=PATIENCE, dmlc_retry=3)
    yield Team(rank, len(members), peers.leave)
    with contextlib.suppress(
        xgboost.core.XGBoostError
    ):  # The model is saved: a farewell that goes amiss is no failure.
        xgboost.collective.finalize()


def blames_others(error: Exception) -> bool:
    """Whether xgboost complains of a line to another host: what became of that host is the reason."""
    return "/collective/" in str(error)
