"""What the flows of the SageMaker Python SDK 2.x have in common: a session, rows in S3, estimators, checks."""

from __future__ import annotations

import contextlib
import io
from pathlib import Path

import numpy as np
import sagemaker
import sdk_stay  # noqa: F401, what leaves the machine is to be seen from here on
from sagemaker import image_uris
from sagemaker.estimator import Estimator
from sagemaker.sklearn import SKLearn

ROLE = sagemaker.get_execution_role()
SOURCE = Path(__file__).parent / "sdk_source"
SESSION = sagemaker.Session()
ONE = {"role": ROLE, "instance_count": 1, "instance_type": "ml.m5.large", "sagemaker_session": SESSION}
ROWS = np.column_stack([f := np.random.default_rng(5).uniform(-1, 1, (300, 3)).round(4), f @ [3, -2, 1]])[
    :, [3, 0, 1, 2]
]
FEATURES = ROWS[:5, 1:]


def data() -> str:
    """The rows as CSV in S3, as `upload_data` puts them there."""
    Path("rows.csv").write_text("\n".join(",".join(f"{value:.4f}" for value in row) for row in ROWS) + "\n")
    return SESSION.upload_data("rows.csv", key_prefix="data/train")


def ridge(**more) -> SKLearn:
    given = {"hyperparameters": {"alpha": 0.01, "note": "two words"}, **ONE, **more}
    source = {"source_dir": str(SOURCE / "code"), "dependencies": [str(SOURCE / "shared" / "more")]}
    scores = [{"Name": "score", "Regex": "score=(.*?);"}]
    return SKLearn("ridge.py", framework_version="1.2-1", metric_definitions=scores, **source, **given)


def counting(**more) -> SKLearn:
    return SKLearn("resume.py", source_dir=str(SOURCE / "code"), framework_version="1.2-1", **{**ONE, **more})


def booster(**more) -> Estimator:
    settings = {"num_round": 20, "objective": "reg:squarederror", "nthread": 1}
    image = image_uris.retrieve("xgboost", "us-east-1", "1.7-1")
    return Estimator(
        image, hyperparameters=settings, output_path=f"s3://{SESSION.default_bucket()}/out", **{**ONE, **more}
    )


def said(work, *arguments, **more) -> str:
    """What the SDK prints meanwhile."""
    with contextlib.redirect_stdout(io.StringIO()) as printed:
        work(*arguments, **more)
    return printed.getvalue()


def close(predicted, wanted, by: float = 0.5) -> None:
    predicted, wanted = np.asarray(predicted, dtype=float).ravel(), np.asarray(wanted).ravel()
    assert predicted.shape == wanted.shape and np.abs(predicted - wanted).max() < by, (predicted, wanted)


def gone(predictor) -> None:
    endpoint = predictor.endpoint_name
    predictor.delete_model()
    predictor.delete_endpoint()
    left = SESSION.sagemaker_client.list_endpoints(NameContains=endpoint)["Endpoints"]
    assert all(one["EndpointStatus"] == "Deleting" for one in left), left
