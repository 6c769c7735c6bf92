"""Training in the images of AutoGluon: the user's script. They are made over PyTorch's, whose toolkit runs it."""

from __future__ import annotations

from algorithms.pytorch.train import MODULE, variables
from algorithms.script_mode.train import Family, run


def main() -> int:
    """Run the job of this process's base folder; its exit status."""
    return run(Family("autogluon", MODULE, variables=variables))
