"""The user's functions, completed with the image's own, and how they are called."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from inspect import signature
from types import ModuleType
from typing import Any

from algorithms.common.faults import UserError

STEPS = ("input_fn", "predict_fn", "output_fn")


@dataclass(frozen=True)
class Functions:
    """What loads the model and answers. `given` are the names that the script itself defines."""

    model_fn: Callable[..., Any]
    input_fn: Callable[..., Any]
    predict_fn: Callable[..., Any]
    output_fn: Callable[..., Any]
    script: ModuleType | None

    def given(self, name: str) -> Callable[..., Any] | None:
        """A function that the script defines, or None."""
        found: Callable[..., Any] | None = getattr(self.script, name, None)
        return found


def of(script: ModuleType | None, defaults: ModuleType) -> Functions:
    """The functions of a script; UserError when they contradict each other."""
    if getattr(script, "transform_fn", None) and any(getattr(script, step, None) for step in STEPS):
        raise UserError(
            "Cannot use transform_fn implementation in conjunction with input_fn, predict_fn, and/or output_fn "
            "implementation: transform_fn does the work of all three. Remove it, or them."
        )
    found = {name: getattr(script, name, None) or getattr(defaults, name) for name in ("model_fn", *STEPS)}
    return Functions(**found, script=script)


def call(function: Callable[..., Any], given: tuple[Any, ...], context: object) -> Any:
    """Call a function that may or may not take a context behind its arguments, as the number of those tells."""
    takes = len(signature(function).parameters)
    if takes == len(given):
        return function(*given)
    if takes == len(given) + 1:
        return function(*given, context)
    name = getattr(function, "__name__", str(function))
    raise TypeError(f"{name} takes {takes} arguments but {len(given)} were given.")
