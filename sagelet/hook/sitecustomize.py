"""Run by every interpreter of an activated program as it starts; the user's own `sitecustomize` follows."""

import importlib.machinery
import importlib.util
import sys
from pathlib import Path

import sagelet_hook  # type: ignore[import-not-found]  # beside this file, on PYTHONPATH

_HERE = Path(__file__).parent


def _go_on() -> None:
    """This module hides the next one of its name: that one is run as if it had been found."""
    others = [entry for entry in sys.path if Path(entry or ".").resolve() != _HERE.resolve()]
    spec = importlib.machinery.PathFinder.find_spec("sitecustomize", others)
    if spec is not None and spec.loader is not None:
        module = importlib.util.module_from_spec(spec)
        sys.modules["sitecustomize"] = module
        spec.loader.exec_module(module)


sagelet_hook.install()
_go_on()
