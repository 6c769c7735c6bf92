"""What users of the SageMaker Python SDK 2.x write down and look up: sessions, roles, metrics, registries, cards."""

from __future__ import annotations

import uuid
from pathlib import Path

import boto3
import sagemaker
from sagemaker.analytics import TrainingJobAnalytics
from sagemaker.debugger import ProfilerConfig, Rule, rule_configs
from sagemaker.inputs import TrainingInput
from sagemaker.jumpstart.notebook_utils import list_jumpstart_models
from sagemaker.model_card import ModelCard, ModelCardStatusEnum, ModelOverview, TrainingDetails
from sagemaker.model_monitor import CronExpressionGenerator, DefaultModelMonitor
from sagemaker.pipeline import PipelineModel
from sagemaker.s3 import S3Downloader, S3Uploader
from sdk_hosting import model
from sdk_world import ROLE, SESSION, booster, data


def unique(stem: str) -> str:
    return f"{stem}-{uuid.uuid4().hex[:6]}"


def session_basics() -> None:
    """The default bucket, up- and downloads, the caller and his role."""
    bucket = SESSION.default_bucket()
    assert bucket == f"sagemaker-us-east-1-{SESSION.account_id()}", bucket
    for name in ("train", "val"):
        Path("folder", name).mkdir(parents=True, exist_ok=True)
        Path("folder", name, f"{name}.csv").write_text("1,2\n")
    prefix = unique("data")
    SESSION.upload_data("folder", key_prefix=prefix)
    keys = [f"{prefix}/train/train.csv", f"{prefix}/val/val.csv"]
    assert SESSION.list_s3_files(bucket, prefix) == keys
    assert SESSION.read_s3_file(bucket, keys[0]) == "1,2\n"
    SESSION.download_data("back", bucket, key_prefix=prefix)
    assert Path("back/val/val.csv").read_text() == "1,2\n"
    S3Uploader.upload_string_as_file_body("text", f"s3://{bucket}/{prefix}/text", sagemaker_session=SESSION)
    assert S3Downloader.read_file(f"s3://{bucket}/{prefix}/text", sagemaker_session=SESSION) == "text"
    assert ROLE.startswith("arn:aws:iam::123456789012:role/"), ROLE
    assert SESSION.expand_role(ROLE.rsplit("/", 1)[1]) == ROLE


def role_of_ones_own() -> None:
    """Credentials of a role that was made in IAM name that role."""
    iam, name = boto3.client("iam"), unique("role")
    trust = '{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"sagemaker.amazonaws.com"},'
    role = iam.create_role(
        RoleName=name, Path="/service-role/", AssumeRolePolicyDocument=trust + '"Action":"sts:AssumeRole"}]}'
    )["Role"]["Arn"]
    given = boto3.client("sts").assume_role(RoleArn=role, RoleSessionName="session")["Credentials"]
    as_role = boto3.Session(given["AccessKeyId"], given["SecretAccessKey"], given["SessionToken"])
    assert sagemaker.get_execution_role(sagemaker.Session(as_role)) == role


def debugger_rules() -> None:
    """Rules are kept and judged by nothing: the job is refused."""
    estimator = booster(rules=[Rule.sagemaker(rule_configs.loss_not_decreasing())])
    estimator.fit({"train": TrainingInput(data(), content_type="csv")}, logs=False)


def profiler() -> None:
    """How often a job is measured."""
    config = ProfilerConfig(system_monitor_interval_millis=500)
    estimator = booster(profiler_config=config)
    estimator.fit({"train": TrainingInput(data(), content_type="csv")}, logs=False)
    told = estimator.latest_training_job.describe()["ProfilerConfig"]
    assert told["ProfilingIntervalInMilliseconds"] == 500, told


