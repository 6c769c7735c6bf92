"""Serve Object Detection - TensorFlow."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from common import model
from common.failing import Refused, need

OVERLAP, LEAST, MOST = 0.6, 1e-8, 100
"""From which of two boxes of a class one goes, the chance that one has at least, and how many there are: the Model
Garden's, so that even a network that is sure of nothing tells some."""


def model_fn(model_dir: str) -> Any:
    """The network with the boxes that it starts from, and what is known of it."""
    told, facts = model.told(), model.saved(model_dir)
    need(told["requires"])
    import detector
    from networks import images, weights

    print(f"Stand-in: {told['stand_in']}.", flush=True)
    images.suit_threads(facts["network"]["side"])
    network = detector.Detector(facts["network"], len(facts["labels"]))
    network.load_state_dict(weights.saved(model_dir))
    return facts, network.eval(), detector.starts(facts["network"]["side"])


def transform_fn(loaded: Any, body: Any, content_type: str, accept: str, context: Any) -> Any:
    """The objects that a picture shows, the surest first."""
    from networks import answers

    def told(content: bytes, wanted: Mapping[str, str]) -> Any:
        most = _most(wanted)
        return _told(_rows(loaded, content)[:most], loaded[0]["labels"], "verbose" in wanted)

    return answers.answer((body, content_type, accept), "application/x-image", context, told)


def _most(wanted: Mapping[str, str]) -> int:
    """`n_predictions` of the Accept, as Amazon's notebook asks for it."""
    given = wanted.get("n_predictions", str(MOST))
    if not given.isdecimal() or not int(given):
        raise Refused(f"n_predictions of the accept type is {given!r}; it has to be a whole number from 1.")
    return min(int(given), MOST)


def _told(rows: Any, labels: list[Any], verbose: bool) -> dict[str, Any]:
    kinds, scores, places = rows[:, 0].astype(int).tolist(), rows[:, 1].tolist(), rows[:, 2:]
    found = {"normalized_boxes": places.tolist(), "classes": kinds, "scores": scores}
    if not verbose:
        return found
    # By the names of an exported model of the Model Garden, whose classes count from 1 and whose boxes begin with y.
    original = {
        "detection_boxes": places[:, [1, 0, 3, 2]].tolist(),
        "detection_classes": [kind + 1.0 for kind in kinds],
        "detection_scores": scores,
        "num_detections": float(len(kinds)),
    }
    return {**found, "labels": labels, "tensorflow_model_output": original}


def _rows(loaded: Any, content: bytes) -> Any:
    import numpy
    import torch
    from networks import boxes, images

    facts, network, start = loaded
    pixels = images.sent(content, facts["network"]["side"])
    with torch.inference_mode():
        scores, moves = network(pixels)
    chances = numpy.pad(scores[0].sigmoid().numpy(), ((0, 0), (1, 0)))  # The first column is of no class at all.
    return boxes.detected(start, chances, moves[0].numpy(), OVERLAP, LEAST)[:MOST]
