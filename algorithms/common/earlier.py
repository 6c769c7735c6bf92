"""The model of an earlier job in a channel: `model.tar.gz`, or the files of which it consists."""

from __future__ import annotations

import tarfile
from pathlib import Path, PurePosixPath

from algorithms.common.faults import UserError


def members(folder: Path) -> dict[str, bytes]:
    """The files by their names, without folders; UserError when there are none."""
    found: dict[str, bytes] = {}
    for path in sorted(folder.rglob("*")) if folder.is_dir() else ():
        if not path.is_file():
            continue
        if path.name.endswith((".tar.gz", ".tgz")):
            found |= _unpacked(path)
        else:
            found[path.name] = path.read_bytes()
    if not found:
        raise UserError(f"Channel '{folder.name}' holds no model: it is to have the model.tar.gz of a training job.")
    return found


def _unpacked(path: Path) -> dict[str, bytes]:
    found = {}
    try:
        with tarfile.open(path) as archive:
            for member in archive:
                stream = archive.extractfile(member) if member.isfile() else None
                if stream is not None:
                    found[PurePosixPath(member.name).name] = stream.read()
    except (tarfile.TarError, OSError, EOFError) as error:
        raise UserError(f"'{path.name}' of channel '{path.parent.name}' cannot be unpacked: {error}") from error
    return found
