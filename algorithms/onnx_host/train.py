"""There is nothing to train: the images of Neo only serve."""

from __future__ import annotations

import os

from algorithms.common.contract import Layout, run_training
from algorithms.common.faults import UserError


def main() -> int:
    """Fail with the reason; the exit status."""
    return run_training(Layout.from_environment(), refuse)


def refuse(layout: Layout) -> None:
    """Always UserError."""
    image = os.environ.get("SAGELET_IMAGE") or "this image"
    raise UserError(
        f"{image} only serves models, it cannot train. Train with another image, put a model.onnx into a model.tar.gz, "
        "and create a Model of it."
    )
