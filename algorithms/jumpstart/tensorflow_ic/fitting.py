"""Train a MobileNetV2 on folders of pictures."""

from __future__ import annotations

import json
from typing import Any

import folders
import torch
from networks import images, weights
from networks.classifying import SEED, Classifying
from networks.mobilenet import MobileNet
from networks.start import Work
from networks.weights import Beginning
from tabular import model
from tabular.failing import Refused

LABELS = "class_label_to_prediction_index.json"


def fit(work: Work) -> None:
    """Read, begin, train, save."""
    values, form = work.values, work.told["network"]
    images.demand(values["image_resize_interpolation"])
    beginning = weights.given(work)
    if beginning is None and values["train_only_on_top_layer"] == "True":
        raise Refused(
            "train_only_on_top_layer=True teaches the last layer of a network that has learned before, and this one "
            "begins by chance. Set it to False, or give a model in the channel model."
        )
    names, training, validation = folders.read(values, form["side"])
    binary = values["binary_mode"] == "True"
    _demand(binary, values["eval_metric"], names)
    torch.manual_seed(SEED)
    images.suit_threads(form["side"])
    network = MobileNet(form["width"], 1 if binary else len(names), values["dropout_rate"])
    if beginning is not None:
        weights.put(network, beginning.values, () if _keeps(beginning, values, names) else MobileNet.TOP)
    Classifying(network, values, MobileNet.TOP).fit(training, validation)
    told = {name: place for place, name in enumerate(names)}
    (model.folder() / LABELS).write_text(json.dumps(told), encoding="utf-8")
    weights.save(
        work,
        network,
        {"labels": names, "binary": binary, "interpolation": values["image_resize_interpolation"]},
    )


def _demand(binary: bool, metric: str, names: list[str]) -> None:
    if binary and len(names) != 2:
        raise Refused(f"binary_mode=True is for two classes; the channel training has {len(names)}.")
    if not binary and metric != "accuracy":
        raise Refused(f"eval_metric={metric} is for binary_mode=True; without it eval_metric has to be accuracy.")


def _keeps(beginning: Beginning, values: dict[str, Any], names: list[str]) -> bool:
    """Whether the last layer stays: Auto keeps it of a model of ours and makes it anew for a pretrained one."""
    wanted = values["reinitialize_top_layer"]
    if wanted == "True" or (wanted == "Auto" and beginning.facts is None):
        return False
    known = beginning.facts["labels"] if beginning.facts else names
    if known != names:
        raise Refused(
            f"The model in the channel model knows the classes {', '.join(known)}, and the data have "
            f"{', '.join(names)}. They have to be the same, or set reinitialize_top_layer to True."
        )
    return True
