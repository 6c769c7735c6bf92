"""Hyperparameters as the toolkit takes them: decoded from JSON, the service's own set apart, and as arguments."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

PREFIX = "sagemaker_"
OWN = (
    "sagemaker_program", "sagemaker_submit_directory", "sagemaker_enable_cloudwatch_metrics", "sagemaker_region",
    "sagemaker_container_log_level", "sagemaker_job_name", "default_user_module_name", "_tuning_objective_metric",
    "sagemaker_s3_output",
)  # fmt: skip
"""Those that the toolkit reads itself; every other `sagemaker_…` is for the framework, and no script sees either."""


def decode(given: Mapping[str, Any]) -> dict[str, Any]:
    """Every value as JSON says; what is no JSON stays the text that it is."""
    return {name: _decoded(value) for name, value in given.items()}


def _decoded(value: Any) -> Any:
    try:
        return json.loads(value)
    except (ValueError, TypeError, RecursionError):
        return value


def of_user(decoded: Mapping[str, Any]) -> dict[str, Any]:
    """What the script gets."""
    return {name: value for name, value in decoded.items() if name not in OWN and not name.startswith(PREFIX)}


def of_framework(decoded: Mapping[str, Any]) -> dict[str, Any]:
    """What becomes SM_FRAMEWORK_PARAMS."""
    return {name: value for name, value in decoded.items() if name.startswith(PREFIX) and name not in OWN}


def arguments(user: Mapping[str, Any]) -> list[str]:
    """`--name value` in the order of names, `-n value` for names of one letter."""
    words: list[str] = []
    for name in sorted(user):
        words += [_option(name), _argument(user[name])]
    return words


def _option(name: str) -> str:
    if not name:
        return ""
    return f"--{name}" if len(name) > 1 else f"-{name}"


def _argument(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, dict):
        return ",".join(f"{key}={each}" for key, each in sorted(value.items()))
    return str(value)


def variable(value: Any) -> str:
    """A value as an environment variable holds it: text as it is, nothing as nothing, all else as compact JSON."""
    if value is None:
        return ""
    if isinstance(value, str):
        return value
    return json.dumps(value, sort_keys=True, separators=(",", ":"))
