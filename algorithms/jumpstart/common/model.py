"""What a training job leaves beside the library's own file: what the model is for, and the code that serves it."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from common.failing import Refused

HERE = Path(__file__).resolve().parents[1]
TOLD, SAVED = "told.json", "model_info.json"


def told() -> dict[str, Any]:
    """What this archive of scripts is for."""
    found: dict[str, Any] = json.loads((HERE / TOLD).read_text(encoding="utf-8"))
    return found


def folder() -> Path:
    """Where the artifact is made."""
    return Path(os.environ.get("SM_MODEL_DIR", "/opt/ml/model"))


def save(facts: Mapping[str, Any]) -> None:
    """Write what serving has to know, and bring the code that serves."""
    place = folder()
    (place / SAVED).write_text(json.dumps(dict(facts), indent=1), encoding="utf-8")
    shutil.copytree(HERE / "inference", place / "code", dirs_exist_ok=True)


def saved(place: str) -> dict[str, Any]:
    """What was saved; Refused for an artifact that no training job made."""
    path = Path(place) / SAVED
    if not path.is_file():
        raise Refused(
            "The model archive holds no trained model: it is the artifact that training begins with. Deploy the "
            "ModelArtifacts of a training job."
        )
    found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return found
