"""The generic life of a record: create, describe, list, update, delete, tags; the same for every kind.

Knows kinds and the store. May not know what a kind's records are for: what is special to one is in `behaviours`.
"""

from __future__ import annotations

from emulator.resources.hooks import Hooks
from emulator.resources.operations import generic_operations
from emulator.resources.resources import Resources

__all__ = ["Hooks", "Resources", "generic_operations"]
