"""Training in the images of Hugging Face with PyTorch: as in those of PyTorch, with transformers."""

from __future__ import annotations

from algorithms.pytorch.train import MODULE, variables
from algorithms.script_mode.train import Family, run


def main() -> int:
    """Run the job of this process's base folder; its exit status."""
    return run(Family("huggingface", MODULE, variables=variables))
