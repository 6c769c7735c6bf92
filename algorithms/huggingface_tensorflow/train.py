"""Training in the images of Hugging Face with TensorFlow: as in those of TensorFlow, with transformers."""

from __future__ import annotations

from algorithms.script_mode.train import Family, run
from algorithms.tensorflow.train import MODULE, hyperparameters, variables


def main() -> int:
    """Run the job of this process's base folder; its exit status."""
    return run(Family("huggingface_tensorflow", MODULE, hyperparameters, variables))
