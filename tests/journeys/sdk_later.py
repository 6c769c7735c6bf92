"""What users of the SageMaker Python SDK 2.x write that is not done yet: each ends in a refusal that says so."""

from __future__ import annotations

import uuid

import pandas as pd
from sagemaker.automl.automl import AutoML
from sagemaker.automl.automlv2 import AutoMLTabularConfig, AutoMLV2, LocalAutoMLDataChannel
from sagemaker.clarify import BiasConfig, DataConfig, ModelConfig, SageMakerClarifyProcessor, SHAPConfig
from sagemaker.feature_store.feature_group import FeatureGroup
from sagemaker.feature_store.inputs import FeatureValue
from sagemaker.inputs import TrainingInput
from sagemaker.model_monitor import ModelBiasMonitor, ModelQualityMonitor
from sagemaker.parameter import ContinuousParameter
from sagemaker.spark.processing import PySparkProcessor
from sagemaker.tuner import HyperparameterTuner
from sagemaker.workflow.function_step import step
from sagemaker.workflow.parameters import ParameterInteger
from sagemaker.workflow.pipeline import Pipeline
from sagemaker.workflow.pipeline_context import PipelineSession
from sagemaker.workflow.steps import TrainingStep
from sdk_hosting import model
from sdk_remote import IMAGE
from sdk_world import ONE, ROLE, SESSION, SOURCE, booster, data

CLARIFY = {"role": ROLE, "instance_count": 1, "instance_type": "ml.m5.large", "sagemaker_session": SESSION}
HEADERS = ["y", "a", "b", "c"]


def unique(stem: str) -> str:
    return f"{stem}-{uuid.uuid4().hex[:6]}"


def bucket(prefix: str) -> str:
    return f"s3://{SESSION.default_bucket()}/{prefix}"


def tuner() -> None:
    ranges = {"eta": ContinuousParameter(0.1, 0.5)}
    tuned = HyperparameterTuner(booster(), "validation:rmse", ranges, objective_type="Minimize", max_jobs=2)
    train = TrainingInput(data(), content_type="csv")
    tuned.fit({"train": train, "validation": train})
    tuned.best_training_job()


def pipeline() -> Pipeline:
    """A pipeline of one step, kept as a record."""
    session = PipelineSession()
    rounds = ParameterInteger(name="rounds", default_value=5)
    estimator = booster(sagemaker_session=session)
    estimator.set_hyperparameters(num_round=rounds)
    arguments = estimator.fit({"train": TrainingInput(data(), content_type="csv")})
    made = Pipeline(
        unique("pipe"), [rounds], steps=[TrainingStep("train", step_args=arguments)], sagemaker_session=session
    )
    made.upsert(role_arn=ROLE)
    made.upsert(role_arn=ROLE)
    assert made.describe()["PipelineStatus"] == "Active", made.describe()
    return made


def pipeline_execution() -> None:
    pipeline().start(parameters={"rounds": 3})


def pipeline_step_decorator() -> None:
    @step(name="double", instance_type="ml.m5.large", image_uri=IMAGE, role=ROLE)
    def double(number):
        return number * 2

    made = Pipeline(unique("steps"), steps=[double(double(1))], sagemaker_session=SESSION)
    made.upsert(role_arn=ROLE)
    made.start()


def pipeline_records() -> None:
    """What is kept of pipelines: definitions, versions, the list of executions, the end."""
    made = pipeline()
    made.update(role_arn=ROLE, description="changed")
    assert made.list_executions()["PipelineExecutionSummaries"] == []
    assert made.describe()["PipelineDescription"] == "changed"
    made.delete()


def rows() -> pd.DataFrame:
    return pd.DataFrame({"id": ["1", "2"], "at": [1.0e9, 1.0e9], "value": [1.5, 2.5]}).astype({"id": "string"})


