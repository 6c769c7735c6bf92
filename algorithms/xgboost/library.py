"""The xgboost library, imported without the two thirds of its start-up time that nothing here needs.

xgboost imports pandas and scikit-learn when they are there (1.3 s against 0.2 s, and a thread of pyarrow's, which a
process that is to be forked must not have). Its functions for plain arrays need neither.
"""

from __future__ import annotations

import sys
from types import ModuleType

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


def do_without_pandas() -> None:
    """Hide pandas from this whole process: the library would import it, to see whether it was given a Series, and a job
    of a few rounds would take four times as long, the first caller of an endpoint half a second.
    """
    sys.modules.setdefault("pandas", None)  # type: ignore[arg-type]


xgboost = sys.modules.get("xgboost") or _import()
