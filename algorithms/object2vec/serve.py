"""Serving Object2Vec: scores of pairs, and embeddings of what comes alone, as `in0` or as `in1`."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from algorithms.common import content_types, pytorch, workers
from algorithms.common.content_types import ContentType
from algorithms.common.contract import Layout
from algorithms.common.faults import Refusal, UserError
from algorithms.common.serving import Invocation, Reply, run_serving
from algorithms.first_party import answers, requests, wording
from algorithms.first_party.definition import JSON, JSONLINES, Form
from algorithms.object2vec import artifact, pairs
from algorithms.object2vec.hyperparameters import LONGEST
from algorithms.object2vec.shape import INPUTS

FORM = Form(reads=(JSON, JSONLINES), writes=(JSON, JSONLINES))
LENGTHS = "infer_max_seqlens"
TOKENS, TOGETHER = 1 << 16, 256
MODES = ("classification", "embedding")
Asked = list[tuple[list[int] | None, list[int] | None]]
"""The tokens of both sides of each instance, None for one that is not there."""


class Service:
    """A network behind the image's way of asking and answering."""

    def __init__(self, network: Any) -> None:
        self._network = network

    def answer(self, invocation: Invocation) -> Reply:
        """Of pairs `scores`, of what comes alone `embeddings`, each where it was asked."""
        accepted = answers.accepted(invocation.accept, FORM)
        kind = content_types.parse(invocation.content_type or JSON)
        if kind.media not in FORM.reads:
            raise Refusal(415, wording.content_type_refused(kind.media))
        if not invocation.body.strip():
            raise Refusal(400, wording.not_evaluated("the body is empty"))
        try:
            asked = self._read(invocation.body, kind)
        except (ValueError, UserError, RecursionError) as error:
            raise Refusal(400, wording.not_evaluated(str(error))) from error
        found = self._answers(asked)
        if accepted.media == JSONLINES:
            return Reply("".join(json.dumps(one) + "\n" for one in found).encode(), JSONLINES)
        return Reply(json.dumps({FORM.envelope: found}).encode(), JSON)

    def _read(self, body: bytes, kind: ContentType) -> Asked:
        longest = self._lengths(kind.parameters.get(LENGTHS))
        instances = requests.instances(body, kind.media)
        if not instances:
            raise ValueError("there are no instances")
        found: Asked = []
        for number, instance in enumerate(instances):
            try:
                found.append(self._sides(instance, longest))
            except (ValueError, UserError) as error:
                raise ValueError(f"of instance {number}, {error}") from error
        return found

    def _lengths(self, said: str | None) -> tuple[int, int]:
        """How many tokens of each side are taken: as many as in training, unless the content type says otherwise."""
        first, second = (self._network.shape.encoder(side).longest for side in (0, 1))
        if said is None:
            return first, second
        texts = [text.strip() for text in said.split(",")]
        if len(texts) != 2 or not all(text.isascii() and text.isdigit() for text in texts):
            raise ValueError(f"{LENGTHS} is to be two numbers, such as 20,50, and is {pairs.shown(said)}")
        if not all(1 <= int(text) <= LONGEST for text in texts):
            raise ValueError(f"{LENGTHS} takes numbers from 1 to {LONGEST}, and is {pairs.shown(said)}")
        return int(texts[0]), int(texts[1])

    def _sides(self, instance: Mapping[str, Any], longest: tuple[int, int]) -> Any:
        if not any(name in instance for name in INPUTS):
            raise ValueError("it has neither 'in0' nor 'in1'")
        found: list[list[int] | None] = []
        for side, name in enumerate(INPUTS):
            tokens = pairs.sequence(dict(instance), name) if name in instance else None
            if tokens is not None:
                vocabulary = self._network.shape.encoder(side).vocabulary
                pairs.demand_vocabulary(name, np.array(tokens, np.int64), vocabulary)
            found.append(tokens[: longest[side]] if tokens else None)
        return tuple(found)

    def _answers(self, asked: Asked) -> list[dict[str, list[float]]]:
        torch, network = pytorch.loaded("Object2Vec"), self._network
        found: list[dict[str, list[float]]] = [{}] * len(asked)
        with torch.inference_mode():
            for rows in _together(asked):
                first, second = asked[rows[0]]
                sides = [side for side, own in enumerate((first, second)) if own is not None]
                given = [_tensors([asked[row][side] for row in rows]) for side in sides]
                name, values = "embeddings", None
                if len(sides) == 2:
                    name, values = "scores", network(given)
                    values = values if network.shape.is_regression else values.softmax(1)
                else:
                    values = network.encode(sides[0], given[0])
                for row, own in zip(rows, values.tolist(), strict=True):
                    found[row] = {name: own}
        return found


def _together(asked: Asked) -> Iterator[list[int]]:
    """The numbers of instances of the same kind and of like lengths, as many as are computed at once."""
    kinds: dict[tuple[bool, bool], list[int]] = {}
    for number, (first, second) in enumerate(asked):
        kinds.setdefault((first is None, second is None), []).append(number)
    for rows in kinds.values():
        rows.sort(key=lambda row: _longest(asked[row]))
        while rows:
            count = next((n for n in range(min(TOGETHER, len(rows)), 1, -1)
                          if n * _longest(asked[rows[n - 1]]) <= TOKENS), 1)  # fmt: skip
            yield rows[:count]
            rows = rows[count:]


def _longest(sides: Sequence[list[int] | None]) -> int:
    return max(len(one) for one in sides if one is not None)


def _tensors(sequences: Sequence[Any]) -> Any:
    torch = pytorch.loaded("Object2Vec")
    flat = [token for one in sequences for token in one]
    return torch.tensor(flat, dtype=torch.int64), torch.tensor([len(one) for one in sequences], dtype=torch.int64)


def load(folder: Path) -> Service:
    """The model of a folder; UserError when it is none."""
    network = artifact.read(folder)
    pytorch.loaded("Object2Vec").set_num_threads(1)
    mode = os.environ.get("INFERENCE_PREFERRED_MODE", "")
    if mode and mode not in MODES:
        print(f"INFERENCE_PREFERRED_MODE is '{mode}', which is none of {', '.join(MODES)}: it is ignored.", flush=True)
    elif mode:
        print(
            f"INFERENCE_PREFERRED_MODE={mode} says which network a GPU is to hold. None is used here: scores and "
            "embeddings are both answered from memory.",
            flush=True,
        )
    return Service(network)


def main() -> int:
    """Serve until SIGTERM; the exit status."""
    return run_serving(lambda: load(Layout.from_environment().model), workers.by_cores())
