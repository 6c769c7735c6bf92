"""What a model runs: its containers, those of a model package as they were when the model was made of it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from emulator.store.records import Record

CONTAINERS = "containers"
"""Where a record of a model keeps them, when they are not what its request says: the package may be gone by now."""


def containers_of(model: Record) -> list[Mapping[str, Any]]:
    """The containers of a model in their order."""
    kept: list[Mapping[str, Any]] = model.hidden.get(CONTAINERS) or []
    body = model.body
    return kept or ([body["PrimaryContainer"]] if body.get("PrimaryContainer") else list(body.get("Containers") or []))