def metrics_and_search() -> None:
    """The numbers of a job as a table, and the job found again by them."""
    estimator = booster()
    train = TrainingInput(data(), content_type="csv")
    estimator.fit({"train": train, "validation": train}, logs=False)
    name = estimator.latest_training_job.name
    frame = TrainingJobAnalytics(name, ["validation:rmse"], sagemaker_session=SESSION).dataframe()
    assert set(frame["metric_name"]) == {"validation:rmse"} and len(frame) >= 1, frame
    found = SESSION.search(
        "TrainingJob",
        search_expression={
            "Filters": [
                {"Name": "TrainingJobName", "Operator": "Equals", "Value": name},
                {"Name": "Metrics.validation:rmse", "Operator": "LessThan", "Value": "1000"},
            ]
        },
    )["Results"]
    assert [one["TrainingJob"]["TrainingJobName"] for one in found] == [name], found


def model_registry() -> None:
    """Versions of a group, their approval, and a pipeline of models registered as one."""
    group, client = unique("group"), SESSION.sagemaker_client
    given = {"content_types": ["text/csv"], "response_types": ["text/csv"], "model_package_group_name": group}
    types = {"inference_instances": ["ml.m5.large"], "transform_instances": ["ml.m5.large"]}
    first = model().register(**given, **types, approval_status="PendingManualApproval")
    PipelineModel([model(), model()], ROLE, sagemaker_session=SESSION).register(**given, **types)
    first.update_approval_status("Approved", approval_description="seen")
    first.update_customer_metadata({"by": "me"})
    listed = client.list_model_packages(ModelPackageGroupName=group)["ModelPackageSummaryList"]
    assert sorted(one["ModelPackageVersion"] for one in listed) == [1, 2], listed
    told = client.describe_model_package(ModelPackageName=first.model_package_arn)
    assert (told["ModelApprovalStatus"], told["CustomerMetadataProperties"]) == ("Approved", {"by": "me"}), told


def model_card() -> None:
    """A card of a trained model: made, changed, listed and exported."""
    estimator = booster()
    estimator.fit({"train": TrainingInput(data(), content_type="csv")}, logs=False)
    name = unique("model")
    made = estimator.create_model(name=name)
    made._create_sagemaker_model("ml.m5.large")
    overview = ModelOverview.from_model_name(model_name=name, sagemaker_session=SESSION)
    details = TrainingDetails.from_model_overview(model_overview=overview, sagemaker_session=SESSION)
    assert details.training_job_details.training_arn == estimator.latest_training_job.describe()["TrainingJobArn"]
    card = ModelCard(
        name=unique("card"), status=ModelCardStatusEnum.DRAFT, model_overview=overview, training_details=details,
        sagemaker_session=SESSION,
    )  # fmt: skip
    card.create()
    card.model_overview.model_description = "changed"
    card.update(status=ModelCardStatusEnum.APPROVED)
    loaded = ModelCard.load(name=card.name, sagemaker_session=SESSION)
    assert (loaded.model_overview.model_description, loaded.version) == ("changed", 2)
    assert len(card.get_version_history()) == 2
    exported = card.export_pdf(s3_output_path=f"s3://{SESSION.default_bucket()}/cards")
    assert SESSION.read_s3_file.__self__.boto_session.client("s3").head_object(
        Bucket=SESSION.default_bucket(), Key=exported.split("/", 3)[3]
    )
    card.delete()


def jumpstart_list() -> None:
    """The models of the catalogue, found by a filter."""
    found = list_jumpstart_models("task == classification", sagemaker_session=SESSION)
    assert "lightgbm-classification-model" in found, found


def monitoring_schedule() -> None:
    """The baseline of a monitor is computed by an image that is not here."""
    monitor = DefaultModelMonitor(role=ROLE, instance_count=1, instance_type="ml.m5.large", sagemaker_session=SESSION)
    monitor.suggest_baseline(
        data(), {"csv": {"header": False}}, f"s3://{SESSION.default_bucket()}/baseline", logs=False
    )
    monitor.create_monitoring_schedule(endpoint_input="e", schedule_cron_expression=CronExpressionGenerator.hourly())
