"""Serving DeepAR: time series in, the steps after them out, as means, quantiles or sample paths."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import numpy as np

from algorithms.common import content_types, workers
from algorithms.common.contract import Layout
from algorithms.common.faults import Refusal
from algorithms.common.serving import Invocation, Reply, run_serving
from algorithms.deepar import artifact, requests, scores
from algorithms.deepar.requests import MEAN, QUANTILES, SAMPLES, Wanted
from algorithms.deepar.windows import Panel
from algorithms.first_party.definition import JSON, JSONLINES
from algorithms.first_party.wording import accept_refused

UNREADABLE = "Unable to evaluate payload provided"


class Service:
    """A network behind the image's way of asking and answering."""

    def __init__(self, network: Any, wanted: Wanted) -> None:
        self._network, self._wanted = network, wanted

    def answer(self, invocation: Invocation) -> Reply:
        """Each series is forecast for itself, so that its forecast does not depend on its company."""
        media = content_types.parse(invocation.content_type or JSON).media
        if media not in (JSON, JSONLINES):
            told = f"Content-Type header value '{invocation.content_type}' not supported (caused by KeyError)"
            raise Refusal(415, f"Customer Error: {told}")
        accepted = content_types.choose(invocation.accept, (JSON, JSONLINES), media)
        if not accepted:
            raise Refusal(406, accept_refused(invocation.accept, [JSON, JSONLINES]))
        try:
            wanted, instances = self._asked(invocation.body, media)
            series = [requests.parsed(one, self._network.shape) for one in instances]
        except (ValueError, UnicodeDecodeError) as error:
            raise Refusal(400, f"{UNREADABLE}: {error}") from error
        found = [
            {name: instance[name] for name in wanted.forwarded if name in instance} | self._forecast(one, wanted)
            for instance, one in zip(instances, series, strict=True)
        ]
        if accepted == JSONLINES:
            return Reply("".join(json.dumps(one) + "\n" for one in found).encode(), accepted)
        return Reply(json.dumps({"predictions": found}).encode(), accepted)

    def _asked(self, body: bytes, media: str) -> tuple[Wanted, list[Mapping[str, Any]]]:
        if media == JSONLINES:
            lines = [json.loads(line) for line in body.decode("utf-8").splitlines() if line.strip()]
            if not lines:
                raise ValueError("the body is empty")
            return self._wanted, lines
        if not body.strip():
            raise ValueError("the body is empty")
        told = json.loads(body)
        if not isinstance(told, Mapping) or not isinstance(told.get("instances"), list):
            raise ValueError("the body has no list 'instances'")
        return self._wanted.told(told.get("configuration") or {}), told["instances"]

    def _forecast(self, one: Any, wanted: Wanted) -> dict[str, Any]:
        from algorithms.deepar import fitting

        panel = Panel([one], self._network.shape)
        [paths] = fitting.forecast(self._network, panel, panel.lengths, wanted.samples)
        found: dict[str, Any] = {}
        if QUANTILES in wanted.types:
            found[QUANTILES] = {text: scores.quantile(paths, float(text)).tolist() for text in wanted.quantiles}
        if SAMPLES in wanted.types:
            found[SAMPLES] = paths.tolist()
        if MEAN in wanted.types:
            found[MEAN] = paths.mean(axis=0, dtype=np.float64).tolist()
        return found


def load() -> Service:
    """The model of this process's base folder; UserError when it cannot be served."""
    wanted = Wanted.from_environment()
    return Service(artifact.read(Layout.from_environment().model), wanted)


def main() -> int:
    """Serve until SIGTERM; the exit status."""
    return run_serving(load, workers.by_cores())
