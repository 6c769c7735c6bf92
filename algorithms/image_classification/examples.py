"""The pictures of a channel with what is to be learned of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from algorithms.common.faults import UserError
from algorithms.first_party import wording
from algorithms.first_party.run import Run
from algorithms.vision import channels
from algorithms.vision.gallery import Gallery
from algorithms.vision.image_records import ImageRecord
from algorithms.vision.settings import sizes

if TYPE_CHECKING:
    from numpy.typing import NDArray

CLASS_ID, MULTI_HOT = "class-id", "multi-hot"


@dataclass(frozen=True)
class Examples:
    """Pictures; `targets` are the numbers of their classes (n,), or with several labels 0 and 1 (n, classes)."""

    gallery: Gallery
    targets: NDArray[Any]

    def __len__(self) -> int:
        return len(self.gallery)


def read(run: Run, channel: str) -> Examples:
    """All of a channel; UserError when there are none, or when something is wrong with one."""
    values = run.values
    kind = channels.kind_of(run, channel)
    listed = kind.media in channels.IMAGES
    form = kind.parameters.get("label-format", MULTI_HOT)
    if form not in (CLASS_ID, MULTI_HOT):
        raise UserError(f"label-format of channel '{channel}' is '{form}', and is to be {CLASS_ID} or {MULTI_HOT}.")
    as_ids = values["multi_label"] and form == CLASS_ID
    records = (
        channels.listed(run, channel)
        if listed
        else channels.framed(run, channel, lambda told: _labels(told, values["num_classes"] if as_ids else 0))
    )
    if not records:
        raise UserError(wording.empty_channel(channel))
    colours, height, width = sizes(values["image_shape"])
    gallery = Gallery(records, colours, values.get("resize") if listed else None)
    targets = (_several if values["multi_label"] else _single)(channel, records, values["num_classes"])
    gallery.demand(channel, height, width)
    return Examples(gallery, targets)


def _labels(told: Any, classes: int) -> NDArray[Any]:
    """Of an augmented manifest: a number or a list of numbers; ids are made 0 and 1 of so many classes."""
    import numpy

    found = told if isinstance(told, list) else [told]
    try:
        numbers = numpy.array([float(one) for one in found], numpy.float32)
    except (TypeError, ValueError) as error:
        raise ValueError(f"the label {str(told)[:40]} is no number and no list of numbers") from error
    if not classes:
        return numbers
    if not ((numbers >= 0) & (numbers < classes) & (numbers % 1 == 0)).all():
        raise ValueError(f"the label {str(told)[:40]} is no list of classes from 0 to {classes - 1}")
    hot = numpy.zeros(classes, numpy.float32)
    hot[numbers.astype(int)] = 1
    return hot


def _single(channel: str, records: Sequence[ImageRecord], classes: int) -> NDArray[Any]:
    import numpy

    for number, (labels, _) in enumerate(records):
        if len(labels) != 1:
            raise UserError(
                f"Picture {number} of channel '{channel}' has {len(labels)} labels, and multi_label is 0: set it to 1 "
                "if pictures show several classes."
            )
        if not 0 <= labels[0] < classes or labels[0] % 1:
            allowed = f"whole numbers from 0 to {classes - 1}, as num_classes says (picture {number})"
            raise UserError(wording.label_out_of_range(channel, float(labels[0]), allowed))
    return numpy.array([labels[0] for labels, _ in records]).astype(numpy.int64)


def _several(channel: str, records: Sequence[ImageRecord], classes: int) -> NDArray[Any]:
    import numpy

    for number, (labels, _) in enumerate(records):
        if len(labels) != classes:
            raise UserError(
                f"Picture {number} of channel '{channel}' has {len(labels)} labels, and with multi_label it is to have "
                f"one, 0 or 1, for each of the {classes} classes of num_classes."
            )
        if not numpy.isin(labels, (0, 1)).all():
            wrong = float(labels[~numpy.isin(labels, (0, 1))][0])
            raise UserError(wording.label_out_of_range(channel, wrong, f"0 and 1 with multi_label (picture {number})"))
    return numpy.stack([labels for labels, _ in records]).astype(numpy.float32)
