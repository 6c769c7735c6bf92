"""DeepAR's forecasts against seasonal naive ones, against who knows the process, and without what they are given."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from algorithms.deepar import artifact
from algorithms.deepar.scores import scores
from algorithms.deepar.series import parse
from algorithms.deepar.windows import Panel
from tests.algorithms.job import Ended, Job
from tests.algorithms.seasons import DAY, before, ends, hourly, lines, series
from tests.contracts.first_party_contract import JSON

pytest.importorskip("torch", reason="pip install 'sagelet[torch]'")
from algorithms.deepar import fitting

LEVELS = [level / 10 for level in range(1, 10)]
VALUES = {"context_length": "24", "epochs": "20", "mini_batch_size": "32", "learning_rate": "0.01"}


def trained(folder: Path, data: tuple[Any, Any], steps: int, **more: str) -> tuple[Job, Ended]:
    """A job of the series without their last steps, tested with all of them."""
    job, (train, test) = Job(folder, "deepar"), data
    job.prepare({**VALUES, "prediction_length": str(steps), "time_freq": "H", **more}, train="json", test="json")
    job.put("train/a.json", lines(train))
    job.put("test/a.json", lines(test))
    ended = job.train()
    assert ended.code == 0, ended.output
    return job, ended


def said(ended: Ended, name: str = "mean_wQuantileLoss") -> float:
    [found] = re.findall(rf"#quality_metric: host=\S+, test {name} <loss>=(\S+)", ended.output)
    return float(found)


def naive(records: list[dict[str, Any]], steps: int, season: int, seasons: int = 1) -> dict[str, float]:
    """The scores of forecasts that repeat the last season, or draw from the last seasons."""
    past, actual = ends(before(records, steps), season * seasons), ends(records, steps)
    paths = past.reshape(len(records), seasons, season)
    return scores(actual, np.tile(paths, -(-steps // season))[..., :steps], LEVELS)


def test_seasons_are_forecast_nearly_as_well_as_by_who_knows_them(tmp_path: Path) -> None:
    records, means = hourly(24, 400, 1)
    job, ended = trained(tmp_path, (before(records, DAY), records), DAY)
    actual, draw = ends(records, DAY), np.random.default_rng(9)
    drawn = means[:, None, -DAY:] * (1 + 0.15 * draw.standard_normal((24, 400, DAY)))
    best = scores(actual, drawn, LEVELS)["mean_wQuantileLoss"]
    found = said(ended)
    assert found < 0.68 * naive(records, DAY, DAY)["mean_wQuantileLoss"]
    assert found < 0.8 * naive(records, DAY, DAY, seasons=7)["mean_wQuantileLoss"], "its spread is learned, too"
    assert best * 0.97 < found < 1.25 * best, "none can be better than who knows the process"

    asked = {
        "instances": before(records, DAY),
        "configuration": {"num_samples": 200, "quantiles": ["0.1", "0.5", "0.9"]},
    }
    with job.serve() as server:
        answers = server.post(json.dumps(asked), JSON).json()["predictions"]
    low, middle, high = (np.array([one["quantiles"][text] for one in answers]) for text in ("0.1", "0.5", "0.9"))
    assert (low < middle).mean() > 0.99 and (middle < high).mean() > 0.99
    assert 0.68 < ((low < actual) & (actual < high)).mean() < 0.92, "8 of 10 values lie between these quantiles"
    assert 0.4 < (actual < middle).mean() < 0.6
    wanted = np.abs(actual - middle).sum() / np.abs(actual).sum()
    [told] = re.findall(r"#test_score \(algo-1, wQuantileLoss\[0.5\]\): (\S+)", ended.output)
    assert float(told) == pytest.approx(wanted, rel=0.1), "the endpoint forecasts what was evaluated"


def test_categories_tell_what_a_short_past_does_not(tmp_path: Path) -> None:
    """New series of which four hours are known: only the category says what a day will be like."""
    (train, _), (new, _) = hourly(24, 300, 1), hourly(60, 4 + DAY, 2)
    known = said(trained(tmp_path / "known", (train, new), DAY, epochs="12")[1])
    ignored = said(trained(tmp_path / "ignored", (train, new), DAY, epochs="12", cardinality="ignore")[1])
    assert known < 0.9 * ignored


def test_features_tell_what_the_past_does_not(tmp_path: Path) -> None:
    """Hours with twice the demand, at random: the feature says when."""
    records, _ = hourly(20, 400, 3)
    draw = np.random.default_rng(4)
    for one in records:
        busy = draw.random(400) < 0.15
        one["target"] = (np.array(one["target"]) * (1 + busy)).tolist()
        one["dynamic_feat"] = [(2000.0 + busy).tolist()]
    data = (before(records, DAY), records)
    known = said(trained(tmp_path / "known", data, DAY)[1])
    ignored = said(trained(tmp_path / "ignored", data, DAY, num_dynamic_feat="ignore")[1])
    assert known < 0.7 * ignored and known < 0.5 * naive(records, DAY, DAY)["mean_wQuantileLoss"]


def weekly(likelihood: str) -> list[dict[str, Any]]:
    """Series with weeks, of the kind that a likelihood is for."""
    draw, at = np.random.default_rng(5), np.arange(200)
    season = np.sin(2 * np.pi * at / 7)
    if likelihood == "negative-binomial":
        return [series(draw.poisson(10 ** draw.uniform(-0.5, 1.5) * (1 + 0.8 * season))) for _ in range(24)]
    if likelihood == "beta":
        values = [draw.normal() + 1.5 * season + 0.3 * draw.standard_normal(200) for _ in range(24)]
        return [series(1 / (1 + np.exp(-one))) for one in values]
    return [series(draw.normal(0, 20) + 5 * season + 2 * draw.standard_normal(200)) for _ in range(24)]


@pytest.mark.parametrize(
    ("likelihood", "part"),
    [("gaussian", 0.75), ("beta", 0.8), ("negative-binomial", 0.75), ("deterministic-L1", 0.93)],
)
def test_every_likelihood_forecasts_what_it_is_for(tmp_path: Path, likelihood: str, part: float) -> None:
    """A single number cannot be better than 0.71 of the naive error, which has the noise twice."""
    records = weekly(likelihood)
    more = {"time_freq": "D", "likelihood": likelihood, "epochs": "12"}
    job, ended = trained(tmp_path, (before(records, 14), records), 14, **more)
    assert said(ended) < part * naive(records, 14, 7)["mean_wQuantileLoss"]
    network = artifact.read(job.model)
    panel = Panel([parse(one, network.shape.frequency) for one in before(records[:8], 14)], network.shape)
    samples = fitting.forecast(network, panel, panel.lengths, 30)
    assert samples.shape == (8, 30, 14) and np.isfinite(samples).all()
    if likelihood == "beta":
        assert samples.min() > 0 and samples.max() < 1
    elif likelihood == "negative-binomial":
        assert (samples % 1 == 0).all() and samples.min() >= 0
    elif likelihood == "deterministic-L1":
        assert (samples == samples[:, :1]).all(), "it says nothing of how sure it is"


def test_gaps_cost_little(tmp_path: Path) -> None:
    """A fifth of the past is missing, in stretches; the ends are whole."""
    records, _ = hourly(24, 400, 1)
    draw = np.random.default_rng(8)
    for one in records:
        for start in draw.integers(0, 400 - 2 * DAY, 14):
            one["target"][start : start + 6] = [None] * 6
    ended = trained(tmp_path, (before(records, DAY), records), DAY)[1]
    assert "contains missing values: yes" in ended.output
    whole, _ = hourly(24, 400, 1)
    assert said(ended) < 0.85 * naive(whole, DAY, DAY)["mean_wQuantileLoss"]
