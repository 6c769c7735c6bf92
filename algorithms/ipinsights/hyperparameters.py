"""The hyperparameters: docs.aws.amazon.com/sagemaker/latest/dg/ip-insights-hyperparameters.html and -tuning.html."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from algorithms.common.faults import UserError
from algorithms.common.hyperparameters import Float, Hyperparameter, Integer, Interval, Tunable

LARGEST = 8 << 30

DECLARED: tuple[Hyperparameter, ...] = (
    Integer("num_entity_vectors", required=True, range=Interval(1, 250_000_000), tunable=Tunable(10_000, 1_000_000),
            remark="entities are hashed into as many; twice their number is advised"),
    Integer("vector_dim", required=True, range=Interval(4, 4096), tunable=Tunable(8, 256)),
    Integer("batch_metrics_publish_interval", range=Interval(1), default=1000),
    Integer("epochs", range=Interval(1), default=10, tunable=Tunable(1, 100)),
    Float("learning_rate", range=Interval(1e-6, 10.0), default=0.001, tunable=Tunable(1e-4, 0.1, "Logarithmic")),
    Integer("mini_batch_size", range=Interval(1, 500_000), default=10_000, tunable=Tunable(100, 50_000)),
    Integer("num_ip_encoder_layers", range=Interval(0, 100), default=1, tunable=Tunable(1, 10)),
    Integer("random_negative_sampling_rate", range=Interval(0, 500), default=1, tunable=Tunable(0, 10),
            remark="addresses drawn at random for each pair"),
    Integer("shuffled_negative_sampling_rate", range=Interval(0, 500), default=1, tunable=Tunable(0, 10),
            remark="addresses of other pairs for each pair"),
    Float("weight_decay", range=Interval(0.0, 10.0), default=0.00001, tunable=Tunable(0.0, 1.0)),
)  # fmt: skip


def there_are_negatives(values: Mapping[str, Any]) -> None:
    """Without any, everything would go together."""
    names = ("random_negative_sampling_rate", "shuffled_negative_sampling_rate")
    if not any(values.get(name, 1) for name in names):
        raise UserError(f"{' and '.join(names)} are both 0: there would be nothing to tell the seen pairs from.")


def model_is_small_enough(values: Mapping[str, Any]) -> None:
    """ "The maximum supported model size is 8 GB" (developer guide, ip-insights.html)."""
    size = 4 * values["num_entity_vectors"] * values["vector_dim"]
    if size > LARGEST:
        raise UserError(
            f"num_entity_vectors {values['num_entity_vectors']} and vector_dim {values['vector_dim']} make a model of "
            f"{size / (1 << 30):.1f} GB. The maximum is {LARGEST >> 30} GB: lower one of them."
        )


CHECKS = (there_are_negatives, model_is_small_enough)
