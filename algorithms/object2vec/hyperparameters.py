"""The hyperparameters: docs.aws.amazon.com/sagemaker/latest/dg/object2vec-hyperparameters.html and -tuning.html."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from algorithms.common.faults import UserError
from algorithms.common.hyperparameters import (
    Categorical,
    Float,
    Hyperparameter,
    Integer,
    Interval,
    Switch,
    Tunable,
    Words,
)
from algorithms.first_party import wording

HCNN, BILSTM, POOLED, SAME = "hcnn", "bilstm", "pooled_embedding", "enc0"
COMPARATORS = ("hadamard", "concat", "abs_diff")
SOFTMAX, REGRESSION = "softmax", "mean_squared_error"
DENSE, ROW_SPARSE = "dense", "row_sparse"
OPTIMIZERS = ("adadelta", "adagrad", "adam", "sgd", "rmsprop")
SPARSE_OPTIMIZERS = ("adam", "adagrad", "sgd")
ACTIVATIONS = ("tanh", "relu", "linear")
LONGEST = 5000
FILE_NAME = re.compile(r"[A-Za-z0-9._-]*")
"""The guide's characters, and the hyphen, which the file of its own notebook has (glove.840B-trim.txt)."""


@dataclass(frozen=True)
class FileName(Hyperparameter):
    """The name of a file of the auxiliary channel; empty for none."""

    def valid(self) -> list[str]:
        return ["", "vocab.json", "glove.840B-trim.txt"]

    def invalid(self) -> list[str]:
        return ["folder/file", "a b", "vocab.json\n"]

    def says(self) -> str:
        return "of letters, digits, underscores, periods and hyphens"

    def _holds(self, value: Any) -> bool:
        return FILE_NAME.fullmatch(value) is not None


def _encoder(name: str, networks: tuple[str, ...], first: bool) -> tuple[Hyperparameter, ...]:
    """Those of one encoder."""
    needed = "" if first else "needed unless enc1_network is enc0"
    return (
        Integer(f"{name}_max_seq_len", required=first, range=Interval(1, LONGEST),
                remark=needed or "of longer sequences, the beginning is taken"),
        Integer(f"{name}_vocab_size", required=first, range=Interval(2, 3_000_000), remark=needed),
        Categorical(f"{name}_network", range=networks, default=networks[0],
                    remark="" if first else "enc0: the same encoder for both, the other enc1_* have no effect"),
        Integer(f"{name}_cnn_filter_width", range=Interval(1, 9), default=3, tunable=Tunable(1, 5), remark="of hcnn"),
        Switch(f"{name}_freeze_pretrained_embedding", default=True),
        Integer(f"{name}_layers", range=Interval(1, 4), default="auto", auto=True, tunable=Tunable(1, 4),
                remark="auto is 4 of hcnn, 1 of bilstm; pooled_embedding has none"),
        FileName(f"{name}_pretrained_embedding_file", default="", remark="a word and its numbers a line"),
        Integer(f"{name}_token_embedding_dim", range=Interval(2, 1000), default=300, tunable=Tunable(5, 300),
                remark="pooled_embedding takes enc_dim instead"),
        FileName(f"{name}_vocab_file", default="", remark="JSON: the number of each word"),
    )  # fmt: skip


NETWORKS = (HCNN, BILSTM, POOLED)
DECLARED: tuple[Hyperparameter, ...] = (
    *_encoder("enc0", NETWORKS, first=True),
    *_encoder("enc1", (SAME, *NETWORKS), first=False),
    Integer("enc_dim", range=Interval(4, 10000), default=4096, tunable=Tunable(4, 4096)),
    Integer("bucket_width", range=Interval(0, 100), default=0, remark="batches of like lengths; 0: of any"),
    Words("comparator_list", range=COMPARATORS, default=COMPARATORS, remark="in this order"),
    Float("dropout", range=Interval(0.0, 1.0), default=0.0, tunable=Tunable(0.0, 1.0)),
    Integer("early_stopping_patience", range=Interval(1, 5), default=3, tunable=Tunable(1, 5),
            remark="so many epochs without improvement end the training"),
    Float("early_stopping_tolerance", range=Interval(0.000001, 0.1), default=0.01, tunable=Tunable(0.001, 0.1),
          remark="what the loss must fall by to have improved"),
    Integer("epochs", range=Interval(1, 100), default=30, tunable=Tunable(4, 20)),
    Float("learning_rate", range=Interval(1e-6, 1.0), default=0.0004, tunable=Tunable(1e-6, 1.0, "Logarithmic"),
          remark="not of adadelta"),
    Integer("mini_batch_size", range=Interval(1, 10000), default=32, tunable=Tunable(1, 8192)),
    Categorical("mlp_activation", range=ACTIVATIONS, default="linear", tunable=Tunable(words=ACTIVATIONS)),
    Integer("mlp_dim", range=Interval(2, 10000), default=512, tunable=Tunable(16, 1024)),
    Integer("mlp_layers", range=Interval(0, 10), default=2, tunable=Tunable(1, 4)),
    Integer("negative_sampling_rate", range=Interval(0), default=0,
            remark="pairs with the in1 of another record, label 0, drawn for each record in each epoch"),
    Integer("num_classes", range=Interval(2, 30), default=2, remark="of softmax"),
    Categorical("optimizer", range=OPTIMIZERS, default="adam", tunable=Tunable(words=OPTIMIZERS)),
    Categorical("output_layer", range=(SOFTMAX, REGRESSION), default=SOFTMAX),
    Switch("tied_token_embedding_weight", default=False),
    Categorical("token_embedding_storage_type", range=(DENSE, ROW_SPARSE), default=DENSE,
                remark="row_sparse: only the rows of a batch's tokens are moved; of adam, adagrad and sgd"),
    Float("weight_decay", range=Interval(0.0, 10000.0), default=0.0, tunable=Tunable(0.0, 1.0)),
)  # fmt: skip


def second_encoder_is_told(values: Mapping[str, Any]) -> None:
    """An encoder of its own needs its sizes."""
    if values.get("enc1_network", SAME) == SAME:
        return
    if missing := [name for name in ("enc1_max_seq_len", "enc1_vocab_size") if name not in values]:
        raise UserError(wording.SCHEMA.missing(missing))


def sparse_rows_can_be_moved(values: Mapping[str, Any]) -> None:
    """The guide: "The optimizer hyperparameter must be set to adam, adagrad, or sgd"."""
    optimizer = values.get("optimizer", "adam")
    if values.get("token_embedding_storage_type") == ROW_SPARSE and optimizer not in SPARSE_OPTIMIZERS:
        raise UserError(
            f"token_embedding_storage_type 'row_sparse' cannot be trained with the optimizer '{optimizer}': "
            f"set optimizer to one of {', '.join(SPARSE_OPTIMIZERS)}, or token_embedding_storage_type to 'dense'."
        )


def words_are_numbered(values: Mapping[str, Any]) -> None:
    """Embeddings are of words; which token is which word, the vocabulary says."""
    for name in encoders(values):
        if values.get(f"{name}_pretrained_embedding_file") and not values.get(f"{name}_vocab_file"):
            raise UserError(
                f"{name}_pretrained_embedding_file is given without {name}_vocab_file, which says the token of each "
                'word: name a file of the auxiliary channel with a JSON object such as {"word": 0}.'
            )


def encoders(values: Mapping[str, Any]) -> tuple[str, ...]:
    """The names of the encoders that there are."""
    return ("enc0",) if values.get("enc1_network", SAME) == SAME else ("enc0", "enc1")


CHECKS = (second_encoder_is_told, sparse_rows_can_be_moved, words_are_numbered)
