"""Amazon's own algorithms as the SDK's classes use them: `record_set`, `fit`, `deploy`, `predict`, a function a class.

What the SDK uploads is recordio-protobuf with a manifest, and its predictors speak it both ways.
"""

from __future__ import annotations

import boto3
import numpy as np
import sagemaker
from sagemaker import PCA, KMeans

ROLE = "arn:aws:iam::123456789012:role/SageMakerRole"
DRAW = np.random.default_rng(11)
BLOBS = np.concatenate([DRAW.normal(centre, 0.3, (60, 4)) for centre in (-3, 0, 3)]).astype(np.float32)


def trained(make, records, channel: str = "train", **more):
    """An estimator of the class, fitted, and its predictor."""
    session = sagemaker.Session(boto3.Session(region_name="us-east-1"), default_bucket="mine-algorithms")
    settings = {"role": ROLE, "instance_count": 1, "instance_type": "ml.m5.large", "sagemaker_session": session}
    estimator = make(**settings, **more)
    rows, labels = records
    estimator.fit(estimator.record_set(rows, labels, channel=channel), logs=False)
    return estimator, estimator.deploy(1, "ml.m5.large")


def values(records, name: str) -> np.ndarray:
    """What each record of an answer says of one thing."""
    return np.array([record.label[name].float32_tensor.values for record in records])


def done(predictor) -> None:
    predictor.delete_model()
    predictor.delete_endpoint()


def kmeans() -> None:
    estimator, predictor = trained(KMeans, (BLOBS, None), k=3)
    found = predictor.predict(BLOBS)
    clusters = values(found, "closest_cluster").ravel()
    assert all(len(set(clusters[at : at + 60])) == 1 for at in (0, 60, 120)) and len(set(clusters)) == 3, clusters
    assert values(found, "distance_to_cluster").max() < 2
    metrics = estimator.latest_training_job.describe()["FinalMetricDataList"]
    assert {metric["MetricName"] for metric in metrics} >= {"train:msd", "train:progress"}, metrics
    done(predictor)


def pca() -> None:
    _, predictor = trained(PCA, (BLOBS, None), num_components=2)
    found = values(predictor.predict(BLOBS[:7]), "projection")
    centred = BLOBS - BLOBS.mean(axis=0)
    strongest = np.linalg.svd(centred, full_matrices=False)[2][0]
    assert np.allclose(np.abs(found[:, -1]), np.abs(centred[:7] @ strongest), atol=1e-2), found
    done(predictor)
