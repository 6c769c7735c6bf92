"""The journal: every request that changed something, one line each, so that a new process can do them all again."""

from __future__ import annotations

import json
import os
import re
import threading
from base64 import b64decode, b64encode
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from emulator.call import Scope
from emulator.neighbours.asked import Asked

_NEW = os.O_WRONLY | os.O_CREAT | os.O_TRUNC
_SERVICE = re.compile(rb'"service":"([^"]+)"')


@dataclass(frozen=True)
class Entry:
    """A request, when it was executed, the seed of all chance in it, and what could not be derived from the seed."""

    asked: Asked
    at: float
    seed: int
    kept: tuple[str, ...] = ()


class Journal:
    """An append-only file of mode 0600: it holds secrets. The caller serialises appends and execution."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._file: int | None = None
        self._services: set[str] | None = None
        self._lock = threading.Lock()
        """Held for the services: of them threads ask that must not wait for a request to be executed."""

    def empty(self) -> bool:
        """Whether nothing was ever kept."""
        try:
            return self.path.stat().st_size == 0
        except FileNotFoundError:
            return True

    def append(self, entry: Entry) -> None:
        """Add one line; when that fails (disk full) the file is as it was before, and `OSError` says so."""
        if self._file is None:
            self._file = self._open()
        line = (json.dumps(_to_row(entry), separators=(",", ":")) + "\n").encode()
        size = os.fstat(self._file).st_size
        try:
            rest = memoryview(line)
            while rest:
                rest = rest[os.write(self._file, rest) :]
        except OSError:
            os.ftruncate(self._file, size)
            raise
        with self._lock:
            if self._services is not None:
                self._services.add(entry.asked.service)

    def services(self) -> set[str]:
        """The services of all entries. The file is read for them once; thread safe beside an append."""
        with self._lock:
            if self._services is None:
                self._services = set()
                if self.path.exists():
                    with self.path.open("rb") as file:
                        self._services.update(match[1].decode() for raw in file if (match := _SERVICE.search(raw)))
            return self._services

    def entries(self) -> Iterator[Entry]:
        """All entries in order. A torn last line, of a write that was never acknowledged, is left out."""
        if self.empty():
            return
        with self.path.open("rb") as file:
            for raw in file:
                if raw.endswith(b"\n"):
                    yield _from_row(json.loads(raw))

    def keep(self, kept: Callable[[Entry], bool]) -> None:
        """Drop the entries that are not to be kept. Whoever is killed meanwhile finds the file of before."""
        self.close()
        if self.empty():
            return
        draft = self.path.with_name(f"{self.path.name}.draft")
        with self.path.open("rb") as old, os.fdopen(os.open(draft, _NEW, 0o600), "wb") as new:
            for raw in old:
                if raw.endswith(b"\n") and kept(_from_row(json.loads(raw))):
                    new.write(raw)
        draft.replace(self.path)
        with self._lock:
            self._services = None

    def close(self) -> None:
        """Let go of the file."""
        if self._file is not None:
            os.close(self._file)
            self._file = None

    def clear(self) -> None:
        """Forget everything."""
        self.close()
        self.path.unlink(missing_ok=True)
        self._services = None

    def _open(self) -> int:
        self.path.parent.mkdir(parents=True, exist_ok=True)
        file = os.open(self.path, os.O_RDWR | os.O_APPEND | os.O_CREAT, 0o600)
        os.ftruncate(file, _whole_lines(file))
        return file


def _whole_lines(file: int) -> int:
    """The size of the file without a torn last line."""
    end = os.fstat(file).st_size
    while end > 0:
        start = max(0, end - 65536)
        cut = os.pread(file, end - start, start).rfind(b"\n")
        if cut >= 0:
            return start + cut + 1
        end = start
    return 0


def _to_row(entry: Entry) -> dict[str, object]:
    asked = entry.asked
    row: dict[str, object] = {
        "at": entry.at,
        "seed": f"{entry.seed:x}",
        "service": asked.service,
        "operation": asked.operation,
        "protocol": asked.protocol,
        "method": asked.method,
        "path": asked.path,
        "headers": dict(asked.headers),
        "scope": [asked.scope.account, asked.scope.region],
        "key": asked.access_key,
    }
    if asked.query:
        row["query"] = asked.query
    if entry.kept:
        row["kept"] = list(entry.kept)
    try:
        row["text"] = asked.body.decode("ascii")
    except UnicodeDecodeError:
        row["bytes"] = b64encode(asked.body).decode()
    return row


def _from_row(row: dict[str, object]) -> Entry:
    headers, scope, kept = row["headers"], row["scope"], row.get("kept", [])
    assert isinstance(headers, dict) and isinstance(scope, list) and isinstance(kept, list)
    assert isinstance(row["at"], (int, float))
    body = str(row["text"]).encode("ascii") if "text" in row else b64decode(str(row["bytes"]))
    asked = Asked(
        service=str(row["service"]),
        operation=str(row["operation"]),
        protocol=str(row["protocol"]),
        method=str(row["method"]),
        path=str(row["path"]),
        query=str(row.get("query", "")),
        headers=headers,
        body=body,
        scope=Scope(*scope),
        access_key=str(row["key"]),
    )
    return Entry(asked, float(row["at"]), int(str(row["seed"]), 16), tuple(kept))
