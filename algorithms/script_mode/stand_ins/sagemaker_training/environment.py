"""The training environment, as the toolkit's class of that name shows it: a mapping whose members are attributes."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping
from typing import Any

base_dir = os.environ.get("SAGEMAKER_BASE_DIR", "/opt/ml")
code_dir = f"{base_dir}/code"
model_dir = f"{base_dir}/model"
input_dir = f"{base_dir}/input"
input_config_dir = f"{base_dir}/input/config"
output_dir = f"{base_dir}/output"
output_data_dir = f"{base_dir}/output/data"


class Environment(Mapping[str, Any]):
    """What SM_TRAINING_ENV says."""

    def __init__(self) -> None:
        self._told = json.loads(os.environ["SM_TRAINING_ENV"])

    def __getitem__(self, name: str) -> Any:
        return self._told[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._told)

    def __len__(self) -> int:
        return len(self._told)

    def __getattr__(self, name: str) -> Any:
        if name == "_told" or name not in self._told:
            raise AttributeError(name)
        return self._told[name]

    def to_cmd_args(self) -> list[str]:
        """The script's own arguments."""
        return list(json.loads(os.environ["SM_USER_ARGS"]))

    def to_env_vars(self) -> dict[str, str]:
        """The script's SM_ variables."""
        return {name: value for name, value in os.environ.items() if name.startswith("SM_")}
