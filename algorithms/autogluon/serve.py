"""Serving in the images of AutoGluon: the user's functions, and PyTorch's where the script leaves one out."""

from __future__ import annotations

from algorithms.script_mode.serve import Family, run

FAMILY = Family(
    "autogluon", __name__, "algorithms.script_mode.newer:NewerService", "algorithms.pytorch.defaults", needs_script=True
)


def main() -> int:
    """Serve until SIGTERM; the exit status."""
    return run(FAMILY)
