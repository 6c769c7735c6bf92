"""The xgboost library, imported without the two thirds of its start-up time that nothing here needs.

xgboost imports pandas and scikit-learn when they are there (1.3 s against 0.2 s, and a thread of pyarrow's, which a
process that is to be forked must not have). Its functions for plain arrays need neither.
"""

from __future__ import annotations

import sys
from importlib.abc import MetaPathFinder
from types import ModuleType
from typing import Any

OPTIONAL = ("pandas", "sklearn")


def _import() -> ModuleType:
    hidden = [name for name in OPTIONAL if name not in sys.modules]
    for name in hidden:
        sys.modules[name] = None  # type: ignore[assignment]
    try:
        import xgboost
    finally:
        for name in hidden:
            del sys.modules[name]
    return xgboost


class NoPandas(MetaPathFinder):
    """Ends the search for pandas."""

    def find_spec(self, name: str, path: Any = None, target: Any = None) -> None:
        """`ModuleNotFoundError` for pandas."""
        if name == "pandas":
            raise ModuleNotFoundError("pandas is hidden from this process", name=name)


def do_without_pandas(sklearn: bool = False) -> None:
    """Hide pandas from this whole process: the library would import it, to see whether it was given a Series, and a job
    of a few rounds would take four times as long, the first caller of an endpoint half a second.

    With `sklearn` in a way that takes 10 µs more each time: scikit-learn takes whatever `sys.modules` has for pandas.
    """
    if not sklearn:
        sys.modules.setdefault("pandas", None)  # type: ignore[arg-type]
    elif "pandas" not in sys.modules:
        sys.meta_path.insert(0, NoPandas())


xgboost = sys.modules.get("xgboost") or _import()
