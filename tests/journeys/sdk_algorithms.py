"""Amazon's own algorithms as the SDK's classes use them: `record_set`, `fit`, `deploy`, `predict`, a function a class.

What the SDK uploads is recordio-protobuf with a manifest, and its predictors speak it both ways.
"""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import sagemaker
from sagemaker import (
    KNN,
    LDA,
    NTM,
    PCA,
    FactorizationMachines,
    KMeans,
    LinearLearner,
    Object2Vec,
    RandomCutForest,
    image_uris,
)
from sagemaker.amazon.amazon_estimator import RecordSet
from sagemaker.deserializers import JSONDeserializer
from sagemaker.estimator import Estimator
from sagemaker.inputs import TrainingInput
from sagemaker.serializers import CSVSerializer, JSONSerializer

ROLE = "arn:aws:iam::123456789012:role/SageMakerRole"
DRAW = np.random.default_rng(11)
SPLIT = np.repeat([[5, 5, 5, 5, 0, 0, 0, 0], [0, 0, 0, 0, 5, 5, 5, 5]], 100, axis=0)
DOCUMENTS = DRAW.poisson(SPLIT).astype(np.float32)  # A hundred of the first four words, a hundred of the others.
BLOBS = np.concatenate([DRAW.normal(centre, 0.3, (60, 4)) for centre in (-3, 0, 3)]).astype(np.float32)


def session() -> sagemaker.Session:
    return sagemaker.Session()


def settings(own: sagemaker.Session) -> dict[str, object]:
    return {"role": ROLE, "instance_count": 1, "instance_type": "ml.m5.large", "sagemaker_session": own}


def trained(make, records, channel: str = "train", **more):
    """An estimator of the class, fitted, and its predictor."""
    estimator = make(**settings(session()), **more)
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


def knn() -> None:
    labels = np.repeat([0, 1, 2], 60).astype(np.float32)
    more = {"k": 5, "sample_size": 180, "predictor_type": "classifier"}
    _, predictor = trained(KNN, (BLOBS, labels), **more)
    assert (values(predictor.predict(BLOBS[::7]), "predicted_label").ravel() == labels[::7]).all()
    done(predictor)


def linear_learner() -> None:
    labels = np.repeat([0, 1, 2], 60).astype(np.float32)
    more = {"predictor_type": "multiclass_classifier", "num_classes": 3, "epochs": 30, "normalize_data": True}
    estimator, predictor = trained(LinearLearner, (BLOBS, labels), **more)
    found = predictor.predict(BLOBS[::7])
    assert (values(found, "predicted_label").ravel() == labels[::7]).all()
    assert values(found, "score").shape == (26, 3) and np.allclose(values(found, "score").sum(axis=1), 1)
    metrics = estimator.latest_training_job.describe()["FinalMetricDataList"]
    told = {metric["MetricName"]: metric["Value"] for metric in metrics}
    assert 0 < told["train:progress"] <= 100 and told["train:objective_loss:final"] < 0.5, told
    done(predictor)


def factorization_machines() -> None:
    rows = DRAW.integers(0, 2, (600, 6)).astype(np.float32)
    labels = (rows[:, 0] != rows[:, 1]).astype(np.float32)
    more = {"num_factors": 4, "predictor_type": "binary_classifier", "epochs": 60, "factors_init_sigma": 0.3}
    more |= {"factors_lr": 0.05, "linear_lr": 0.05, "mini_batch_size": 100}
    _, predictor = trained(FactorizationMachines, (rows, labels), **more)
    found = predictor.predict(rows[:50])
    assert np.mean(values(found, "predicted_label").ravel() == labels[:50]) > 0.9
    assert values(found, "score").max() <= 1
    done(predictor)


def ip_insights() -> None:
    """Its data are text, which no `record_set` takes: it is trained by the name of its image."""
    own = session()
    Path("logins.csv").write_text("".join(f"user{n % 5},10.{n % 5}.0.{n % 250}\n" for n in range(500)))
    given = own.upload_data("logins.csv", key_prefix="logins")
    more = {"num_entity_vectors": 20, "vector_dim": 16, "epochs": 20, "mini_batch_size": 100, "learning_rate": 0.01}
    image = image_uris.retrieve("ipinsights", "us-east-1")
    estimator = Estimator(image, hyperparameters=more, output_path=f"s3://{own.default_bucket()}/out", **settings(own))
    estimator.fit({"train": TrainingInput(given, content_type="text/csv")}, logs=False)
    speaks = {"serializer": CSVSerializer(), "deserializer": JSONDeserializer()}
    predictor = estimator.deploy(1, "ml.m5.large", **speaks)
    found = predictor.predict([["user1", "10.1.0.7"], ["user1", "203.0.113.9"]])["predictions"]
    assert found[0]["dot_product"] > 0 > found[1]["dot_product"], found
    done(predictor)


