"""What users of the SageMaker Python SDK 3.x write that is not done yet: each ends in a refusal that says so."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
from sagemaker.ai_registry.dataset import CustomizationTechnique, DataSet
from sagemaker.core.clarify import BiasConfig, DataConfig, SageMakerClarifyProcessor
from sagemaker.core.jumpstart.configs import JumpStartConfig
from sagemaker.core.model_monitor import DefaultModelMonitor
from sagemaker.core.parameter import ContinuousParameter
from sagemaker.core.resources import AutoMLJobV2, FeatureGroup, MlflowTrackingServer, ProcessingJob
from sagemaker.core.shapes import (
    AutoMLDataSource,
    AutoMLJobChannel,
    AutoMLOutputDataConfig,
    AutoMLProblemTypeConfig,
    AutoMLS3DataSource,
    FeatureValue,
    OnlineStoreConfig,
    TabularJobConfig,
)
from sagemaker.core.workflow.pipeline_context import PipelineSession
from sagemaker.mlops.feature_store import load_feature_definitions_from_dataframe
from sagemaker.mlops.workflow.pipeline import Pipeline
from sagemaker.mlops.workflow.steps import TrainingStep
from sagemaker.train import ModelTrainer
from sagemaker.train.tuner import HyperparameterTuner
from sdk3_world import ROLE, SESSION, booster, bucket, channel, data, unique

CLUSTER = {"role": ROLE, "instance_count": 1, "instance_type": "ml.m5.large", "sagemaker_session": SESSION}


def tuner() -> None:
    ranges = {"eta": ContinuousParameter(0.1, 0.5)}
    HyperparameterTuner(booster(), "validation:rmse", ranges, objective_type="Minimize", max_jobs=2).tune(
        inputs=[channel(), channel("validation")]
    )


def clarify() -> None:
    where = DataConfig(data(), bucket("bias"), label="y", headers=["y", "a", "b", "c"], dataset_type="text/csv")
    processor = SageMakerClarifyProcessor(**CLUSTER)
    processor.run_pre_training_bias(where, BiasConfig([0.0], "a", [0.0]), wait=False, logs=False)
    processor.latest_job.wait()


def pipeline_execution() -> None:
    """Its definition is kept; its execution is refused."""
    arguments = booster(sagemaker_session=PipelineSession()).train(input_data_config=[channel()])
    made = Pipeline(
        unique("pipe"), steps=[TrainingStep("train", step_args=arguments)], sagemaker_session=PipelineSession()
    )
    made.upsert(role_arn=ROLE)
    assert made.describe()["PipelineStatus"] == "Active"
    made.start()


def feature_store_records() -> None:
    """The group is kept; its records are refused."""
    rows = pd.DataFrame({"id": ["1"], "at": [1.0e9], "value": [1.5]}).astype({"id": "string"})
    name = unique("group")
    group = FeatureGroup.create(
        feature_group_name=name,
        record_identifier_feature_name="id",
        event_time_feature_name="at",
        feature_definitions=load_feature_definitions_from_dataframe(rows),
        online_store_config=OnlineStoreConfig(enable_online_store=True),
        role_arn=ROLE,
    )
    group.wait_for_status("Created")
    assert name in [one.feature_group_name for one in FeatureGroup.get_all(name_contains=name)]
    group.put_record(record=[FeatureValue(feature_name="id", value_as_string="1")])


def model_monitor() -> None:
    monitor = DefaultModelMonitor(**CLUSTER)
    monitor.suggest_baseline(
        data(), {"csv": {"header": False}}, output_s3_uri=bucket("baseline"), wait=False, logs=False
    )
    ProcessingJob.get(monitor.latest_baselining_job.job_name).wait()


def jumpstart_model() -> None:
    """A model of AWS's catalogue that is not in ours."""
    ModelTrainer.from_jumpstart_config(
        JumpStartConfig(model_id="huggingface-llm-falcon-7b-bf16"), role=ROLE, sagemaker_session=SESSION
    ).train(input_data_config=[channel("training")], logs=False)


def automl() -> None:
    where = AutoMLS3DataSource(s3_data_type="S3Prefix", s3_uri=data())
    AutoMLJobV2.create(
        auto_ml_job_name=unique("auto"),
        auto_ml_job_input_data_config=[AutoMLJobChannel(data_source=AutoMLDataSource(s3_data_source=where))],
        output_data_config=AutoMLOutputDataConfig(s3_output_path=bucket("auto")),
        auto_ml_problem_type_config=AutoMLProblemTypeConfig(
            tabular_job_config=TabularJobConfig(target_attribute_name="y")
        ),
        role_arn=ROLE,
    )


def ai_registry() -> None:
    """A data set in a hub of one's own."""
    Path("pairs.jsonl").write_text('{"prompt": "a", "completion": "b"}\n')
    name = unique("data")
    DataSet.create(name, "pairs.jsonl", CustomizationTechnique.SFT, wait=False, sagemaker_session=SESSION)
    assert name in [one.name for one in DataSet.get_all(sagemaker_session=SESSION)]


def mlflow_server() -> None:
    """Its record; no MLflow runs behind it."""
    server = MlflowTrackingServer.create(
        tracking_server_name=unique("flow"), artifact_store_uri=bucket("flow"), role_arn=ROLE
    )
    server.wait_for_status("Created")
    server.delete()
