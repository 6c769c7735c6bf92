"""What a job of a warm pool leaves to the next one: the environment that it installed, in the persistent cache."""

from __future__ import annotations

import hashlib
import os
import shutil
import sys
from pathlib import Path

from algorithms.common.contract import Layout
from algorithms.script_mode.interpreter import Interpreter
from algorithms.script_mode.log import say
from algorithms.script_mode.packages import REQUIREMENTS

POOL = "sagemaker/warmpoolcache"


class Kept:
    """The environment of one requirements.txt in the cache; without a pool or requirements there is none."""

    def __init__(self, layout: Layout, python: Interpreter, code: Path) -> None:
        self._python = python
        self._place: Path | None = None
        requirements = code / REQUIREMENTS
        if requirements.is_file() and os.access(layout.base / POOL, os.W_OK):
            # Scripts in it begin with the path of its interpreter, so it fits only an environment of the same path.
            told = [requirements.read_bytes(), sys.version.encode(), str(python.folder).encode()]
            self._place = layout.base / POOL / f"sagelet-{hashlib.sha256(b'|'.join(told)).hexdigest()[:16]}"

    def restore(self) -> bool:
        """Lay what an earlier job of the pool has installed; False when there is nothing."""
        if self._place is None or not self._place.is_dir():
            return False
        say("Dependencies from requirements.txt are in the warm pool's cache.")
        shutil.rmtree(self._python.folder)
        shutil.copytree(self._place, self._python.folder, symlinks=True)
        return True

    def keep(self) -> None:
        """Leave what was installed to the next job. A full disk keeps nothing, and fails nothing."""
        if self._place is None:
            return
        fresh = self._place.with_suffix(f".{os.getpid()}")
        try:
            shutil.copytree(self._python.folder, fresh, symlinks=True)
            fresh.rename(self._place)
        except OSError:
            shutil.rmtree(fresh, ignore_errors=True)
