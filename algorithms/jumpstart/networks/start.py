"""How a training job begins: libraries, hosts and hyperparameters are looked at before anything takes long."""

from __future__ import annotations

import importlib
import json
import os
from dataclasses import dataclass
from typing import Any

from common import model, parameters
from common.failing import Refused, need, run


@dataclass(frozen=True)
class Work:
    """What a job is to do: `told` is what its archive of scripts is for, `values` are its hyperparameters."""

    told: dict[str, Any]
    values: dict[str, Any]


WAITING = ("OMP_WAIT_POLICY", "PASSIVE")
"""Threads of a step of milliseconds that wait by turning on the spot take ten times the processor on a busy machine.
OpenMP reads it when PyTorch is imported."""


def begin(fitting: str) -> None:
    """Train with the function `fit` of that module."""
    os.environ.setdefault(*WAITING)
    run(lambda: _begin(fitting))


def _begin(fitting: str) -> None:
    told = model.told()
    need(told["requires"])
    hosts = json.loads(os.environ.get("SM_HOSTS", "[]"))
    if len(hosts) > 1:
        raise Refused(
            f"{told['model_id']} trains on one instance here; the job asks for {len(hosts)}. Set the count to 1."
        )
    print(f"Stand-in: {told['stand_in']}. {told['says']}", flush=True)
    importlib.import_module(fitting).fit(Work(told, parameters.read(told["hyperparameters"])))
