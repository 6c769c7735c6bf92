"""Random Cut Forest's hyperparameters: docs.aws.amazon.com/sagemaker/latest/dg/rcf_hyperparameters.html and -tuning."""

from __future__ import annotations

from algorithms.common.hyperparameters import Hyperparameter, Integer, Interval, Tunable, Words

ACCURACY, PRECISION_RECALL = "accuracy", "precision_recall_fscore"

DECLARED: tuple[Hyperparameter, ...] = (
    Integer("feature_dim", required=True, range=Interval(1, 10000), remark="the number of features"),
    Words("eval_metrics", range=(ACCURACY, PRECISION_RECALL), default=(ACCURACY, PRECISION_RECALL),
          remark="computed of the test channel"),
    Integer("num_samples_per_tree", range=Interval(1, 2048), default=256, tunable=Tunable(1, 2048),
            remark="records a tree, fewer when there are too few"),
    Integer("num_trees", range=Interval(50, 1000), default=100, tunable=Tunable(50, 1000)),
    Integer("mini_batch_size", range=Interval(1), default=1000),
)  # fmt: skip
