"""The families of models that there are, read from the folders of this room."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).resolve().parent
SHARED = ("tabular",)
"""The packages of scripts that a family brings which does not say which."""
CSV = "text/csv"
OTHERS = {
    "training": ("__init__.py", "inference.py"),
    "inference": ("__init__.py", "transfer_learning.py", "fitting.py"),
}


@dataclass(frozen=True)
class Family:
    """One family. `image` says in which images it trains and serves, `hosting_image` where it serves in another one;
    `hyperparameters` are rows of a specification; `models` are its models, each with its own `metrics` (name -> regular
    expression) and what its scripts are told. `shares` are packages of this room that its scripts need, `brings` files
    of the payload, which go into the last of these packages: they import nothing of ours. `stand_in` says what computes
    it in place of what it is named after, empty where nothing does; `content_type` is what its models are asked in.
    """

    name: str
    title: str
    library: str
    image: Mapping[str, str]
    requires: Mapping[str, str]
    hyperparameters: tuple[Mapping[str, Any], ...]
    models: tuple[Mapping[str, Any], ...]
    differs: tuple[str, ...]
    hosting_image: Mapping[str, str]
    shares: tuple[str, ...] = SHARED
    brings: tuple[str, ...] = ()
    stand_in: str = ""
    content_type: str = CSV
    incremental: bool = False


@cache
def every() -> tuple[Family, ...]:
    """All families by name."""
    return tuple(_read(path) for path in sorted(FOLDER.glob("*/family.json")))


def scripts(family: Family, scope: str) -> dict[str, bytes]:
    """The scripts of a family for `training` or `inference`, by their name in the archive."""
    own = {path.name: path for path in (FOLDER / family.name).glob("*.py")}
    for name in OTHERS[scope]:
        own.pop(name)
    shared = {f"{package}/{path.name}": path for package in family.shares for path in (FOLDER / package).glob("*.py")}
    brought = {f"{family.shares[-1]}/{Path(name).name}": FOLDER.parent / name for name in family.brings}
    return {name: path.read_bytes() for name, path in {**own, **shared, **brought}.items()}


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
        hosting_image=told.get("hosting_image", told["image"]),
        shares=tuple(told.get("shares", SHARED)),
        brings=tuple(told.get("brings", ())),
        stand_in=told.get("stand_in", ""),
        content_type=told.get("content_type", CSV),
        incremental=told.get("incremental", False),
    )
