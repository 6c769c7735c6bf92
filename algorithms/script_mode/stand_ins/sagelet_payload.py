"""The way from a script's process to the payload beside it, whose folder is not on the script's path."""

from __future__ import annotations

import importlib
import sys
from functools import cache
from importlib import util
from pathlib import Path
from types import ModuleType

ROOMS = str(Path(__file__).resolve().parents[3])


def bring(name: str) -> ModuleType:
    """Import a module of `algorithms`."""
    sys.path.append(ROOMS)
    try:
        return importlib.import_module(name)
    finally:
        sys.path.remove(ROOMS)


@cache
def arrays() -> ModuleType:
    """`algorithms.script_mode.arrays` by its file (it imports nothing of ours): scripts may have an `algorithms`."""
    spec = util.spec_from_file_location("sagelet_arrays", Path(ROOMS, "algorithms/script_mode/arrays.py"))
    assert spec is not None and spec.loader is not None
    module = util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
