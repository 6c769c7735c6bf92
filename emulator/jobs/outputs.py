"""What a program leaves behind, put into S3: archives of a folder, or its files one by one."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterable
from pathlib import Path

from emulator.jobs.inputs.files import place
from emulator.jobs.inputs.objects import Item, safe_name
from emulator.jobs.left import Left
from emulator.ports import Storage
from emulator.storage import archive, uri


def save_archive(storage: Storage, left: Left, location: str) -> bool:
    """Store a folder as a tar.gz at the URI `location`; False (and nothing stored) when it is empty or absent.

    Packed beside the base of what was left: inside of it the program could have a link wait for us.
    """
    folder = left.folder()
    if folder is None:
        return False
    packed = left.base.parent / f"{folder.name}.tar.gz"
    try:
        if not archive.pack(folder, packed):
            return False
        bucket, key = uri.parse(location)
        storage.store(packed, bucket, key)
        return True
    finally:
        packed.unlink(missing_ok=True)


def merged(lefts: Iterable[Left], target: Path) -> Left:
    """One folder with the files of all; of files with equal names the last one's. No bytes are copied."""
    filled = [left for left in lefts if (folder := left.folder()) and any(folder.iterdir())]
    if len(filled) == 1:
        return filled[0]
    shutil.rmtree(target, ignore_errors=True)
    for left in filled:
        folder = left.base / left.inside
        shutil.copytree(folder, target, symlinks=True, copy_function=_link, dirs_exist_ok=True)
    return Left(target)


def _link(source: str, target: str) -> None:
    Path(target).unlink(missing_ok=True)
    try:
        os.link(source, target, follow_symlinks=False)
    except OSError:  # not ours to link to, or another file system
        shutil.copy2(source, target, follow_symlinks=False)


def save_tree(storage: Storage, left: Left, location: str) -> bool:
    """Store every file of a folder under the URI `location`; False when there is none."""
    bucket, prefix = uri.parse(location)
    stored = False
    for name, _ in left.files():
        left.store(storage, name, bucket, f"{prefix.rstrip('/')}/{name}".lstrip("/"))
        stored = True
    return stored


def fetch_tree(storage: Storage, location: str, folder: Path) -> None:
    """The opposite: all objects under the folder `location` into `folder`, as files that the program may change."""
    bucket, prefix = uri.parse(location)
    base = f"{prefix.rstrip('/')}/" if prefix.strip("/") else ""
    for found in storage.list(bucket, base):
        if found.key.endswith("/"):
            continue
        item = Item(found, found.key[len(base) :])
        place(storage, item, folder)
        (folder / safe_name(item.name)).chmod(0o644)  # a copy of its own, which the program may change
