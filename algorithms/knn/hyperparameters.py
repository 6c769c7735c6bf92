"""k-NN's hyperparameters: docs.aws.amazon.com/sagemaker/latest/dg/kNN_hyperparameters.html and k-nn-tuning.html."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from algorithms.common.faults import UserError
from algorithms.common.hyperparameters import Categorical, Hyperparameter, Integer, Interval, Tunable

FLAT, IVF_FLAT, IVF_PQ = "faiss.Flat", "faiss.IVFFlat", "faiss.IVFPQ"
SUBVECTORS = (1, 2, 3, 4, 8, 12, 16, 20, 24, 28, 32, 40, 48, 56, 64, 96)

DECLARED: tuple[Hyperparameter, ...] = (
    Integer("feature_dim", required=True, auto=True, range=Interval(1), remark="the number of features"),
    Integer("k", required=True, range=Interval(1), tunable=Tunable(1, 1024), remark="the neighbours that decide"),
    Categorical("predictor_type", required=True, range=("classifier", "regressor")),
    Integer("sample_size", required=True, range=Interval(1), tunable=Tunable(256, 20_000_000),
            remark="the records that are kept"),
    Integer("dimension_reduction_target", range=Interval(1), remark="with dimension_reduction_type"),
    Categorical("dimension_reduction_type", range=("sign", "fjlt")),
    Integer("faiss_index_ivf_nlists", range=Interval(1), default="auto", auto=True,
            remark="lists of an IVF index; auto: the square root of sample_size"),
    Categorical("faiss_index_pq_m", range=tuple(map(str, SUBVECTORS)), remark="parts of a vector in an IVFPQ index"),
    Categorical("index_metric", range=("L2", "INNER_PRODUCT", "COSINE"), default="L2"),
    Categorical("index_type", range=(FLAT, IVF_FLAT, IVF_PQ), default=FLAT),
    Integer("mini_batch_size", range=Interval(1), default=5000),
)  # fmt: skip


def reduction_is_whole(values: Mapping[str, Any]) -> None:
    """A kind of reduction has a target, below the number of features."""
    if "dimension_reduction_type" not in values:
        return
    target, width = values.get("dimension_reduction_target"), values["feature_dim"]
    if target is None:
        raise UserError(
            "dimension_reduction_type is set, but dimension_reduction_target is not: it must be an integer greater "
            "than 0 and less than feature_dim."
        )
    if isinstance(width, int) and target >= width:
        raise UserError(f"dimension_reduction_target is {target}; it must be less than feature_dim, which is {width}.")


def parts_are_told(values: Mapping[str, Any]) -> None:
    """An IVFPQ index has a number of parts, and knows one metric."""
    if values.get("index_type") != IVF_PQ:
        return
    if "faiss_index_pq_m" not in values:
        raise UserError(f"index_type {IVF_PQ} needs faiss_index_pq_m, one of {', '.join(map(str, SUBVECTORS))}.")
    if values.get("index_metric", "L2") != "L2":
        raise UserError(f"index_type {IVF_PQ} does not take index_metric {values['index_metric']}: it must be L2.")


CHECKS = (reduction_is_whole, parts_are_told)


def whole_parts(width: int, values: Mapping[str, Any]) -> int:
    """The smallest number of dimensions from `width` on that falls into the equal parts of an IVFPQ index."""
    parts = int(values["faiss_index_pq_m"]) if values["index_type"] == IVF_PQ else 1
    return -(-width // parts) * parts
