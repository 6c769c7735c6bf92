"""JumpStart's models as users of the SDK train and deploy them: the `retrieve` functions, and `JumpStartEstimator`."""

from __future__ import annotations

import json
import uuid

import numpy as np
import sagemaker
from sagemaker import hyperparameters, image_uris, model_uris, script_uris
from sagemaker.estimator import Estimator
from sagemaker.jumpstart.estimator import JumpStartEstimator

MODEL, KIND = "lightgbm-classification-model", "ml.m5.xlarge"
ROLE = "arn:aws:iam::123456789012:role/SageMakerRole"
DRAW = np.random.default_rng(4)
FEATURES = DRAW.uniform(-1, 1, (300, 3)).round(4)
LABELS = (FEATURES[:, 0] + FEATURES[:, 1] > 0).astype(int)


def uploaded(session: sagemaker.Session) -> str:
    prefix = "tables-" + uuid.uuid4().hex[:6]
    rows = "\n".join(f"{label},{','.join(map(str, row))}" for label, row in zip(LABELS, FEATURES))  # noqa: B905
    session.upload_string_as_file_body(rows, session.default_bucket(), f"{prefix}/train/data.csv")
    return f"s3://{session.default_bucket()}/{prefix}/"


def csv(rows: np.ndarray) -> bytes:
    return "\n".join(",".join(map(str, row)) for row in rows).encode()


def retrieved(session: sagemaker.Session, said) -> None:
    """As the notebooks of JumpStart do it."""
    where = {"region": "us-east-1", "model_id": MODEL, "model_version": "*"}
    own = {"sagemaker_session": session}
    image = image_uris.retrieve(framework=None, image_scope="training", instance_type=KIND, **where, **own)
    script = script_uris.retrieve(script_scope="training", **where, **own)
    model = model_uris.retrieve(model_scope="training", **where, **own)
    given = hyperparameters.retrieve_default(**where, **own)
    assert given["num_boost_round"] == "100" and "sagemaker_program" not in given, given
    given["num_boost_round"] = "30"
    hyperparameters.validate(hyperparameters=given, **where, **own)
    estimator = Estimator(
        role=ROLE, image_uri=image, source_dir=script, model_uri=model, entry_point="transfer_learning.py",
        instance_count=1, instance_type=KIND, max_run=3600, hyperparameters=given, **own,
    )  # fmt: skip
    said(estimator.fit, {"training": uploaded(session)}, logs=True)
    deployed = image_uris.retrieve(framework=None, image_scope="inference", instance_type="ml.m5.large", **where, **own)
    source = script_uris.retrieve(script_scope="inference", **where, **own)
    predictor = estimator.deploy(
        1, "ml.m5.large", entry_point="inference.py", image_uri=deployed, source_dir=source,
        endpoint_name="jumpstart-" + uuid.uuid4().hex[:6],
    )  # fmt: skip
    check(predictor)


def estimator(session: sagemaker.Session, said) -> None:
    """As the class does it, from the id alone."""
    made = JumpStartEstimator(
        model_id=MODEL,
        role=ROLE,
        sagemaker_session=session,
        region="us-east-1",
        hyperparameters={"num_boost_round": "30"},
    )
    said(made.fit, {"training": uploaded(session)}, logs=True)
    assert any(row["Name"] == "binary_logloss" for row in made.metric_definitions), made.metric_definitions
    check(made.deploy())


def check(predictor) -> None:
    runtime = predictor.sagemaker_session.sagemaker_runtime_client
    answer = runtime.invoke_endpoint(EndpointName=predictor.endpoint_name, ContentType="text/csv", Body=csv(FEATURES))
    ones = np.array(json.loads(answer["Body"].read())["probabilities"])
    both = np.vstack((1.0 - ones, ones)).transpose()  # As the notebook says.
    assert np.mean(np.argmax(both, axis=1) == LABELS) > 0.9, both
    predictor.delete_endpoint()
