"""Serving in the images of PyTorch: the user's functions, or a TorchScript model without any."""

from __future__ import annotations

from algorithms.script_mode.serve import Family, run

FAMILY = Family("pytorch", __name__, "algorithms.script_mode.newer:NewerService", "algorithms.pytorch.defaults")


def main() -> int:
    """Serve until SIGTERM; the exit status."""
    return run(FAMILY)
