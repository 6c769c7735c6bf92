"""The files of a model, as the image calls them."""

from __future__ import annotations

from algorithms.vision.stored import Form

BACKBONE = "_backbone"
"""What the network stands on in truth: a job that names no backbone gets a small one."""
NEEDED = frozenset({"algorithm", BACKBONE, "num_classes", "base_size"})
FORM = Form("Semantic Segmentation", "model_best.params", "hyperparams.json", NEEDED)
