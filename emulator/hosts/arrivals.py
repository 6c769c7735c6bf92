"""What becomes of the record of an endpoint that comes from another house: its servers have stayed behind. Pure."""

from __future__ import annotations

from dataclasses import replace

from emulator.hosts.record import endpoint_of
from emulator.store.records import Record


def arrived(record: Record, reason: str, now: float) -> Record:
    """Its servers are forgotten: the start that follows begins new ones. `KeyError` for a record that is none of an
    endpoint of ours."""
    endpoint_of(record)
    return replace(record, hidden={**record.hidden, "hosts": []})
