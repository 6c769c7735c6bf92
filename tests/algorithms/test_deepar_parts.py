"""DeepAR's parts: calendars, lags, records, windows, likelihoods against torch's own distributions, scores."""

from __future__ import annotations

from datetime import datetime, timedelta

import numpy as np
import pytest

from algorithms.deepar import epochs, scores, series
from algorithms.deepar.frequency import FEATURES, Frequency
from algorithms.deepar.series import Series
from algorithms.deepar.windows import Panel, Shape

torch = pytest.importorskip("torch", reason="pip install 'sagelet[torch]'")


STEPS = {"W": timedelta(7), "D": timedelta(1), "H": timedelta(hours=1), "min": timedelta(minutes=1)}


def said(name: str, at: datetime) -> float:
    return {
        "minute": at.minute / 59, "hour": at.hour / 23, "weekday": at.weekday() / 6, "day": (at.day - 1) / 30,
        "yearday": (at.timetuple().tm_yday - 1) / 365, "week": (at.isocalendar()[1] - 1) / 52,
    }[name] - 0.5  # fmt: skip


@pytest.mark.parametrize("text", ["W", "D", "H", "2H", "min", "15min"])
def test_the_calendar_is_that_of_python(text: str) -> None:
    frequency = Frequency.parse(text)
    assert str(frequency) == text
    places = frequency.place("2019-12-27 22:58:31") + frequency.stride * np.arange(3000)
    begin, step = datetime(2019, 12, 27, 22, 58), STEPS[frequency.unit] * frequency.multiple
    wanted = [[said(name, begin + n * step) for name in FEATURES[frequency.unit]] for n in range(3000)]
    assert np.allclose(frequency.calendar(places), wanted, atol=1e-6)


def test_months_are_counted() -> None:
    frequency = Frequency.parse("3M")
    places = frequency.place("2019-12-27") + frequency.stride * np.arange(5)
    assert (frequency.calendar(places)[:, 0] + 0.5).tolist() == pytest.approx([1, 2 / 11, 5 / 11, 8 / 11, 1])


@pytest.mark.parametrize(
    ("text", "some", "none"),
    [
        ("H", (24, 25, 48, 167, 168, 169, 672, 720), (12, 30, 8736)),
        ("D", (14, 28, 30, 364, 728, 1092), (10, 40)),
        ("5min", (12, 24, 287, 288, 289, 1152), (100, 2016)),
        ("W", (8, 12, 52, 104, 156), (26,)),
        ("M", (11, 12, 13, 24, 36), (18,)),
        ("3M", (8, 11, 12, 13), (24, 36)),
    ],
)
def test_lags_are_about_whole_seasons(text: str, some: tuple[int, ...], none: tuple[int, ...]) -> None:
    lags = Frequency.parse(text).lags()
    assert lags[:7] == tuple(range(1, 8)) and list(lags) == sorted(set(lags)) and lags[-1] <= 1200
    assert set(some) <= set(lags) and not set(none) & set(lags)


def test_series_are_packed_and_unpacked() -> None:
    given = [
        Series(-5, np.array([1.5, np.nan]), (3, 1), np.arange(6.0).reshape(2, 3)),
        Series(27_000_000, np.array([]), (), None),
        series.parse({"start": "2020-01-01", "target": [1, None, "NaN", 2.5], "cat": 2}, Frequency("D")),
    ]
    found = list(series.unpacked(series.packed(given)))
    for one, other in zip(found, given, strict=True):
        assert (one.start, one.cat) == (other.start, other.cat)
        assert np.array_equal(one.target, other.target, equal_nan=True)
        assert (one.dynamic is None) == (other.dynamic is None)
        assert one.dynamic is None or np.array_equal(one.dynamic, other.dynamic)


def shaped(**more: object) -> Shape:
    told = {
        "frequency": Frequency("H"), "context": 4, "prediction": 2, "likelihood": "gaussian", "lags": (1, 3),
        "cells": 5, "layers": 1, "embedding": 2, "level": 50.0,
    }  # fmt: skip
    return Shape(**told | more)


