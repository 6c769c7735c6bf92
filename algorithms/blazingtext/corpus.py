"""The texts of a channel as one file, a sentence a line: plain text, or JSON Lines with `source` and `label`."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from algorithms.common.channels import data_files
from algorithms.common.faults import UserError
from algorithms.first_party import wording

PREFIX = "__label__"
JSONLINES = "application/jsonlines"


def gather(folder: Path, media: str, into: Path, channel: str) -> int:
    """Write all lines of a channel into a file; how many there are. UserError when there are none."""
    files = data_files(folder) if folder.exists() else []
    count = 0
    with into.open("w", encoding="utf-8") as out:
        for line in _lines(files, media, channel):
            out.write(line + "\n")
            count += 1
    if not count:
        raise UserError(wording.empty_channel(channel))
    return count


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
