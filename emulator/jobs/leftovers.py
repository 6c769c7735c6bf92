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
    """A job has a folder of its own in it for each host; a transform job's run is the folder itself."""
    hosts = [(f"{folder.name}-{host.name}", host) for host in folder.iterdir() if host.is_dir()]
    for run_id, place in [(folder.name, folder), *hosts]:
        _end(tools, RunSpec(run_id, "", "", "train", place, place / "log"))
    shutil.rmtree(folder, ignore_errors=True)


def _end(tools: Tools, spec: RunSpec) -> None:
    try:
        executor = tools.executors.adopt(spec)
        if executor is not None:
            executor.stop(spec.run_id, 0.0)
            executor.wait(spec.run_id, 5.0)
            executor.release(spec.run_id)
    except Exception:
        log.exception("the leftover run %s cannot be freed", spec.run_id)
