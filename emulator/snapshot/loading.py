"""Loads a snapshot: beside the house that runs a new state is made of it, which then takes the place of the old one.

The state that is ready lies in `arrived/` of the data folder: from then on it counts, and a server that is killed
before all of it is in its place finishes that at its next start (`settle`).
"""

from __future__ import annotations

import contextlib
import errno
import os
import shutil
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from emulator.errors import CallerFault, Validation
from emulator.snapshot import form
from emulator.snapshot.form import Manifest
from emulator.snapshot.reading import Found, Reader
from emulator.storage.archive import ArchiveRefused, Limits, extract
from emulator.store import open_store

PREFIX = "arriving-"
READY = "arrived"
PIECE = 1024 * 1024
LEFT_FREE = 64 * 1024 * 1024
"""Bytes of the disk that an archive may not fill."""

STATE = ("house.db", "s3", "logs", "metrics", "neighbours")
"""What a new state consists of; all of it is always there, the database last to be moved."""

GONE = ("house.db-wal", "house.db-shm", "work")
"""What belongs to the old one alone."""


@dataclass(frozen=True)
class Arrival:
    """A new state that is ready to take its place."""

    manifest: Manifest
    found: Found

    def told(self) -> dict[str, Any]:
        """For people, as JSON."""
        manifest, found = self.manifest, self.found
        return {
            "name": manifest.name,
            "created": manifest.created,
            "sagelet": manifest.sagelet,
            "records": dict(found.records),
            "objects": found.objects,
            "failed": found.failed,
            "left_out": dict(found.left_out),
            "objects_elsewhere": manifest.objects_elsewhere,
        }


@contextlib.contextmanager
def spooled(data_dir: Path, source: IO[bytes]) -> Iterator[Path]:
    """A snapshot that somebody sends, as a file in a folder of its own, which is gone after the block."""
    folder = Path(tempfile.mkdtemp(prefix=PREFIX, dir=data_dir))
    try:
        with _on_a_full_disk(), (folder / "snapshot").open("wb") as file:
            while data := source.read(PIECE):
                file.write(data)
        yield folder / "snapshot"
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def prepare(data_dir: Path, archive: Path, now: float) -> Arrival:
    """Make the new state of a spooled archive. `Validation` for one that cannot be used: then nothing has happened."""
    manifest = form.read(archive)
    reason = (
        f"This job was under way when {manifest.name} was taken ({manifest.created}), which was loaded here since. "
        "Programs are not part of a snapshot: create the job again."
    )
    raw, new = archive.with_name("raw"), archive.with_name("new")
    with _on_a_full_disk():
        _unpack(archive, raw)
        archive.unlink()
        reader = Reader(raw, reason, now)
        new.mkdir(mode=0o700)
        store = open_store(new / "house.db")
        try:
            with store.fill() as filling:
                reader.read(filling)
        finally:
            store.close()
        (new / "house.db-reserve").unlink(missing_ok=True)
        _arrange(raw, new, reader)
    shutil.rmtree(data_dir / READY, ignore_errors=True)
    new.rename(data_dir / READY)
    return Arrival(manifest, reader.found)


def settle(data_dir: Path) -> None:
    """Put a state that is ready into its place. Whoever is killed meanwhile calls it again; without one, nothing is
    done but tidying up."""
    for left in data_dir.glob(f"{PREFIX}*"):
        shutil.rmtree(left, ignore_errors=True)
    ready = data_dir / READY
    if not ready.is_dir():
        return
    for name in GONE:
        _remove(data_dir / name)
    for name in reversed(STATE):
        if (ready / name).exists():  # else it was moved before
            _remove(data_dir / name)
            (ready / name).rename(data_dir / name)
    ready.rmdir()


def _unpack(archive: Path, raw: Path) -> None:
    free = shutil.disk_usage(archive.parent).free - LEFT_FREE
    # A house may hold files of zeros, which deflate to a thousandth.
    limits = Limits(total=max(0, free), members=5_000_000, ratio=1100)
    try:
        extract(archive, raw, limits)
    except ArchiveRefused as refusal:
        raise Validation(f"The snapshot cannot be used: {refusal}") from refusal
    start = len(str(raw)) + 1
    for folder, _, names in os.walk(raw):
        for name in names:
            shown = f"{folder}/{name}"[start:]
            if not form.expected(shown):
                raise Validation(f"The snapshot cannot be used: it holds {shown!r:.200}, which is no part of one.")


def _arrange(raw: Path, new: Path, reader: Reader) -> None:
    """Files into their places: blobs by the beginnings of their names, the rest as it is."""
    for name in STATE[1:]:
        (new / name).mkdir(exist_ok=True)
    blobs = list((raw / form.BLOBS).iterdir()) if (raw / form.BLOBS).is_dir() else []
    for beginning in {blob.name[:2] for blob in blobs}:
        (new / "s3" / beginning).mkdir()
    for blob in blobs:
        blob.chmod(0o444)
        blob.rename(new / "s3" / blob.name[:2] / blob.name)
    for tree in form.TREES:
        if (raw / tree).is_dir():
            (new / tree).rmdir()
            (raw / tree).rename(new / tree)
    for secret in (new / "neighbours").iterdir():
        secret.chmod(0o600)
    for name, modified in reader.times():
        if form.expected(name) and (new / name).is_file():
            os.utime(new / name, (modified, modified))


def _remove(target: Path) -> None:
    if target.is_dir() and not target.is_symlink():
        shutil.rmtree(target)
    else:
        target.unlink(missing_ok=True)


@contextlib.contextmanager
def _on_a_full_disk() -> Iterator[None]:
    try:
        yield
    except OSError as error:
        if error.errno not in (errno.ENOSPC, errno.EDQUOT):
            raise
        message = "The disk is too full for the snapshot. Nothing was loaded. Free some space."
        raise CallerFault(message, code="InsufficientStorage") from error
