"""The rules of tags: how many, which keys; as the service checks them beyond the model's patterns."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from emulator.errors import Validation

LIMIT = 50
RESERVED = "aws:"


def given(tags: Iterable[Mapping[str, Any]] | None) -> dict[str, str]:
    """Tags of a request by key; `Validation` for reserved or repeated keys."""
    found: dict[str, str] = {}
    for tag in tags or ():
        key = tag["Key"]
        if key.lower().startswith(RESERVED):
            raise Validation(f"Tag key '{key}' is not allowed: keys that begin with '{RESERVED}' are reserved.")
        if key in found:
            raise Validation(f"Duplicate tag key '{key}'. Give each key once.")
        found[key] = tag.get("Value", "")
    within(found)
    return found


def within(tags: Mapping[str, str] | set[str]) -> None:
    """`Validation` when a resource would have more tags than it may."""
    if len(tags) > LIMIT:
        raise Validation(f"A resource may have at most {LIMIT} tags; this one would have {len(tags)}.")


def answer(tags: Iterable[tuple[str, str]]) -> list[dict[str, str]]:
    """Tags as the wire has them."""
    return [{"Key": key, "Value": value} for key, value in tags]
