"""What tells one of Amazon's own algorithms from the others, as values."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from algorithms.common.channels import Channel
from algorithms.common.hyperparameters import CrossCheck, Hyperparameter

CSV, JSON, JSONLINES = "text/csv", "application/json", "application/jsonlines"
RECORDIO = "application/x-recordio-protobuf"
MODEL_CHANNEL = "model"


@dataclass(frozen=True)
class Definition:
    """An algorithm as its training sees it.

    `title` is `Dimensions.Algorithm` in the lines of metrics; `formats` are the content types of its channels, the
    first of which is meant when a channel names none; `hidden` are further members of the configuration that real jobs
    print; `several` is whether it trains on several hosts; `checkpoints` is
    whether it goes on from one (its manifest says with which images); `checks` are of several hyperparameters at once.
    `read` is for what is no table of numbers as it comes: of a `run.Run` and a channel's name it makes the `data.Table`
    of this host, None when it has no records.
    """

    title: str
    hyperparameters: Sequence[Hyperparameter]
    channels: Sequence[Channel]
    formats: Sequence[str] = (RECORDIO, CSV)
    checks: Sequence[CrossCheck] = ()
    hidden: Mapping[str, Any] = field(default_factory=dict)
    several: bool = True
    checkpoints: bool = False
    read: Callable[[Any, str], Any] | None = None

    @property
    def incremental(self) -> bool:
        """Whether training goes on from the model of an earlier job, in a channel."""
        return any(channel.name == MODEL_CHANNEL for channel in self.channels)


@dataclass(frozen=True)
class Form:
    """How an algorithm is asked and how it answers.

    `envelope` is the member of a JSON answer that holds the records; `reads` and `writes` are content types, the first
    of `writes` is meant when the caller accepts anything; `verbose` are the fields that only `; verbose=true` shows.
    """

    envelope: str = "predictions"
    reads: Sequence[str] = (CSV, JSON, JSONLINES, RECORDIO)
    writes: Sequence[str] = (JSON, JSONLINES, RECORDIO, CSV)
    verbose: Sequence[str] = ()


Fit = Callable[[Any], None]
"""Trains with a `run.Run` and leaves the model in its folder."""