def random_cut_forest() -> None:
    rows = DRAW.normal(size=(500, 2)).astype(np.float32)
    rows[::100] += 12
    labels = (np.arange(500) % 100 == 0).astype(np.float32)
    estimator = RandomCutForest(**settings(session()), num_trees=100, num_samples_per_tree=50)
    train = estimator.record_set(rows)
    test = estimator.record_set(rows, labels, channel="test", distribution="FullyReplicated")
    estimator.fit([train, test], logs=False)
    metrics = estimator.latest_training_job.describe()["FinalMetricDataList"]
    # The forest is drawn anew each time: one row of 500 may lie at the edge of what counts as an anomaly.
    assert {one["MetricName"]: one["Value"] for one in metrics}["test:f1"] > 0.9, metrics
    predictor = estimator.deploy(1, "ml.m5.large")
    scores = values(predictor.predict(rows), "score").ravel()
    assert scores[labels == 1].min() > scores[labels == 0].max()
    done(predictor)


def lda() -> None:
    estimator = LDA(num_topics=2, **settings(session()))
    records = estimator.record_set(DOCUMENTS)
    estimator.fit(records, mini_batch_size=records.num_records, logs=False)
    predictor = estimator.deploy(1, "ml.m5.large")
    mixtures = values(predictor.predict(DOCUMENTS[::10]), "topic_mixture")
    topics = mixtures.argmax(axis=1)
    assert set(topics[:10]) != set(topics[10:]) and mixtures.max(axis=1).min() > 0.9, mixtures
    done(predictor)


def ntm() -> None:
    more = {"epochs": 100, "optimizer": "adam", "learning_rate": 0.05, "tolerance": 1e-6, "num_patience_epochs": 10}
    estimator, predictor = trained(NTM, (DOCUMENTS, None), num_topics=2, encoder_layers=[8, 6], **more)
    weights = values(predictor.predict(DOCUMENTS[::10]), "topic_weights")
    topics = weights.argmax(axis=1)
    assert set(topics[:10]) != set(topics[10:]) and np.allclose(weights.sum(axis=1), 1, atol=1e-4), weights
    metrics = estimator.latest_training_job.describe()["FinalMetricDataList"]
    assert {metric["MetricName"] for metric in metrics} >= {"train:total_loss", "train:progress"}, metrics
    done(predictor)


def object2vec() -> None:
    """Its class takes a RecordSet of JSON Lines, which no `record_set` makes. Pairs of one group belong together."""
    own = session()
    pairs = [(first, second) for first in range(8) for second in range(8)]
    lines = [json.dumps({"in0": [a], "in1": [b], "label": int(a // 4 == b // 4)}) + "\n" for a, b in pairs * 20]
    Path("pairs.jsonl").write_text("".join(lines))
    told = {"num_records": len(lines), "feature_dim": None, "s3_data_type": "S3Prefix"}
    sizes = {"enc0_vocab_size": 8, "enc0_max_seq_len": 1, "enc0_token_embedding_dim": 8, "enc_dim": 8}
    more = {"epochs": 10, "num_classes": 2, "learning_rate": 0.02, "enc0_network": "pooled_embedding", **sizes}
    estimator = Object2Vec(mini_batch_size=64, **more, **settings(own))
    estimator.fit(RecordSet(own.upload_data("pairs.jsonl", key_prefix="pairs"), channel="train", **told), logs=False)
    predictor = estimator.deploy(1, "ml.m5.large", serializer=JSONSerializer(), deserializer=JSONDeserializer())
    asked = {"instances": [{"in0": [a], "in1": [b]} for a, b in pairs]}
    found = np.array([one["scores"] for one in predictor.predict(asked)["predictions"]])
    assert np.mean(found.argmax(axis=1) == [a // 4 == b // 4 for a, b in pairs]) > 0.9, found
    done(predictor)
