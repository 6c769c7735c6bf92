"""Where the user's code comes from, and how it gets into /opt/ml/code without writing anywhere else."""

from __future__ import annotations

import gzip
import lzma
import shutil
import tarfile
import tempfile
import zlib
from pathlib import Path
from typing import Any

from algorithms.common.contract import Layout
from algorithms.common.faults import UserError
from algorithms.script_mode import s3
from algorithms.script_mode.log import say

ARCHIVE = "sourcedir.tar.gz"
CHANNEL = "code"


def bring(layout: Layout, submitted: str) -> Path:
    """Put the code that `sagemaker_submit_directory` names (or the channel `code` holds) into the code folder."""
    folder = layout.base / "code"
    folder.mkdir(parents=True, exist_ok=True)
    if any(folder.iterdir()):
        say(f"{folder} is not empty: its code is taken as it is.")
    elif submitted.startswith("s3://"):
        with tempfile.TemporaryDirectory() as passing:
            s3.fetch(submitted, Path(passing, ARCHIVE))
            _unpack(Path(passing, ARCHIVE), folder, submitted)
    elif "://" in submitted.removeprefix("file://"):
        raise UserError(
            f"sagemaker_submit_directory {submitted} cannot be fetched: only s3:// and folders of the container can. "
            "Clone the repository and upload it as source_dir."
        )
    else:
        _take(_local(layout, submitted.removeprefix("file://")), folder)
    return folder


def _local(layout: Layout, submitted: str) -> Path:
    if not submitted:
        channel = layout.channel(CHANNEL)
        return channel / ARCHIVE if (channel / ARCHIVE).exists() else channel
    path = Path(submitted)
    if path.is_relative_to("/opt/ml"):
        return layout.base / path.relative_to("/opt/ml")
    return path


def _take(place: Path, folder: Path) -> None:
    if place.is_dir():
        shutil.copytree(place, folder, dirs_exist_ok=True)
    elif not place.exists():
        if place.name != CHANNEL:
            raise UserError(f"There is no code at {place}: sagemaker_submit_directory names a file that is not there.")
    elif tarfile.is_tarfile(place) or place.name.endswith((".tar.gz", ".tgz")):
        _unpack(place, folder, str(place))
    else:
        shutil.copy2(place, folder)


def _unpack(archive: Path, folder: Path, name: str) -> None:
    try:
        with tarfile.open(archive) as tar:
            for member in tar:
                _extract(tar, member, folder.resolve())
    except (tarfile.TarError, EOFError, zlib.error, lzma.LZMAError, KeyError, gzip.BadGzipFile) as error:
        raise UserError(
            f"{name} is no whole tar.gz archive: {error or type(error).__name__}. Pack the code anew "
            f"(tar czf {ARCHIVE} -C source_dir .) and upload it again."
        ) from error


def _extract(tar: tarfile.TarFile, member: tarfile.TarInfo, folder: Path) -> None:
    problem = _problem(member, folder)
    if problem:
        say(f"{member.name!r} of the archive is left out: {problem}.", "WARNING")
        return
    options: dict[str, Any] = {"filter": "data"} if hasattr(tarfile, "data_filter") else {}
    tar.extract(member, folder, **options)


def _problem(member: tarfile.TarInfo, folder: Path) -> str:
    """Why a member may not be extracted; looked at just before, since earlier members may have been links."""
    place = folder / member.name
    if not place.resolve().is_relative_to(folder):
        return "it would be written outside the code folder"
    if not (member.isreg() or member.isdir() or member.issym() or member.islnk()):
        return "it is a device or a pipe"
    if member.issym() or member.islnk():
        start = folder if member.islnk() else place.parent
        if not (start / member.linkname).resolve().is_relative_to(folder):
            return f"it is a link to {member.linkname}, outside the code folder"
    return ""
