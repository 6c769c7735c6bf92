"""libsvm text: `<label>[:<weight>] [qid:<id>] <index>:<value> …`.

Checked before xgboost's own reader sees it, which forgives too much.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

from algorithms.common.faults import UserError

NUMBER = r"[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?|[-+]?(?:nan|inf)"
LABEL = rf"(?:{NUMBER})(?::(?:{NUMBER}))?(?:\s+qid:\d+)?"
LINE = re.compile(rf"\s*{LABEL}(?:\s+\d+:(?:{NUMBER}))*\s*(?:#.*)?", re.IGNORECASE)
LETTERS = b"0123456789+-.:eE \t\r\n"
SHOWN = 50


def check(files: Sequence[Path]) -> None:
    """UserError names the file and the first line that is not libsvm."""
    for path in files:
        data = path.read_bytes()
        if _looks_right(data):
            continue
        for number, line in enumerate(data.decode("utf-8-sig", "replace").splitlines(), 1):
            if line.strip() and not LINE.fullmatch(line) and not line.lstrip().startswith("#"):
                named = "First line" if number == 1 else f"Line {number},"
                raise UserError(
                    f"{named} '{line[:SHOWN]}...' of file '{path.name}' is not 'LIBSVM' format. "
                    "Please ensure the file is in 'LIBSVM' format."
                )


def _looks_right(data: bytes) -> bool:
    """A quick look over the whole: only the letters of numbers, and one colon in every word but the labels."""
    if data.translate(None, LETTERS):
        return False
    labels = sum(1 for line in data.splitlines() if line.strip())
    return len(data.split()) == labels + data.count(b":") and b": " not in data and b" :" not in data


def parse(text: str) -> list[dict[int, float]]:
    """The features of each line, a label or not: what inference sends. ValueError on what is no `index:value`."""
    rows = []
    for number, line in enumerate(text.strip().splitlines(), 1):
        words = line.partition("#")[0].split()
        features = words[1:] if words and ":" not in words[0] else words
        row = {}
        for word in features:
            index, colon, value = word.partition(":")
            if index == "qid":
                continue
            if not colon:
                raise ValueError(f"line {number}: '{word[:SHOWN]}' is not <index>:<value>")
            row[int(index)] = float(value)
        rows.append(row)
    return rows
