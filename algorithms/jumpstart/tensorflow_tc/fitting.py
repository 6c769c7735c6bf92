"""Train a text encoder on `data.csv`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pieces
import sentences
import torch
from encoder import Encoder
from networks import weights
from networks.classifying import SEED, Classifying
from networks.start import Work
from networks.weights import Beginning
from pieces import Pieces
from tabular import model
from tabular.failing import Refused

LABELS = "class_label_to_prediction_index.json"


def fit(work: Work) -> None:
    """Read, begin, train, save."""
    values, form = _plain(work.values), work.told["network"]
    beginning = weights.given(work)
    if beginning is None and values["train_only_on_top_layer"] == "True":
        raise Refused(
            "train_only_on_top_layer=True teaches the last layer of a network that has learned before, and this one "
            "begins by chance. Set it to False, or give a model in the channel model."
        )
    classes, training, validation = sentences.read(values)
    cutting = _pieces(beginning, training, form["lower"])
    torch.manual_seed(SEED)
    network = Encoder(form, len(cutting.vocabulary), len(classes), values["dropout_rate"])
    if beginning is not None:
        weights.put(network, beginning.values, () if _keeps(beginning, values, classes) else Encoder.TOP)
    texts = [sentences.Texts([cutting.numbers(text) for _, text in rows], [place for place, _ in rows])
             for rows in (training, validation)]  # fmt: skip
    Classifying(network, values, Encoder.TOP).fit(*texts)
    cutting.save(model.folder())
    told = {str(label): place for place, label in enumerate(classes)}
    (model.folder() / LABELS).write_text(json.dumps(told), encoding="utf-8")
    weights.save(work, network, {"labels": classes})


def _plain(values: dict[str, Any]) -> dict[str, Any]:
    """In this family `momentum` is of sgd and nesterov alone, says the developer guide."""
    return {**values, "momentum": 0.0} if values["optimizer"] == "rmsprop" else values


def _pieces(beginning: Beginning | None, rows: sentences.Rows, lower: bool) -> Pieces:
    """Those of the earlier model, else those that the training data teach."""
    if beginning is not None:
        path: Path | None = beginning.files.get(pieces.FILE)
        if path is None:
            raise Refused(f"The channel model has no {pieces.FILE}, without which its values say nothing of words.")
        return Pieces.of(path, lower)
    found = Pieces(pieces.learned((text for _, text in rows), lower), lower)
    print(f"A vocabulary of {len(found.vocabulary)} pieces was learned from the training data.", flush=True)
    return found


def _keeps(beginning: Beginning, values: dict[str, Any], classes: list[int]) -> bool:
    """Whether the last layer stays: Auto keeps it of a model of ours and makes it anew for a pretrained one."""
    wanted = values["reinitialize_top_layer"]
    if wanted == "True" or (wanted == "Auto" and beginning.facts is None):
        return False
    known = beginning.facts["labels"] if beginning.facts else classes
    if known != classes:
        raise Refused(
            f"The model in the channel model knows the classes {known}, and the data have {classes}. They have to be "
            "the same, or set reinitialize_top_layer to True."
        )
    return True
