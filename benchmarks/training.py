"""What training takes by a job, against the library called directly with the same data, parameters and seed."""

from __future__ import annotations

import contextlib
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass, replace
from pathlib import Path

from benchmarks import servers, tabular
from benchmarks.rows import Figures, boto
from benchmarks.tabular import CSV, Tabular

BUCKET = "learnt"
ROWS = 30_000
READ = """
import sys, pandas
train, test = (pandas.read_csv(f"{sys.argv[1]}/{name}/data.csv", header=None) for name in ("train", "validation"))
"""
XGBOOST = """
import xgboost
sets = [(xgboost.DMatrix(rows.iloc[:, 1:].to_numpy(), rows[0].to_numpy()), name)
        for rows, name in ((train, "train"), (test, "validation"))]
told = {"objective": "reg:squarederror", "max_depth": 6, "eta": 0.1, "seed": 0}
xgboost.train(told, sets[0][0], 100, evals=sets, verbose_eval=False).save_model(sys.argv[2] + ".json")
"""
LIGHTGBM = """
import lightgbm
sets = [lightgbm.Dataset(rows.iloc[:, 1:], rows[0]) for rows in (train, test)]
sets[1].reference = sets[0]
told = {"objective": "regression", "metric": "rmse", "learning_rate": 0.1, "num_leaves": 64, "feature_fraction": 0.9,
        "bagging_fraction": 0.9, "bagging_freq": 1, "max_depth": 6, "min_data_in_leaf": 3, "verbosity": -1}
lightgbm.train(told, sets[0], 100, valid_sets=[sets[1]]).save_model(sys.argv[2])
"""
CATBOOST = """
import catboost
sets = [catboost.Pool(rows.iloc[:, 1:], rows[0]) for rows in (train, test)]
made = catboost.CatBoostRegressor(iterations=100, learning_rate=0.1, depth=6, l2_leaf_reg=3, random_seed=1, verbose=0,
                                  sampling_frequency="PerTreeLevel", allow_writing_files=False)
made.fit(sets[0], eval_set=sets[1]).save_model(sys.argv[2])
"""
FAISS = """
import faiss
rows = train.iloc[:, 1:].to_numpy("float32", copy=True)
coarse = faiss.IndexFlatL2(rows.shape[1])
index = faiss.IndexIVFFlat(coarse, rows.shape[1], 500)
index.train(rows)
index.add(rows)
faiss.write_index(index, sys.argv[2])
"""


@dataclass(frozen=True)
class Learner:
    """A model to be trained by a job, and the script that trains it with the library alone."""

    model: Tabular
    script: str

    @property
    def title(self) -> str:
        return self.model.title


def _learner(title: str, script: str, channels: dict[str, str], **members: object) -> Learner:
    image, model_id = str(members.pop("image", "")), str(members.pop("model_id", ""))
    told = {name: str(value) for name, value in members.items()}
    unused = tabular.MODELS[0].predict
    return Learner(Tabular(title, image, told, unused, "", CSV, channels, CSV, model_id=model_id), script)


BOTH = {"train": "csv/train", "validation": "csv/validation"}
LEARNERS = (
    _learner(
        "XGBoost", XGBOOST, BOTH, image="sagemaker-xgboost:1.7-1", objective="reg:squarederror", num_round=100,
        max_depth=6, eta=0.1,
    ),
    _learner(
        "LightGBM", LIGHTGBM, {"training": "csv"}, model_id="lightgbm-regression-model", num_boost_round=100,
        early_stopping_rounds=100,
    ),
    _learner(
        "CatBoost", CATBOOST, {"training": "csv"}, model_id="catboost-regression-model", iterations=100,
        learning_rate=0.1, early_stopping_rounds=100,
    ),
    _learner(
        "k-NN (IVF by faiss)", FAISS, {"train": "csv/train"}, image="knn:1", k=10, predictor_type="regressor",
        feature_dim=tabular.FEATURES, sample_size=ROWS, index_type="faiss.IVFFlat", faiss_index_ivf_nlists=500,
    ),
)  # fmt: skip


class Trainings:
    """A server with the data in S3, after one job of each, and the same data in a folder."""

    def __init__(self, stack: contextlib.ExitStack, learners: tuple[Learner, ...] = LEARNERS) -> None:
        self.learners = learners
        self.folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        self.server = stack.enter_context(servers.sagelet(None, "--executor", "process"))
        servers.first_answers(self.server)
        s3 = boto(self.server.url, "s3")
        s3.create_bucket(Bucket=BUCKET)
        for key, content in tabular.objects(ROWS).items():
            s3.put_object(Bucket=BUCKET, Key=key, Body=content)
            (self.folder / key).parent.mkdir(parents=True, exist_ok=True)
            (self.folder / key).write_bytes(content)
        self.number = 0
        self.around: dict[str, list[float]] = {learner.title: [] for learner in learners}
        for learner in learners:
            self._job(learner)
            self.around[learner.title].clear()

    def measure(self) -> list[Figures]:
        """Seconds of the phase Training of each job, which is the program from its start to its end, and of the script
        as a process. What the rest of the job took is remembered."""
        return [(self._job(learner), self._bare(learner)) for learner in self.learners]

    def overhead(self) -> str:
        """What a job takes besides its training."""
        return ", ".join(f"{title} {statistics.median(found):.2f} s" for title, found in self.around.items())

    def _job(self, learner: Learner) -> float:
        self.number += 1
        model = replace(learner.model, title=f"{self.number} {learner.title.partition(' ')[0]}")
        job = tabular.train(model, self.server.url, BUCKET)
        whole = (job["LastModifiedTime"] - job["CreationTime"]).total_seconds()
        [phase] = [t for t in job["SecondaryStatusTransitions"] if t["Status"] == "Training"]
        seconds: float = (phase["EndTime"] - phase["StartTime"]).total_seconds()
        self.around[learner.title].append(whole - seconds)
        return seconds

    def _bare(self, learner: Learner) -> float:
        script = self.folder / "bare.py"
        script.write_text(READ + learner.script)
        command = [sys.executable, str(script), str(self.folder / "csv"), str(self.folder / "model")]
        began = time.perf_counter()
        subprocess.run(command, check=True, capture_output=True)
        return time.perf_counter() - began
