"""What the life of a record of one kind needs beyond what the table of kinds says: requests that make sense."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

Edit = Callable[[Any, dict[str, Any]], dict[str, Any]]
"""(world, generated request) -> the request that is sent."""


def _as_it_is(world: Any, params: dict[str, Any]) -> dict[str, Any]:
    return params


@dataclass(frozen=True)
class Difference:
    """What is particular to a kind."""

    request: Edit = _as_it_is
    update: Edit = _as_it_is
    leave: tuple[str, ...] = ()
    """Members of Create and Update that are not sent."""
    listing: Mapping[str, Any] = field(default_factory=dict)
    """Required members of List that neither the request nor Describe has."""
    unique: str = ""
    """What there may be only once, of a kind whose Create gives no name."""
    numbered: bool = False
    """Whether each Create makes one more, with the next number."""
    skip: Mapping[str, str] = field(default_factory=dict)
    """Verbs that cannot be shown here, and why."""
    unfiltered: tuple[str, ...] = ()
    """Parameters of List that need more than one record of this kind."""
    why: str = ""


IMAGE = "683313688378.dkr.ecr.us-east-1.amazonaws.com/sagemaker-xgboost:1.7-1"


def _only(*members: str) -> Edit:
    """Of the generated request only these members."""
    return lambda world, params: {name: params[name] for name in members if name in params}


def _training(world: Any, params: dict[str, Any]) -> dict[str, Any]:
    where = world.bucket()
    source = {"S3DataType": "S3Prefix", "S3Uri": f"{where}/train", "S3DataDistributionType": "FullyReplicated"}
    return {
        **_only("TrainingJobName", "RoleArn", "Tags", "Environment", "EnableNetworkIsolation")(world, params),
        "AlgorithmSpecification": {"TrainingImage": IMAGE, "TrainingInputMode": "File"},
        "HyperParameters": {"num_round": "3"},
        "InputDataConfig": [
            {"ChannelName": "train", "ContentType": "text/csv", "DataSource": {"S3DataSource": source}}
        ],
        "OutputDataConfig": {"S3OutputPath": f"{where}/out"},
        "ResourceConfig": {"InstanceType": "ml.m5.large", "InstanceCount": 1, "VolumeSizeInGB": 1},
        "StoppingCondition": {"MaxRuntimeInSeconds": 600},
    }


def _algorithm(world: Any, params: dict[str, Any]) -> dict[str, Any]:
    """With a hyperparameter whose type, range and default fit each other."""
    ends = {"IntegerParameterRangeSpecification": {"MinValue": "1", "MaxValue": "9"}}
    parameter = {"Name": "trees", "Type": "Integer", "Range": ends, "IsTunable": True, "DefaultValue": "3"}
    made = {**params["TrainingSpecification"], "SupportedHyperParameters": [parameter]}
    made["MetricDefinitions"] = [{"Name": "loss", "Regex": "loss=(.*)"}]
    return {**params, "TrainingSpecification": made}


def _processing(world: Any, params: dict[str, Any]) -> dict[str, Any]:
    cluster = {"InstanceType": "ml.m5.large", "InstanceCount": 1, "VolumeSizeInGB": 1}
    return {
        **_only("ProcessingJobName", "RoleArn", "Tags", "Environment")(world, params),
        "AppSpecification": {"ImageUri": IMAGE, "ContainerEntrypoint": ["python3", "-c", "pass"]},
        "ProcessingResources": {"ClusterConfig": cluster},
    }


def _transform(world: Any, params: dict[str, Any]) -> dict[str, Any]:
    where = world.bucket()
    return {
        **_only("TransformJobName", "Tags")(world, params),
        "ModelName": world.parent("Model").name,
        "TransformInput": {
            "DataSource": {"S3DataSource": {"S3DataType": "S3Prefix", "S3Uri": f"{where}/train"}},
            "ContentType": "text/csv",
        },
        "TransformOutput": {"S3OutputPath": f"{where}/transformed"},
        "TransformResources": {"InstanceType": "ml.m5.large", "InstanceCount": 1},
    }


def _model(world: Any, params: dict[str, Any]) -> dict[str, Any]:
    return {
        **_only("ModelName", "ExecutionRoleArn", "Tags", "VpcConfig", "EnableNetworkIsolation")(world, params),
        "PrimaryContainer": {"Image": IMAGE, "ModelDataUrl": f"{world.bucket()}/model.tar.gz"},
    }


def _config(world: Any, params: dict[str, Any]) -> dict[str, Any]:
    variant = {"VariantName": "all", "ModelName": world.parent("Model").name, "InitialInstanceCount": 1}
    return {
        **_only("EndpointConfigName", "Tags", "KmsKeyId")(world, params),
        "ProductionVariants": [{**variant, "InstanceType": "ml.m5.large", "InitialVariantWeight": 1.0}],
    }


def _endpoint(world: Any, params: dict[str, Any]) -> dict[str, Any]:
    config = world.parent("EndpointConfig").name
    return {**_only("EndpointName", "Tags")(world, params), "EndpointConfigName": config}


def _endpoint_update(world: Any, params: dict[str, Any]) -> dict[str, Any]:
    return {"EndpointName": params["EndpointName"], "EndpointConfigName": world.parent("EndpointConfig").name}


def _package(world: Any, params: dict[str, Any]) -> dict[str, Any]:
    made: dict[str, Any] = params["InferenceSpecification"]
    container = {"Image": IMAGE, "ModelDataUrl": f"{world.bucket()}/model.tar.gz"}
    return {
        **_only("ModelPackageName", "ModelPackageDescription", "Tags", "CustomerMetadataProperties")(world, params),
        "InferenceSpecification": {**made, "Containers": [container]},
    }


def _workteam(world: Any, params: dict[str, Any]) -> dict[str, Any]:
    member = {**world.parent("Workforce").params["CognitoConfig"], "UserGroup": "labelers"}
    return {**params, "MemberDefinitions": [{"CognitoMemberDefinition": member}]}


def _flow(world: Any, params: dict[str, Any]) -> dict[str, Any]:
    people = {"WorkteamArn": world.parent("Workteam").arn, "HumanTaskUiArn": world.parent("HumanTaskUi").arn}
    config = {**params["HumanLoopConfig"], **people}
    config.pop("PublicWorkforceTaskPrice")
    return {**_only("FlowDefinitionName", "OutputConfig", "RoleArn", "Tags")(world, params), "HumanLoopConfig": config}


TO_LEAVE = ("LifecycleConfigArn", "LifecycleConfigArns", "SpaceManagedResources")


def _plain_settings(world: Any, params: dict[str, Any]) -> dict[str, Any]:
    """The settings without lifecycle configurations, which would have to exist, and without what is refused."""

    def plain(value: Any) -> Any:
        if isinstance(value, dict):
            return {name: plain(item) for name, item in value.items() if name not in TO_LEAVE}
        return [plain(item) for item in value] if isinstance(value, list) else value

    made: dict[str, Any] = plain(params)
    return made


def _space(world: Any, params: dict[str, Any]) -> dict[str, Any]:
    owner = {"OwnerUserProfileName": world.parent("UserProfile").name}
    return {**_plain_settings(world, params), "OwnershipSettings": owner}


def _app(world: Any, params: dict[str, Any]) -> dict[str, Any]:
    profile = world.parent("UserProfile")
    return {
        **profile.key,
        **_only("Tags")(world, params),
        "AppType": "JupyterServer",
        "AppName": "default",
        "ResourceSpec": {"InstanceType": "system"},
    }


def _notebook(world: Any, params: dict[str, Any]) -> dict[str, Any]:
    here = {
        "DefaultCodeRepository": "https://localhost/a.git",
        "AdditionalCodeRepositories": ["https://localhost/b.git"],
    }
    return {**params, **here}


def _mlflow_app(world: Any, params: dict[str, Any]) -> dict[str, Any]:
    return {**params, "DefaultDomainIdList": [world.parent("Domain").name]}


def _schedule(world: Any, params: dict[str, Any]) -> dict[str, Any]:
    source = {"DataCapturedDestinationS3Uri": "s3://b/in", "DatasetFormat": {"Csv": {}}, "LocalPath": "/opt/in"}
    output = {"S3Output": {"S3Uri": "s3://b/out", "LocalPath": "/opt/ml/processing/out"}}
    cluster = {"InstanceCount": 1, "InstanceType": "ml.m5.large", "VolumeSizeInGB": 20}
    definition = {
        "MonitoringInputs": [{"BatchTransformInput": source}],
        "MonitoringOutputConfig": {"MonitoringOutputs": [output]},
        "MonitoringResources": {"ClusterConfig": cluster},
        "MonitoringAppSpecification": {"ImageUri": IMAGE},
        "RoleArn": "arn:aws:iam::123456789012:role/x",
    }
    when = {"ScheduleExpression": "cron(0 * ? * * *)"}
    config = {"ScheduleConfig": when, "MonitoringJobDefinition": definition}
    return {**_only("MonitoringScheduleName", "Tags")(world, params), "MonitoringScheduleConfig": config}


def _other_schedule(world: Any, params: dict[str, Any]) -> dict[str, Any]:
    made = _schedule(world, params)
    made["MonitoringScheduleConfig"]["ScheduleConfig"] = {"ScheduleExpression": "cron(0 5 ? * * *)"}
    return made


def _features(world: Any, params: dict[str, Any]) -> dict[str, Any]:
    types = {"id": "Integral", "at": "String", "age": "Fractional"}
    return {
        **_only("FeatureGroupName", "RoleArn", "Description", "Tags")(world, params),
        "RecordIdentifierFeatureName": "id",
        "EventTimeFeatureName": "at",
        "FeatureDefinitions": [{"FeatureName": name, "FeatureType": kind} for name, kind in types.items()],
        "OnlineStoreConfig": {"EnableOnlineStore": True},
        "OfflineStoreConfig": {"S3StorageConfig": {"S3Uri": "s3://bucket/features"}},
    }


def _time_to_live(world: Any, params: dict[str, Any]) -> dict[str, Any]:
    kept = {"TtlDuration": {"Unit": "Hours", "Value": 2}}
    return {"FeatureGroupName": params["FeatureGroupName"], "OnlineStoreConfig": kept}


def _plan(world: Any, params: dict[str, Any]) -> dict[str, Any]:
    asked = {"InstanceType": "ml.p4d.24xlarge", "InstanceCount": 1, "DurationHours": 24}
    (offer,) = world.ask("SearchTrainingPlanOfferings", **asked, TargetResources=["training-job"])[
        "TrainingPlanOfferings"
    ]
    return {
        **_only("TrainingPlanName", "Tags")(world, params),
        "TrainingPlanOfferingId": offer["TrainingPlanOfferingId"],
    }


def _card(world: Any, params: dict[str, Any]) -> dict[str, Any]:
    return {**params, "Content": json.dumps({"model_overview": {"model_description": "A description."}})}


def _export(world: Any, params: dict[str, Any]) -> dict[str, Any]:
    return {
        "ModelCardName": world.parent("ModelCard").name,
        "ModelCardExportJobName": params["ModelCardExportJobName"],
        "OutputConfig": {"S3OutputPath": f"{world.bucket()}/cards"},
    }


def _pipeline(world: Any, params: dict[str, Any]) -> dict[str, Any]:
    made = {name: value for name, value in params.items() if name != "PipelineDefinitionS3Location"}
    return {**made, "PipelineDefinition": '{"Steps": []}'}


def _other_pipeline(world: Any, params: dict[str, Any]) -> dict[str, Any]:
    return {**_pipeline(world, params), "PipelineDefinition": '{"Steps": [], "Parameters": []}'}


def _image_version(world: Any, params: dict[str, Any]) -> dict[str, Any]:
    return {**params, "BaseImage": "123456789012.dkr.ecr.us-east-1.amazonaws.com/image:1"}


def _cluster(world: Any, params: dict[str, Any]) -> dict[str, Any]:
    group = {
        "InstanceGroupName": "workers",
        "InstanceType": "ml.c5.large",
        "InstanceCount": 1,
        "ExecutionRole": "arn:aws:iam::123456789012:role/x",
        "LifeCycleConfig": {"SourceS3Uri": "s3://sagemaker-life", "OnCreate": "on_create.sh"},
    }
    return {**_only("ClusterName", "Tags", "NodeRecovery")(world, params), "InstanceGroups": [group]}


def _on_cluster(world: Any, params: dict[str, Any]) -> dict[str, Any]:
    return {**params, "ClusterArn": world.parent("Cluster").arn}


def _next_version(world: Any, params: dict[str, Any]) -> dict[str, Any]:
    return {**params, "TargetVersion": 1}


DIFFERENCES: Mapping[str, Difference] = {
    "TrainingJob": Difference(_training, skip={"Update": "it is for jobs that still run"}),
    "ProcessingJob": Difference(_processing),
    "TransformJob": Difference(_transform),
    "Model": Difference(_model),
    "EndpointConfig": Difference(_config),
    "Endpoint": Difference(_endpoint, _endpoint_update),
    "Algorithm": Difference(_algorithm, leave=("ValidationSpecification",)),
    "ModelPackage": Difference(_package, _only("ModelPackageArn", "CustomerMetadataProperties")),
    "Artifact": Difference(unique="source"),
    "MonitoringSchedule": Difference(_schedule, _other_schedule),
    "FeatureGroup": Difference(_features, _time_to_live),
    "TrainingPlan": Difference(_plan),
    "ModelCard": Difference(_card, _card),
    "ModelCardExportJob": Difference(_export, unique="name of a job"),
    "ImageVersion": Difference(_image_version, numbered=True),
    "Pipeline": Difference(_pipeline, _other_pipeline),
    "DeviceFleet": Difference(leave=("EnableIotRoleAlias",)),
    "Cluster": Difference(_cluster, _cluster),
    "ClusterSchedulerConfig": Difference(_on_cluster, _next_version, unique="name within a cluster"),
    "ComputeQuota": Difference(_on_cluster, _next_version, unique="name within a cluster"),
    "Workforce": Difference(leave=("OidcConfig",)),
    "Workteam": Difference(_workteam, _workteam),
    "FlowDefinition": Difference(_flow),
    **dict.fromkeys(("Domain", "UserProfile"), Difference(_plain_settings, _plain_settings)),
    "Space": Difference(_space, _plain_settings),
    "App": Difference(_app),
    "NotebookInstance": Difference(_notebook, _notebook),
    "MlflowApp": Difference(_mlflow_app, _mlflow_app),
    "PartnerApp": Difference(leave=("IdcConfig", "AppVersion")),
}
