"""The tabular models that are served: what each is trained on, how it is asked, and its own predict in this process."""

from __future__ import annotations

import importlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from benchmarks.jobs import request, settle
from benchmarks.rows import boto

REGISTRY = "123456789012.dkr.ecr.us-east-1.amazonaws.com"
JUMPSTART = "jumpstart-cache-prod-us-east-1"
ROWS, FEATURES = 10_000, 20
CSV, JSON, RECORDIO = "text/csv", "application/json", "application/x-recordio-protobuf"

Predict = Callable[[], Any]


@dataclass(frozen=True)
class Tabular:
    """A model: the image and what its training takes; `predict` makes of the folder of the artifact a function that
    predicts the one record which `body` asks for. `job` are members of CreateTrainingJob that differ."""

    title: str
    image: str
    hyperparameters: Mapping[str, str]
    predict: Callable[[Path], Predict]
    body: str
    content_type: str = CSV
    channels: Mapping[str, str] = field(default_factory=lambda: {"train": "rows"})
    """By the channel's name: the key below which its data lie (`objects`)."""
    takes: str = RECORDIO
    spread: str = "FullyReplicated"
    """S3DataDistributionType, of which some algorithms take only one."""
    model_id: str = ""
    """Of JumpStart."""

    @property
    def name(self) -> str:
        """Of its job and its endpoint."""
        return self.title.lower().replace(" ", "-")


def record() -> list[float]:
    """The one that every endpoint but that of IP Insights is asked for."""
    return [round(0.31 + 0.02 * number, 2) for number in range(FEATURES)]


def _own(name: str, rows: Callable[[], Any]) -> Callable[[Path], Predict]:
    """`predict` of our own model, as its serving calls it."""

    def made(folder: Path) -> Predict:
        model = importlib.import_module(f"algorithms.{name}.serve").load(folder)
        asked = rows()
        return lambda: model.predict(asked)

    return made


def _dense() -> Any:
    import numpy

    return numpy.array([record()], numpy.float32)


def _pair() -> Any:
    import numpy

    return numpy.array([[7, 0x0A000007]], numpy.int64)


def _xgboost(folder: Path) -> Predict:
    import xgboost

    booster = xgboost.Booster({"nthread": 1}, model_file=str(folder / "xgboost-model"))
    row = _dense()
    return lambda: booster.predict(xgboost.DMatrix(row, nthread=1))


def _lightgbm(folder: Path) -> Predict:
    import lightgbm

    booster = lightgbm.Booster(model_file=str(folder / "model.txt"))
    row = _dense()
    return lambda: booster.predict(row, num_threads=1)


_LINE = ",".join(map(str, record()))
_INSTANCE = json.dumps({"instances": [{"features": record()}]})
_WIDTH = {"feature_dim": str(FEATURES)}


def _first_party(title: str, name: str, repository: str, body: str = _LINE, **parameters: str) -> Tabular:
    form = CSV if body == _LINE else JSON
    spread = "ShardedByS3Key" if name == "random_cut_forest" else "FullyReplicated"
    return Tabular(title, f"{repository}:1", {**_WIDTH, **parameters}, _own(name, _dense), body, form, spread=spread)


MODELS = (
    Tabular(
        "XGBoost", "sagemaker-xgboost:1.7-1", {"num_round": "50", "objective": "reg:squarederror"}, _xgboost, _LINE,
        channels={"train": "csv/train"}, takes=CSV,
    ),
    _first_party("Linear Learner", "linear_learner", "linear-learner", predictor_type="regressor", epochs="2"),
    _first_party("K-Means", "kmeans", "kmeans", k="10"),
    _first_party("k-NN", "knn", "knn", k="10", predictor_type="regressor", sample_size=str(ROWS)),
    _first_party("Random Cut Forest", "random_cut_forest", "randomcutforest"),
    _first_party("PCA", "pca", "pca", num_components="5", mini_batch_size="500"),
    _first_party(
        "Factorization Machines", "factorization_machines", "factorization-machines", _INSTANCE,
        num_factors="8", predictor_type="regressor", epochs="1",
    ),
    Tabular(
        "IP Insights", "ipinsights:1", {"num_entity_vectors": "1000", "vector_dim": "64", "epochs": "1"},
        _own("ipinsights", _pair), "user7,10.0.0.7", channels={"train": "pairs"}, takes=CSV,
    ),
    Tabular(
        "LightGBM", "", {}, _lightgbm, _LINE, channels={"training": "csv"}, takes=CSV,
        model_id="lightgbm-regression-model",
    ),
)  # fmt: skip


def objects(count: int = ROWS) -> dict[str, bytes]:
    """What the models are trained on, by key: so many rows, of which a tenth is there to validate with too."""
    import numpy

    from algorithms.common import recordio

    chance = numpy.random.default_rng(0)
    rows = chance.uniform(size=(count, FEATURES)).round(4)
    target = (rows @ chance.normal(size=FEATURES) + rows[:, 0] * rows[:, 1]).round(4)
    lines = [",".join(map(str, row)) + "\n" for row in numpy.column_stack([target, rows]).tolist()]
    pairs = [f"user{chance.integers(1000)},10.0.{chance.integers(8)}.{chance.integers(256)}\n" for _ in range(5000)]
    return {
        "rows/rows": recordio.write_features(rows.astype("f4"), target.astype("f4")),
        "csv/train/data.csv": "".join(lines).encode(),
        "csv/validation/data.csv": "".join(lines[: count // 10]).encode(),
        "pairs/pairs.csv": "".join(pairs).encode(),
    }


def train(model: Tabular, url: str, bucket: str) -> dict[str, Any]:
    """The description of a finished training job of it; the data lie in the bucket."""
    image, _, parameters = images(model, url)
    channels = [
        {
            "ChannelName": channel, "ContentType": model.takes,
            "DataSource": {"S3DataSource": {
                "S3DataType": "S3Prefix", "S3Uri": f"s3://{bucket}/{key}", "S3DataDistributionType": model.spread,
            }},
        }
        for channel, key in model.channels.items()
    ]  # fmt: skip
    members = {"HyperParameters": parameters, "InputDataConfig": channels}
    client = boto(url, "sagemaker")
    client.create_training_job(**request(model.name, bucket, image, **members))
    return settle(client, model.name, pause=0.5)


def images(model: Tabular, url: str) -> tuple[str, str, dict[str, str]]:
    """The images that train and serve it, and its hyperparameters."""
    if not model.model_id:
        return f"{REGISTRY}/{model.image}", f"{REGISTRY}/{model.image}", dict(model.hyperparameters)
    s3 = boto(url, "s3")

    def read(key: str) -> Any:
        return json.loads(s3.get_object(Bucket=JUMPSTART, Key=key)["Body"].read())

    [row] = [row for row in read("models_manifest.json") if row["model_id"] == model.model_id]
    spec = read(row["spec_key"])
    both = [
        spec[f"{scope}_instance_type_variants"]["variants"]["m5"]["properties"]["image_uri"]
        for scope in ("training", "hosting")
    ]
    given = {one["name"]: str(one["default"]) for one in spec["hyperparameters"] if one["scope"] == "algorithm"}
    script = f"s3://{JUMPSTART}/{spec['training_script_key']}"
    code = {"sagemaker_program": "transfer_learning.py", "sagemaker_submit_directory": script}
    return both[0], both[1], {**given, **code, **model.hyperparameters}
