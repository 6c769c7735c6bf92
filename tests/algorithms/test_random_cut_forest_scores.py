"""Scores against the published definition, computed without a forest: exactly for few points, by simulation for many.

A point's score is the expected inverse of its depth in a random cut tree of the sample and the point (developer guide,
"How RCF Works": "the resulting tree is as if the input data point were a member of the sample"), in units of
log2(points + 1). For a point that is in the sample m times it is that of its leaf in a tree of the sample alone,
1 / (depth + log2(m + 1)), lowered by 1 - m / (2 points).
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Sequence

import numpy as np
import pytest

from algorithms.random_cut_forest import scores
from algorithms.random_cut_forest.forest import Forest, grow
from algorithms.random_cut_forest.scores import Scorer

Point = tuple[float, ...]


def exact(sample: Sequence[Point], point: Point) -> float:
    """By all trees that there can be, each with its probability."""
    mass = sample.count(point)
    unit, points = math.log2(len(sample) + 1), frozenset(sample) | {point}
    if not mass:
        return unit * _expected(points, point, 0, 0.0)
    return unit * (1 - mass / (2 * len(sample))) * _expected(points, point, 0, math.log2(mass + 1))


def _expected(points: frozenset[Point], point: Point, depth: int, beyond: float) -> float:
    """The expected 1 / (depth of the point's leaf + beyond) of a tree of the points, whose root has this depth."""
    if len(points) == 1:
        return 1 / (depth + beyond)
    return sum(
        chance * _expected(frozenset(one for one in points if side(one) == side(point)), point, depth + 1, beyond)
        for chance, side in _cuts(points)
    )


def _cuts(points: frozenset[Point]) -> Iterator[tuple[float, object]]:
    """The gaps between neighbouring coordinates, each as likely as it is wide."""
    columns = [sorted(set(column)) for column in zip(*points, strict=True)]
    whole = sum(column[-1] - column[0] for column in columns)
    for dimension, column in enumerate(columns):
        for low, high in itertools.pairwise(column):
            yield (high - low) / whole, lambda one, at=dimension, low=low: one[at] <= low


def simulated(sample: np.ndarray, point: np.ndarray, draw: np.random.Generator) -> float:
    """1 / depth of the point in one random cut tree of the sample and the point."""
    held, depth = np.vstack([sample, point]).astype(float), 0
    while len(held) > 1:
        low, high = held.min(axis=0), held.max(axis=0)
        dimension = draw.choice(len(low), p=(high - low) / (high - low).sum())
        cut = draw.uniform(low[dimension], high[dimension])
        held = held[(held[:, dimension] > cut) == (point[dimension] > cut)]
        depth += 1
    return 1 / depth


def forest_of(sample: Sequence[Point], trees: int, seed: int = 1) -> Forest:
    rows = np.array(sample, np.float32)
    return grow(np.broadcast_to(rows, (trees, *rows.shape)), np.random.default_rng(seed))


FEW = [(0.0, 0.0), (1.0, 0.5), (1.5, 3.0), (4.0, 1.0), (4.0, 2.5), (0.5, 2.0), (9.0, 1.0)]
TWINS = [*FEW[:4], *FEW[:2], FEW[0]]
TREES = 20_000


@pytest.mark.parametrize("sample", [FEW, TWINS, [(x,) for x, _ in FEW[2:]], [(1.0, 2.0)] * 3], ids=len)
def test_scores_of_few_points_are_those_of_all_trees_that_there_can_be(sample: list[Point]) -> None:
    scorer = Scorer(forest_of(sample, TREES))
    asked = [
        point[: len(sample[0])] for point in [*FEW, (2.0, 2.0), (-3.0, 1.0), (0.25, 0.25), (20.0, 20.0), (1.0, 2.0)]
    ]
    for point, found in zip(asked, scorer.scores(np.array(asked, np.float32)), strict=True):
        # No tree's score lies outside of [0, unit]: the mean of n deviates by less than unit / (2 sqrt(n)).
        assert found == pytest.approx(exact(sample, point), abs=3 * math.log2(len(sample) + 1) / (2 * TREES**0.5))


@pytest.mark.parametrize("width", [1, 5, 48])
def test_scores_of_many_points_are_those_of_simulated_trees(width: int) -> None:
    draw = np.random.default_rng(width)
    sample = draw.standard_t(3, size=(256, width)).astype(np.float32)
    asked = np.vstack([draw.normal(size=width), draw.normal(size=width) * 4, np.full(width, 30)]).astype(np.float32)
    found = Scorer(forest_of(sample.tolist(), 400)).scores(asked)
    for point, score in zip(asked, found, strict=True):
        depths = [simulated(sample, point, draw) for _ in range(600)]
        error = np.std(depths) * (1 / 600 + 1 / 400) ** 0.5
        assert score / math.log2(257) == pytest.approx(np.mean(depths), abs=4 * error + 1e-6)


def test_trees_are_random_cut_trees() -> None:
    """Cuts fall into a dimension in proportion to its range, and anywhere in it alike; nodes part into halves that are
    not empty; all points are in a leaf."""
    sample = np.random.default_rng(4).random((40, 3)).astype(np.float32) * [1, 2, 5]
    forest = forest_of(sample.tolist(), 3000)
    first = forest.roots
    spans = sample.max(axis=0) - sample.min(axis=0)
    for dimension, chance in enumerate(spans / spans.sum()):
        share = (forest.dimension[first] == dimension).mean()
        assert abs(share - chance) < 4 * (chance * (1 - chance) / 3000) ** 0.5
        cuts = np.sort(forest.value[first][forest.dimension[first] == dimension])
        even = np.linspace(sample[:, dimension].min(), sample[:, dimension].max(), len(cuts))
        assert np.abs(cuts - even).max() < 1.95 * spans[dimension] / len(cuts) ** 0.5, "Kolmogorov's bound at 0.001"
    assert (forest.sizes == 79).all() and (forest.mass == 1).all() and forest.samples == 40
    one = {tuple(row) for row in forest.points[forest._owners[forest.cuts :] == 7].tolist()}
    assert one == {tuple(row) for row in sample.astype(np.float32).tolist()}
    low, high = forest.boxes()
    nodes = np.arange(forest.cuts)
    least, most = low[nodes, forest.dimension], high[nodes, forest.dimension]
    assert ((least <= forest.value) & (forest.value < most)).all()
    assert forest.depths.max() == len(forest.levels) and forest.depths.min() >= math.log2(40)


def test_points_that_float32_hardly_tells_apart_are_still_parted() -> None:
    one = np.float32(1)
    close = [float(one), float(np.nextafter(one, np.float32(2))), 3e38, -3e38, 1e-44, 0.0]
    forest = forest_of([(x, 0.0) for x in close], 200)
    assert (forest.sizes == 11).all()
    scores = Scorer(forest).scores(np.array([[1, 0], [3.4e38, 3.4e38], [-3.4e38, 0]], np.float32))
    assert np.isfinite(scores).all() and (scores > 0).all()


def test_rows_are_scored_alike_alone_and_together() -> None:
    draw = np.random.default_rng(6)
    scorer = Scorer(grow(draw.normal(size=(60, 100, 20)).astype(np.float32), draw))
    rows = draw.normal(size=(300, 20)).astype(np.float32)
    alone = [scorer.scores(row[None])[0] for row in rows]
    assert scorer.scores(rows).tolist() == pytest.approx(alone, rel=1e-6)


def test_one_point_is_scored_alike_step_by_step_and_with_all_cuts_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    draw = np.random.default_rng(3)
    scorer = Scorer(forest_of(draw.standard_t(3, size=(256, 4)).tolist(), 50))
    asked = [row[None] for row in draw.standard_t(3, size=(20, 4)).astype(np.float32)]
    at_once, taken = [scorer.scores(row) for row in asked], []
    monkeypatch.setattr(scores, "SMALL", 0)
    monkeypatch.setattr(Scorer, "_ways_of_one", lambda self, point: taken.append(point))
    np.testing.assert_array_equal([scorer.scores(row) for row in asked], at_once)
    assert not taken
