"""A record of every kind lives its life over a real server: with boto3 of today, of before, and the oldest allowed."""

from __future__ import annotations

import json
import os

import pytest

from tests.journeys import lives

NEWEST, BEFORE, LOWEST = lives.VERSIONS


UNSATISFIED = {LOWEST: ["ImageDeleted", "ImageVersionDeleted"]}
"""Waiters that expect ResourceNotFoundException, a code that no operation of the service has; mended in boto3 1.43."""


@pytest.mark.parametrize(
    ("client", "model"), [(NEWEST, NEWEST), (BEFORE, NEWEST), (BEFORE, BEFORE), (LOWEST, LOWEST)], ids=str
)
def test_every_kind_lives_its_life(tmp_path, client, model):
    """`client` is the boto3 of the program, `model` the botocore by which the server knows the service."""
    places = [lives.place(version) for version in (client, model)]
    if None in places:
        assert not os.environ.get("CI"), (
            f"boto3 {client} or {model} is missing: `python -m tests.journeys.lives prepare`"
        )
        pytest.skip(f"boto3 {client} or {model} cannot be installed here")
    told = lives.live(*places, tmp_path)
    assert told["boto3"].startswith(client)
    assert not told["problems"], json.dumps(told["problems"], indent=1)
    assert "Traceback" not in told["log"]
    assert told["unused"] == UNSATISFIED.get(client, []), "waiters of botocore"
    if client == model == NEWEST:
        known = json.loads(lives.PROVED.read_text())
        assert told["proved"] == known, "run `python -m tests.journeys.lives` and `make docs`"
