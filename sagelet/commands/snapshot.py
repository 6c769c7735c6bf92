"""`sagelet snapshot save|load FILE`: all that the server holds, as one file."""

from __future__ import annotations

import argparse
import os
import sys
import time
from pathlib import Path
from typing import IO

from sagelet import places

PATH = "/_sagelet/snapshot"
PIECE = 1024 * 1024
TICK = 0.5
"""Seconds between two lines of progress."""


def options(parser: argparse.ArgumentParser) -> None:
    """Whether to save or to load, which file, which server."""
    verbs = parser.add_subparsers(dest="verb", required=True, metavar="save|load")
    for name, text in (("save", "write all that the server holds"), ("load", "empty the server, and fill it anew")):
        verb = verbs.add_parser(name, help=text)
        verb.add_argument("file", type=Path, help="for instance state.zip")
        places.server_option(verb)


def run(options: argparse.Namespace) -> int:
    """Write records, objects, logs, metrics and the other services' state into one file, or read them from one.

    It goes on while the server runs. Programs that run are not part of it: jobs that were under way have failed where
    it is loaded, endpoints come back there. The file holds secrets.
    """
    url = places.find(options.data_dir)
    try:
        return _save(url, options.file) if options.verb == "save" else _load(url, options.file)
    except OSError as error:
        raise places.NoServer(f"{options.file}: {error.strerror or error}") from error


def _save(url: str, file: Path) -> int:
    half = file.with_name(f"{file.name}.half")
    try:
        with places.opened(url, places.Question(PATH)) as answer, os.fdopen(_private(half), "wb") as target:
            progress = _Progress("Saved", int(answer.headers.get("X-Sagelet-Size", 0)))
            while data := answer.read(PIECE):
                target.write(data)
                progress.more(len(data))
            size = target.tell()
        progress.over()
        half.replace(file)
    finally:
        half.unlink(missing_ok=True)
    print(f"Saved {_shown(size)} to {file}. It holds secrets: keep it to yourself.")
    return 0


def _load(url: str, file: Path) -> int:
    size = file.stat().st_size
    with file.open("rb") as source:
        progress = _Progress("Sent", size)
        headers = {"Content-Type": "application/zip", "Content-Length": str(size)}
        question = places.Question(PATH, "PUT", _Watched(source, progress), headers, seconds=None)
        with places.opened(url, question) as answer:
            progress.over()
            told = answer.json()
    records = sum(told["records"].values())
    print(f"Loaded {told['name']} of {told['created']}: {records} records, {told['objects']} objects.")
    if told["failed"]:
        print(f"Jobs that were under way have failed here: {', '.join(told['failed'])}.")
    for kind, number in told["left_out"].items():
        print(f"Left out: {number} records of the kind {kind}, which this version does not know.")
    if told["objects_elsewhere"]:
        print("Its objects were in an external S3, and are not in it.")
    return 0


def _private(file: Path) -> int:
    return os.open(file, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)


class _Watched:
    """A file whose reader shows how far it is."""

    def __init__(self, file: IO[bytes], progress: _Progress) -> None:
        self._file = file
        self._progress = progress

    def read(self, size: int = -1) -> bytes:
        data = self._file.read(max(size, PIECE))
        self._progress.more(len(data))
        return data


class _Progress:
    """A line on a terminal, for what takes longer than a moment."""

    def __init__(self, verb: str, whole: int) -> None:
        self._verb, self._whole, self._done = verb, whole, 0
        self._next = time.monotonic() + TICK
        self._width = 0

    def more(self, count: int) -> None:
        self._done += count
        if sys.stderr.isatty() and time.monotonic() >= self._next:
            self._next = time.monotonic() + TICK
            line = f"{self._verb} {_shown(self._done)} of about {_shown(self._whole)}"
            self._width = max(self._width, len(line))
            print(f"\r{line:<{self._width}}", end="", file=sys.stderr, flush=True)

    def over(self) -> None:
        if self._width:
            print(f"\r{'':<{self._width}}\r", end="", file=sys.stderr, flush=True)


def _shown(size: float) -> str:
    for unit in ("bytes", "KiB", "MiB"):
        if size < 1024:
            return f"{size:.0f} {unit}"
        size /= 1024
    return f"{size:.1f} GiB"
