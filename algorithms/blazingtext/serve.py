"""Serving BlazingText: vectors of words from `vectors.bin`, classes of texts from `model.bin`, ours or fastText's own.

The answer has the format of the request, whatever Accept says ("BlazingText: Content Types for Inference").
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from algorithms.blazingtext import fasttext_file
from algorithms.blazingtext.lookup import Lookup
from algorithms.blazingtext.train import MODEL, VECTORS
from algorithms.common import content_types, workers
from algorithms.common.contract import Layout
from algorithms.common.faults import Refusal, UserError
from algorithms.common.serving import Invocation, Reply, run_serving
from algorithms.first_party import wording
from algorithms.first_party.definition import JSON, JSONLINES


class Service:
    """A model behind the image's way of asking and answering."""

    def __init__(self, lookup: Lookup) -> None:
        self._lookup = lookup

    def answer(self, invocation: Invocation) -> Reply:
        """Of words or texts, as the model is one or the other."""
        media = content_types.parse(invocation.content_type or JSON).media
        if media not in (JSON, JSONLINES):
            raise Refusal(415, wording.content_type_refused(media))
        try:
            asked = _lines(invocation.body) if media == JSONLINES else _instances(invocation.body)
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            said = f"Unable to decode payload: Incorrect data format. (caused by {type(error).__name__}: {error})"
            raise Refusal(400, f"Customer Error: {said}") from error
        found = [self._one(text, k) for text, k in asked]
        if media == JSONLINES:
            return Reply("".join(json.dumps(one) + "\n" for one in found).encode(), media)
        return Reply(json.dumps(found).encode(), media)

    def _one(self, text: str, k: int) -> dict[str, Any]:
        if not self._lookup.is_classifier:
            return {"vector": self._lookup.vector(text).tolist(), "word": text}
        found = self._lookup.classes(text, k)
        return {"label": [label for label, _ in found], "prob": [chance for _, chance in found]}


def _instances(body: bytes) -> list[tuple[str, int]]:
    told = json.loads(body)
    k = int(told.get("configuration", {}).get("k", 1))
    return [(_text(one), k) for one in told["instances"]]


def _lines(body: bytes) -> list[tuple[str, int]]:
    told = [json.loads(line) for line in body.decode("utf-8").splitlines() if line.strip()]
    if not told:
        raise ValueError("the body is empty")
    return [(_text(one["source"]), int(one.get("k", 1))) for one in told]


def _text(given: Any) -> str:
    if not isinstance(given, str):
        raise ValueError(f"{str(given)[:50]} is no text")
    return given


def load(folder: Path) -> Service:
    """The model of a folder: ours, or one of fastText's with the name that ours would have."""
    present = [name for name in (MODEL, VECTORS) if (folder / name).is_file()]
    if not present:
        found = ", ".join(sorted(entry.name for entry in folder.iterdir())) if folder.is_dir() else ""
        raise UserError(f"The model archive has no file '{MODEL}' (it has: {found or 'nothing'}), and no '{VECTORS}'.")
    try:
        return Service(Lookup(fasttext_file.read(folder / present[0])))
    except fasttext_file.Malformed as error:
        raise UserError(str(error)) from error


def main() -> int:
    """Serve until SIGTERM; the exit status."""
    return run_serving(lambda: load(Layout.from_environment().model), workers.by_cores())
