"""Train a text encoder on `data.csv`."""

from __future__ import annotations

from pathlib import Path

import pieces
import sentences
import torch
from common import model
from common.failing import Refused
from encoder import Encoder
from networks import optimizers, weights
from networks.classifying import Classifying
from networks.start import Work
from networks.training import SEED
from networks.weights import Beginning
from pieces import Pieces


def fit(work: Work) -> None:
    """Read, begin, train, save."""
    values, form = optimizers.still_rmsprop(work.values), work.told["network"]
    beginning = weights.given(work)
    weights.demand_learned(values, beginning is not None)
    classes, training, validation = sentences.read(values)
    cutting = _pieces(beginning, training, form["lower"])
    torch.manual_seed(SEED)
    network = Encoder(form, len(cutting.vocabulary), len(classes), values["dropout_rate"])
    if beginning is not None:
        weights.put(network, beginning.values, () if beginning.keeps(values, classes) else Encoder.TOP)
    texts = [sentences.Texts([cutting.numbers(text) for _, text in rows], [place for place, _ in rows])
             for rows in (training, validation)]  # fmt: skip
    Classifying(network, values, Encoder.TOP).fit(*texts)
    cutting.save(model.folder())
    weights.save(work, network, {"labels": classes})


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
