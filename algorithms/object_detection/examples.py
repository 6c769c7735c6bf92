"""Pictures with boxes: image records, an augmented manifest, or files with an annotation in JSON for each."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from algorithms.common.channels import data_files
from algorithms.common.faults import UserError
from algorithms.first_party import wording
from algorithms.first_party.run import Run
from algorithms.vision import channels
from algorithms.vision.gallery import Gallery
from algorithms.vision.image_records import ImageRecord

if TYPE_CHECKING:
    from numpy.typing import NDArray

HEADER, OBJECT = 2, 5
"""Numbers in front of the objects of an image record, and of an object: class, left, top, right, bottom."""


@dataclass(frozen=True)
class Examples:
    """Pictures, and the objects (n, 5) of each; places are parts of the picture, from 0 to 1."""

    gallery: Gallery
    objects: list[NDArray[Any]]

    def __len__(self) -> int:
        return len(self.gallery)


def read(run: Run, channel: str) -> Examples:
    """All of a channel; UserError when there are none, or when something is wrong with one."""
    if channels.kind_of(run, channel).media in channels.IMAGES:
        records, objects = _files(run, channel)
    else:
        records = channels.framed(run, channel, _of_manifest)
        objects = [_of_record(channel, number, record.labels) for number, record in enumerate(records)]
    if not records:
        raise UserError(wording.empty_channel(channel))
    gallery = Gallery(records, square=run.values["image_shape"])
    gallery.demand(channel, 1, 1)
    for number, found in enumerate(objects):
        _demand(run.values, channel, number, found)
    return Examples(gallery, objects)


def _demand(values: Mapping[str, Any], channel: str, number: int, objects: NDArray[Any]) -> None:
    width = HEADER + OBJECT * len(objects)
    if width > values["label_width"]:
        raise UserError(
            f"Picture {number} of channel '{channel}' has {len(objects)} objects, for which label_width is to be at "
            f"least {width}, and it is {values['label_width']}."
        )
    for kind, *box in objects.tolist():
        if not 0 <= kind < values["num_classes"] or kind % 1:
            allowed = f"whole numbers from 0 to {values['num_classes'] - 1}, as num_classes says (picture {number})"
            raise UserError(wording.label_out_of_range(channel, kind, allowed))
        left, top, right, bottom = box
        if not (-0.001 <= left < right <= 1.001 and -0.001 <= top < bottom <= 1.001):
            raise UserError(
                f"Picture {number} of channel '{channel}' has an object from ({left:g}, {top:g}) to ({right:g}, "
                f"{bottom:g}), which is no box of the picture: places are to be parts of its width and height."
            )


def _of_record(channel: str, number: int, labels: NDArray[Any]) -> NDArray[Any]:
    """The objects of `[2, 5, class, left, top, right, bottom, ...]`; padding with a negative class is none."""
    head, size = (int(labels[0]), int(labels[1])) if len(labels) >= HEADER else (0, 0)
    if head < HEADER or size < OBJECT or (len(labels) - head) % size:
        raise UserError(
            f"Picture {number} of channel '{channel}' has the label {labels[:8].tolist()}, and it is to be the "
            "length of the header (2), the length of an object (5), and of each object class, left, top, right, bottom."
        )
    found = labels[head:].reshape(-1, size)[:, :OBJECT]
    return found[found[:, 0] >= 0]


def _of_manifest(told: Any) -> NDArray[Any]:
    """As an image record has it, of Ground Truth's `{"annotations": [...], "image_size": [...]}`."""
    import numpy

    found = boxes(told).ravel()
    return numpy.concatenate([[HEADER, OBJECT], found]).astype(numpy.float32)


def boxes(told: Any) -> NDArray[Any]:
    """The objects (n, 5) of an annotation in pixels; ValueError says what is missing in it."""
    import numpy

    try:
        size = told["image_size"][0] if isinstance(told["image_size"], list) else told["image_size"]
        width, height = float(size["width"]), float(size["height"])
        found = []
        for one in told["annotations"]:
            left, top = float(one["left"]) / width, float(one["top"]) / height
            right, bottom = left + float(one["width"]) / width, top + float(one["height"]) / height
            found.append([float(one["class_id"]), left, top, right, bottom])
    except (KeyError, TypeError, ValueError, IndexError, ZeroDivisionError) as error:
        raise ValueError(
            "the annotation is to have image_size (width, height) and annotations with class_id, left, top, width and "
            f"height ({type(error).__name__}: {error})"
        ) from error
    return numpy.array(found, numpy.float32).reshape(-1, OBJECT)


def _files(run: Run, channel: str) -> tuple[list[ImageRecord], list[NDArray[Any]]]:
    annotations, folder = f"{channel}_annotation", run.layout.channel(channel)
    paths = data_files(folder) if folder.exists() else []
    if paths and not run.has(annotations):
        raise UserError(wording.no_channel(annotations))
    told = {path.stem: path for path in data_files(run.layout.channel(annotations))} if paths else {}
    records, objects = [], []
    for path in paths:
        if path.stem not in told:
            raise UserError(
                f"Picture '{path.name}' of channel '{channel}' has no annotation: channel '{annotations}' is to have "
                f"'{path.stem}.json'."
            )
        try:
            objects.append(boxes(json.loads(told[path.stem].read_bytes())))
        except ValueError as error:
            raise UserError(f"'{told[path.stem].name}' of channel '{annotations}': {error}") from error
        records.append(ImageRecord(objects[-1].ravel(), path.read_bytes()))
    return records, objects
