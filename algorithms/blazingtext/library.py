"""Training by floret, a maintained fork of fastText whose file differs, so that only its matrices are taken over."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from algorithms.blazingtext import fasttext_file as file
from algorithms.blazingtext.hyperparameters import CBOW, SUPERVISED
from algorithms.common.faults import UserError

REMEDY = "pip install 'sagelet[text]'"
LARGE = 20 << 20
"""Bytes of text from which all cores train: their order then decides a little, and no two models are quite the same."""


def floret() -> Any:
    """The library; UserError with what installs it."""
    try:
        import floret as library
    except ImportError as error:
        raise UserError(f"BlazingText needs floret, which is not installed: {REMEDY}") from error
    return library


def train(text: Path, values: Mapping[str, Any], epochs: int) -> tuple[Any, file.Stored]:
    """The library's model, and what is stored of it."""
    supervised = values["mode"] == SUPERVISED
    ngrams = values["word_ngrams"] if supervised else 1
    subwords = not supervised and values["subwords"]
    given = {
        "lr": values["learning_rate"], "dim": values["vector_dim"], "epoch": epochs, "minCount": values["min_count"],
        "bucket": values["buckets"] if ngrams > 1 or subwords else 0, "wordNgrams": ngrams,
        "minn": values["min_char"] if subwords else 0, "maxn": values["max_char"] if subwords else 0,
        "thread": (os.cpu_count() or 1) if text.stat().st_size > LARGE else 1, "verbose": 0,
    }  # fmt: skip
    try:
        if supervised:
            model = floret().train_supervised(str(text), loss="softmax", **given)
        else:
            kind = "cbow" if values["mode"] == CBOW else "skipgram"
            more = {"ws": values["window_size"], "neg": values["negative_samples"], "t": values["sampling_threshold"]}
            model = floret().train_unsupervised(str(text), model=kind, loss="ns", **given, **more)
    except (RuntimeError, ValueError) as error:
        raise UserError(_explained(error, values)) from error
    return model, _stored(model, values, given)


def _explained(error: Exception, values: Mapping[str, Any]) -> str:
    said = str(error).strip()
    if "Empty vocabulary" in said:
        return f"No word occurs {values['min_count']} times, as min_count demands: lower it, or give more text ({said})"
    if "NaN" in said:
        return f"The training has diverged. Lower learning_rate, which is {values['learning_rate']}. ({said})"
    return f"The training failed: {said}"


def _stored(model: Any, values: Mapping[str, Any], given: Mapping[str, Any]) -> file.Stored:
    supervised = values["mode"] == SUPERVISED
    words, word_counts = model.get_words(include_freq=True)
    labels, label_counts = model.get_labels(include_freq=True) if supervised else ([], [])
    kind = file.SUPERVISED if supervised else file.CBOW if values["mode"] == CBOW else file.SKIPGRAM
    arguments = file.Arguments(
        dim=given["dim"], ws=values["window_size"], epoch=given["epoch"], min_count=given["minCount"],
        neg=values["negative_samples"], word_ngrams=given["wordNgrams"],
        loss=file.SOFTMAX if supervised else file.NEGATIVE_SAMPLING, model=kind, bucket=given["bucket"],
        minn=given["minn"], maxn=given["maxn"], t=values["sampling_threshold"],
    )  # fmt: skip
    counts = [int(count) for count in word_counts], [int(count) for count in label_counts]
    return file.Stored(
        arguments, words, counts[0], labels, counts[1], model.get_input_matrix(), model.get_output_matrix()
    )
