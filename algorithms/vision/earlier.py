"""The model of an earlier job in a channel: `model.tar.gz`, or the files of which it consists."""

from __future__ import annotations

import tarfile
from pathlib import Path, PurePosixPath

from algorithms.common import scratch
from algorithms.common.faults import UserError
from algorithms.first_party.definition import MODEL_CHANNEL as CHANNEL
from algorithms.first_party.run import Run


def given(run: Run, on: str, off: str) -> dict[str, bytes] | None:
    """The files of the channel `model`, None without one. UserError where `use_pretrained_model`, which is `on`, then
    demands weights that are not here.
    """
    if run.has(CHANNEL):
        return members(run.layout.channel(CHANNEL))
    if run.values["use_pretrained_model"]:
        if not scratch.allowed():
            raise UserError(
                f"use_pretrained_model is {on}, and this container has no weights that were trained on ImageNet: give "
                f"the model of an earlier job in a channel '{CHANNEL}', set use_pretrained_model to {off}, or "
                f"{scratch.REMEDY}"
            )
        run.log.info(f"use_pretrained_model is {on}; training begins from scratch, as was allowed.", "WARNING")
    return None


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
