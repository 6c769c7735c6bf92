"""Serving in the images of scikit-learn: the user's `model_fn`, and what they leave out of the other functions."""

from __future__ import annotations

from algorithms.script_mode.serve import Family, run

FAMILY = Family(
    "sklearn", __name__, "algorithms.script_mode.older:OlderService", "algorithms.sklearn.defaults", needs_script=True
)


def main() -> int:
    """Serve until SIGTERM; the exit status."""
    return run(FAMILY)
