"""The data of one host: its channels read from folders or pipes, and what is to be said about them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from algorithms.common import channels
from algorithms.common.contract import Layout
from algorithms.common.faults import UserError
from algorithms.xgboost import data


@dataclass(frozen=True)
class Inputs:
    """What the channels of this host hold; None for a channel without data, and for one that the job does not have."""

    layout: Layout
    form: str
    train: Any | None
    validation: Any | None
    whole: Any | None
    """Both together, for cross validation."""

    @classmethod
    def read(cls, layout: Layout, values: Mapping[str, Any]) -> Inputs:
        """Read the channels, each in its own mode and format."""
        given = layout.channels
        weighted = values.get("csv_weights") == 1
        found: dict[str, Any] = {}
        types = {name: given.get(name, {}).get("ContentType") or given["train"].get("ContentType") for name in NAMES}
        forms = {name: data.format_of(kind) for name, kind in types.items()}
        for name in NAMES:
            path = _source(layout, name, 0)
            found[name] = data.load([path], forms[name], weighted) if name in given and path.exists() else None
        if found["validation"] is not None and not any(channels.is_piped(given[name]) for name in NAMES):
            data.warn_of_twins(layout.channel("train"), layout.channel("validation"))
        whole = found["train"]
        if "_kfold" in values and None not in found.values():
            whole = data.load([_source(layout, name, 1) for name in NAMES], forms["train"], weighted)
        return cls(layout, forms["train"], found["train"], found["validation"], whole)

    @property
    def missing(self) -> str:
        """The channel that the job has and that has no data here; empty when there is none."""
        for name in NAMES:
            found = getattr(self, name)
            if name in self.layout.channels and (found is None or not found.num_row()):
                return name
        return ""

    def demand(self) -> None:
        """UserError when a channel has no data."""
        if name := self.missing:
            named = "training" if name == "train" else name
            raise UserError(f"No data in {named} channel path {self.layout.channel(name)}")

    @property
    def watched(self) -> list[tuple[Any, str]]:
        """What metrics are computed of, by their names in the log."""
        return [(self.train, "train")] + ([(self.validation, "validation")] if self.validation is not None else [])

    @property
    def width(self) -> int:
        """The number of columns."""
        return max([int(one.num_col()) for one in (self.train, self.validation) if one is not None], default=0)

    def widened(self, width: int) -> Inputs:
        """The same with more columns, which are missing in all rows."""
        wide = {name: data.widened(getattr(self, name), width) for name in ("train", "validation", "whole")}
        return replace(self, **wide)


NAMES = ("train", "validation")


def _source(layout: Layout, name: str, epoch: int) -> Path:
    folder = layout.channel(name)
    return channels.pipe(folder, epoch) if channels.is_piped(layout.channels.get(name, {})) else folder
