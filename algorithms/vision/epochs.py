"""Epochs of training until the last or until they get no better, of which some are kept as the model."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any, Protocol

from algorithms.first_party.run import Run
from algorithms.vision.stopping import EarlyStopping

Arrays = dict[str, Any]
"""A network's values by their names."""


class Epoch(Protocol):
    """What one was like: `number` counts from 0, and of `watched` more is better."""

    @property
    def number(self) -> int: ...

    @property
    def watched(self) -> float: ...


class Network(Protocol):
    """What is trained; it takes the arrays that it gives."""

    def arrays(self) -> Arrays: ...

    def put(self, arrays: Arrays) -> None: ...


class Fitting(Protocol):
    """The training of a network; `epochs(n)` gives them from the n-th on."""

    network: Any
    optimizer: Any

    def epochs(self, first: int) -> Iterator[Any]: ...


class Shelf(Protocol):
    """Where an algorithm keeps its model while it trains: arrays of epochs, which are numbered from 1 here."""

    def put(self, number: int, arrays: Arrays) -> None: ...

    def drop(self, number: int) -> None: ...


class Checkpoint(Protocol):
    """Where a job leaves what it can be gone on from."""

    def resume(self, fitting: Fitting) -> list[float]:
        """What was watched of the epochs that are done, whose last one `fitting` goes on from; none at the start."""
        ...

    def arrays(self, number: int) -> Arrays: ...

    def keep(self, fitting: Fitting, scores: Sequence[float], numbers: set[int]) -> None:
        """The last epoch, which is the state of `fitting`, beside those that `numbers` names; others go."""
        ...


def train(run: Run, fitting: Fitting, tell: Callable[[Any, bool], None], shelf: Shelf, every: int | None = None) -> int:
    """Train; on the shelf are the best epoch and each n-th then. The number of the best one, from 1.

    `tell` is called behind each epoch, and is told whether it is the best so far.
    """
    from algorithms.vision import checkpoints

    stops = EarlyStopping(
        run.values["early_stopping_min_epochs"],
        run.values["early_stopping_patience"],
        run.values["early_stopping_tolerance"],
    )
    checkpoint = checkpoints.of(run)
    scores = checkpoint.resume(fitting)
    for number in sorted(_kept(scores, every)):
        shelf.put(number, checkpoint.arrays(number))
    ended = [stops.ends(number, score) for number, score in enumerate(scores)]
    if run.values["early_stopping"] and any(ended[-1:]):
        return _best(scores)
    for epoch in fitting.epochs(len(scores)):
        before, number = _kept(scores, every), epoch.number + 1
        scores.append(epoch.watched)
        now = _kept(scores, every)
        tell(epoch, number == _best(scores))
        if number in now:
            shelf.put(number, fitting.network.arrays())
        for one in before - now:
            shelf.drop(one)
        checkpoint.keep(fitting, scores, now)
        if stops.ends(epoch.number, epoch.watched) and run.values["early_stopping"]:
            run.log.info(f"Early stopping behind epoch {epoch.number}: it gets no better.")
            break
    return _best(scores)


def _best(scores: Sequence[float]) -> int:
    """The number of the first epoch with the highest score."""
    return scores.index(max(scores)) + 1


def _kept(scores: Sequence[float], every: int | None) -> set[int]:
    """The numbers of the best epoch and of each n-th."""
    repeated = range(every, len(scores) + 1, every) if every else ()
    return {_best(scores), *repeated} if scores else set()
