"""What users of the SageMaker Python SDK 2.x deploy: updates, streams, serializers, endpoints of every kind."""

from __future__ import annotations

import uuid

import numpy as np
import sagemaker
from sagemaker import image_uris
from sagemaker.async_inference import AsyncInferenceConfig
from sagemaker.compute_resource_requirements.resource_requirements import ResourceRequirements
from sagemaker.deserializers import CSVDeserializer, JSONDeserializer, NumpyDeserializer
from sagemaker.enums import EndpointType
from sagemaker.model import Model
from sagemaker.model_monitor import DataCaptureConfig
from sagemaker.multidatamodel import MultiDataModel
from sagemaker.pipeline import PipelineModel
from sagemaker.predictor import Predictor
from sagemaker.serializers import (
    CSVSerializer,
    IdentitySerializer,
    JSONLinesSerializer,
    JSONSerializer,
    NumpySerializer,
)
from sagemaker.serverless import ServerlessInferenceConfig
from sagemaker.sklearn import SKLearnModel
from sagemaker.xgboost import XGBoostModel
from sdk_world import FEATURES, ROLE, ROWS, SESSION, SOURCE, booster, close, data, gone, ridge

IMAGE = image_uris.retrieve("xgboost", "us-east-1", "1.7-1")
trained: dict[str, str] = {}


def boosted() -> str:
    """The artifact of a booster, trained once for the flows of this module."""
    if "booster" not in trained:
        estimator = booster()
        estimator.fit({"train": sagemaker.inputs.TrainingInput(data(), content_type="csv")}, logs=False)
        trained["booster"] = estimator.model_data
    return trained["booster"]


def model() -> Model:
    return Model(IMAGE, model_data=boosted(), role=ROLE, sagemaker_session=SESSION, predictor_cls=Predictor)


def deploy_update_delete() -> None:
    predictor = model().deploy(1, "ml.m5.large", serializer=CSVSerializer(), deserializer=CSVDeserializer())
    close(predictor.predict(FEATURES), ROWS[:5, 0], by=1)
    predictor.update_endpoint(initial_instance_count=2, instance_type="ml.m5.large")
    endpoint = SESSION.sagemaker_client.describe_endpoint(EndpointName=predictor.endpoint_name)
    assert endpoint["ProductionVariants"][0]["CurrentInstanceCount"] == 2, endpoint
    assert predictor.list_monitors() == []
    assert predictor.endpoint_context().source.source_uri == endpoint["EndpointArn"]
    again = Predictor(predictor.endpoint_name, SESSION, CSVSerializer(), CSVDeserializer())
    close(again.predict(FEATURES), ROWS[:5, 0], by=1)
    gone(predictor)


def predict_stream() -> None:
    predictor = model().deploy(1, "ml.m5.large", serializer=CSVSerializer())
    answered = b"".join(predictor.predict_stream(FEATURES)).decode()
    close(answered.replace(",", " ").split(), ROWS[:5, 0], by=1)
    gone(predictor)


def serializers() -> None:
    """A model of scikit-learn asked in every format that it takes, by the SDK's own serializers."""
    estimator = ridge()
    estimator.fit({"train": data()}, logs=False)
    made = SKLearnModel(
        estimator.model_data, role=ROLE, entry_point="ridge.py", source_dir=str(SOURCE / "code"),
        dependencies=[str(SOURCE / "shared" / "more")], framework_version="1.2-1", sagemaker_session=SESSION,
    )  # fmt: skip
    predictor = made.deploy(1, "ml.m5.large")
    for serializer in (NumpySerializer(), CSVSerializer(), JSONSerializer()):
        for deserializer in (NumpyDeserializer(), CSVDeserializer(), JSONDeserializer()):
            predictor.serializer, predictor.deserializer = serializer, deserializer
            close(predictor.predict(FEATURES), ROWS[:5, 0])
    gone(predictor)


def framework_model() -> None:
    """An artifact with a script that answers in its own words, sent as it is and as JSON Lines."""
    made = XGBoostModel(
        boosted(), ROLE, entry_point="echo.py", source_dir=str(SOURCE / "code"), framework_version="1.7-1",
        sagemaker_session=SESSION,
    )  # fmt: skip
    predictor = made.deploy(1, "ml.m5.large", serializer=JSONLinesSerializer(), deserializer=JSONDeserializer())
    assert predictor.predict([{"a": 1}, {"a": 2}]) == {"application/jsonlines": '{"a": 1}\n{"a": 2}'}
    predictor.serializer = IdentitySerializer("application/x-of-mine")
    assert predictor.predict(b"as it is") == {"application/x-of-mine": "as it is"}
    gone(predictor)


def serverless() -> None:
    config = ServerlessInferenceConfig(memory_size_in_mb=2048, max_concurrency=2)
    predictor = model().deploy(serverless_inference_config=config, serializer=CSVSerializer())
    close(predictor.predict(FEATURES).decode().replace(",", " ").split(), ROWS[:5, 0], by=1)
    predictor.delete_endpoint()


def asynchronous() -> None:
    config = AsyncInferenceConfig(output_path=f"s3://{SESSION.default_bucket()}/answers")
    predictor = model().deploy(1, "ml.m5.large", async_inference_config=config, serializer=CSVSerializer())
    close(predictor.predict(FEATURES).decode().replace(",", " ").split(), ROWS[:5, 0], by=1)


def data_capture() -> None:
    captured = DataCaptureConfig(True, 100, f"s3://{SESSION.default_bucket()}/captured", sagemaker_session=SESSION)
    model().deploy(1, "ml.m5.large", data_capture_config=captured)


def multi_model() -> None:
    several = MultiDataModel(
        f"several-{uuid.uuid4().hex[:6]}", f"s3://{SESSION.default_bucket()}/several/", image_uri=IMAGE, role=ROLE,
        sagemaker_session=SESSION,
    )  # fmt: skip
    predictor = several.deploy(1, "ml.m5.large", serializer=CSVSerializer())
    several.add_model(boosted(), "first.tar.gz")
    assert list(several.list_models()) == ["first.tar.gz"]
    predictor.predict(FEATURES, target_model="first.tar.gz")


def pipeline_model() -> None:
    chain = PipelineModel([model(), model()], ROLE, sagemaker_session=SESSION)
    chain.deploy(1, "ml.m5.large")


def inference_component() -> None:
    model().deploy(
        1, "ml.m5.large", endpoint_name=f"several-{uuid.uuid4().hex[:6]}",
        endpoint_type=EndpointType.INFERENCE_COMPONENT_BASED,
        resources=ResourceRequirements(requests={"num_cpus": 1, "memory": 1024, "copies": 1}),
    )  # fmt: skip


def endpoint_without_sts() -> None:
    """A session with a bucket and a role that the program names: neither STS nor IAM is asked."""
    bucket = f"mine-{uuid.uuid4().hex[:6]}"
    session = sagemaker.Session(default_bucket=bucket)
    session.boto_session.client("s3").create_bucket(Bucket=bucket)
    rows = session.upload_data("rows.csv", key_prefix="data/train") if data() else ""
    assert rows == f"s3://{bucket}/data/train/rows.csv"
    role = "arn:aws:iam::123456789012:role/of-mine"
    estimator = booster(role=role, sagemaker_session=session)
    estimator.fit({"train": sagemaker.inputs.TrainingInput(rows, content_type="csv")}, logs=False)
    predictor = estimator.deploy(1, "ml.m5.large", serializer=CSVSerializer())
    assert np.isfinite(float(predictor.predict(FEATURES[:1])))
    predictor.delete_endpoint()
