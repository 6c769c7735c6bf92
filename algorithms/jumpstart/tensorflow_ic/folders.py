"""Pictures in a folder for each class, as the developer guide lays them out, and how they are changed for training."""

from __future__ import annotations

import math
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
import torch.nn.functional as compute
from common.failing import Refused
from networks.images import ENDINGS, Squares
from torch import Tensor

SPLIT, SEED = 0.2, 123
Listed = list[tuple[Path, int]]


def read(values: Mapping[str, Any], side: int) -> tuple[list[str], Examples, Examples]:
    """The classes in the order of their names, and the pictures to learn from and to validate with."""
    root, held = _channel("training"), os.environ.get("SM_CHANNEL_VALIDATION")
    names = sorted(path.name for path in root.iterdir() if path.is_dir() and path.name[0] not in "._")
    if len(names) < 2:
        raise Refused(
            f"The channel training has {len(names)} folders; it has to have one for each class, with its pictures, and "
            "at least two classes."
        )
    training = _listed(root, names)
    validation = _listed(Path(held), names) if held else []
    if not validation:
        training, validation = _split(training)
        print(f"There are no validation data: {len(validation)} pictures are split off at random.", flush=True)
    print(f"Training with {len(training)} pictures of {len(names)} classes: {', '.join(names)}.", flush=True)
    changing = values if values["augmentation"] == "True" else None
    found = [Squares([path for path, _ in each], side, values["image_resize_interpolation"])
             for each in (training, validation)]  # fmt: skip
    return names, Examples(found[0], training, changing), Examples(found[1], validation, None)


def _channel(name: str) -> Path:
    told = os.environ.get(f"SM_CHANNEL_{name.upper()}")
    if not told:
        raise Refused(f"The channel {name} is missing. Give the job a channel `{name}` with a folder for each class.")
    return Path(told)


def _listed(root: Path, names: Sequence[str]) -> Listed:
    found = []
    for kind, name in enumerate(names):
        paths = sorted(path for path in (root / name).rglob("*") if path.suffix.lower() in ENDINGS)
        if not paths and root == _channel("training"):
            raise Refused(f"The folder {name} of the channel training has no picture ({', '.join(ENDINGS)}).")
        found += [(path, kind) for path in paths]
    strange = [path.name for path in root.iterdir() if path.is_dir() and path.name not in names]
    if strange and root != _channel("training"):
        raise Refused(f"The validation data have the class {strange[0]}, which the training data have not.")
    return found


def _split(listed: Listed) -> tuple[Listed, Listed]:
    """A fifth of each class; of a class with one picture none."""
    draw, parts = np.random.default_rng(SEED), ([], [])
    for kind in sorted({kind for _, kind in listed}):
        mine = [one for one in listed if one[1] == kind]
        cut = max(1, int(len(mine) * SPLIT)) if len(mine) > 1 else 0
        held = set(draw.permutation(len(mine))[:cut].tolist())
        for number, one in enumerate(mine):
            parts[number in held].append(one)
    if not parts[1]:
        raise Refused("No class has two pictures, so that none can be used for validation. Give more pictures.")
    return parts


class Examples:
    """Fulfils `networks.training.Examples`."""

    def __init__(self, squares: Squares, listed: Listed, changing: Mapping[str, Any] | None) -> None:
        self.labels = np.array([kind for _, kind in listed], dtype=np.int64)
        self._squares, self._changing = squares, changing
        self._draw = torch.Generator().manual_seed(SEED)

    def __len__(self) -> int:
        return len(self.labels)

    def inputs(self, numbers: Sequence[int], learning: bool) -> tuple[Tensor, ...]:
        """Pixels (n, 3, side, side), changed at random where `augmentation` says so and it is for learning."""
        pixels = self._squares.batch(numbers)
        return (changed(pixels, self._changing, self._draw) if learning and self._changing else pixels,)


def changed(pixels: Tensor, values: Mapping[str, Any], draw: torch.Generator) -> Tensor:
    """Flipped, turned by a part of a whole turn and zoomed, as Keras's RandomFlip, RandomRotation and RandomZoom."""
    count = len(pixels)
    flips, turn = values["augmentation_random_flip"], abs(values["augmentation_random_rotation"]) * 2 * math.pi
    angle = (torch.rand(count, generator=draw) * 2 - 1) * turn
    zoom = 1 + (torch.rand(count, generator=draw) * 2 - 1) * abs(values["augmentation_random_zoom"])
    across = _signs(count, draw) if flips == "horizontal_and_vertical" else torch.ones(count)
    down = _signs(count, draw) if flips != "None" else torch.ones(count)
    cos, sin, zero = angle.cos() * zoom, angle.sin() * zoom, torch.zeros(count)
    rows = [torch.stack([cos * across, -sin * down, zero], 1), torch.stack([sin * across, cos * down, zero], 1)]
    grid = compute.affine_grid(torch.stack(rows, 1), list(pixels.shape), align_corners=False)
    return compute.grid_sample(pixels, grid, padding_mode="reflection", align_corners=False)


def _signs(count: int, draw: torch.Generator) -> Tensor:
    return (torch.rand(count, generator=draw) < 0.5).to(torch.float32) * 2 - 1
