"""Serving in the images of XGBoost with a script of the user's."""

from __future__ import annotations

from algorithms.script_mode.serve import Family, run

FAMILY = Family(
    "xgboost", __name__, "algorithms.script_mode.older:OlderService", "algorithms.xgboost.defaults", needs_script=True
)


def main() -> int:
    """Serve until SIGTERM; the exit status."""
    return run(FAMILY)
