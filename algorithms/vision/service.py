"""Serving a model of pictures: one picture in, an answer in the format that is asked for out."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from algorithms.common import content_types, workers
from algorithms.common.contract import Layout
from algorithms.common.faults import Refusal
from algorithms.common.serving import Invocation, Reply, run_serving
from algorithms.first_party import wording
from algorithms.vision import pictures

if TYPE_CHECKING:
    from algorithms.vision.pictures import Pixels

READS = ("application/x-image", "image/png", "image/jpeg", "image/jpg")


class Model(Protocol):
    """A loaded model. Called from several threads at once."""

    channels: int
    """Of the pictures that it looks at."""

    def predict(self, pixels: Pixels) -> Any:
        """Of one picture of any size."""
        ...


Encode = Callable[[Any, str], bytes]
"""The bytes of an answer, for the whole Accept header part that was chosen."""


class Service:
    """A model behind the images' way of asking and answering; `writes` are encoders by media type, the first any."""

    def __init__(self, model: Model, writes: Mapping[str, Encode]) -> None:
        self._model, self._writes = model, writes

    def answer(self, invocation: Invocation) -> Reply:
        """Accept first, then the body: what cannot be answered is not computed."""
        known: Sequence[str] = list(self._writes)
        media = content_types.choose(invocation.accept, known, known[0])
        if not media:
            raise Refusal(406, wording.accept_refused(invocation.accept, list(known)))
        return Reply(self._writes[media](self._model.predict(self._pixels(invocation)), invocation.accept), media)

    def _pixels(self, invocation: Invocation) -> Pixels:
        media = content_types.parse(invocation.content_type or READS[0]).media
        if media not in READS:
            raise Refusal(415, wording.content_type_refused(media))
        if not invocation.body:
            raise Refusal(400, wording.not_evaluated("the body is empty"))
        try:
            return pictures.decode(invocation.body, self._model.channels)
        except pictures.Undecodable as error:
            raise Refusal(400, wording.not_evaluated(str(error))) from error


def main(load: Callable[[Path], Model], writes: Mapping[str, Encode]) -> int:
    """Serve the model of this process's base folder until SIGTERM; the exit status."""
    return run_serving(lambda: Service(load(Layout.from_environment().model), writes), workers.by_cores())
