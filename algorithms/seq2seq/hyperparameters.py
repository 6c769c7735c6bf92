"""The hyperparameters: docs.aws.amazon.com/sagemaker/latest/dg/seq-2-seq-hyperparameters.html and -tuning.html."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from algorithms.common.faults import UserError
from algorithms.common.hyperparameters import Categorical, Float, Hyperparameter, Integer, Interval, Switch, Tunable

POSITIVE, ABOVE_ZERO, UNIT = Interval(1), Interval(0, open_low=True), Interval(0, 1)
RNN, CNN, LSTM, GRU = "rnn", "cnn", "lstm", "gru"
PERPLEXITY, ACCURACY, BLEU = "perplexity", "accuracy", "bleu"
PLATEAU, INV_T, INV_SQRT_T = "plateau_reduce", "fixed_rate_inv_t", "fixed_rate_inv_sqrt_t"
HALF = Tunable(0.0, 0.5)
SIZES = tuple(str(128 << n) for n in range(5))


@dataclass(frozen=True)
class Even(Integer):
    """A positive number that both directions of an encoder share."""

    range: Interval = POSITIVE

    def valid(self) -> list[str]:
        return ["2", "128"]

    def invalid(self) -> list[str]:
        return ["0", "-2", "3", "1.5", "many", ""]

    def says(self) -> str:
        return "positive and even"

    def _holds(self, value: Any) -> bool:
        return value in self.range and value % 2 == 0


NETWORK: tuple[Hyperparameter, ...] = (
    Categorical("encoder_type", range=(RNN, CNN), default=RNN),
    Categorical("decoder_type", range=(RNN, CNN), default=RNN),
    Integer("num_layers_encoder", range=POSITIVE, default=1, tunable=Tunable(1, 10)),
    Integer("num_layers_decoder", range=POSITIVE, default=1, tunable=Tunable(1, 10)),
    Integer("num_embed_source", range=POSITIVE, default=512, tunable=Tunable(256, 512)),
    Integer("num_embed_target", range=POSITIVE, default=512, tunable=Tunable(256, 512)),
    Float("embed_dropout_source", range=UNIT, default=0.0, tunable=HALF),
    Float("embed_dropout_target", range=UNIT, default=0.0, tunable=HALF),
    Integer("max_seq_len_source", range=POSITIVE, default=100, remark="what is longer is cut off"),
    Integer("max_seq_len_target", range=POSITIVE, default=100, remark="what is longer is cut off"),
    Categorical("rnn_cell_type", range=(LSTM, GRU), default=LSTM),
    Even("rnn_num_hidden", default=1024, tunable=Tunable(words=SIZES)),
    Categorical("rnn_attention_type", range=("dot", "fixed", "mlp", "bilinear"), default="mlp",
                remark="fixed is the encoder's last state"),
    Integer("rnn_attention_num_hidden", range=POSITIVE, remark="without one: rnn_num_hidden"),
    Switch("rnn_attention_in_upper_layers", default=True, remark="of a decoder with several layers"),
    Categorical("rnn_decoder_state_init", range=("last", "avg", "zero"), default="last"),
    Float("rnn_decoder_hidden_dropout", range=UNIT, default=0.0, tunable=HALF),
    Switch("rnn_residual_connections", default=False),
    Integer("rnn_first_residual_layer", range=POSITIVE, default=2),
    Categorical("cnn_activation_type", range=("glu", "relu", "softrelu", "sigmoid", "tanh"), default="glu"),
    Integer("cnn_num_hidden", range=POSITIVE, default=512, tunable=Tunable(words=SIZES)),
    Float("cnn_hidden_dropout", range=UNIT, default=0.0, tunable=HALF),
    Integer("cnn_kernel_width_encoder", range=POSITIVE, default=3),
    Integer("cnn_kernel_width_decoder", range=POSITIVE, default=5),
)  # fmt: skip
"""Those that shape the network: its model keeps them."""

TRAINING: tuple[Hyperparameter, ...] = (
    Integer("batch_size", range=POSITIVE, default=64, tunable=Tunable(words=tuple(str(16 << n) for n in range(8)))),
    Integer("beam_size", range=POSITIVE, default=5, remark="of bleu, and of answers that are not told another"),
    Integer("bleu_sample_size", default=0, remark="pairs of the validation channel; below 0 all, 0 none"),
    Switch("bucketing_enabled", default=True),
    Integer("bucket_width", range=POSITIVE, default=10),
    Integer("checkpoint_frequency_num_batches", range=POSITIVE, default=1000, remark="and after the last batch"),
    Integer("checkpoint_threshold", range=POSITIVE, default=3, remark="so many checkpoints without a better one stop"),
    Float("clip_gradient", default=1.0, tunable=Tunable(1.0, 5.0), remark="of each number; below 0: none"),
    Integer("fixed_rate_lr_half_life", range=POSITIVE, default=10, tunable=Tunable(10, 30), remark="in checkpoints"),
    Float("learning_rate", range=ABOVE_ZERO, default=0.0003, tunable=Tunable(0.00005, 0.2)),
    Categorical("loss_type", range=("cross-entropy",), default="cross-entropy"),
    Categorical("lr_scheduler_type", range=(PLATEAU, INV_T, INV_SQRT_T), default=PLATEAU,
                tunable=Tunable(words=(PLATEAU, INV_T, INV_SQRT_T))),
    Integer("max_num_batches", default=-1, remark="below 0: as many as it takes"),
    Integer("max_num_epochs", range=POSITIVE, remark="without one: as many as it takes"),
    Integer("min_num_epochs", range=Interval(0), default=0, remark="before it stops early"),
    Float("momentum", range=Interval(0), tunable=Tunable(0.5, 0.9), remark="of sgd"),
    Categorical("optimized_metric", range=(PERPLEXITY, ACCURACY, BLEU), default=PERPLEXITY),
    Categorical("optimizer_type", range=("adam", "sgd", "rmsprop"), default="adam",
                tunable=Tunable(words=("adam", "sgd", "rmsprop"))),
    Float("plateau_reduce_lr_factor", range=ABOVE_ZERO, default=0.5, tunable=Tunable(0.1, 0.5)),
    Integer("plateau_reduce_lr_threshold", range=POSITIVE, default=3, tunable=Tunable(1, 5)),
    Categorical("training_metric", range=(PERPLEXITY, ACCURACY), default=PERPLEXITY, remark="shown of the batches"),
    Float("weight_decay", range=Interval(0), default=0.0, tunable=Tunable(0.0, 0.1)),
    Categorical("weight_init_type", range=("uniform", "xavier"), default="xavier",
                tunable=Tunable(words=("xavier", "uniform"))),
    Float("weight_init_scale", default=2.34, tunable=Tunable(2.0, 3.0), remark="of uniform from -1 to 1"),
    Categorical("xavier_factor_type", range=("in", "out", "avg"), default="in"),
)  # fmt: skip
DECLARED = NETWORK + TRAINING


def epochs_in_order(values: Mapping[str, Any]) -> None:
    """min_num_epochs: "integer <= max_num_epochs"."""
    most = values.get("max_num_epochs")
    if most is not None and values.get("min_num_epochs", 0) > most:
        raise UserError(f"min_num_epochs is {values['min_num_epochs']}, and may not be above max_num_epochs, {most}.")


def xavier_has_a_scale(values: Mapping[str, Any]) -> None:
    """Its square root is taken."""
    scale = values.get("weight_init_scale", 2.34)
    if scale <= 0 and values.get("weight_init_type", "xavier") == "xavier":
        raise UserError(f"weight_init_scale is {scale}: of weight_init_type xavier it is to be above 0.")


CHECKS = (epochs_in_order, xavier_has_a_scale)