def feature_group(offline: bool) -> FeatureGroup:
    group = FeatureGroup(unique("group"), sagemaker_session=SESSION)
    group.load_feature_definitions(rows())
    place = bucket("features") if offline else False
    group.create(place, "id", "at", ROLE, enable_online_store=True)
    while group.describe()["FeatureGroupStatus"] == "Creating":
        pass
    assert group.describe()["FeatureGroupStatus"] == "Created", group.describe()
    return group


def feature_store_records() -> None:
    group = feature_group(offline=False)
    assert SESSION.sagemaker_client.list_feature_groups(NameContains=group.name)["FeatureGroupSummaries"]
    group.put_record([FeatureValue("id", "1"), FeatureValue("at", "1000000000"), FeatureValue("value", "1.5")])


def feature_store_offline() -> None:
    group = feature_group(offline=True)
    query = group.athena_query()
    assert query.table_name, vars(query)
    group.get_record("1")


def clarify_bias() -> None:
    processor = SageMakerClarifyProcessor(**CLARIFY)
    where = DataConfig(data(), bucket("bias"), label="y", headers=HEADERS, dataset_type="text/csv")
    processor.run_pre_training_bias(where, BiasConfig([0.0], "a", [0.0]), logs=False)


def clarify_explanation() -> None:
    name = unique("explained")
    made = model()
    made.name = name
    made._create_sagemaker_model("ml.m5.large")
    where = DataConfig(data(), bucket("shap"), label="y", headers=HEADERS, dataset_type="text/csv")
    asked = ModelConfig(name, 1, "ml.m5.large", accept_type="text/csv", content_type="text/csv")
    shap = SHAPConfig([[0.0, 0.0, 0.0]], 10, "mean_abs")
    SageMakerClarifyProcessor(**CLARIFY).run_explainability(where, asked, shap, logs=False)


def model_quality_monitor() -> None:
    monitor = ModelQualityMonitor(role=ROLE, instance_count=1, instance_type="ml.m5.large", sagemaker_session=SESSION)
    monitor.suggest_baseline(
        data(), {"csv": {"header": False}}, "Regression", inference_attribute="_c0", ground_truth_attribute="_c1",
        output_s3_uri=bucket("quality"), wait=True, logs=False,
    )  # fmt: skip


def clarify_monitor() -> None:
    monitor = ModelBiasMonitor(role=ROLE, instance_count=1, instance_type="ml.m5.large", sagemaker_session=SESSION)
    where = DataConfig(data(), bucket("bias"), label="y", headers=HEADERS, dataset_type="text/csv")
    asked = ModelConfig("no-such-model", 1, "ml.m5.large", accept_type="text/csv", content_type="text/csv")
    monitor.suggest_baseline(where, BiasConfig([0.0], "a", [0.0]), asked, wait=True)


def automl() -> None:
    AutoML(ROLE, "y", sagemaker_session=SESSION, max_candidates=1).fit(inputs=data(), wait=False)


def automl_v2() -> None:
    job = AutoMLV2(AutoMLTabularConfig(target_attribute_name="y"), role=ROLE, sagemaker_session=SESSION)
    job.fit(LocalAutoMLDataChannel("S3Prefix", "rows.csv", "training", content_type="text/csv"), wait=False)


def inference_recommender() -> None:
    made = model()
    made.register(["text/csv"], ["text/csv"], ["ml.m5.large"], ["ml.m5.large"], model_package_group_name=unique("g"))
    made.right_size(
        sample_payload_url=data(), supported_content_types=["text/csv"], supported_instance_types=["ml.m5.large"],
        framework="XGBOOST", job_duration_in_seconds=120,
    )  # fmt: skip


def neo_compilation() -> None:
    estimator = booster()
    estimator.fit({"train": TrainingInput(data(), content_type="csv")}, logs=False)
    estimator.compile_model("ml_m5", {"data": [1, 3]}, bucket("compiled"), framework="xgboost", framework_version="1.7")


def spark_processor() -> None:
    processor = PySparkProcessor(framework_version="3.3", **ONE)
    processor.run(submit_app=str(SOURCE / "processing" / "summary.py"), logs=False)
