"""Lineage entities, and the group that all of an account belong to. Their associations are links, not records."""

from __future__ import annotations

from emulator.kinds.experiments import EXISTS
from emulator.kinds.kind import ASC, Kind, Listing, Occupied
from emulator.kinds.relations import ASSOCIATION

ASSOCIATED = Occupied(
    "ValidationException", "{kind} '{arn}' has associations and cannot be deleted. Delete them first."
)

KINDS = (
    Kind("Action", taken=EXISTS, occupied=ASSOCIATED, parent="SourceUri", tied=(ASSOCIATION,)),
    Kind("Artifact", taken=EXISTS, occupied=ASSOCIATED, parent="SourceUri", tied=(ASSOCIATION,)),
    Kind("Context", taken=EXISTS, occupied=ASSOCIATED, parent="SourceUri", tied=(ASSOCIATION,)),
    Kind("LineageGroup", listing=Listing(sort=("CreationTime", ASC))),
)
