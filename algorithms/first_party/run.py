"""One training job of a first-party algorithm: configuration, channels and hosts, then the algorithm's own `fit`."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from algorithms.common import channels
from algorithms.common.contract import Layout, end_on_sigterm, run_training
from algorithms.common.faults import UserError
from algorithms.common.hyperparameters import defaults, validate
from algorithms.first_party import data, hosts, wording
from algorithms.first_party.data import Table
from algorithms.first_party.definition import Definition
from algorithms.first_party.log import Log

OBJECTIVE = "_tuning_objective_metric"


@dataclass
class Run:
    """What an algorithm's `fit` is given. `values` are its hyperparameters, defaults included, in Python's types."""

    definition: Definition
    layout: Layout
    log: Log
    values: Mapping[str, Any]
    _tables: dict[str, Table | None] = field(default_factory=dict)

    def has(self, channel: str) -> bool:
        """Whether the job has this channel."""
        return channel in self.layout.channels

    def table(self, channel: str, labelled: bool = False) -> Table:
        """The records of a channel, on the leading host those of all hosts; UserError when there are none.

        Their width is checked against `feature_dim` when that is a number; `labelled` demands labels.
        """
        table = self._table(channel)
        if table is None:
            raise UserError(wording.empty_channel(channel))
        if labelled and table.labels is None:
            raise UserError(wording.no_labels(channel))
        return table

    def maybe(self, channel: str, labelled: bool = False) -> Table | None:
        """The same; None when the job has no such channel."""
        return self.table(channel, labelled) if self.has(channel) else None

    def save(self, name: str, content: bytes) -> None:
        """A file of the model."""
        self.layout.model.mkdir(parents=True, exist_ok=True)
        (self.layout.model / name).write_bytes(content)

    def own_table(self, channel: str) -> Table | None:
        """This host's records of a channel; None when it has none."""
        kind = data.kind_of(channel, dict(self.layout.channels[channel]), self.definition.formats)
        self.log.info(f"Loaded iterator creator {kind.media} for content type ('{kind.media}', '1.0')")
        if self.definition.read is not None:
            own: Table | None = self.definition.read(self, channel)
            return own
        table = data.read(self.layout, channel, kind)
        wanted = self.values.get("feature_dim")
        if table is not None and isinstance(wanted, int):
            table = data.fit_width(channel, table, wanted, table.labels is not None)
        return table

    def _table(self, channel: str) -> Table | None:
        if channel not in self._tables:
            self._tables[channel] = self.own_table(channel)
        return self._tables[channel]

    def put(self, channel: str, table: Table | None) -> None:
        """Replace what a channel holds: by the records of all hosts."""
        self._tables[channel] = table


def main(definition: Definition, fit: Callable[[Run], None]) -> int:
    """Run the job of this process's base folder; its exit status."""
    if os.getpid() == 1:
        end_on_sigterm()
    layout = Layout.from_environment()
    log = Log(definition.title, layout.current_host)
    return run_training(layout, lambda layout: _train(definition, fit, layout, log), log.info)


def _train(definition: Definition, fit: Callable[[Run], None], layout: Layout, log: Log) -> None:
    print("Docker entrypoint called with argument(s): train", flush=True)
    print("Running default environment configuration script", flush=True)
    run = Run(definition, layout, log, _configuration(definition, layout, log))
    check_channels(definition, layout)
    log.info("Using default worker.")
    if not definition.checkpoints:
        log.info("Checkpoint loading and saving are disabled.")
    log.info("Number of GPUs being used: 0")
    ready = time.time()
    if hosts.gather(run):
        fit(run)
    log.final(ready)


def _configuration(definition: Definition, layout: Layout, log: Log) -> dict[str, Any]:
    given = layout.hyperparameters
    common = {"_kvstore": "auto", "_num_gpus": "auto", "_num_kv_servers": "auto", "_log_level": "info", OBJECTIVE: ""}
    standard = common | dict(definition.hidden) | defaults(definition.hyperparameters)
    log.info(f"Reading default configuration of {definition.title}: {_shown(standard)}")
    log.info(
        f"Merging with provided configuration from {layout.base}/input/config/hyperparameters.json: {_shown(given)}"
    )
    declared = {one.name for one in definition.hyperparameters}
    own = {name: text for name, text in given.items() if name in declared or name not in standard}
    values = validate(definition.hyperparameters, own, definition.checks, wording.SCHEMA)
    log.info(f"Final configuration: {_shown(standard | given)}")
    return standard | values


def _shown(values: Mapping[str, Any]) -> str:
    return json.dumps({name: v if isinstance(v, str | list | tuple) else str(v) for name, v in values.items()})


def check_channels(definition: Definition, layout: Layout) -> None:
    """UserError on a channel that is missing, unknown, or in a mode that the algorithm does not take."""
    known = {channel.name: channel for channel in definition.channels}
    for channel in definition.channels:
        if channel.required and channel.name not in layout.channels:
            raise UserError(wording.no_channel(channel.name))
    for name, configuration in layout.channels.items():
        if name not in known:
            raise UserError(wording.unknown_channel(name, list(known)))
        distribution = configuration.get("S3DistributionType", "FullyReplicated")
        if distribution not in known[name].distributions:
            raise UserError(wording.wrong_distribution(name, distribution, list(known[name].distributions)))
        if channels.is_piped(configuration) and not known[name].piped:
            raise UserError(
                f"Channel '{name}' is in Pipe mode, which this algorithm does not take: "
                "set TrainingInputMode to 'File' or 'FastFile'."
            )
