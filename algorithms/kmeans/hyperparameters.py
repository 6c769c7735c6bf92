"""K-Means's hyperparameters: docs.aws.amazon.com/sagemaker/latest/dg/k-means-api-config.html, k-means-tuning.html."""

from __future__ import annotations

from algorithms.common.hyperparameters import Categorical, Float, Hyperparameter, Integer, Interval, Tunable, Words

INITS = ("random", "kmeans++")

DECLARED: tuple[Hyperparameter, ...] = (
    Integer("feature_dim", required=True, range=Interval(1), remark="the number of features"),
    Integer("k", required=True, range=Interval(2), remark="the number of clusters"),
    Integer("epochs", range=Interval(1), default=1, tunable=Tunable(1, 10)),
    Words("eval_metrics", range=("msd", "ssd"), default=("msd",), remark="computed of the test channel"),
    Integer("extra_center_factor", range=Interval(1), default="auto", auto=True, tunable=Tunable(4, 10),
            remark="as many centres as k times this are kept until the end"),
    Integer("half_life_time_size", range=Interval(0), default=0, remark="records after which a record counts half"),
    Categorical("init_method", range=INITS, default="random", tunable=Tunable(words=("kmeans++", "random"))),
    Categorical("local_lloyd_init_method", range=INITS, default="kmeans++"),
    Integer("local_lloyd_max_iter", range=Interval(1), default=300),
    Integer("local_lloyd_num_trials", range=Interval(1), default="auto", auto=True),
    Float("local_lloyd_tol", range=Interval(0, 1), default=0.0001),
    Integer("mini_batch_size", range=Interval(1), default=5000, tunable=Tunable(3000, 15000)),
    Categorical("force_dense", range=("true", "True", "false", "False"), default="true"),
)  # fmt: skip
