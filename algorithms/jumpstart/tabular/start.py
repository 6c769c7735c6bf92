"""How a training job begins: before anything is imported that may not be there."""

from __future__ import annotations

import importlib

from common import model
from common.failing import need, run


def begin(fitting: str) -> None:
    """Check that the libraries are there, then train with the function `fit` of that module."""
    run(lambda: _begin(fitting))


def _begin(fitting: str) -> None:
    need(model.told()["requires"])
    fit = importlib.import_module(fitting).fit
    importlib.import_module("tabular.training").train(fit)
