"""/opt/ml/output/intermediate: its files are uploaded while the script runs, where `sagemaker_s3_output` says."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator
from pathlib import Path

from algorithms.common.faults import UserError
from algorithms.script_mode import s3
from algorithms.script_mode.log import say

SECONDS = 1.0


@contextlib.contextmanager
def synced(folder: Path, output: object, job: str) -> Iterator[None]:
    """Upload new and changed files of `folder` every second, and once more at the end; nothing without an output."""
    if not isinstance(output, str) or not output.startswith("s3://"):
        yield
        return
    folder.mkdir(parents=True, exist_ok=True)
    place = "/".join(part for part in (output.rstrip("/"), job, "output/intermediate") if part)
    known: dict[Path, tuple[int, int]] = {}
    over = threading.Event()

    def go_on() -> None:
        while not over.wait(SECONDS):
            _upload(folder, place, known)

    working = threading.Thread(target=go_on, daemon=True)
    working.start()
    try:
        yield
    finally:
        over.set()
        working.join()
        _upload(folder, place, known)


def _upload(folder: Path, place: str, known: dict[Path, tuple[int, int]]) -> None:
    for path in sorted(folder.rglob("*")):
        try:
            if not path.is_file():
                continue
            facts = path.stat()
            stamp = (facts.st_mtime_ns, facts.st_size)
            if known.get(path) != stamp:
                s3.store(path, f"{place}/{path.relative_to(folder)}")
                known[path] = stamp
        except (OSError, UserError) as error:
            say(f"Failed to upload {path}: {error}", "ERROR")
