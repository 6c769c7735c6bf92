"""The storages that inputs are read from, with a way to put bytes into them: files, our own, somebody else's."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from emulator.clock import ManualClock
from emulator.neighbours.s3 import S3
from emulator.storage.external import ExternalStorage
from emulator.storage.folder import FolderStorage
from emulator.storage.shelf import Shelf
from emulator.store import open_store
from tests.jobs import conftest
from tests.neighbours.s3_server import ACCOUNT, serving


class Bucket:
    """The bucket `data` of a storage."""

    def __init__(self, storage: Any, folder: Path) -> None:
        self.storage = storage
        self._draft = folder / "draft"
        storage.make_bucket("data", "us-east-1")

    def put(self, key: str, content: bytes) -> str:
        """Its URI."""
        self._draft.write_bytes(content)
        self.storage.store(self._draft, "data", key)
        return f"s3://data/{key}"


@contextmanager
def bucket(kind: str, folder: Path) -> Iterator[Bucket]:
    """`kind` is files, folder or external."""
    if kind == "files":
        yield Bucket(conftest.FolderStorage(folder / "files"), folder)
        return
    store = open_store(folder / "house.db")
    shelf = Shelf(store.objects, folder / "s3", ManualClock())
    if kind == "folder":
        yield Bucket(FolderStorage(shelf, ACCOUNT), folder)
    else:
        with serving(S3(shelf)) as url:
            storage = ExternalStorage(url, "us-east-1")
            yield Bucket(storage, folder)
            storage._client.close()
    store.close()
