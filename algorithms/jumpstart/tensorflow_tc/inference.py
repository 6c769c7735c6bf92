"""Serve Text Classification - TensorFlow."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from common import model
from common.failing import Refused, need


def model_fn(model_dir: str) -> Any:
    """The network with its vocabulary, and what is known of it."""
    told, facts = model.told(), model.saved(model_dir)
    need(told["requires"])
    import pieces
    import torch
    from encoder import Encoder
    from networks import weights

    print(f"Stand-in: {told['stand_in']}.", flush=True)
    torch.set_num_threads(1)  # One text is too short for several.
    form = facts["network"]
    cutting = pieces.Pieces.of(Path(model_dir) / pieces.FILE, form["lower"])
    network = Encoder(form, len(cutting.vocabulary), len(facts["labels"]), 0.0)
    network.load_state_dict(weights.saved(model_dir))
    return facts, network.eval(), cutting


def transform_fn(loaded: Any, body: Any, content_type: str, accept: str, context: Any) -> Any:
    """The chance of each class."""
    from networks import answers

    def told(content: bytes, wanted: Mapping[str, str]) -> Any:
        return answers.classes(_chances(loaded, content), loaded[0]["labels"], wanted)

    return answers.answer((body, content_type, accept), "application/x-text", context, told)


def _chances(loaded: Any, content: bytes) -> list[float]:
    import sentences
    import torch

    _, network, cutting = loaded
    try:
        text = content.decode("utf-8")
    except UnicodeDecodeError:
        raise Refused("The body is no text in UTF-8.") from None
    if not text.strip():
        raise Refused("The body is empty; it has to be one text.")
    with torch.inference_mode():
        found: list[float] = network(sentences.padded([cutting.numbers(text)]))[0].softmax(dim=0).tolist()
    return found
