"""The hyperparameters: docs.aws.amazon.com/sagemaker/latest/dg/lda_hyperparameters.html, lda-tuning.html."""

from __future__ import annotations

from algorithms.common.hyperparameters import Float, Hyperparameter, Integer, Interval, Tunable

POSITIVE = Interval(0, open_low=True)

DECLARED: tuple[Hyperparameter, ...] = (
    Integer("num_topics", required=True, range=Interval(1), tunable=Tunable(1, 150)),
    Integer("feature_dim", required=True, range=Interval(1), remark="the number of words"),
    Integer("mini_batch_size", required=True, range=Interval(1), remark="the number of documents; all are used anyway"),
    Float("alpha0", range=POSITIVE, default=1.0, tunable=Tunable(0.1, 10), remark="the sum of the Dirichlet prior"),
    Integer("max_restarts", range=Interval(1), default=10, remark="of the decomposition"),
    Integer("max_iterations", range=Interval(1), default=1000, remark="of each of its starts"),
    Float("tol", range=POSITIVE, default=1e-8, remark="the change of its error that is none"),
)