def test_windows_hold_the_past_scaled_and_the_gaps_filled() -> None:
    target = np.array([10.0, 20, np.nan, 40, 50, 60, 70, 80])
    feature = np.array([[3.0, 5, 3, 5, 3, 5, 3, 5, 7]])
    given = [Series(0, np.array([7.0]), (1,)), Series(100, target, (2,), feature)]
    panel = Panel(given, shaped(centre=(4.0,), spread=(2.0,), cardinality=(3,)))
    batch = panel.windows(np.array([1, 1, 0]), np.array([6, 1, 1]))
    assert batch.target.tolist() == [[20, 40, 50, 60, 70, 80], [0, 0, 0, 10, 20, 20], [0, 0, 0, 7, 0, 0]]
    assert batch.observed.tolist() == [[0, 1, 1, 1, 1, 1], [0, 0, 0, 1, 1, 0], [0, 0, 0, 1, 0, 0]]
    assert batch.scale.tolist() == [50, 10, 7], "the mean of what is known of the context"
    assert (batch.past[0] * 50).tolist() == pytest.approx([0, 10, 20, 20, 40, 50, 60])
    wanted = [[20, 0], [20, 10], [40, 20], [50, 20], [60, 40], [70, 50]]
    assert (batch.lagged[0] * 50).ravel().tolist() == pytest.approx(np.ravel(wanted).tolist()), "one and three ago"
    assert batch.features[0, :, -1].tolist() == [-0.5, 0.5, -0.5, 0.5, -0.5, 0.5]
    assert batch.features[0, :, -2].tolist() == pytest.approx(np.log10([4, 5, 6, 7, 8, 9]).tolist())
    assert batch.cat.tolist() == [[2], [2], [1]]
    assert panel.windows(np.array([1]), np.array([8])).features[0, :, -1].tolist() == [-0.5, 0.5, -0.5, 0.5, 1.5, 0]


def test_the_scale_of_what_is_unknown_is_that_of_the_past_or_of_all() -> None:
    target = np.array([6.0, 0, np.nan, np.nan, np.nan, np.nan])
    panel = Panel([Series(0, target), Series(0, np.array([])), Series(0, np.zeros(6))], shaped())
    assert panel.windows(np.arange(3), np.array([6, 0, 6])).scale.tolist() == [3, 50, 50]
    whole = Panel([Series(0, target)], shaped(likelihood="beta"))
    assert whole.windows(np.array([0]), np.array([2])).scale.tolist() == [1]


def test_windows_are_drawn_from_everywhere_with_a_past() -> None:
    panel = Panel([Series(0, np.arange(1.0, 9)), Series(0, np.ones(2)), Series(0, np.ones(1))], shaped())
    draw = np.random.default_rng(1)
    firsts = {float(panel.draw(np.array([0]), draw).target[0, 4]) for _ in range(200)}
    assert firsts == {2, 3, 4, 5, 6, 7}, "the step after the first up to the last that leaves room for a forecast"
    assert panel.draw(np.array([1, 2]), draw).target[:, 3].tolist() == [1, 1]


@pytest.mark.parametrize(
    ("series_", "batch", "wanted"),
    [
        (14, 64, (46, 0.9937888198757764)),
        (200, 32, (2, 0.8)),
        (156, 128, (9, 1280 / 1404)),
        (5000, 32, (1, 1.0)),
    ],
)
def test_passes_over_few_series_are_those_of_the_logs(series_: int, batch: int, wanted: tuple[int, float]) -> None:
    assert epochs.passes(series_, batch) == pytest.approx(wanted)


def test_an_epoch_takes_of_all_series_alike() -> None:
    found = np.bincount(np.concatenate(epochs.batches(14, 64, np.random.default_rng(1))))
    assert found.min() >= 40 and found.max() <= 46 and abs(found.sum() - 640) < 10
    assert sorted(np.concatenate(epochs.batches(50, 4, np.random.default_rng(1))).tolist()) == list(range(50))


