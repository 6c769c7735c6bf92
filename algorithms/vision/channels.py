"""The pictures of a channel with their labels: image records, an augmented manifest, or files and a list of them."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from algorithms.common import recordio, streams
from algorithms.common.channels import data_files, is_piped, pipe
from algorithms.common.content_types import ContentType
from algorithms.common.faults import UserError
from algorithms.first_party import data, wording
from algorithms.first_party.run import Run
from algorithms.vision import image_records, pictures
from algorithms.vision.image_records import ImageRecord

if TYPE_CHECKING:
    from numpy.typing import NDArray

RECORDIO, X_IMAGE, JSONLINES = "application/x-recordio", "application/x-image", "application/jsonlines"
IMAGES = (X_IMAGE, "image/jpeg", "image/png")
PIPED = (RECORDIO, JSONLINES)
MODEL = "application/x-sagemaker-model"

Labels = Callable[[Any], "NDArray[Any]"]
"""Makes labels of the value that an augmented manifest has for them."""


def kind_of(run: Run, channel: str) -> ContentType:
    """The content type of a channel; UserError where the algorithm, or the input mode, does not take it."""
    configuration = dict(run.layout.channels[channel])
    kind = data.kind_of(channel, configuration, run.definition.formats)
    piped = is_piped(configuration)
    if piped and kind.media in IMAGES:
        raise UserError(
            f"Channel '{channel}' of {kind.media} is in Pipe mode, which takes {' and '.join(PIPED)}: "
            "set TrainingInputMode to 'File' or 'FastFile'."
        )
    if not piped and kind.media == JSONLINES:
        raise UserError(f"Channel '{channel}' is an augmented manifest, which is for Pipe mode alone: set it.")
    return kind


def tell_count(run: Run, count: int) -> None:
    """Say that there are other pictures than `num_training_samples` has it, which is of no consequence."""
    wanted = run.values["num_training_samples"]
    if count != wanted:
        run.log.info(f"num_training_samples is {wanted}, and channel 'train' has {count} pictures.", "WARNING")


def framed(run: Run, channel: str, labels: Labels) -> list[ImageRecord]:
    """The records of files or of a pipe."""
    folder = run.layout.channel(channel)
    if is_piped(run.layout.channels[channel]):
        sources = [pipe(folder, 0)]
    else:
        sources = data_files(folder) if folder.exists() else []
    kind, found = kind_of(run, channel).media, []
    for source in sources:
        try:
            with streams.reading(source) as stream:
                found += _records(recordio.frames(stream), labels)
        except (UserError, recordio.Malformed) as error:
            raise UserError(wording.unreadable_channel(channel, kind, error)) from error
    return found


def _records(frames: Iterator[bytes], labels: Labels) -> Iterator[ImageRecord]:
    """Of im2rec's, or pairs of a picture and a text, which is told by how the first one begins."""
    for number, payload in enumerate(frames):
        try:
            if not pictures.is_picture(payload):
                yield image_records.unpack(payload)
                continue
            if (told := next(frames, None)) is None:
                raise ValueError("no label follows the picture: AttributeNames is to name the picture and its label")
            yield ImageRecord(labels(_value(told)), payload)
        except ValueError as error:
            raise recordio.Malformed(f"record {number} is no record of an image: {error}") from error


def _value(told: bytes) -> Any:
    try:
        return json.loads(told)
    except ValueError as error:
        raise ValueError(f"the label {told[:40]!r} is no number and no list of numbers") from error


def listed(run: Run, channel: str) -> list[ImageRecord]:
    """The pictures of a channel's folder that the channel `<channel>_lst` lists."""
    lists = f"{channel}_lst"
    if not run.has(lists):
        raise UserError(wording.no_channel(lists))
    folder = run.layout.channel(lists)
    paths = data_files(folder) if folder.exists() else []
    return [one for path in paths for one in _list(path, run.layout.channel(channel), lists)]


def _list(path: Path, pictures_of: Path, channel: str) -> Iterator[ImageRecord]:
    import numpy

    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except UnicodeDecodeError as error:
        raise UserError(f"'{path.name}' of channel '{channel}' is no list of images: {error}") from error
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        _, *labels, name = [*line.split("\t")] if line.count("\t") >= 2 else ["", ""]
        try:
            values = numpy.array([float(label) for label in labels], numpy.float32)
        except ValueError:
            values = numpy.empty(0, numpy.float32)
        if not len(values):
            raise UserError(
                f"Line {number} of '{path.name}' of channel '{channel}' is {line[:80]!r}, and is to be an index, "
                "labels, and the path of a picture, separated by tabs."
            )
        file = pictures_of / name.strip()
        if not file.is_file() or not file.resolve().is_relative_to(pictures_of.resolve()):
            raise UserError(
                f"Line {number} of '{path.name}' of channel '{channel}' names the picture '{name.strip()}', which "
                f"channel '{pictures_of.name}' does not have."
            )
        yield ImageRecord(values, file.read_bytes())
