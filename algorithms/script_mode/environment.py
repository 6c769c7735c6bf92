"""What the script is told about its job: the training environment, and the SM_ variables made of it."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Mapping
from typing import Any

from algorithms.common.contract import Layout
from algorithms.script_mode import parameters
from algorithms.script_mode.parameters import variable

HOMOGENEOUS = "homogeneousCluster"
ETHERNET = "eth0"
LOG_LEVEL = 20
DISTRIBUTIONS = (
    "sagemaker_mpi_enabled", "sagemaker_parameter_server_enabled", "sagemaker_distributed_dataparallel_enabled",
    "sagemaker_pytorch_ddp_enabled", "sagemaker_pytorch_xla_multi_worker_enabled",
    "sagemaker_multi_worker_mirrored_strategy_enabled", "sagemaker_torch_distributed_enabled",
)  # fmt: skip
NOT_EXPORTED = (
    "additional_framework_parameters", "channel_input_dirs", "distribution_hosts", "hyperparameters", "is_master",
    "is_modelparallel_enabled", "is_smddpmprun_installed", "is_smddprun_installed", "job_name", "master_hostname",
    "topology",
)  # fmt: skip
"""Members of the training environment that have no SM_ variable of their name."""


def facts(layout: Layout, decoded: Mapping[str, Any], module: str) -> dict[str, Any]:
    """The training environment, member by member as the toolkit prints it; `module` is the framework's."""
    resources = layout.config("resourceconfig")
    framework = parameters.of_framework(decoded)
    program = os.environ.get("SAGEMAKER_PROGRAM") or decoded.get("sagemaker_program")
    told = {
        **_folders(layout),
        **_machine(),
        **_cluster(resources, framework),
        "additional_framework_parameters": framework,
        "framework_module": module,
        "hyperparameters": parameters.of_user(decoded),
        "input_data_config": layout.config("inputdataconfig"),
        "is_modelparallel_enabled": None,
        "is_smddpmprun_installed": False,
        "is_smddprun_installed": False,
        "job_name": os.environ.get("TRAINING_JOB_NAME"),
        "log_level": decoded.get("sagemaker_container_log_level", LOG_LEVEL),
        "module_dir": str(decoded.get("sagemaker_submit_directory") or layout.base / "code"),
        "module_name": str(program).removesuffix(".py"),
        "resource_config": resources,
        "user_entry_point": program,
    }
    return dict(sorted(told.items()))


def _folders(layout: Layout) -> dict[str, Any]:
    base = layout.base
    return {
        "channel_input_dirs": {name: str(layout.channel(name)) for name in layout.config("inputdataconfig")},
        "input_config_dir": str(base / "input/config"),
        "input_dir": str(base / "input"),
        "model_dir": str(layout.model),
        "output_data_dir": str(layout.output_data),
        "output_dir": str(base / "output"),
        "output_intermediate_dir": str(base / "output/intermediate"),
    }


def _machine() -> dict[str, Any]:
    affinity = getattr(os, "sched_getaffinity", None)
    return {
        "num_cpus": len(affinity(0)) if affinity else os.cpu_count() or 1,
        "num_gpus": _gpus(),
        "num_neurons": 0,
    }


def _gpus() -> int:
    if not shutil.which("nvidia-smi"):
        return 0
    listed = subprocess.run(["nvidia-smi", "--list-gpus"], capture_output=True, text=True, check=False)
    return sum(line.startswith("GPU ") for line in listed.stdout.splitlines())


def _cluster(resources: Mapping[str, Any], framework: Mapping[str, Any]) -> dict[str, Any]:
    hosts = list(resources.get("hosts") or ["algo-1"])
    host = resources.get("current_host") or hosts[0]
    group = resources.get("current_group_name", HOMOGENEOUS)
    groups = {one["instance_group_name"]: one for one in resources.get("instance_groups") or ()}
    own = [group] if any(framework.get(key) for key in DISTRIBUTIONS) else []
    distributed = framework.get("sagemaker_distribution_instance_groups", own)
    among = hosts
    if groups:
        among = [member for name, one in groups.items() if name in distributed for member in one["hosts"]]
    master = (among or hosts)[0]
    return {
        "current_host": host,
        "current_instance_group": group,
        "current_instance_group_hosts": groups.get(group, {}).get("hosts", []),
        "current_instance_type": resources.get("current_instance_type", "local"),
        "distribution_hosts": among,
        "distribution_instance_groups": distributed,
        "hosts": hosts,
        "instance_groups": list(groups),
        "instance_groups_dict": groups,
        "is_hetero": len(groups) > 1,
        "is_master": host == master,
        "master_hostname": master,
        "network_interface_name": resources.get("network_interface_name", ETHERNET),
        "topology": resources.get("topology", []),
    }


def variables(told: Mapping[str, Any]) -> dict[str, str]:
    """The SM_ variables of a training environment."""
    user = told["hyperparameters"]
    shown = {name: value for name, value in told.items() if name not in NOT_EXPORTED}
    shown["channels"] = sorted(told["channel_input_dirs"])
    shown["hps"] = user
    shown["framework_params"] = told["additional_framework_parameters"]
    shown["training_env"] = dict(told)
    shown["user_args"] = parameters.arguments(user)
    if told["topology"]:
        shown["topology"] = told["topology"]
    shown |= {f"channel_{name}": folder for name, folder in told["channel_input_dirs"].items()}
    shown |= {f"hp_{name}": value for name, value in user.items()}
    return {f"SM_{name.upper()}": variable(value) for name, value in shown.items()}


def of_service(told: Mapping[str, Any], decoded: Mapping[str, Any]) -> dict[str, str]:
    """The variables without SM_ that the toolkit sets on its way."""
    region = decoded.get("sagemaker_region") or os.environ.get("AWS_REGION") or os.environ.get("AWS_DEFAULT_REGION")
    return {
        "CURRENT_HOST": str(told["current_host"]),
        "SAGEMAKER_JOB_NAME": str(decoded.get("sagemaker_job_name") or told["job_name"] or ""),
        "SAGEMAKER_REGION": str(region or ""),
        "SAGEMAKER_TRAINING_MODULE": str(told["framework_module"]),
    }
