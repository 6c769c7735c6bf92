"""The form of a snapshot: a zip with a manifest, records and the index of objects as JSON lines, and files as they are.

Times and sizes are numbers, names are relative, nothing of the machine is in it. SCHEMA is its number: a house reads
the forms that it knows, and refuses others by name.
"""

from __future__ import annotations

import json
import re
import zipfile
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from emulator.errors import Validation
from emulator.store import SCHEMA

MANIFEST = "manifest.json"
RECORDS = "records"
ROWS = ("tags", "links", "marks", "s3/buckets", "s3/versions", "s3/uploads", "s3/parts", "times")
"""JSON lines beside those of the records: one file each."""

BLOBS = "s3/blobs"
TREES: Mapping[str, tuple[int, ...]] = {"logs": (3, 4), "metrics": (3,), "neighbours": (1,)}
"""Files of the data folder as they are: the folder, and how deep in it they lie."""

MANIFEST_BYTES = 1024 * 1024
_KIND = re.compile(rf"{RECORDS}/([A-Za-z0-9]+)\.jsonl")
_BLOB = re.compile(rf"{BLOBS}/[0-9a-f]{{32}}")
_PART = re.compile(r"\.group|[\w~%-][\w.~%-]*", re.ASCII)


@dataclass(frozen=True)
class Manifest:
    """What a snapshot says of itself. `records` counts by kind; `size` is the bytes that were to be read for it."""

    name: str
    created: str
    format: int = SCHEMA
    sagelet: str = ""
    records: Mapping[str, int] | None = None
    objects: int = 0
    size: int = 0
    objects_elsewhere: bool = False
    """Whether objects were in an external S3, and are not in the snapshot."""

    def dumps(self) -> bytes:
        """As JSON, to be read by people too."""
        return json.dumps(asdict(self), indent=1).encode() + b"\n"


def read(archive: Path) -> Manifest:
    """The manifest of an archive; `Validation` for what is no snapshot, or one of a form that is not known here."""
    try:
        with zipfile.ZipFile(archive) as packed, packed.open(MANIFEST) as file:
            found = json.loads(file.read(MANIFEST_BYTES))
        number = found["format"]
    except (zipfile.BadZipFile, KeyError, ValueError, TypeError, NotImplementedError, RuntimeError):
        raise Validation("This is no snapshot of Sagelet, or it is not whole: it has no manifest.") from None
    if number != SCHEMA:
        raise Validation(
            f"The snapshot has the form {number!r:.20}, made by Sagelet {found.get('sagelet', '?')!s:.40}; this one "
            f"reads the form {SCHEMA}. Load it with a version that knows it (`sagelet version`)."
        )
    return _known(found)


def _known(found: Mapping[str, Any]) -> Manifest:
    """Members that a later version has added are left out."""
    names = Manifest.__dataclass_fields__
    try:
        manifest = Manifest(**{name: value for name, value in found.items() if name in names})
        assert isinstance(manifest.name, str) and isinstance(manifest.created, str)
    except (TypeError, AssertionError):
        raise Validation("The manifest of the snapshot is damaged.") from None
    return manifest


def kind_of(name: str) -> str:
    """The kind whose records are in a member; empty for other members."""
    match = _KIND.fullmatch(name)
    return match[1] if match else ""


def expected(name: str) -> bool:
    """Whether a snapshot has members of this name."""
    if name == MANIFEST or kind_of(name) or _BLOB.fullmatch(name):
        return True
    if name.removesuffix(".jsonl") in ROWS and name.endswith(".jsonl"):
        return True
    tree, *parts = name.split("/")
    return tree in TREES and len(parts) in TREES[tree] and all(_PART.fullmatch(part) for part in parts)
