"""Where a job's data are: the channels, or the folders of one channel, and the categorical columns beside them."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from common.failing import Refused

TRAINING, VALIDATION = ("training", "train"), ("validation",)
INDEX, MEMBERS = "categorical_index.json", ("cat_index_list", "cat_index")


@dataclass(frozen=True)
class Data:
    """The CSV files to train with, those to validate with (none: a part is split off), and which of their columns are
    categorical; column 0 is the target. `sharded`: each host of the job has other files to train with."""

    training: list[Path]
    validation: list[Path]
    categorical: list[int]
    sharded: bool = False


def find() -> Data:
    """The data of this job."""
    given = [folder for folder in (_channel(name) for name in TRAINING) if folder]
    if not given:
        raise Refused("The channel training is missing. Give the job a channel `training` with CSV files.")
    root = given[0]
    folder = next((root / name for name in TRAINING if (root / name).is_dir()), root)
    validation = _channel(VALIDATION[0]) or root / VALIDATION[0]
    training = _files(folder)
    if not training:
        raise Refused(
            f"There is no data in the channel {root.name}: {folder.relative_to(root.parent)} holds no CSV file."
        )
    categorical = _categorical((root, folder, validation))
    return Data(training, _validating(validation), categorical, _distribution(root.name) == "ShardedByS3Key")


def _validating(folder: Path) -> list[Path]:
    nested = folder / VALIDATION[0]
    return _files(nested if nested.is_dir() else folder)


def _channel(name: str) -> Path | None:
    told = os.environ.get(f"SM_CHANNEL_{name.upper()}", "")
    return Path(told) if told else None


def _distribution(channel: str) -> str:
    told = json.loads(os.environ.get("SM_INPUT_DATA_CONFIG", "{}"))
    return str(told.get(channel, {}).get("S3DistributionType", ""))


def _files(folder: Path) -> list[Path]:
    """The data of a folder, not of those below it: what is hidden or JSON is none."""
    if not folder.is_dir():
        return []
    found = (path for path in folder.iterdir() if path.is_file() and path.stat().st_size)
    return sorted(path for path in found if path.suffix != ".json" and path.name[0] not in "._")


def _categorical(folders: tuple[Path, ...]) -> list[int]:
    """The columns that a file of JSON lists: of the guide's name, or the only one that is there, as in notebooks."""
    found = [folder / INDEX for folder in folders if (folder / INDEX).is_file()]
    if not found:
        found = list(dict.fromkeys(path for folder in folders for path in sorted(folder.glob("*.json"))))
        if len(found) > 1:
            names = ", ".join(path.name for path in found)
            raise Refused(f"There may be one file of JSON, which lists the categorical columns; there are {names}.")
    return sorted(set(_indices(found[0]))) if found else []


def _indices(path: Path) -> Iterator[int]:
    try:
        told = json.loads(path.read_text(encoding="utf-8"))
        listed = next((told[name] for name in MEMBERS if name in told), None)
        if listed is None:
            [listed] = told.values()  # Notebooks name it as they like.
        if type(listed) is not list or not all(type(each) is int for each in listed):
            raise TypeError
    except (ValueError, TypeError, AttributeError):
        raise Refused(
            f'{path.name} is not understood. It has to be JSON such as {{"cat_index_list": [1, 3]}}, with the numbers '
            "of columns of the CSV files."
        ) from None
    if any(each < 1 for each in listed):
        raise Refused(f"{path.name} lists column {min(listed)}; column 0 is the target, and features begin with 1.")
    yield from listed
