"""Serving: one picture in; out a mask with the class of each pixel, or the chances of all classes."""

from __future__ import annotations

import io
from pathlib import Path
from typing import TYPE_CHECKING, Any

from algorithms.common.faults import UserError
from algorithms.common.recordio import framing
from algorithms.semantic_segmentation import artifact, records
from algorithms.vision import libraries, pictures, service

if TYPE_CHECKING:
    from algorithms.vision.pictures import Pixels

PNG = "image/png"


def palette() -> bytes:
    """The colours of PASCAL VOC, of which the bits of a class's number are made."""
    found = bytearray()
    for number in range(256):
        colour = [0, 0, 0]
        for bit in range(8):
            for part in range(3):
                colour[part] |= (number >> (3 * bit + part) & 1) << (7 - bit)
        found += bytes(colour)
    return bytes(found)


def mask(chances: Any, accept: str) -> bytes:
    """The most likely class of each pixel as a PNG with a palette, whose numbers the classes are."""
    from PIL import Image

    found = Image.fromarray(chances.argmax(axis=0).astype("uint8"))
    found.putpalette(palette())
    stream = io.BytesIO()
    found.save(stream, "PNG")
    return stream.getvalue()


WRITES = {
    PNG: mask,
    "application/x-protobuf": lambda chances, accept: records.write(chances),
    "application/x-recordio-protobuf": lambda chances, accept: b"".join(framing.framed(records.write(chances))),
}


class Model:
    """A network behind the protocol of serving."""

    channels = pictures.COLOURED

    def __init__(self, arrays: dict[str, Any], told: dict[str, Any]) -> None:
        import torch

        from algorithms.semantic_segmentation.network import Segmenter

        torch.set_num_threads(1)  # There is a process for each core.
        self._side = int(told["base_size"])
        try:
            self._network = Segmenter(told["algorithm"], told[artifact.BACKBONE], int(told["num_classes"])).eval()
            self._network.put(arrays)
        except (ValueError, KeyError, TypeError) as error:
            raise UserError(f"The model archive holds a network that cannot be computed: {error}") from error

    def predict(self, pixels: Pixels) -> Any:
        """The chances (classes, height, width) of each pixel; the longer side is scaled to base_size meanwhile."""
        import torch
        import torch.nn.functional as compute

        from algorithms.semantic_segmentation.network import normalized

        height, width = pixels.shape[:2]
        factor = self._side / max(height, width)
        smaller = pictures.resized(pixels, max(round(height * factor), 1), max(round(width * factor), 1))
        with torch.inference_mode():
            scores = self._network(normalized(torch.from_numpy(smaller[None])))[0]
            whole = compute.interpolate(scores, size=(height, width), mode="bilinear", align_corners=True)
            return whole.softmax(dim=1)[0].numpy()


def load(folder: Path) -> Model:
    """The model of a folder; UserError when it is none."""
    libraries.demand("Semantic Segmentation")
    members = {path.name: path.read_bytes() for path in folder.iterdir()} if folder.is_dir() else {}
    return Model(*artifact.FORM.read(members, "The model archive"))


def main() -> int:
    """Serve until SIGTERM; the exit status."""
    return service.main(load, WRITES)
