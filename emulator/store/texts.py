"""The texts of statements, compiled once by SQLAlchemy and remembered in the user's cache folder.

SQLAlchemy costs 0.15 s to import, a third of the time to the first answer; the texts that it makes of our statements
are the same every time, until it or they change.
"""

from __future__ import annotations

import contextlib
import hashlib
import importlib.util
import json
import os
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

SCHEMA = "schema"
SOURCES = (
    "compiling",
    "dump_statements",
    "link_statements",
    "object_statements",
    "pages",
    "part_statements",
    "record_statements",
    "search_queries",
    "search_statements",
    "tables",
)
"""The modules that statements are written in."""


@dataclass(frozen=True)
class Text:
    """A statement's text, the names of its parameters in order (None: they go by name), and constants among them."""

    text: str
    order: tuple[str, ...] | None
    constants: Mapping[str, Any]

    def arguments(self, values: Mapping[str, Any]) -> Any:
        """The driver's second argument."""
        given = {f"{name}_": value for name, value in values.items()}
        if self.constants:
            given |= self.constants
        return given if self.order is None else [given[name] for name in self.order]


class Names:
    """The statements of a module by their names, without importing it: `Names("object_statements").LATEST`."""

    def __init__(self, module: str) -> None:
        self._module = module

    def __getattr__(self, name: str) -> str:
        full = f"{self._module}:{name}"
        setattr(self, name, full)
        return full


class Texts:
    """The texts for one database. Thread safe: two threads may compile the same text, and agree."""

    def __init__(self, url: str, substring: str) -> None:
        self._url = url
        self._substring = substring
        self._file = _cache_folder() / f"sql-{url.partition(':')[0]}-{_fingerprint()}.json"
        self._known: dict[str, Text] = {}
        self._schema: list[str] = []
        self._load()

    def get(self, name: str) -> Text:
        """The text of a statement."""
        known = self._known.get(name)
        if known is None:
            from emulator.store.compiling import compile_text

            made = compile_text(name, self._url, self._substring)
            assert isinstance(made, Text)
            known = self._known[name] = made
            self._save()
        return known

    def schema(self) -> list[str]:
        """What creates the tables and indices that are not there yet."""
        if not self._schema:
            from emulator.store.compiling import compile_text

            made = compile_text(SCHEMA, self._url, self._substring)
            assert isinstance(made, list)
            self._schema = made
            self._save()
        return self._schema

    def _load(self) -> None:
        # A file that is absent, torn or not ours is as good as none: everything in it can be made again.
        with contextlib.suppress(OSError, ValueError, KeyError, TypeError):
            kept = json.loads(self._file.read_text())
            texts = {n: Text(t, None if o is None else tuple(o), c) for n, (t, o, c) in kept["texts"].items()}
            self._schema, self._known = kept["schema"], texts

    def _save(self) -> None:
        texts = {name: (text.text, text.order, text.constants) for name, text in list(self._known.items())}
        with contextlib.suppress(OSError):
            self._file.parent.mkdir(parents=True, exist_ok=True)
            handle, draft = tempfile.mkstemp(dir=self._file.parent)
            with os.fdopen(handle, "w") as file:
                json.dump({"schema": self._schema, "texts": texts}, file)
            Path(draft).replace(self._file)


def _cache_folder() -> Path:
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "sagelet"


@cache
def _fingerprint() -> str:
    """Changes with our statements and with SQLAlchemy."""
    digest = hashlib.sha256()
    for name in SOURCES:
        digest.update((Path(__file__).parent / f"{name}.py").read_bytes())
    found = importlib.util.find_spec("sqlalchemy")
    if found is not None and found.origin:
        facts = Path(found.origin).stat()
        digest.update(f"{found.origin} {facts.st_mtime_ns} {facts.st_size}".encode())
    return digest.hexdigest()[:16]
