"""The specification of a model, member by member as the SageMaker Python SDK reads it."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from functools import cache
from typing import Any

from algorithms.jumpstart.families import FOLDER, Family

VERSION, MIN_SDK = "2.2.7", "2.68.1"
INSTANCES = {
    "m5": ("large", "xlarge", "2xlarge", "4xlarge", "12xlarge"),
    "m4": ("xlarge", "2xlarge", "4xlarge"),
    "c5": ("xlarge", "2xlarge", "4xlarge", "9xlarge"),
    "c4": ("xlarge", "2xlarge", "4xlarge"),
    "m6i": ("large", "xlarge", "2xlarge", "4xlarge"),
    "c6i": ("large", "xlarge", "2xlarge", "4xlarge"),
    "r5": ("large", "xlarge", "2xlarge"),
}
WITH_GPU = {
    "p2": ("xlarge", "8xlarge", "16xlarge"),
    "p3": ("2xlarge", "8xlarge", "16xlarge"),
    "g4dn": ("xlarge", "2xlarge", "4xlarge", "8xlarge", "12xlarge", "16xlarge"),
    "g5": ("xlarge", "2xlarge", "4xlarge", "8xlarge", "12xlarge", "16xlarge"),
}
FURTHER = {"training": (), "inference": ("t2", "t3")}
SIZES = ("medium", "large", "xlarge", "2xlarge")
DEFAULT = {"training": "ml.m5.xlarge", "inference": "ml.m5.large"}
JSON, VERBOSE = "application/json", "application/json;verbose"
ENVIRONMENT = (
    ("SAGEMAKER_PROGRAM", "text", "inference.py", "container", True),
    ("SAGEMAKER_SUBMIT_DIRECTORY", "text", "/opt/ml/model/code", "container", False),
    ("SAGEMAKER_CONTAINER_LOG_LEVEL", "text", "20", "container", False),
    ("SAGEMAKER_MODEL_SERVER_TIMEOUT", "text", "3600", "container", False),
    ("ENDPOINT_SERVER_TIMEOUT", "int", 3600, "container", True),
    ("MODEL_CACHE_ROOT", "text", "/opt/ml/model", "container", True),
    ("SAGEMAKER_ENV", "text", "1", "container", True),
    ("SAGEMAKER_MODEL_SERVER_WORKERS", "int", 1, "container", True),
)
CONTAINER = (
    ("sagemaker_submit_directory", "/opt/ml/input/data/code/sourcedir.tar.gz"),
    ("sagemaker_program", "transfer_learning.py"),
    ("sagemaker_container_log_level", "20"),
)
"""Hyperparameters of the container's, which `retrieve_default` leaves out unless it is asked for them."""
OWN = ("network", "says", "pretrained")
"""What the scripts of a family of networks are told of a model besides."""


def is_region(name: str) -> bool:
    """Whether it can be the name of a region."""
    return bool(re.fullmatch(r"[a-z]{2,3}(-[a-z]+)+-\d", name))


def scripts_of(family: Family) -> str:
    """The prefix of all scripts of a family."""
    return f"source-directory-tarballs/{family.name}/"


def keys(family: Family, model: Mapping[str, Any]) -> dict[str, str]:
    """Where a model's scripts and artifacts are in the bucket. Scripts are told the model that they are for."""
    name, tarballs = model["model_id"], scripts_of(family)
    return {
        "training_script_key": f"{tarballs}transfer_learning/{model['task']}/v{VERSION}/{name}/sourcedir.tar.gz",
        "hosting_script_key": f"{tarballs}inference/{model['task']}/v{VERSION}/{name}/sourcedir.tar.gz",
        "training_artifact_key": f"{family.name}-training/v{VERSION}/train-{name}.tar.gz",
        "hosting_artifact_key": f"{family.name}-infer/v{VERSION}/infer-{name}.tar.gz",
    }


def told(family: Family, model: Mapping[str, Any]) -> dict[str, Any]:
    """What the scripts are told about the model that they are for."""
    own = {member: model[member] for member in OWN if member in model}
    return {
        "model_id": model["model_id"],
        "task": model["task"],
        "requires": dict(family.requires),
        "several_hosts": family.several_hosts,
        "raw": family.raw,
        "hyperparameters": _hyperparameters(family, model),
        **own,
        **({"stand_in": family.stand_in} if family.stand_in else {}),
    }


def spec(family: Family, model: Mapping[str, Any], region: str) -> dict[str, Any]:
    """The specification of a model in a region."""
    name = model["model_id"]
    return {
        "model_id": name,
        "version": VERSION,
        "min_sdk_version": MIN_SDK,
        "url": model["url"],
        "training_supported": True,
        "incremental_training_supported": family.incremental,
        "hyperparameters": [*_hyperparameters(family, model), *map(_of_container, CONTAINER)],
        "metrics": [{"Name": name, "Regex": regex} for name, regex in model["metrics"].items()],
        "inference_environment_variables": [_variable(row) for row in ENVIRONMENT],
        "predictor_specs": {
            "supported_content_types": [family.content_type],
            "default_content_type": family.content_type,
            "supported_accept_types": [VERBOSE, JSON],
            "default_accept_type": JSON,
        },
        "inference_volume_size": 256,
        "training_volume_size": 256,
        "inference_enable_network_isolation": True,
        "training_enable_network_isolation": False,
        "resource_name_base": name,
        **keys(family, model),
        **_place("training", family, region),
        **_place("hosting", family, region),
    }


def _place(scope: str, family: Family, region: str) -> dict[str, Any]:
    """In which image, and on which instances."""
    said, image = "inference" if scope == "hosting" else scope, family.image
    instances = {**INSTANCES, **dict.fromkeys(FURTHER[said], SIZES), **(WITH_GPU if family.has_gpu_images else {})}
    named = {"framework": image["framework"], "framework_version": image["version"], "py_version": image["py_version"]}
    variants = {}
    for of in instances:
        name = family.image_name(said, "gpu" if of in WITH_GPU else "cpu")
        variants[of] = {"properties": {"image_uri": _uri(image["registry"], name, region)}}
    return {
        f"{scope}_ecr_specs": named,
        f"{scope}_instance_type_variants": {"variants": variants},
        f"default_{said}_instance_type": DEFAULT[said],
        f"supported_{said}_instance_types": [f"ml.{of}.{size}" for of, sizes in instances.items() for size in sizes],
    }


def _uri(registry: str, name: str, region: str) -> str:
    accounts = _registries()[registry]
    suffix = ".cn" if region.startswith("cn-") else ""
    account = accounts.get(region, accounts["us-east-1"])
    return f"{account}.dkr.ecr.{region}.amazonaws.com{suffix}/{name}"


@cache
def _registries() -> dict[str, dict[str, str]]:
    found: dict[str, dict[str, str]] = json.loads((FOLDER / "registries.json").read_text(encoding="utf-8"))
    return found


def _hyperparameters(family: Family, model: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Those of the family, without those that the model has not, and with its own defaults."""
    defaults = model.get("defaults", {})
    left_out = model.get("without", ())
    return [
        {**row, "default": defaults.get(row["name"], row["default"]), "scope": "algorithm"}
        for row in family.hyperparameters
        if row["name"] not in left_out
    ]


def _of_container(row: tuple[str, str]) -> dict[str, Any]:
    return {"name": row[0], "type": "text", "default": row[1], "scope": "container"}


def _variable(row: tuple[str, str, Any, str, bool]) -> dict[str, Any]:
    return dict(zip(("name", "type", "default", "scope", "required_for_model_class"), row, strict=True))
