"""The families of models that there are, read from the folders of this room."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).resolve().parent
SHARED = ("common", "tabular")
"""The packages of scripts that a family brings which does not say which."""
CSV = "text/csv"
BROUGHT = {"tabular": ("common/peers.py",)}
"""What such a package needs of another room: modules that import nothing of ours."""
OTHERS = {
    "training": ("__init__.py", "inference.py"),
    "inference": ("__init__.py", "transfer_learning.py", "fitting.py", "team.py"),
}


@dataclass(frozen=True)
class Family:
    """One family. `image` says in which images it trains and serves (`{scope}` stands for training or inference,
    `{processor}` for cpu or gpu); `hyperparameters` are rows of a specification; `models` are its models, each with its
    own `metrics` (name -> regular expression) and what its scripts are told; `several_hosts` is whether its jobs may
    have several. `shares` are packages of this room that its scripts need, `brings` files of the payload, which go into
    the last of these packages. `stand_in` says what computes it in place of what it is named after, empty where nothing
    does; `content_type` is what its models are asked in, `incremental` whether a model of theirs may be trained on.
    `raw` is whether its library takes a table as it is, with text in it, and splits off validation data by itself."""

    name: str
    title: str
    library: str
    image: Mapping[str, str]
    requires: Mapping[str, str]
    hyperparameters: tuple[Mapping[str, Any], ...]
    models: tuple[Mapping[str, Any], ...]
    several_hosts: bool
    differs: tuple[str, ...]
    shares: tuple[str, ...] = SHARED
    brings: tuple[str, ...] = ()
    stand_in: str = ""
    content_type: str = CSV
    incremental: bool = False
    raw: bool = False

    def image_name(self, scope: str, processor: str = "cpu") -> str:
        """`repository:tag` of the image for `training` or `inference`."""
        return f"{self.image['repository']}:{self.image['tag']}".format(scope=scope, processor=processor)

    @property
    def has_gpu_images(self) -> bool:
        """Whether it may also be asked for on instances with a GPU."""
        return "{processor}" in self.image["tag"]


@cache
def every() -> tuple[Family, ...]:
    """All families by name."""
    return tuple(_read(path) for path in sorted(FOLDER.glob("*/family.json")))


def scripts(family: Family, scope: str) -> dict[str, bytes]:
    """The scripts of a family for `training` or `inference`, by their name in the archive."""
    own = {path.name: path for path in (FOLDER / family.name).glob("*.py")}
    for name in OTHERS[scope]:
        own.pop(name, None)
    shared = {f"{package}/{path.name}": path for package in family.shares for path in (FOLDER / package).glob("*.py")}
    needed = {package: BROUGHT.get(package, ()) for package in family.shares}
    needed[family.shares[-1]] += family.brings
    brought = {f"{package}/{Path(name).name}": FOLDER.parent / name for package in needed for name in needed[package]}
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
        several_hosts=told.get("several_hosts", False),
        differs=tuple(told.get("differs", ())),
        shares=tuple(told.get("shares", SHARED)),
        brings=tuple(told.get("brings", ())),
        stand_in=told.get("stand_in", ""),
        content_type=told.get("content_type", CSV),
        incremental=told.get("incremental", False),
        raw=told.get("raw", False),
    )
