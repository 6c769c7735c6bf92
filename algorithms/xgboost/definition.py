"""XGBoost's container as a definition, for whoever asks what it takes: its words and its ways are its own."""

from __future__ import annotations

from algorithms.common.channels import Channel
from algorithms.first_party.definition import MODEL_CHANNEL, Definition
from algorithms.xgboost import data, hyperparameters

DEFINITION = Definition(
    title="XGBoost",
    hyperparameters=hyperparameters.DECLARED,
    channels=(
        Channel("train", required=True, piped=data.PIPED),
        Channel("validation", piped=data.PIPED),
        Channel("code"),
        Channel(MODEL_CHANNEL),
    ),
    formats=("text/libsvm", "text/csv", "application/x-parquet", "application/x-recordio-protobuf"),
    checks=hyperparameters.CHECKS,
    checkpoints=True,
)
