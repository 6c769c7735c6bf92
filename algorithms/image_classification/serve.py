"""Serving: one picture in, the chances of its classes out."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from algorithms.common.faults import UserError
from algorithms.first_party.definition import JSON, JSONLINES
from algorithms.image_classification import artifact
from algorithms.image_classification.artifact import Stored
from algorithms.vision import libraries, pictures, service

if TYPE_CHECKING:
    from algorithms.vision.pictures import Pixels

WRITES = {
    JSON: lambda chances, accept: json.dumps(chances).encode(),
    JSONLINES: lambda chances, accept: json.dumps({"prediction": chances}).encode() + b"\n",
}


class Classifier:
    """A network behind the protocol of serving."""

    def __init__(self, stored: Stored) -> None:
        import torch

        from algorithms.vision.network import Network, Unknown

        torch.set_num_threads(1)  # There is a process for each core.
        self.channels, *self._size = stored.shape
        try:
            self._network = Network(stored.nodes, stored.arrays)
            self.predict(pictures.blank(*stored.shape))
        except (Unknown, RuntimeError, ValueError, KeyError, TypeError, IndexError, SyntaxError) as error:
            raise UserError(f"The model archive holds a network that cannot be computed: {error}") from error

    def predict(self, pixels: Pixels) -> Any:
        """A chance for each class. The picture is stretched to what the network was trained with."""
        import torch

        fitting = pictures.resized(pixels, *self._size)
        batch = torch.from_numpy(fitting.transpose(2, 0, 1)[None].astype("float32"))
        return self._network.chances(batch)[0].tolist()


def load(folder: Path) -> Classifier:
    """The model of a folder; UserError when it is none."""
    libraries.demand("Image Classification")
    members = {path.name: path.read_bytes() for path in folder.iterdir()} if folder.is_dir() else {}
    return Classifier(artifact.read(members, "The model archive"))


def main() -> int:
    """Serve until SIGTERM; the exit status."""
    return service.main(load, WRITES)
