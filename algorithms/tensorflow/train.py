"""Training in the images of TensorFlow: the user's script, with `model_dir` and TF_CONFIG."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from typing import Any

from algorithms.script_mode.train import Family, run

MODULE = "sagemaker_tensorflow_container.training:main"
WORKER_PORT = 8890


def main() -> int:
    """Run the job of this process's base folder; its exit status."""
    return run(Family("tensorflow", MODULE, hyperparameters, variables))


def hyperparameters(decoded: dict[str, Any]) -> dict[str, Any]:
    """Jobs of one tuning job share `model_dir` but for the job's name, which the image adds."""
    place, job = decoded.get("model_dir"), os.environ.get("TRAINING_JOB_NAME", "")
    if "_tuning_objective_metric" not in decoded or not place or str(place).startswith("/opt/ml"):
        return decoded
    return {**decoded, "model_dir": f"{place}/{job}/model"}


def variables(told: Mapping[str, Any]) -> dict[str, str]:
    """TF_CONFIG, for MultiWorkerMirroredStrategy."""
    if not told["additional_framework_parameters"].get("sagemaker_multi_worker_mirrored_strategy_enabled"):
        return {}
    hosts = told["distribution_hosts"]
    if told["current_host"] not in hosts:
        return {}
    config = {
        "cluster": {"worker": [f"{host}:{WORKER_PORT}" for host in hosts]},
        "environment": "cloud",
        "task": {"index": hosts.index(told["current_host"]), "type": "worker"},
    }
    return {"TF_CONFIG": json.dumps(config)}
