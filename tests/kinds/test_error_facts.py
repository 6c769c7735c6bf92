"""Kinds answer in the words of the service: held against recorded messages (tests/facts/errors.json).

`match` says how much of a message is known: all of it (exact), its beginning or end, a part of it, or the code alone.
What stands under `later` belongs to causes that no kind declares: the behaviours that word them have their own tests.
"""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from emulator.kinds import KINDS
from emulator.kinds.derive import operation_names
from emulator.kinds.facts import Facts
from emulator.kinds.kind import Fault

FACTS = json.loads((Path(__file__).parents[1] / "facts" / "errors.json").read_text())
BY_NOUN = {kind.noun: Facts(kind) for kind in KINDS}
NAMES = {"arn": "arn:aws:sagemaker:eu-west-1:123456789012:thing/a", "name": "a", "parent": "p", "others": "App"}
FITS = {
    "exact": str.__eq__,
    "starts": str.startswith,
    "ends": str.endswith,
    "contains": str.__contains__,
    "code": lambda said, known: True,
}


def declared(fact: dict[str, str]) -> Fault:
    """The kind's error for the cause of a fact."""
    facts = BY_NOUN[fact["kind"]]
    return {"missing": facts.missing, "duplicate": facts.taken, "in use": facts.occupied}[fact["cause"]]


@pytest.mark.parametrize(
    "fact", FACTS["facts"], ids=[f"{fact['operation']} {fact['cause']}" for fact in FACTS["facts"]]
)
def test_a_kind_answers_in_the_words_that_were_seen(fact: dict[str, str]) -> None:
    error, names = declared(fact), {**NAMES, "kind": fact["kind"]}
    known = fact["message"].replace("{child}", "{others}").format(**names)
    said = error.message.format(**names)
    assert error.code == fact["code"]
    assert FITS[fact["match"]](said, known), f"{fact['operation']} says {said!r}; known is {known!r} ({fact['source']})"


@pytest.mark.parametrize("fact", [*FACTS["facts"], *FACTS["later"]], ids=lambda fact: fact["operation"])
def test_a_fact_has_a_source_and_an_operation_of_the_model(fact: dict[str, str]) -> None:
    assert fact["operation"] in operation_names("sagemaker")
    assert fact["source"]
    assert fact["confidence"] in ("seen", "inferred")
