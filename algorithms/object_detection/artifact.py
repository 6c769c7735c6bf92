"""The files of a model, as the image calls them."""

from __future__ import annotations

from algorithms.vision.stored import Form

BASE = "_base_network"
"""What the network stands on in truth: a job that names no base_network gets a small one."""
NEEDED = frozenset({BASE, "num_classes", "image_shape", "nms_threshold"})
FORM = Form("Object Detection", "model_algo_1-0000.params", "hyperparams.json", NEEDED)
