"""Mean average precision: the area under precision by recall, as PASCAL VOC 2010 and MXNet's `MApMetric` have it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from algorithms.vision.boxes import overlaps

if TYPE_CHECKING:
    from numpy.typing import NDArray


class Precision:
    """Of many pictures; a box is right when it overlaps an object of its class, that no better one has, so much."""

    def __init__(self, threshold: float) -> None:
        self._threshold = threshold
        self._scores: dict[int, list[tuple[float, bool]]] = {}
        self._counts: dict[int, int] = {}

    def add(self, found: NDArray[Any], objects: NDArray[Any]) -> None:
        """Boxes found in a picture (class, chance, box), the most likely first, and its objects (class, box)."""
        for kind in objects[:, 0].astype(int).tolist():
            self._counts[kind] = self._counts.get(kind, 0) + 1
        for kind in np.unique(found[:, 0]).astype(int).tolist():
            mine, wanted = found[found[:, 0] == kind], objects[objects[:, 0] == kind]
            shared, taken = overlaps(mine[:, 2:], wanted[:, 1:]), set()
            for row, score in enumerate(mine[:, 1].tolist()):
                best = int(shared[row].argmax()) if len(wanted) else -1
                right = best >= 0 and shared[row, best] >= self._threshold and best not in taken
                if right:
                    taken.add(best)
                self._scores.setdefault(kind, []).append((score, right))

    @property
    def mean(self) -> float:
        """Over the classes of which there are objects."""
        return float(np.mean([self._average(kind) for kind in self._counts])) if self._counts else 0.0

    def _average(self, kind: int) -> float:
        told = sorted(self._scores.get(kind, []), key=lambda one: -one[0])
        if not told:
            return 0.0
        right = np.cumsum([one for _, one in told])
        recall, precision = right / self._counts[kind], right / np.arange(1, len(told) + 1)
        highest = np.maximum.accumulate(precision[::-1])[::-1]
        return float(np.sum(np.diff(recall, prepend=0) * highest))
