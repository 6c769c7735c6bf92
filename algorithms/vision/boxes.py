"""Boxes (left, top, right, bottom) in parts of a picture: what they share, which are to become which objects, and back.

As in SSD (Liu et al., ECCV 2016). NumPy alone: it also goes into the archives of JumpStart's scripts.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Boxes = NDArray[Any]

VARIANCES = np.array([0.1, 0.1, 0.2, 0.2], np.float32)
"""Of MXNet's `example/ssd` and, as their reciprocals, of TensorFlow's `faster_rcnn_box_coder`."""
MATCHED = 0.5
"""Overlap from which a box is to become the object; the best one of each object is in any case."""
MOST, LEAST = 400, 0.01
"""Boxes of a class that are looked at, and the chance that one is to have."""


def overlaps(some: Boxes, others: Boxes) -> NDArray[Any]:
    """What two boxes have in common, by what either of them has (n, m)."""
    low = np.maximum(some[:, None, :2], others[None, :, :2])
    high = np.minimum(some[:, None, 2:], others[None, :, 2:])
    common = np.prod(np.clip(high - low, 0, None), axis=2)
    area = [np.prod(one[:, 2:] - one[:, :2], axis=1) for one in (some, others)]
    return common / np.maximum(area[0][:, None] + area[1][None] - common, 1e-12)


def targets(start: Boxes, objects: NDArray[Any]) -> tuple[NDArray[Any], Boxes]:
    """What each box is to become: a class from 1 (0: nothing), and by how much it is to move (n, 4)."""
    kinds, moves = np.zeros(len(start), np.int64), np.zeros((len(start), 4), np.float32)
    if not len(objects):
        return kinds, moves
    shared = overlaps(start, objects[:, 1:])
    of = shared.argmax(axis=1)
    taken = shared.max(axis=1) >= MATCHED
    left = shared.copy()
    for _ in range(len(objects)):  # The best pair first, then the best of the rest.
        box, wanted = np.unravel_index(left.argmax(), left.shape)
        of[box], taken[box] = wanted, True
        left[box], left[:, wanted] = -1, -1
    kinds[taken] = objects[of[taken], 0].astype(np.int64) + 1
    moves[taken] = encoded(start[taken], objects[of[taken], 1:])
    return kinds, moves


def encoded(start: Boxes, wanted: Boxes) -> Boxes:
    """By how much boxes are to move to become others."""
    here, there = _middles(start), _middles(wanted)
    moved = (there[:, :2] - here[:, :2]) / here[:, 2:]
    return np.concatenate([moved, np.log(np.maximum(there[:, 2:], 1e-6) / here[:, 2:])], axis=1) / VARIANCES


def decoded(start: Boxes, moves: Boxes) -> Boxes:
    """Boxes that have moved, cut at the border of the picture."""
    here, moves = _middles(start), moves * VARIANCES
    middle = here[:, :2] + moves[:, :2] * here[:, 2:]
    half = here[:, 2:] * np.exp(np.clip(moves[:, 2:], -10, 10)) / 2
    return np.clip(np.concatenate([middle - half, middle + half], axis=1), 0, 1)


def _middles(found: Boxes) -> Boxes:
    return np.concatenate([(found[:, :2] + found[:, 2:]) / 2, found[:, 2:] - found[:, :2]], axis=1)


def detected(start: Boxes, chances: NDArray[Any], moves: Boxes, threshold: float, least: float = LEAST) -> NDArray[Any]:
    """Rows (class, chance, left, top, right, bottom), the most likely first; `chances` (n, 1 + classes). Of two boxes
    of a class that overlap by more than `threshold` the likelier one is left, of those above the chance `least`."""
    found = decoded(start, moves)
    kinds, scores = chances[:, 1:].argmax(axis=1), chances[:, 1:].max(axis=1)
    kept: list[NDArray[Any]] = []
    for kind in np.unique(kinds[scores > least]):
        of = np.flatnonzero((kinds == kind) & (scores > least))
        of = of[np.argsort(-scores[of], kind="stable")][:MOST]
        shared = overlaps(found[of], found[of])
        chosen: list[int] = []
        for number in range(len(of)):
            if not chosen or shared[number, chosen].max() <= threshold:
                chosen.append(number)
        best = of[chosen]
        kept.append(np.column_stack([np.full(len(best), kind), scores[best], found[best]]))
    rows = np.concatenate(kept) if kept else np.empty((0, 6))
    return rows[np.argsort(-rows[:, 1], kind="stable")]
