"""BLEU of a corpus (Papineni et al., ACL 2002), with words up to four in a row."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from typing import Any

LONGEST, FLOOR = 4, 0.01
"""FLOOR stands for no match at all, as in Sockeye: one order without any does not make the whole zero."""


def bleu(found: Sequence[Sequence[Any]], wanted: Sequence[Sequence[Any]]) -> float:
    """From 0 to 1, of sequences and what they should be."""
    logs = []
    for order in range(1, LONGEST + 1):
        total = sum(max(len(one) - order + 1, 0) for one in found)
        if total:
            right = sum(_matches(one, other, order) for one, other in zip(found, wanted, strict=True))
            logs.append(math.log(max(right, FLOOR) / total))
    if not logs:
        return 0.0
    length, expected = (sum(map(len, side)) for side in (found, wanted))
    brevity = min(0.0, 1 - expected / length)
    return math.exp(brevity + sum(logs) / len(logs))


def _matches(one: Sequence[Any], other: Sequence[Any], order: int) -> int:
    return sum((_runs(one, order) & _runs(other, order)).values())


def _runs(words: Sequence[Any], order: int) -> Counter[tuple[Any, ...]]:
    return Counter(tuple(words[at : at + order]) for at in range(len(words) - order + 1))
