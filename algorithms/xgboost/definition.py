"""XGBoost's container as a definition, for whoever asks what it takes: its words and its ways are its own."""

from __future__ import annotations

from algorithms.first_party.definition import Definition
from algorithms.xgboost import hyperparameters
from algorithms.xgboost.train import CHANNELS

DEFINITION = Definition(
    title="XGBoost",
    hyperparameters=hyperparameters.DECLARED,
    channels=CHANNELS,
    formats=("text/libsvm", "text/csv", "application/x-parquet", "application/x-recordio-protobuf"),
    checks=hyperparameters.CHECKS,
    checkpoints=True,
)
