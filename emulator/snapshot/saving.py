"""Makes a snapshot while the house is running: one view of the store, and files that only grow or cannot change."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from contextlib import ExitStack
from datetime import datetime, timezone
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, Protocol

import orjson

from emulator import ids
from emulator.clock import Clock
from emulator.settings import Settings
from emulator.snapshot import form
from emulator.snapshot.form import Manifest
from emulator.snapshot.zipping import PIECE, Zipping

if TYPE_CHECKING:
    from emulator.neighbours.s3 import S3
    from emulator.store.dump import Dump
    from emulator.store.links import Link
    from emulator.store.records import Record
    from emulator.store.sql import SqlStore

LINES = 64 * 1024
"""Bytes of JSON lines that are written at once."""

PASSING = (".draft",)
"""How the names of files end that are about to become others."""


class Rooms(Protocol):
    """What is copied."""

    settings: Settings
    data_dir: Path
    clock: Clock
    store: SqlStore
    s3: S3


class Saving:
    """One snapshot. `manifest` says what is in it; iterate once for the archive's bytes; `close` lets go of the house,
    also of one that was not read to its end."""

    def __init__(self, house: Rooms) -> None:
        self._house = house
        self._held = ExitStack()
        try:
            self._held.enter_context(house.s3.shelf.blobs.held())
            self._dump = self._held.enter_context(house.store.dump())
            held = self._dump.held()  # with this question the view begins
            self._files = list(_files(house.data_dir))
            now = datetime.fromtimestamp(house.clock.now(), timezone.utc)
            self.manifest = Manifest(
                name=f"snapshot-{ids.short_id(8)}",
                created=now.isoformat(timespec="seconds").replace("+00:00", "Z"),
                sagelet=_version(),
                records=held.records,
                objects=held.objects,
                size=held.bytes + sum(size for _, size, _ in self._files),
                objects_elsewhere=bool(house.settings.s3_endpoint),
            )
        except BaseException:
            self.close()
            raise

    def __iter__(self) -> Iterator[bytes]:
        zipping = Zipping()
        with self._held:
            yield from zipping.add(form.MANIFEST, [self.manifest.dumps()])
            for kind in self.manifest.records or ():
                records = map(_record, self._dump.records(kind))
                yield from zipping.add(f"{form.RECORDS}/{kind}.jsonl", _lines(records))
            for name, rows in _rows(self._dump, self._files):
                yield from zipping.add(f"{name}.jsonl", _lines(rows))
            for name, size, _ in self._files:
                yield from zipping.add(name, _file(self._house.data_dir / name, size))
            for blob in self._dump.blobs():
                yield from zipping.add(f"{form.BLOBS}/{blob}", _blob(self._house.s3, blob))
            yield from zipping.finish()

    def close(self) -> None:
        """Let go."""
        self._held.close()


def _record(record: Record) -> dict[str, Any]:
    row = vars(record) | {"account": record.scope.account, "region": record.scope.region}
    del row["scope"]
    return row


def _link(link: Link) -> dict[str, Any]:
    """Without its number: a store gives numbers in the order in which links come."""
    return {**link._asdict(), "scope": vars(link.scope), "number": 0}


def _rows(dump: Dump, files: list[tuple[str, int, float]]) -> Iterator[tuple[str, Iterable[Any]]]:
    yield "tags", dump.tags()
    yield "links", map(_link, dump.links())
    yield "marks", map(vars, dump.marks())
    yield "s3/buckets", map(vars, dump.buckets())
    yield "s3/versions", map(vars, dump.versions())
    yield "s3/uploads", map(vars, dump.uploads())
    yield "s3/parts", map(vars, dump.parts())
    yield "times", ((name, modified) for name, _, modified in files)


def _lines(rows: Iterable[Any]) -> Iterator[bytes]:
    lines: list[bytes] = []
    size = 0
    for row in rows:
        lines.append(orjson.dumps(row, option=orjson.OPT_APPEND_NEWLINE))
        size += len(lines[-1])
        if size >= LINES:
            yield b"".join(lines)
            lines, size = [], 0
    yield b"".join(lines)


def _files(data_dir: Path) -> Iterator[tuple[str, int, float]]:
    """(name, size, time of the last change) of the files that are copied as they are."""
    for tree in form.TREES:
        for folder, folders, names in os.walk(data_dir / tree):
            folders.sort()
            for name in sorted(names):
                path = Path(folder, name)
                shown = path.relative_to(data_dir).as_posix()
                if form.expected(shown) and not name.endswith(PASSING):
                    state = path.stat()
                    yield shown, state.st_size, state.st_mtime


def _file(path: Path, size: int) -> Iterator[bytes]:
    """What a file held when the snapshot began: whole lines. One that was deleted since is empty."""
    try:
        file = path.open("rb")
    except FileNotFoundError:
        return
    with file:
        yield from _pieces(file, _whole_lines(file, size))


def _whole_lines(file: BinaryIO, size: int) -> int:
    """The size without a last line that was being written; all of a file without lines."""
    end = size
    while end > 0:
        start = max(0, end - PIECE)
        cut = os.pread(file.fileno(), end - start, start).rfind(b"\n")
        if cut >= 0:
            return start + cut + 1
        end = start
    return size


def _blob(s3: S3, name: str) -> Iterator[bytes]:
    with s3.shelf.blobs.open(name) as file:
        yield from _pieces(file, os.fstat(file.fileno()).st_size)


def _pieces(file: BinaryIO, size: int) -> Iterator[bytes]:
    while size > 0 and (data := file.read(min(PIECE, size))):
        size -= len(data)
        yield data


def _version() -> str:
    try:
        return metadata.version("sagelet")
    except metadata.PackageNotFoundError:
        return "unknown"
