"""Models that are an archive within the archive: `model_algo-1` as a ZIP of parameters and descriptions.

Its bytes depend on its content alone, so that the same job gives the same model.
"""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from algorithms.common.faults import UserError
from algorithms.first_party import serve

BEGINNING = (1980, 1, 1, 0, 0, 0)


def packed(members: Mapping[str, bytes | Mapping[str, Any]]) -> bytes:
    """A ZIP of the members; what is no bytes is written as JSON."""
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_STORED) as archive:
        for name, content in members.items():
            data = content if isinstance(content, bytes) else json.dumps(content, indent=1).encode()
            archive.writestr(zipfile.ZipInfo(name, BEGINNING), data)
    return stream.getvalue()


def unpacked(folder: Path) -> dict[str, bytes]:
    """The members of a model's ZIP; UserError when it is none."""
    try:
        with zipfile.ZipFile(io.BytesIO(serve.content(folder))) as archive:
            return {name: archive.read(name) for name in archive.namelist()}
    except zipfile.BadZipFile as error:
        raise UserError(f"'{serve.MODEL}' is no archive of a model: {error}") from error


def member(members: Mapping[str, bytes], name: str) -> bytes:
    """One of them; UserError with what there is."""
    if name not in members:
        raise UserError(f"'{serve.MODEL}' has no member '{name}' (it has: {', '.join(sorted(members)) or 'none'})")
    return members[name]
