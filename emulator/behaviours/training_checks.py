"""What CreateTrainingJob checks beyond the model, and the members that it fills in, in the service's words."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from emulator.behaviours.rooms import Rooms
from emulator.call import Call, Scope
from emulator.errors import NotBuilt, Validation

MAX_RUNTIME = 86400
"""Seconds: the service's default of StoppingCondition.MaxRuntimeInSeconds."""

PATIENCE = 3600
"""Seconds that a managed spot job of a built-in algorithm without checkpoints may wait, its runtime included."""

NOT_BUILT = {
    "ServerlessJobConfig": "serverless jobs are not built; give AlgorithmSpecification and ResourceConfig",
    "MlflowConfig": "tracking in MLflow is not built; remove it",
    "ModelPackageConfig": "registering the output as a model package is not built; call CreateModelPackage",
    "DebugRuleConfigurations": "Debugger rules are not evaluated yet; remove them",
    "ProfilerRuleConfigurations": "profiler rules are not evaluated yet; remove them",
    "SessionChainingConfig": "session tag chaining is not built; remove it",
}
"""Members of CreateTrainingJob that ask for work which nothing here does."""


def refuse_unbuilt(params: Mapping[str, Any]) -> None:
    """`NotBuilt` for what nothing here does."""
    for member, reason in NOT_BUILT.items():
        if params.get(member):
            raise NotBuilt(f"CreateTrainingJob with {member} is not implemented: {reason}.")


def training_specification(rooms: Rooms, call: Call) -> Mapping[str, Any]:
    """What to run: `{"TrainingImage": …}` of the request, or the TrainingSpecification of the algorithm it names."""
    wanted = call.params.get("AlgorithmSpecification") or {}
    image, name = wanted.get("TrainingImage"), wanted.get("AlgorithmName")
    if bool(image) == bool(name):
        both = "Both TrainingImage and AlgorithmName are" if image else "Neither TrainingImage nor AlgorithmName is"
        raise Validation(f"{both} given in AlgorithmSpecification. Give exactly one of them.")
    if name:
        return _algorithm(rooms, call.scope, str(name))
    if any(character.isspace() for character in str(image)):
        raise Validation(f"The training image {image!r} is not an image URI: it contains white space.")
    return {"TrainingImage": image}


def _algorithm(rooms: Rooms, scope: Scope, name: str) -> Mapping[str, Any]:
    record = rooms.resources.by_arn(name) if name.startswith("arn:") else rooms.resources.find("Algorithm", scope, name)
    found: Mapping[str, Any] = (record.body.get("TrainingSpecification") or {}) if record else {}
    if not found.get("TrainingImage"):
        raise Validation(f"Algorithm {name} does not exist.")
    return found


def resources(params: Mapping[str, Any], training: Mapping[str, Any]) -> None:
    """ResourceConfig: one shape or the other, and what the algorithm and warm pools allow."""
    config = params.get("ResourceConfig")
    if not config:
        raise Validation("ResourceConfig is required for a training job that is not serverless.")
    groups = config.get("InstanceGroups") or []
    if groups and (config.get("InstanceType") or config.get("InstanceCount")):
        raise Validation("ResourceConfig has InstanceGroups and InstanceType or InstanceCount. Give one or the other.")
    if not groups and not (config.get("InstanceType") and config.get("InstanceCount")):
        raise Validation("ResourceConfig needs InstanceType and InstanceCount (at least 1), or InstanceGroups.")
    _check_groups([group["InstanceGroupName"] for group in groups])
    count = sum(group["InstanceCount"] for group in groups) if groups else config["InstanceCount"]
    if count < 1:
        raise Validation("ResourceConfig asks for no instance at all. Give an InstanceCount of at least 1.")
    if count > 1 and training.get("SupportsDistributedTraining") is False:
        raise Validation(f"The algorithm does not support distributed training; InstanceCount must be 1, not {count}.")
    warm_pool(config, params)


def warm_pool(config: Mapping[str, Any], params: Mapping[str, Any]) -> None:
    """What warm pools do not go with; `config` is the ResourceConfig of a job whose other members are `params`."""
    groups = config.get("InstanceGroups")
    if config.get("KeepAlivePeriodInSeconds") and (groups or params.get("EnableManagedSpotTraining")):
        other = "InstanceGroups" if groups else "EnableManagedSpotTraining"
        raise Validation(f"KeepAlivePeriodInSeconds cannot be used with {other}: there are no warm pools for that.")


def _check_groups(names: list[str]) -> None:
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise Validation(f"Instance group names must be unique within a training job: {', '.join(twice)}.")


def stopping_condition(params: Mapping[str, Any], training: Mapping[str, Any]) -> dict[str, Any]:
    """StoppingCondition as Describe answers it."""
    given = dict(params.get("StoppingCondition") or {})
    stopping = {"MaxRuntimeInSeconds": MAX_RUNTIME, **given}
    wait = stopping.get("MaxWaitTimeInSeconds")
    if params.get("EnableManagedSpotTraining"):
        if wait is None or wait < stopping["MaxRuntimeInSeconds"]:
            raise Validation(
                "Invalid MaxWaitTimeInSeconds. It must be present and be greater than or equal to MaxRuntimeInSeconds"
            )
        _check_patience(wait, str(training["TrainingImage"]))
    elif wait is not None:
        raise Validation(
            "MaxWaitTimeInSeconds above 0 is not allowed for an on-demand training job. "
            "Set EnableManagedSpotTraining, or remove it from StoppingCondition."
        )
    return stopping


def _check_patience(wait: int, image: str) -> None:
    """https://docs.aws.amazon.com/sagemaker/latest/dg/model-managed-spot-training.html: what does not checkpoint."""
    from algorithms import catalog

    known = catalog.find(image)
    if known is not None and known.definition and wait > PATIENCE and not known.goes_on(image):
        raise Validation(
            f"MaxWaitTimeInSeconds above {PATIENCE} is not supported for the given algorithm: it does not checkpoint. "
            f"Give at most {PATIENCE}."
        )


def algorithm_specification(params: Mapping[str, Any], training: Mapping[str, Any]) -> dict[str, Any]:
    """AlgorithmSpecification as Describe answers it: with the metrics that the algorithm is known to log."""
    from algorithms import catalog
    from emulator.jobs.metrics import definitions

    given = dict(params["AlgorithmSpecification"])
    own = list(given.get("MetricDefinitions") or [])
    try:
        definitions(own)
    except ValueError as error:
        raise Validation(f"{error}.") from error
    named = {definition["Name"] for definition in own}
    known = catalog.find(training["TrainingImage"])
    declared = [*(training.get("MetricDefinitions") or ()), *(known.metrics if known else ())]
    own += [dict(metric) for metric in declared if metric["Name"] not in named]
    if own:
        given["MetricDefinitions"] = own
    given.setdefault("EnableSageMakerMetricsTimeSeries", known is not None)
    return given
