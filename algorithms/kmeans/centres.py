"""The web-scale algorithm: streamed centres with counts, then Lloyd's iterations over the weighted centres.

Sculley, "Web-Scale K-Means Clustering" (WWW 2010), with more centres than clusters, as the developer guide describes:
docs.aws.amazon.com/sagemaker/latest/dg/algo-kmeans-tech-notes.html
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from algorithms.common.nearest import Vectors

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Matrix = NDArray[np.float32]


def nearest(rows: Matrix, centres: Matrix) -> tuple[NDArray[np.int64], Matrix]:
    """The nearest centre of each row, and the squared Euclidean distance to it."""
    squared, closest = Vectors(centres).search(rows, 1)
    return closest[:, 0], squared[:, 0]


def _distances(rows: Matrix, centre: Matrix) -> Matrix:
    """Squared Euclidean distances (n,) to one centre."""
    moved = rows - centre
    return np.einsum("nd,nd->n", moved, moved)


def spread(rows: Matrix, count: int, weights: NDArray[Any], draw: np.random.Generator) -> Matrix:
    """`count` rows chosen as k-means++ does: the chance of each is its squared distance to those chosen."""
    chosen = [int(draw.choice(len(rows), p=weights / weights.sum()))]
    left = _distances(rows, rows[chosen[0]])
    while len(chosen) < count:
        chances = left * weights
        total = chances.sum()
        following = int(draw.choice(len(rows), p=chances / total)) if total > 0 else int(draw.integers(len(rows)))
        chosen.append(following)
        left = np.minimum(left, _distances(rows, rows[following]))
    return rows[chosen].copy()


@dataclass
class Stream:
    """Centres that move towards the rows of one batch after another. `half_life` in rows; 0 forgets nothing."""

    centres: Matrix
    counts: NDArray[np.float64]
    half_life: int = 0

    @classmethod
    def begin(cls, rows: Matrix, count: int, method: str, draw: np.random.Generator, half_life: int = 0) -> Stream:
        """With centres among the rows of the first batch."""
        count = min(count, len(rows))
        if method == "kmeans++":
            centres = spread(rows, count, np.ones(len(rows)), draw)
        else:
            centres = rows[draw.choice(len(rows), count, replace=False)].copy()
        return cls(centres, np.zeros(count), half_life)

    def take(self, rows: Matrix) -> float:
        """Move towards the rows; their mean squared distance to the centres before."""
        closest, squared = nearest(rows, self.centres)
        if self.half_life:
            self.counts *= 0.5 ** (len(rows) / self.half_life)
        arrived = np.bincount(closest, minlength=len(self.centres)).astype(np.float64)
        sums = np.zeros(self.centres.shape)
        np.add.at(sums, closest, rows)
        total = self.counts + arrived
        moved = arrived > 0
        weight = (self.counts[moved] / total[moved])[:, None]
        means = sums[moved] / arrived[moved][:, None]
        self.centres[moved] = weight * self.centres[moved] + (1 - weight) * means
        self.counts = total
        return float(squared.mean(dtype=np.float64))


def lloyd(stream: Stream, k: int, values: dict[str, Any], draw: np.random.Generator, say: Callable[[str], None]) -> Any:
    """The k centres of the stream's weighted centres with the least mean squared distance of several attempts."""
    used = stream.counts > 0
    points, weights = stream.centres[used].astype(np.float64), stream.counts[used]
    if len(points) < k:  # Fewer rows than that were seen: their duplicates are centres too.
        more = draw.choice(len(points), k - len(points))
        points, weights = np.concatenate([points, points[more]]), np.concatenate([weights, weights[more] * 0 + 1e-9])
    best, least = None, np.inf
    trials = 10 if values["local_lloyd_num_trials"] == "auto" else values["local_lloyd_num_trials"]
    for attempt in range(trials):
        centres = _start(points, weights, k, values["local_lloyd_init_method"], draw)
        centres, loss = _iterate(points, weights, centres, values["local_lloyd_max_iter"], values["local_lloyd_tol"])
        say(f"local kmeans attempt #{attempt}. Current mean square distance {loss:.6f}")
        if loss < least:
            best, least = centres, loss
    say(f"finished shrinking process. Mean Square Distance = {least}")
    return best


def _start(points: Any, weights: Any, k: int, method: str, draw: np.random.Generator) -> Any:
    if method == "kmeans++":
        return spread(points, k, weights, draw)
    return points[draw.choice(len(points), k, replace=False)].copy()


def _iterate(points: Any, weights: Any, centres: Any, rounds: int, tolerance: float) -> tuple[Any, float]:
    loss = np.inf
    for _ in range(rounds):
        closest, squared = nearest(points, centres)
        now = float((squared * weights).sum() / weights.sum())
        sums, mass = np.zeros_like(centres), np.bincount(closest, weights, minlength=len(centres))
        np.add.at(sums, closest, points * weights[:, None])
        full = mass > 0
        centres[full] = sums[full] / mass[full][:, None]
        if loss - now <= tolerance * now:
            break
        loss = now
    return centres, float((nearest(points, centres)[1] * weights).sum() / weights.sum())
