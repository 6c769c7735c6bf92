"""Serve Image Classification - TensorFlow."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from common import model
from common.failing import need


def model_fn(model_dir: str) -> Any:
    """The network, and what is known of it."""
    told, facts = model.told(), model.saved(model_dir)
    need(told["requires"])
    from networks import images, weights
    from networks.mobilenet import MobileNet

    print(f"Stand-in: {told['stand_in']}.", flush=True)
    images.suit_threads(facts["network"]["side"])
    network = MobileNet(facts["network"]["width"], 1 if facts["binary"] else len(facts["labels"]), 0.0)
    network.load_state_dict(weights.saved(model_dir))
    return facts, network.eval()


def transform_fn(loaded: Any, body: Any, content_type: str, accept: str, context: Any) -> Any:
    """The chance of each class, or of the second one alone in binary mode."""
    from networks import answers

    def told(content: bytes, wanted: Mapping[str, str]) -> Any:
        return answers.classes(_chances(loaded, content), loaded[0]["labels"], wanted)

    return answers.answer((body, content_type, accept), "application/x-image", context, told)


def _chances(loaded: Any, content: bytes) -> list[float]:
    import torch
    from networks import images

    facts, network = loaded
    pixels = images.sent(content, facts["network"]["side"], facts["interpolation"])
    with torch.inference_mode():
        scores = network(pixels)[0]
    found: list[float] = (scores.sigmoid() if facts["binary"] else scores.softmax(dim=0)).tolist()
    return found
