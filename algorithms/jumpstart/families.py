"""The families of models that there are, read from the folders of this room."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).resolve().parent
SHARED = "tabular"
"""The package of scripts that every tabular family brings."""
OTHERS = {
    "training": ("__init__.py", "inference.py"),
    "inference": ("__init__.py", "transfer_learning.py", "fitting.py"),
}


@dataclass(frozen=True)
class Family:
    """One family. `image` says in which images it trains and serves; `hyperparameters` are rows of a specification;
    `models` are its models, each with its own `metrics` (name -> regular expression) and what its scripts are told.
    `raw` is whether its library takes a table as it is, with text in it, and splits off validation data by itself."""

    name: str
    title: str
    library: str
    image: Mapping[str, str]
    requires: Mapping[str, str]
    hyperparameters: tuple[Mapping[str, Any], ...]
    models: tuple[Mapping[str, Any], ...]
    differs: tuple[str, ...]
    raw: bool


@cache
def every() -> tuple[Family, ...]:
    """All families by name."""
    return tuple(_read(path) for path in sorted(FOLDER.glob("*/family.json")))


def scripts(family: Family, scope: str) -> dict[str, bytes]:
    """The scripts of a family for `training` or `inference`, by their name in the archive."""
    own = {path.name: path for path in (FOLDER / family.name).glob("*.py")}
    for name in OTHERS[scope]:
        own.pop(name)
    shared = {f"{SHARED}/{path.name}": path for path in (FOLDER / SHARED).glob("*.py")}
    return {name: path.read_bytes() for name, path in {**own, **shared}.items()}


def _read(path: Path) -> Family:
    told = json.loads(path.read_text(encoding="utf-8"))
    return Family(
        name=path.parent.name,
        title=told["title"],
        library=told["library"],
        image=told["image"],
        requires=told.get("requires", {}),
        hyperparameters=tuple(told["hyperparameters"]),
        models=tuple(told["models"]),
        differs=tuple(told.get("differs", ())),
        raw=told.get("raw", False),
    )
