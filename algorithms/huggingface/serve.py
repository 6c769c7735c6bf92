"""Serving in the images of Hugging Face: a pipeline made of the model's own files, or the user's functions."""

from __future__ import annotations

from algorithms.script_mode.serve import Family, run

FAMILY = Family(
    "huggingface", __name__, "algorithms.huggingface.service:PipelineService", "algorithms.huggingface.defaults"
)


def main() -> int:
    """Serve until SIGTERM; the exit status."""
    return run(FAMILY)
