"""Pictures in a folder and `annotations.json`, which tells their boxes, as the developer guide lays them out."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from common.failing import Refused
from networks.images import PLAIN, Squares
from torch import Tensor

FILE, FOLDER = "annotations.json", "images"
SPLIT, SEED = 0.2, 123
SLACK = 0.001
"""By how much, in parts of a picture, a box may be beyond its border."""
Label = int | str


@dataclass
class Picture:
    """One, and its objects: of which class, and (left, top, right, bottom) in parts of it."""

    path: Path
    size: tuple[float, float]
    objects: list[tuple[Label, list[float]]] = field(default_factory=list)


def read(side: int) -> tuple[list[Label], Examples, Examples]:
    """The classes' labels, and the pictures to learn from and to validate with."""
    root, held = os.environ.get("SM_CHANNEL_TRAINING"), os.environ.get("SM_CHANNEL_VALIDATION")
    if not root:
        raise Refused(f"The channel training is missing. Give the job a channel `training` with {FOLDER}/ and {FILE}.")
    names, training = _Channel("training", Path(root)).read()
    validation = _Channel("validation", Path(held)).read()[1] if held else []
    classes = list(names) or sorted({label for one in training for label, _ in one.objects}, key=_order)
    if not any(one.objects for one in training):
        raise Refused(f"{FILE} of the channel training has no box, so that there is nothing to learn.")
    strange = [label for one in validation for label, _ in one.objects if label not in classes]
    if strange:
        raise Refused(f"The validation data have the class {strange[0]}, which the training data have not.")
    if not validation:
        training, validation = _split(training)
        print(f"There are no validation data: {len(validation)} pictures are split off at random.", flush=True)
    labels: list[Label] = [names.get(label, label) for label in classes]
    print(
        f"Training with {len(training)} pictures of {len(labels)} classes: {', '.join(map(str, labels))}.", flush=True
    )
    return labels, Examples(training, classes, side), Examples(validation, classes, side)


def _order(label: Label) -> tuple[bool, Label]:
    return isinstance(label, str), label


def _split(pictures: list[Picture]) -> tuple[list[Picture], list[Picture]]:
    """A fifth, one at least."""
    if len(pictures) < 2:
        raise Refused("There is one picture, so that none can be used for validation. Give more pictures.")
    order = np.random.default_rng(SEED).permutation(len(pictures))
    held = set(order[: max(1, int(len(pictures) * SPLIT))].tolist())
    kept = [one for place, one in enumerate(pictures) if place not in held]
    return kept, [pictures[place] for place in sorted(held)]


class Examples:
    """Fulfils `networks.training.Examples`; `objects` are rows (class from 0, left, top, right, bottom) a picture."""

    def __init__(self, pictures: Sequence[Picture], classes: Sequence[Label], side: int) -> None:
        places = {label: place for place, label in enumerate(classes)}
        self.objects = [
            np.array([[places[label], *box] for label, box in one.objects], np.float32).reshape(-1, 5)
            for one in pictures
        ]
        self._squares = Squares([one.path for one in pictures], side, PLAIN)

    def __len__(self) -> int:
        return len(self.objects)

    def inputs(self, numbers: Sequence[int], learning: bool) -> tuple[Tensor, ...]:
        """Pixels (n, 3, side, side)."""
        return (self._squares.batch(numbers),)


class _Channel:
    """What a channel has; every refusal names it, its entry and what it has to be."""

    def __init__(self, name: str, root: Path) -> None:
        self._name, self._root = name, root

    def read(self) -> tuple[dict[Label, Label], list[Picture]]:
        """The names of classes where `categories` tells them, and all pictures that are listed."""
        told = self._loaded()
        pictures = dict(self._picture(number, one) for number, one in enumerate(told["images"]))
        if len(pictures) < len(told["images"]):
            raise self._refused("two entries of images have the same id", "each needs one of its own")
        names = self._names(told.get("categories") or [])
        for number, one in enumerate(told["annotations"]):
            self._annotate(number, one, pictures, names)
        return names, list(pictures.values())

    def _loaded(self) -> Mapping[str, Any]:
        path = self._root / FILE
        if not path.is_file():
            raise Refused(
                f"The channel {self._name} has no {FILE}. It has to hold the folder {FOLDER} and {FILE}, which lists "
                "its pictures (images) and their boxes (annotations)."
            )
        try:
            told = json.loads(path.read_text(encoding="utf-8"))
        except ValueError as error:
            raise self._refused(f"it is no JSON ({error})", "it has to be an object") from None
        lists = ("images", "annotations")
        if (
            not isinstance(told, dict)
            or not all(isinstance(told.get(name), list) for name in lists)
            or not told["images"]
        ):
            raise self._refused("it lacks a list", "it needs `images`, which is not empty, and `annotations`")
        return told

    def _picture(self, number: int, one: Any) -> tuple[Label, Picture]:
        try:
            path, size = self._root / FOLDER / str(one["file_name"]), (float(one["width"]), float(one["height"]))
            label = _label(one["id"])
        except (KeyError, TypeError, ValueError):
            form = '{"file_name": "a.png", "height": 480, "width": 640, "id": 1}'
            raise self._refused(f"images[{number}] is {one}", f"it has to be such as {form}") from None
        if min(size) <= 0:
            raise self._refused(f"images[{number}] is {size[0]:g}x{size[1]:g} pixels large", "both have to be above 0")
        if not path.is_file():
            raise self._refused(f"images[{number}] is {one['file_name']}", f"the folder {FOLDER} has no such file")
        return label, Picture(path, size)

    def _names(self, categories: Any) -> dict[Label, Label]:
        try:
            return {_label(one["id"]): str(one.get("name", one["id"])) for one in categories}
        except (KeyError, TypeError, AttributeError):
            form = '[{"id": 1, "name": "bird"}]'
            raise self._refused("categories are not understood", f"they have to be such as {form}") from None

    def _annotate(self, number: int, one: Any, pictures: Mapping[Label, Picture], names: Mapping[Label, Label]) -> None:
        here = f"annotations[{number}]"
        try:
            image, label, box = (
                _label(one["image_id"]),
                _label(one["category_id"]),
                [float(each) for each in one["bbox"]],
            )
            left, top, right, bottom = box
        except (KeyError, TypeError, ValueError):
            form = '{"image_id": 1, "bbox": [xmin, ymin, xmax, ymax], "category_id": 0}'
            raise self._refused(f"{here} is {one}", f"it has to be such as {form}") from None
        if image not in pictures:
            raise self._refused(f"{here} has the image_id {image}", "no entry of images has such an id")
        if names and label not in names:
            raise self._refused(f"{here} has the category_id {label}", "categories have no such id")
        width, height = pictures[image].size
        parts = [left / width, top / height, right / width, bottom / height]
        inside = all(-SLACK <= part <= 1 + SLACK for part in parts)
        if not (inside and left < right and top < bottom):
            raise self._refused(
                f"{here} has the bbox {one['bbox']}",
                f"it has to be [xmin, ymin, xmax, ymax] within the {width:g}x{height:g} pixels of its picture",
            )
        pictures[image].objects.append((label, [min(max(part, 0.0), 1.0) for part in parts]))

    def _refused(self, found: str, wanted: str) -> Refused:
        return Refused(f"{FILE} of the channel {self._name} is not understood: {found}; {wanted}.")


def _label(given: Any) -> Label:
    """An id, as JSON has it."""
    if type(given) not in (int, str):
        raise TypeError(given)
    found: Label = given
    return found
