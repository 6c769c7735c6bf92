"""The sentences that users of Amazon's images have pasted come out of ours as they are."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from algorithms.common.hyperparameters import Integer, Interval
from algorithms.first_party import wording

FACTS = json.loads((Path(__file__).parents[1] / "facts/first_party.json").read_text())


def seen(algorithm: str, cause: str) -> str:
    [text] = [fact["text"] for fact in FACTS if (fact["algorithm"], fact["cause"]) == (algorithm, cause)]
    return text


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        (wording.SCHEMA.missing(["k", "feature_dim"]), seen("kmeans", "missing hyperparameter")),
        (wording.SCHEMA.missing(["mini_batch_size"]), seen("pca", "missing hyperparameter")),
    ],
)
def test_what_was_seen_is_said(ours: str, theirs: str) -> None:
    assert f"ClientError: {ours}".startswith(theirs)


def test_a_number_out_of_range_is_told_its_pattern_and_its_limits() -> None:
    one = Integer("image_shape", range=Interval(300, 10000))
    assert wording.SCHEMA.outside(one, 12) == (
        "The value '12' is not valid for the 'image_shape' hyperparameter which expects one of the following: "
        "a string which matches the pattern '^-?[1-9][0-9]*$|^0$'; or an integer between 300 and 10000 "
        "(caused by ValidationError)"
    )
    assert "an integer greater than 1 (" in wording.SCHEMA.outside(Integer("k", range=Interval(1)), 0)


def test_several_unknown_hyperparameters_are_told_together() -> None:
    assert "('a', 'b' were unexpected)" in wording.SCHEMA.extraneous(["a", "b"])
