"""`get_dmatrix`, which scripts read a channel with."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

import xgboost  # First: the payload would import it without pandas, which scripts may want.
from sagelet_payload import bring

__all__ = ["get_dmatrix", "xgboost"]


def get_dmatrix(data_path: str | list[str], content_type: str, csv_weights: int = 0, is_pipe: bool = False) -> Any:
    """The files at `data_path` (a folder, a file, or several) as a DMatrix; None when there are none."""
    if is_pipe:
        raise NotImplementedError("Pipe mode is no longer supported: set the channel's input mode to File or FastFile.")
    data = bring("algorithms.xgboost.data")
    places = [Path(place) for place in ([data_path] if isinstance(data_path, str) else data_path)]
    with tempfile.TemporaryDirectory() as beside:  # The payload reads folders: files are shown in one.
        for number, file in enumerate(place for place in places if place.is_file()):
            Path(beside, f"{number}-{file.name.lstrip('._')}").symlink_to(file.resolve())
        folders = [place for place in places if place.is_dir()]
        return data.load([*folders, Path(beside)], data.format_of(content_type), csv_weights == 1)
