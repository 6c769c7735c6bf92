"""Folders and runs of jobs that were over when a former life of the house ended before it could tidy up."""

from __future__ import annotations

import logging
import shutil
from pathlib import Path

from emulator.jobs.recipes.recipe import Tools
from emulator.ports import RunSpec

log = logging.getLogger(__name__)

PREFIX = "job-"
"""What the run ids of jobs begin with; other folders in `work` belong to other engines."""


def sweep(tools: Tools, kept: frozenset[str]) -> None:
    """Free every run and folder of a job that is not in `kept` (run ids)."""
    work = Path(tools.settings.data_dir) / "work"
    if not work.is_dir():
        return
    for folder in work.iterdir():
        if folder.name.startswith(PREFIX) and folder.name not in kept:
            _free(tools, folder)


def _free(tools: Tools, folder: Path) -> None:
    spec = RunSpec(folder.name, "", "", "train", folder, folder / "log")
    try:
        executor = tools.executors.adopt(spec)
        if executor is not None:
            executor.stop(folder.name, 0.0)
            executor.wait(folder.name, 5.0)
            executor.release(folder.name)
    except Exception:
        log.exception("the leftover run %s cannot be freed", folder.name)
    shutil.rmtree(folder, ignore_errors=True)
