"""Pictures with masks: of two channels, by the names of the files, or of an augmented manifest, one after the other."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from algorithms.common import recordio, streams
from algorithms.common.channels import data_files, is_piped, pipe
from algorithms.common.faults import UserError
from algorithms.first_party import data, wording
from algorithms.first_party.run import Run
from algorithms.vision import pictures

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from algorithms.vision.pictures import Pixels

IGNORED = 255
"""The value of pixels that are not learned from."""
MAPS = "label_map"


@dataclass(frozen=True)
class Examples:
    """Encoded pictures, and their masks: a class for each pixel, or IGNORED."""

    contents: list[bytes]
    masks: list[NDArray[Any]]

    def __len__(self) -> int:
        return len(self.contents)

    def pixels(self, number: int) -> Pixels:
        return pictures.decode(self.contents[number])


def read(run: Run, channel: str) -> Examples:
    """All of a channel; UserError when there are none, or when something is wrong with one."""
    kind = data.kind_of(channel, dict(run.layout.channels[channel]), run.definition.formats).media
    found = _framed(run, channel) if is_piped(run.layout.channels[channel]) else _files(run, channel)
    classes, change = run.values["num_classes"], _label_map(run, channel)
    contents, masks = [], []
    for name, content, annotation in found:
        try:
            mask = change(pictures.decode_mask(annotation))
            size = pictures.decode(content).shape[:2]
        except (pictures.Undecodable, KeyError) as error:
            cause = pictures.Undecodable(f"picture '{name}': {error}")
            raise UserError(wording.unreadable_channel(channel, kind, cause)) from error
        _demand(channel, name, (size, mask), classes)
        contents.append(content)
        masks.append(mask)
    if not contents:
        raise UserError(wording.empty_channel(channel))
    return Examples(contents, masks)


def _demand(channel: str, name: str, found: tuple[Any, Any], classes: int) -> None:
    size, mask = found
    if mask.shape != size:
        raise UserError(
            f"Picture '{name}' of channel '{channel}' has {size[0]}x{size[1]} pixels (height x width), and its "
            f"annotation has {mask.shape[0]}x{mask.shape[1]}."
        )
    wrong = mask[(mask >= classes) & (mask != IGNORED)]
    if len(wrong):
        allowed = f"0 to {classes - 1}, as num_classes says, and {IGNORED} for what is ignored (picture '{name}')"
        raise UserError(wording.label_out_of_range(f"{channel}_annotation", int(wrong[0]), allowed))


def _files(run: Run, channel: str) -> Iterator[tuple[str, bytes, bytes]]:
    annotations, paths = f"{channel}_annotation", _paths(run.layout.channel(channel))
    if paths and not run.has(annotations):
        raise UserError(wording.no_channel(annotations))
    masks = {path.stem: path for path in _paths(run.layout.channel(annotations))}
    for path in paths:
        if path.stem not in masks:
            raise UserError(
                f"Picture '{path.name}' of channel '{channel}' has no annotation: channel '{annotations}' is to have "
                f"'{path.stem}.png'."
            )
        yield path.name, path.read_bytes(), masks[path.stem].read_bytes()


def _paths(folder: Path) -> list[Path]:
    return data_files(folder) if folder.exists() else []


def _framed(run: Run, channel: str) -> Iterator[tuple[str, bytes, bytes]]:
    try:
        with streams.reading(pipe(run.layout.channel(channel), 0)) as stream:
            frames = recordio.frames(stream)
            for number, content in enumerate(frames):
                if (mask := next(frames, None)) is None:
                    raise recordio.Malformed(f"no annotation follows picture {number}: AttributeNames names both")
                yield str(number), content, mask
    except (UserError, recordio.Malformed) as error:
        raise UserError(wording.unreadable_channel(channel, "an augmented manifest", error)) from error


def _label_map(run: Run, channel: str) -> Callable[[Any], Any]:
    """What makes classes of the values of pixels: `<channel>_label_map.json` of the channel label_map says it."""
    name = f"{channel}_label_map.json"
    path = run.layout.channel(MAPS) / name
    if not run.has(MAPS) or not path.is_file():
        return lambda mask: mask
    import numpy

    table = numpy.full(256, -1)
    table[IGNORED] = IGNORED
    try:
        told = json.loads(path.read_text(encoding="utf-8"))
        if set(told) == {"scale"}:
            scale = int(told["scale"])
            table[:IGNORED] = numpy.arange(IGNORED) // scale
        else:
            for label, value in told["map"].items():
                table[int(value)] = int(label)
    except (ValueError, KeyError, TypeError, AttributeError, ZeroDivisionError, IndexError) as error:
        raise UserError(
            f'\'{name}\' of channel \'{MAPS}\' is no label map: it is to be {{"scale": "3"}} or {{"map": {{"0": 5}}}}, '
            f"which says of classes by which value they are drawn ({type(error).__name__}: {error})."
        ) from error

    def change(mask: Any) -> Any:
        if (table[mask] < 0).any():
            raise KeyError(f"the label map does not name the value {int(mask[table[mask] < 0][0])}")
        return table[mask].astype(numpy.uint8)

    return change