def distributions(name: str, raw, scale):
    """The same, by torch."""
    from torch.distributions import Beta, Normal, StudentT
    from torch.nn.functional import softplus

    first, second = softplus(raw[..., 0]), softplus(raw[..., 1])
    if name == "gaussian":
        return Normal(raw[..., 0] * scale, second * scale)
    if name == "beta":
        return Beta(first, second)
    if name == "student-T":
        return StudentT(2 + softplus(raw[..., 2]), raw[..., 0] * scale, second * scale)
    shape, mean = scale.sqrt() / second, first * scale
    return torch.distributions.NegativeBinomial(shape, mean / (mean + shape))


@pytest.mark.parametrize("name", ["gaussian", "student-T", "beta", "negative-binomial"])
def test_likelihoods_are_those_of_torch(name: str) -> None:
    from algorithms.deepar.likelihoods import LIKELIHOODS

    generator = torch.Generator().manual_seed(3)
    ours = LIKELIHOODS[name]
    raw = torch.randn(50, ours.parameters, generator=generator)
    scale = torch.ones(50) if name == "beta" else 10 ** (2 * torch.rand(50, generator=generator))
    theirs = distributions(name, raw, scale)
    drawn = torch.stack([ours.sample(raw, scale, generator) for _ in range(4000)])
    assert torch.allclose(ours.loss(raw, drawn[0], scale), -theirs.log_prob(drawn[0]), rtol=1e-2, atol=1e-2)
    lasting = theirs.stddev / 4000**0.5
    if name == "student-T":  # Of tails that wide a mean is no measure.
        quarter = torch.quantile(drawn, 0.5, dim=0)
        assert ((quarter - theirs.loc).abs() < 6 * theirs.scale / 4000**0.5).all()
        return
    assert ((drawn.mean(0) - theirs.mean).abs() < 5 * lasting + 1e-3 * theirs.mean.abs()).all()
    assert torch.allclose(drawn.std(0), theirs.stddev, rtol=0.25, atol=1e-3)


def test_paths_are_drawn_step_by_step_as_the_network_sees_them_in_training() -> None:
    """With a likelihood that is sure, a path is what the network says when it is given that path as its past."""
    from algorithms.deepar.network import Network

    torch.manual_seed(4)
    shape = shaped(likelihood="deterministic-L1", prediction=5, cardinality=(2,), layers=2)
    network, past = Network(shape).eval(), np.random.default_rng(1).uniform(1, 9, 20)
    known = Panel([Series(0, past, (1,))], shape)
    [[path, other]] = network.paths(known.windows(np.array([0]), np.array([20])), 2, torch.Generator()).numpy()
    assert path.tolist() == other.tolist()
    told = Panel([Series(0, np.concatenate([past, path.astype(float)]), (1,))], shape)
    batch = told.windows(np.array([0]), np.array([20]))
    with torch.no_grad():
        lagged, features = torch.from_numpy(batch.lagged), torch.from_numpy(batch.features)
        raw, _ = network._run(lagged, features, network._static(batch))
    assert (raw[0, -5:, 0].numpy() * batch.scale[0]).tolist() == pytest.approx(path.tolist(), rel=1e-4)


def test_scores_are_those_of_the_guide() -> None:
    actual = np.array([[10.0, np.nan], [20.0, 30.0]])
    paths = np.repeat(np.array([[[8.0, 1.0]], [[22.0, 33.0]]]), 4, axis=1)
    found = scores.scores(actual, paths, [0.5, 0.9])
    assert found["RMSE"] == pytest.approx(np.sqrt((4 + 4 + 9) / 3))
    assert found["wQuantileLoss[0.5]"] == pytest.approx((2 + 2 + 3) / 60)
    assert found["wQuantileLoss[0.9]"] == pytest.approx(2 * (0.9 * 2 + 0.1 * 2 + 0.1 * 3) / 60)
    assert found["mean_wQuantileLoss"] == pytest.approx((7 + 4.6) / 2 / 60)
    assert found["mean_absolute_QuantileLoss"] == pytest.approx((7 + 4.6) / 2)
