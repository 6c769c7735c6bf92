"""What the flows of the SageMaker Python SDK 3.x have in common: a session, rows in S3, images, trained artifacts."""

from __future__ import annotations

import uuid
from pathlib import Path

import numpy as np
import sdk_stay  # noqa: F401, what leaves the machine is to be seen from here on
from sagemaker.core import image_uris
from sagemaker.core.helper.session_helper import Session, get_execution_role
from sagemaker.core.training.configs import Compute, InputData, SourceCode, StoppingCondition
from sagemaker.train import ModelTrainer

ROLE = get_execution_role()
SESSION = Session()
SOURCE = Path(__file__).parent / "sdk_source"
ROWS = np.column_stack([f := np.random.default_rng(5).uniform(-1, 1, (300, 3)).round(4), f @ [3, -2, 1]])[
    :, [3, 0, 1, 2]
]
FEATURES = ROWS[:5, 1:]
XGBOOST = image_uris.retrieve("xgboost", "us-east-1", "1.7-1")
SKLEARN = image_uris.retrieve("sklearn", "us-east-1", "1.2-1")
ONE = Compute(instance_type="ml.m5.large", instance_count=1)
trained: dict[str, str] = {}


def unique(stem: str) -> str:
    return f"{stem}-{uuid.uuid4().hex[:6]}"


def bucket(prefix: str) -> str:
    return f"s3://{SESSION.default_bucket()}/{prefix}"


def data() -> str:
    """The rows as CSV in S3."""
    Path("rows.csv").write_text("\n".join(",".join(f"{value:.4f}" for value in row) for row in ROWS) + "\n")
    return SESSION.upload_data("rows.csv", key_prefix="data/train")


def lines(rows) -> str:
    return "\n".join(",".join(map(str, row)) for row in rows)


def close(answered, wanted, by: float = 1.0) -> None:
    text = answered if isinstance(answered, str) else answered.decode()
    predicted = np.asarray(text.replace(",", " ").split(), dtype=float)
    assert predicted.shape == wanted.shape and np.abs(predicted - wanted).max() < by, (predicted, wanted)


def booster(**more) -> ModelTrainer:
    given = {
        "training_image": XGBOOST, "role": ROLE, "sagemaker_session": SESSION, "compute": ONE,
        "hyperparameters": {"num_round": 20, "objective": "reg:squarederror", "nthread": 1},
        "base_job_name": unique("booster"),  # the SDK adds the second, and two jobs may begin in one
        "stopping_condition": StoppingCondition(max_runtime_in_seconds=600),
    }  # fmt: skip
    return ModelTrainer(**{**given, **more})


def channel(name: str = "train") -> InputData:
    return InputData(channel_name=name, data_source=data(), content_type="text/csv")


def script(command: str = "", requirements: str | None = None, **more) -> ModelTrainer:
    source = {"source_dir": str(SOURCE / "code3"), **({"command": command} if command else {"entry_script": "fit.py"})}
    return booster(
        **{
            "training_image": SKLEARN,
            "base_job_name": unique("script"),
            "source_code": SourceCode(requirements=requirements, **source),
            "hyperparameters": {"alpha": 0.01, "note": "two words"},
            **more,
        }
    )


def artifact() -> str:
    """The artifact of a booster, trained once."""
    if "booster" not in trained:
        trainer = booster()
        trainer.train(input_data_config=[channel(), channel("validation")], logs=False)
        trained["booster"] = trainer._latest_training_job.model_artifacts.s3_model_artifacts
    return trained["booster"]
