"""What a network looks like, read from the hyperparameters, and as the artifact keeps it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from typing import Any

from algorithms.common.faults import UserError
from algorithms.object2vec.hyperparameters import (
    ACTIVATIONS,
    BILSTM,
    COMPARATORS,
    HCNN,
    NETWORKS,
    POOLED,
    REGRESSION,
    ROW_SPARSE,
    encoders,
)

AUTO_LAYERS = {HCNN: 4, BILSTM: 1, POOLED: 0}
INPUTS = ("in0", "in1")


@dataclass(frozen=True)
class Encoder:
    """One encoder; `dim` is that of its tokens, `width` that of a filter, `longest` the most tokens it is given."""

    network: str
    vocabulary: int
    dim: int
    layers: int
    width: int
    longest: int
    frozen: bool = False


@dataclass(frozen=True)
class Shape:
    """The whole: one encoder for both sides, or two, and what compares them. `outputs` is 1 of a regression."""

    encoders: tuple[Encoder, ...]
    enc_dim: int
    comparators: tuple[str, ...]
    mlp: tuple[int, int]
    activation: str
    outputs: int
    tied: bool = False
    dropout: float = 0.0
    sparse: bool = False

    @property
    def is_regression(self) -> bool:
        return self.outputs == 1

    def encoder(self, side: int) -> Encoder:
        """That of `in0` (0) or `in1` (1)."""
        return self.encoders[min(side, len(self.encoders) - 1)]

    @property
    def compared(self) -> int:
        """How many numbers the comparators give."""
        return sum(2 * self.enc_dim if name == "concat" else self.enc_dim for name in self.comparators)

    def told(self) -> dict[str, Any]:
        """As JSON can keep it."""
        return asdict(self)


def remembered(told: Mapping[str, Any]) -> Shape:
    """What `told` gave; ValueError, KeyError or TypeError for anything else."""
    found = dict(told)
    found["encoders"] = tuple(Encoder(**one) for one in found["encoders"])
    found["comparators"], found["mlp"] = tuple(found["comparators"]), tuple(found["mlp"])
    for given, known in ((found["comparators"], COMPARATORS), ((found["activation"],), ACTIVATIONS),
                         ([one.network for one in found["encoders"]], NETWORKS)):  # fmt: skip
        if unknown := set(given) - set(known):
            raise ValueError(f"{sorted(unknown)} is none of {known}")
    return Shape(**found)


def of(values: Mapping[str, Any], say: Callable[[str], None]) -> Shape:
    """The network that was asked for; `say` is told what is taken differently. UserError for what cannot be."""
    found = tuple(_encoder(name, values, say) for name in encoders(values))
    tied = bool(values["tied_token_embedding_weight"])
    if tied and len(found) == 2:
        _demand_alike(found)
    return Shape(
        found, values["enc_dim"], tuple(values["comparator_list"]), (values["mlp_layers"], values["mlp_dim"]),
        values["mlp_activation"], 1 if values["output_layer"] == REGRESSION else values["num_classes"], tied,
        values["dropout"], values["token_embedding_storage_type"] == ROW_SPARSE,
    )  # fmt: skip


def _encoder(name: str, values: Mapping[str, Any], say: Callable[[str], None]) -> Encoder:
    network, dim = values[f"{name}_network"], values[f"{name}_token_embedding_dim"]
    if network == POOLED and dim != values["enc_dim"]:
        # Words of the image: https://github.com/aws/sagemaker-python-sdk/issues/934
        say(
            "Inconsistent enc_dim and token_embedding_dim found for token-embedding-encoder: "
            f"{values['enc_dim']} vs {dim}. Setting token embedding dim to be {values['enc_dim']}"
        )
        dim = values["enc_dim"]
    layers = values[f"{name}_layers"]
    frozen = bool(values[f"{name}_pretrained_embedding_file"]) and values[f"{name}_freeze_pretrained_embedding"]
    return Encoder(
        network, values[f"{name}_vocab_size"], dim, AUTO_LAYERS[network] if layers == "auto" else layers,
        values[f"{name}_cnn_filter_width"], values[f"{name}_max_seq_len"], frozen,
    )  # fmt: skip


def _demand_alike(found: tuple[Encoder, ...]) -> None:
    for name, of_one in (("vocab_size", "vocabulary"), ("token_embedding_dim", "dim")):
        first, second = (getattr(one, of_one) for one in found)
        if first != second:
            raise UserError(
                f"tied_token_embedding_weight needs encoders whose tokens are the same, but enc0_{name} is {first} and "
                f"enc1_{name} is {second}: set them alike, or tied_token_embedding_weight to False."
            )
