"""Serving: one picture in, the boxes of what it shows out."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from algorithms.common import content_types
from algorithms.common.faults import UserError
from algorithms.first_party.definition import JSON, JSONLINES
from algorithms.object_detection import anchors, artifact
from algorithms.vision import boxes, libraries, pictures, service

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from algorithms.vision.pictures import Pixels


class Found(NamedTuple):
    """Rows (class, chance, left, top, right, bottom) in a picture of that many pixels."""

    rows: NDArray[Any]
    width: int
    height: int


def answer(found: Found, accept: str) -> bytes:
    """Parts of the picture; with `annotation=1` pixels, as an annotation of training has them."""
    wanted = any(content_types.parse(one).parameters.get("annotation") == "1" for one in accept.split(","))
    return json.dumps(annotation(found) if wanted else prediction(found)).encode()


def prediction(found: Found) -> dict[str, Any]:
    return {"prediction": found.rows.astype(float).tolist()}


def annotation(found: Found) -> dict[str, Any]:
    told = []
    for kind, score, left, top, right, bottom in found.rows.tolist():
        x, y = round(left * found.width), round(top * found.height)
        box = {"left": x, "top": y, "width": round(right * found.width) - x, "height": round(bottom * found.height) - y}
        told.append({"class_id": int(kind), "score": score, **box})
    return {"image_size": [{"width": found.width, "height": found.height, "depth": 3}], "annotations": told}


WRITES = {JSON: answer, JSONLINES: lambda found, accept: answer(found, accept) + b"\n"}


class Model:
    """A network behind the protocol of serving."""

    channels = pictures.COLOURED

    def __init__(self, arrays: dict[str, Any], told: dict[str, Any]) -> None:
        import torch

        from algorithms.object_detection.network import Detector

        torch.set_num_threads(1)  # There is a process for each core.
        self._side, self._threshold = int(told["image_shape"]), float(told["nms_threshold"])
        try:
            self._network = Detector(told[artifact.BASE], int(told["num_classes"])).eval()
            self._network.put(arrays)
            self._start = anchors.boxes(self._network.sizes(self._side))
        except (ValueError, KeyError, TypeError) as error:
            raise UserError(f"The model archive holds a network that cannot be computed: {error}") from error

    def predict(self, pixels: Pixels) -> Found:
        """Of a picture of any size, which is stretched to what the network was trained with."""
        import torch

        from algorithms.object_detection.network import normalized

        fitting = pictures.resized(pixels, self._side, self._side)
        with torch.inference_mode():
            scores, moves = self._network(normalized(torch.from_numpy(fitting[None])))
            chances = scores[0].softmax(dim=1).numpy()
        rows = boxes.detected(self._start, chances, moves[0].numpy(), self._threshold)
        return Found(rows, pixels.shape[1], pixels.shape[0])


def load(folder: Path) -> Model:
    """The model of a folder; UserError when it is none."""
    libraries.demand("Object Detection")
    members = {path.name: path.read_bytes() for path in folder.iterdir()} if folder.is_dir() else {}
    return Model(*artifact.FORM.read(members, "The model archive"))


def main() -> int:
    """Serve until SIGTERM; the exit status."""
    return service.main(load, WRITES)
