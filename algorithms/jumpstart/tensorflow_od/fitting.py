"""Train a detector on pictures and `annotations.json`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import annotations
import torch
from detecting import Detecting
from detector import Detector
from networks import images, optimizers, weights
from networks.start import Work
from networks.training import SEED
from networks.weights import Beginning


def fit(work: Work) -> None:
    """Read, begin, train, save."""
    values, form = optimizers.still_rmsprop(work.values), work.told["network"]
    beginning = weights.given(work)
    # A pretrained network classifies: its layers that tell places begin by chance.
    weights.demand_learned(values, beginning is not None and beginning.facts is not None)
    labels, training, validation = annotations.read(form["side"])
    torch.manual_seed(SEED)
    images.suit_threads(form["side"])
    network = Detector(form, len(labels))
    if beginning is not None:
        weights.put(network, beginning.values, _anew(beginning, values, labels))
    Detecting(network, values, Detector.TOP).start(form["side"]).fit(training, validation)
    weights.save(work, network, {"labels": labels})


def _anew(beginning: Beginning, values: Mapping[str, Any], labels: list[Any]) -> tuple[str, ...]:
    """What begins by chance."""
    if beginning.keeps(values, labels):
        return ()
    return Detector.NEW if beginning.facts is None else Detector.TOP
