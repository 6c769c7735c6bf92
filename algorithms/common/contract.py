"""The /opt/ml contract: where things lie, what the service wrote there, and how a job says that it failed."""

from __future__ import annotations

import json
import os
import sys
import time
import traceback
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from algorithms.common.faults import UserError

FAILURE_LIMIT = 1024
"""Characters of the failure file that become FailureReason."""
CLIENT, ALGORITHM = "ClientError", "AlgorithmError"


@dataclass(frozen=True)
class Layout:
    """The folders of one job below its base folder (`/opt/ml`)."""

    base: Path

    @classmethod
    def from_environment(cls) -> Layout:
        """The layout that this process was started with."""
        return cls(Path(os.environ.get("SAGEMAKER_BASE_DIR") or "/opt/ml"))

    @property
    def model(self) -> Path:
        return self.base / "model"

    @property
    def output_data(self) -> Path:
        return self.base / "output" / "data"

    @property
    def failure(self) -> Path:
        return self.base / "output" / "failure"

    def channel(self, name: str) -> Path:
        """The folder of a File or FastFile channel."""
        return self.base / "input" / "data" / name

    def config(self, name: str) -> dict[str, Any]:
        """A file of `input/config` as JSON; empty when it is not there."""
        path = self.base / "input" / "config" / f"{name}.json"
        try:
            return dict(json.loads(path.read_text(encoding="utf-8")))
        except FileNotFoundError:
            return {}

    @property
    def hyperparameters(self) -> dict[str, str]:
        return {name: _plain(value) for name, value in self.config("hyperparameters").items()}

    @property
    def channels(self) -> dict[str, Mapping[str, str]]:
        return self.config("inputdataconfig")

    @property
    def hosts(self) -> list[str]:
        return list(self.config("resourceconfig").get("hosts") or ["algo-1"])

    @property
    def checkpoints(self) -> Path | None:
        """The folder of checkpoints, when the job asked for them."""
        local = self.config("checkpointconfig").get("LocalPath")
        if not local:
            return None
        inside = Path(local)
        if inside.is_relative_to("/opt/ml"):
            return self.base / inside.relative_to("/opt/ml")
        return inside


def _plain(value: Any) -> str:
    """Some SDKs send `"10"` with the quotes of JSON: the quotes are not part of the value."""
    text = value if isinstance(value, str) else json.dumps(value)
    quoted = len(text) >= 2 and text[0] == text[-1] == '"'
    return text[1:-1] if quoted else text


def log(message: str, level: str = "INFO") -> None:
    """One line of the form that the first-party containers log: `[2024-05-10:23:09:47:INFO] message`."""
    stamp = time.strftime("%Y-%m-%d:%H:%M:%S")
    print(f"[{stamp}:{level}] {message}", flush=True)


def run_training(layout: Layout, train: Callable[[Layout], None]) -> int:
    """Call `train` and turn how it ends into an exit status and a failure file."""
    try:
        train(layout)
    except UserError as mistake:
        log(str(mistake), "ERROR")
        _tell(layout, f"{CLIENT}: {mistake}")
        return 1
    except Exception as error:
        story = traceback.format_exc()
        print(story, file=sys.stderr, flush=True)
        _tell(layout, f"{ALGORITHM}: {type(error).__name__}: {error}\n\n{story}")
        return 1
    return 0


def _tell(layout: Layout, text: str) -> None:
    layout.failure.parent.mkdir(parents=True, exist_ok=True)
    layout.failure.write_text(text[:FAILURE_LIMIT], encoding="utf-8")
