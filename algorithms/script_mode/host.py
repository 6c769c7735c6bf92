"""The process that hosts the user's functions, begun by `serve` with the job's own interpreter."""

from __future__ import annotations

import importlib
import sys
import traceback
from importlib.machinery import PathFinder
from types import ModuleType

from algorithms.common.contract import Layout
from algorithms.common.faults import UserError
from algorithms.common.serving import run_serving
from algorithms.script_mode import functions
from algorithms.script_mode.log import SERVING, say, speak_as


def main() -> int:
    """Import the script, load the model, serve until SIGTERM; the exit status."""
    rooms, place, program = sys.argv[1:]
    speak_as(SERVING)
    family = importlib.import_module(place).FAMILY
    defaults = importlib.import_module(family.defaults)
    where, _, name = family.service.partition(":")
    service = getattr(importlib.import_module(where), name)
    _step_aside(rooms)
    sys.argv = [program]
    layout = Layout.from_environment()
    try:
        return run_serving(lambda: service(functions.of(_script(program), defaults), layout))
    except Exception as error:
        traceback.print_exc()
        print(f"The model cannot be loaded: {type(error).__name__}: {error}", file=sys.stderr, flush=True)
        return 1


def _step_aside(rooms: str) -> None:
    """Our modules were imported first; from here on every name means the user's, when they have one of it."""
    sys.path[:] = [path for path in sys.path if path != rooms]
    if PathFinder.find_spec("algorithms", sys.path):
        for name in [name for name in sys.modules if name.partition(".")[0] == "algorithms"]:
            del sys.modules[name]
    sys.path.append(rooms)


def _script(program: str) -> ModuleType | None:
    if not program:
        say("There is no script: the image's own functions are used.")
        return None
    if not program.endswith(".py"):
        raise UserError(f"{program} is no Python script; only such a one can hold model_fn and the other functions.")
    return importlib.import_module(program.removesuffix(".py").replace("/", "."))
