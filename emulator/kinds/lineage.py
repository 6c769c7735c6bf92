"""Lineage entities. Their associations and queries are not records: they are refused."""

from __future__ import annotations

from emulator.kinds.experiments import EXISTS
from emulator.kinds.kind import Kind

KINDS = (
    Kind("Action", taken=EXISTS),
    Kind("Artifact", taken=EXISTS, mint="{hex}"),
    Kind("Context", taken=EXISTS),
)
