"""Training in the images of scikit-learn: the user's script."""

from __future__ import annotations

from algorithms.script_mode.train import Family, run


def main() -> int:
    """Run the job of this process's base folder; its exit status."""
    return run(Family("sklearn", "sagemaker_sklearn_container.training:main"))
