"""Search over all records: names of properties, expressions, an index that is built where somebody looks, stable pages.

Pure but for `finding`, which asks the store's index. May not know what a kind's records are for.
"""

from __future__ import annotations

from emulator.resources.search.members import AFRESH, GROWING, KEPT, Computed
from emulator.resources.search.narrowing import Sizes
from emulator.resources.search.searching import Search

__all__ = ["AFRESH", "GROWING", "KEPT", "Computed", "Search", "Sizes"]
