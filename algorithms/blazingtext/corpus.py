"""The texts of a channel as one file, a sentence a line: plain text, JSON Lines with `source` and `label`, or these two
attributes of an augmented manifest, which come through a pipe as records of RecordIO."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, BinaryIO

from algorithms.common import recordio, streams
from algorithms.common.channels import data_files
from algorithms.common.faults import UserError
from algorithms.first_party import wording

PREFIX = "__label__"
JSONLINES = "application/jsonlines"


def gather(folder: Path, media: str, into: Path, channel: str) -> int:
    """Write all lines of a channel into a file; how many there are. UserError when there are none."""
    return _written(_lines(data_files(folder) if folder.exists() else [], media, channel), into, channel)


def gather_pipe(pipe: Path, into: Path, channel: str) -> int:
    """The same of the first epoch of an augmented manifest, whose attributes are `source` and `label`."""
    with streams.reading(pipe) as stream:
        return _written(_attributes(stream, channel), into, channel)


def _written(lines: Iterator[str], into: Path, channel: str) -> int:
    count = 0
    with into.open("w", encoding="utf-8") as out:
        for line in lines:
            out.write(line + "\n")
            count += 1
    if not count:
        raise UserError(wording.empty_channel(channel))
    return count


def _attributes(stream: BinaryIO, channel: str) -> Iterator[str]:
    number = 1
    try:
        records = recordio.frames(stream, joint=b"")
        for source in records:
            if (label := next(records, None)) is None:
                raise ValueError("it has a source and no label: AttributeNames are to be ['source', 'label']")
            yield labelled({"source": source.decode("utf-8", "replace"), "label": _value(label.decode("utf-8"))})
            number += 1
    except ValueError as error:
        where = ValueError(f"line {number} of the augmented manifest: {error}")
        raise UserError(wording.unreadable_channel(channel, JSONLINES, where)) from error


def _value(text: str) -> Any:
    """A label as the manifest has it: a number or a list of labels is sent as JSON, a text as it is."""
    try:
        found = json.loads(text)
    except ValueError:
        return text
    return found if isinstance(found, list) else text


def _lines(files: Sequence[Path], media: str, channel: str) -> Iterator[str]:
    for file in files:
        with file.open(encoding="utf-8", errors="replace") as lines:
            for number, line in enumerate(lines, 1):
                if not line.strip():
                    continue
                if media != JSONLINES:
                    yield line.rstrip("\r\n")
                    continue
                try:
                    yield labelled(json.loads(line))
                except (ValueError, KeyError, TypeError) as error:
                    where = ValueError(f"line {number} of file '{file.name}': {error}")
                    raise UserError(wording.unreadable_channel(channel, media, where)) from error


def labelled(record: Any) -> str:
    """`{"source": "a text", "label": 1}`, and `label` may be a list; without one it is a text for vectors of words."""
    if not isinstance(record, dict) or not isinstance(record.get("source"), str):
        raise ValueError("it has no text as 'source'")
    given = record.get("label", [])
    labels = given if isinstance(given, list) else [given]
    shown = [str(label) if str(label).startswith(PREFIX) else f"{PREFIX}{label}" for label in labels]
    return " ".join([*shown, " ".join(record["source"].split())])


def has_labels(path: Path) -> bool:
    """Whether any line of a file has one."""
    with path.open(encoding="utf-8") as lines:
        return any(word.startswith(PREFIX) for line in lines for word in line.split())
