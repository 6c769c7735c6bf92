"""Group and stream names as file names, and back: slashes, dots and great length are safe."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path
from urllib.parse import quote, unquote

LONGEST = 180
"""Longer file names are cut; what they stand for is in a file beside them. Most file systems stop at 255 bytes."""

NAME_SUFFIX = ".name"


def encode(name: str) -> str:
    """`name` as one path component that is never hidden, never `..`, and never longer than a file system takes."""
    safe = quote(name, safe="").replace("~", "%7E")
    if safe.startswith("."):
        safe = "%2E" + safe[1:]
    if len(safe) <= LONGEST:
        return safe
    return f"{safe[: LONGEST - 40]}~{hashlib.sha256(name.encode()).hexdigest()[:32]}"


def remember(folder: Path, name: str) -> str:
    """The file name of `name` in `folder`; a cut one gets its whole name written beside it."""
    encoded = encode(name)
    if "~" in encoded:
        beside = folder / (encoded + NAME_SUFFIX)
        if not beside.exists():
            draft = beside.with_name(f"{beside.name}.{os.getpid()}.draft")
            draft.write_text(name, encoding="utf-8")
            draft.replace(beside)
    return encoded


def decode(folder: Path, encoded: str) -> str:
    """The name that `encoded` stands for."""
    if "~" not in encoded:
        return unquote(encoded)
    return (folder / (encoded + NAME_SUFFIX)).read_text(encoding="utf-8")
