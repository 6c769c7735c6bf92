"""Train a MobileNetV2 on folders of pictures."""

from __future__ import annotations

import folders
import torch
from common.failing import Refused
from networks import images, weights
from networks.classifying import Classifying
from networks.mobilenet import MobileNet
from networks.start import Work
from networks.training import SEED


def fit(work: Work) -> None:
    """Read, begin, train, save."""
    values, form = work.values, work.told["network"]
    images.demand(values["image_resize_interpolation"])
    beginning = weights.given(work)
    weights.demand_learned(values, beginning is not None)
    names, training, validation = folders.read(values, form["side"])
    binary = values["binary_mode"] == "True"
    _demand(binary, values["eval_metric"], names)
    torch.manual_seed(SEED)
    images.suit_threads(form["side"])
    network = MobileNet(form["width"], 1 if binary else len(names), values["dropout_rate"])
    if beginning is not None:
        weights.put(network, beginning.values, () if beginning.keeps(values, names) else MobileNet.TOP)
    Classifying(network, values, MobileNet.TOP).fit(training, validation)
    facts = {"labels": names, "binary": binary, "interpolation": values["image_resize_interpolation"]}
    weights.save(work, network, facts)


def _demand(binary: bool, metric: str, names: list[str]) -> None:
    if binary and len(names) != 2:
        raise Refused(f"binary_mode=True is for two classes; the channel training has {len(names)}.")
    if not binary and metric != "accuracy":
        raise Refused(f"eval_metric={metric} is for binary_mode=True; without it eval_metric has to be accuracy.")
